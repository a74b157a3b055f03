import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../fixture/free-port';

const sshdPath = '/usr/sbin/sshd';

/** A key pair that ssh-keygen made, as files. */
export interface KeyFiles {
  readonly privateKeyPath: string;
  /** Type and key, as known_hosts and authorized_keys have them. */
  readonly publicKey: string;
  readonly fingerprint: string;
}

/** An OpenSSH server of the user who runs the tests, on a port of its own. */
export interface RealSshd {
  readonly port: number;
  readonly user: string;
  /** Ends every connection to it at once, as a crash would. */
  killConnections(): void;
  /** What it wrote to its log so far. */
  log(): string;
  /** Stops it and waits until it is gone. Sessions that are open live on until they are closed. */
  stop(): Promise<void>;
}

/**
 * A block of tests that needs OpenSSH's server and ssh-keygen. It is skipped, and says so, where they are not
 * installed; in CI (`CI=true`) that fails the run.
 */
export function describeWithSshd(name: string, tests: () => void): void {
  if (existsSync(sshdPath)) {
    describe(name, tests);
    return;
  }
  const missing = `${sshdPath}: apt-get install openssh-server`;
  if (process.env['CI'] === 'true') throw new Error(`CI must not skip "${name}": missing ${missing}`);
  process.stderr.write(`skipped "${name}": missing ${missing}\n`);
  describe.skip(name, tests);
}

/** A directory that only this user can enter; the caller removes it. */
export function privateDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'reboot-exporter-ssh-'));
}

/** Makes a key pair; `options` are further ones of ssh-keygen, such as `-b 3072` or `-m PEM`. */
export function keygen(directory: string, name: string, type: string, options: readonly string[] = []): KeyFiles {
  const path = join(directory, name);
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', '', '-f', path, ...options]);
  const publicKey = readFileSync(`${path}.pub`, 'utf8').trim().split(' ').slice(0, 2).join(' ');
  const listed = execFileSync('ssh-keygen', ['-l', '-f', `${path}.pub`], { encoding: 'utf8' });
  return { privateKeyPath: path, publicKey, fingerprint: listed.split(' ')[1] ?? '' };
}

/** Starts a server with these host keys that lets these public keys in, and waits until it answers. */
export async function startSshd(
  directory: string,
  hostKeys: readonly KeyFiles[],
  authorizedKeys: readonly string[],
  options: readonly string[] = [],
): Promise<RealSshd> {
  // sshd started by root insists on its privilege separation directory, which Debian makes at boot.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const port = await freePort();
  const stem = join(directory, `sshd-${port}`);
  writeFileSync(`${stem}-authorized`, authorizedKeys.map((key) => `${key}\n`).join(''), { mode: 0o600 });
  const config = [
    ...options,
    `Port ${port}`,
    ...(options.some((option) => option.startsWith('ListenAddress ')) ? [] : ['ListenAddress 127.0.0.1']),
    ...hostKeys.map((key) => `HostKey ${key.privateKeyPath}`),
    `AuthorizedKeysFile ${stem}-authorized`,
    'PidFile none',
    'UsePAM no',
    'StrictModes no',
    'PermitRootLogin yes',
    'PasswordAuthentication no',
    'MaxStartups 200',
  ];
  writeFileSync(`${stem}-config`, config.map((line) => `${line}\n`).join(''));
  const child = spawn(sshdPath, ['-D', '-f', `${stem}-config`, '-E', `${stem}-log`], { stdio: 'ignore' });
  const log = (): string => (existsSync(`${stem}-log`) ? readFileSync(`${stem}-log`, 'utf8') : '');
  await untilListening(port, child, log);
  return {
    port,
    user: userInfo().username,
    killConnections: () => killChildren(child.pid ?? 0),
    log,
    stop: () => stopped(child),
  };
}

/** Removes a directory made by `privateDirectory`. */
export function removeDirectory(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}

function killChildren(pid: number): void {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  for (const child of children) if (child !== '') process.kill(Number(child), 'SIGKILL');
}

async function untilListening(port: number, child: ChildProcess, log: () => string): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`sshd ended with ${child.exitCode}: ${log()}`);
    if (await answers(port)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  child.kill('SIGKILL');
  throw new Error(`sshd does not listen: ${log()}`);
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/**
 * Ends a process for good, if it has not ended. A SIGTERM may be lost: OpenSSH's client looks at its flag and then waits in poll(), so
 * one between the two waits for traffic.
 */
export function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
