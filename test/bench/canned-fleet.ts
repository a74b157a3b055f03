import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { answerOf, type SimulatedHost } from '../../src/demo/simulated-host';
import { knownHostsLine, makeKeyPair } from '../lab/ssh-keys';
import { buildGoProgram } from './go-programs';
import { LineProcess } from './line-process';

/** The host key's files, and who may log in: what every client needs. */
export interface Login {
  readonly user: string;
  readonly keyFile: string;
  readonly knownHostsFile: string;
  /** The host key alone, as a line of an `authorized_keys` file. */
  readonly hostKeyFile: string;
}

/** Simulated hosts: one server on loopback, at which every address of 127.0.0.0/8 is a host of its own. */
export interface CannedFleet extends Login {
  readonly port: number;
  readonly addresses: readonly string[];
  readonly pid: number;
  stop(): Promise<void>;
}

/** Stands in the templates for the time of the answer. */
const nowMark = 1_999_999_999;
const bootedAt = 1_763_000_000;
/** The server adds the last six digits, another end for each host. */
const bootId = randomUUID().slice(0, 30);

export async function startCannedFleet(folder: string, hosts: number): Promise<CannedFleet> {
  const hostKey = makeKeyPair('ed25519');
  const clientKey = makeKeyPair('ed25519');
  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const keyFile = write('client_key', clientKey.privateKey);
  for (const exposure of [false, true]) {
    for (const flag of [false, true]) {
      write(`answer${exposure ? '-exposure' : ''}${flag ? '-flag' : ''}`, template(flag, exposure));
    }
  }
  const server = LineProcess.start(buildGoProgram('canned-sshd', folder), [
    folder,
    write('host_key', hostKey.privateKey),
    write('authorized_key', `${clientKey.publicKey}\n`),
    `${bootedAt}`,
  ]);
  const port = Number((await server.read()).split(' ')[1]);
  const addresses = Array.from({ length: hosts }, (_, at) => addressOf(at));
  const known = addresses.map((address) => knownHostsLine([address], port, hostKey.publicKey));
  return {
    port,
    addresses,
    user: 'bench',
    keyFile,
    knownHostsFile: write('known_hosts', known.join('')),
    hostKeyFile: write('host_key.pub', `${hostKey.publicKey}\n`),
    pid: server.pid,
    stop: () => server.stop(),
  };
}

function addressOf(at: number): string {
  return `127.${1 + (at >> 16)}.${(at >> 8) & 255}.${at & 255}`;
}

/** An ordinary host's answer; what differs from host to host and from time to time is marked for the server. */
function template(isFlagged: boolean, withExposure: boolean): string {
  const host: SimulatedHost = {
    name: 'bench',
    os: 'ubuntu',
    bootId: `${bootId}@HOST@`,
    bootedAt,
    flag: isFlagged
      ? { bornAt: 1_763_500_000, modifiedAt: 1_763_500_000, packages: ['linux-image-6.8.0-51-generic', 'linux-base'] }
      : null,
    kernel: {
      running: '6.8.0-50-generic',
      installed: [
        { release: '6.8.0-49-generic', at: 1_762_000_000 },
        { release: '6.8.0-50-generic', at: 1_762_900_000 },
        ...(isFlagged ? [{ release: '6.8.0-51-generic', at: 1_763_500_000 }] : []),
      ],
    },
    libcUnpackedAt: 1_760_000_000,
    unattendedUpgrades: 'on',
    unattendedUpgradesRanAt: 1_763_400_000,
    network: { address: '203.0.113.7', listening: [22, 80, 443, 5432], open: [80, 443], readable: true },
  };
  return answerOf(host, '@NONCE@', withExposure, nowMark)
    .toString('latin1')
    .replaceAll((nowMark - bootedAt).toFixed(2), '@UPTIME@.00')
    .replaceAll(`${nowMark}`, '@NOW@');
}
