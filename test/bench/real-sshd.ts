import { keygen, startSshd } from '../ssh/real-sshd';
import { knownHostsLine } from '../lab/ssh-keys';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CannedFleet } from './canned-fleet';

/** OpenSSH's server on loopback, started by and for whoever runs the benchmark; many addresses, one machine. */
export async function startRealSshd(folder: string, hosts: number): Promise<Omit<CannedFleet, 'pid'>> {
  const hostKey = keygen(folder, 'real_host_key', 'ed25519');
  const clientKey = keygen(folder, 'real_client_key', 'ed25519');
  const options = ['ListenAddress 0.0.0.0', 'MaxSessions 100'];
  const { port, user, stop } = await startSshd(folder, [hostKey], [clientKey.publicKey], options);
  const addresses = Array.from({ length: hosts }, (_, at) => `127.9.${at >> 8}.${at & 255}`);
  const knownHostsFile = join(folder, 'real_known_hosts');
  writeFileSync(
    knownHostsFile,
    addresses.map((address) => knownHostsLine([address], port, hostKey.publicKey)).join(''),
  );
  return {
    port,
    addresses,
    user,
    keyFile: clientKey.privateKeyPath,
    knownHostsFile,
    hostKeyFile: `${hostKey.privateKeyPath}.pub`,
    stop,
  };
}
