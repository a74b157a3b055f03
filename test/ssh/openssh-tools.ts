import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyFiles } from './real-sshd';

/** An ssh-agent of the tests' own. */
export interface RealAgent {
  readonly socket: string;
  /** Runs ssh-add with these arguments, and gives what it said. */
  add(...args: readonly string[]): string;
  stop(): void;
}

/** Starts an ssh-agent with nothing in it. */
export function startAgent(directory: string, name = 'agent'): RealAgent {
  const socket = join(directory, `${name}.sock`);
  const said = execFileSync('ssh-agent', ['-s', '-a', socket], { encoding: 'utf8' });
  const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(said)?.[1]);
  if (!Number.isInteger(pid) || pid < 2) throw new Error(`ssh-agent did not say its process id: ${said}`);
  return {
    socket,
    add: (...args) => {
      const { stdout, stderr, status } = spawnSync('ssh-add', args, {
        encoding: 'utf8',
        env: { ...process.env, SSH_AUTH_SOCK: socket },
      });
      if (status !== 0) throw new Error(`ssh-add ${args.join(' ')}: ${stdout}${stderr}`);
      return stdout + stderr;
    },
    stop: () => {
      process.kill(pid, 'SIGTERM');
    },
  };
}

/** Has an authority sign a key, as `ssh-keygen -s` does; gives the path of the certificate. */
export function certify(authority: KeyFiles, key: KeyFiles, args: readonly string[]): string {
  execFileSync('ssh-keygen', ['-q', '-s', authority.privateKeyPath, ...args, `${key.privateKeyPath}.pub`]);
  return `${key.privateKeyPath}-cert.pub`;
}

/** A copy of a key and its public half under another name, without the certificate beside it. */
export function copyKey(key: KeyFiles, name: string): KeyFiles {
  const privateKeyPath = join(key.privateKeyPath, '..', name);
  copyFileSync(key.privateKeyPath, privateKeyPath);
  copyFileSync(`${key.privateKeyPath}.pub`, `${privateKeyPath}.pub`);
  return { ...key, privateKeyPath };
}

/** The fingerprint and the rest that `ssh-keygen -L` prints of a certificate. */
export function describeCertificate(path: string): string {
  return execFileSync('ssh-keygen', ['-L', '-f', path], { encoding: 'utf8', env: { ...process.env, TZ: 'UTC' } });
}

/** The text of a file. */
export function textOf(path: string): string {
  return readFileSync(path, 'utf8');
}
