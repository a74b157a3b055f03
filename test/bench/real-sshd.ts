import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { knownHostsLine, makeKeyPair } from '../lab/ssh-keys';
import type { CannedFleet } from './canned-fleet';

/** OpenSSH's server on loopback, started by and for whoever runs the benchmark; many addresses, one machine. */
export async function startRealSshd(folder: string, hosts: number): Promise<CannedFleet> {
  const hostKey = makeKeyPair('ed25519');
  const clientKey = makeKeyPair('ed25519');
  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const port = await freePort();
  // sshd run by root wants this folder for its unprivileged children.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const config = write(
    'sshd_config',
    [
      `Port ${port}`,
      'ListenAddress 0.0.0.0',
      `HostKey ${write('real_host_key', hostKey.privateKey)}`,
      `AuthorizedKeysFile ${write('real_authorized_keys', `${clientKey.publicKey}\n`)}`,
      'StrictModes no',
      'PermitRootLogin prohibit-password',
      'PasswordAuthentication no',
      'UsePAM no',
      'PidFile none',
      'MaxStartups 100:30:200',
      'MaxSessions 100',
      '',
    ].join('\n'),
  );
  const sshd = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', config], { stdio: 'ignore' });
  await untilOpen(port);
  const addresses = Array.from({ length: hosts }, (_, at) => `127.9.${at >> 8}.${at & 255}`);
  const known = addresses.map((address) => knownHostsLine([address], port, hostKey.publicKey));
  return {
    port,
    addresses,
    user: userInfo().username,
    keyFile: write('real_client_key', clientKey.privateKey),
    knownHostsFile: write('real_known_hosts', known.join('')),
    hostKeyFile: write('real_host_key.pub', `${hostKey.publicKey}\n`),
    pid: sshd.pid ?? 0,
    async stop() {
      const ended = once(sshd, 'close');
      if (sshd.kill()) await ended;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

async function untilOpen(port: number): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (isOpen === true) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('sshd did not start: is openssh-server installed?');
}
