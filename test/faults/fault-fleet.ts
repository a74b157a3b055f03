import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { FailureReason } from '../../src/failure';
import type { ExporterProcessOptions } from '../e2e/exporter-process';
import { makeKeyPair } from '../lab/ssh-keys';
import type { HostileServer } from '../ssh/hostile-server';
import { toAuthenticate, toExchangeKeys, toGreet, toRun } from '../ssh/misbehaviours';
import { lies, refusals } from './lying-hosts';
import { SwitchedHost } from './switched-host';
import type { Truth } from './truth';

/** What a host does wrong, and what the exporter must make of it. */
export interface Fault {
  /** The host's name in the tests. */
  readonly host: string;
  readonly does: string;
  readonly serve: () => Promise<HostileServer>;
  /** The reasons that are right; null: the probe succeeds, with values of that host's own making. */
  readonly reasons: readonly FailureReason[] | null;
  readonly says: string | RegExp;
}

/** Those that end otherwise here than alone: the real probe sends more, takes more, and has another deadline. */
const otherReasons: Readonly<Record<string, Pick<Fault, 'reasons' | 'says'>>> = {
  'sends requests of its own without end': { reasons: ['output', 'timeout'], says: '' },
  // Of what it drips a packet is made in the end, and none that could be.
  'drips its packets': { reasons: ['protocol', 'timeout'], says: '' },
  'writes without end and without regard to the window': { reasons: ['output', 'timeout'], says: '' },
};

/** Every way of misbehaving that there is a server for. */
export function allFaults(): Fault[] {
  const broken = [...toGreet, ...toExchangeKeys, ...toAuthenticate, ...toRun].map(({ does, serve, reason, says }) => ({
    ...{ does, serve, reasons: [reason], says },
    ...otherReasons[does],
  }));
  const lying = [...lies, ...refusals].map(({ does, serve, reason, says }) => ({
    ...{ does, serve, reasons: reason === null ? null : [reason], says },
  }));
  return [...broken, ...lying].map((fault, at) => ({ ...fault, host: `ill-${at + 1}` }));
}

/** Hosts on loopback, some of which can be told to misbehave, and the files that an exporter needs for them. */
export class FaultFleet {
  readonly folder = mkdtempSync(join(tmpdir(), 'reboot-exporter-faults-'));

  private constructor(readonly hosts: readonly SwitchedHost[]) {}

  /** Hosts that are always well, those of them that are forgetful, and those that can misbehave. */
  static async start(
    good: readonly string[],
    faults: readonly Fault[],
    forgetful: readonly string[] = [],
  ): Promise<FaultFleet> {
    const wellHosts = [...good, ...forgetful].map((name) => SwitchedHost.start(name, null, forgetful.includes(name)));
    const illHosts = faults.map(({ host, serve }) => SwitchedHost.start(host, serve));
    return new FaultFleet(await Promise.all([...wellHosts, ...illHosts]));
  }

  host(name: string): SwitchedHost {
    const found = this.hosts.find((host) => host.name === name);
    if (found === undefined) throw new Error(`there is no host ${name}`);
    return found;
  }

  /** What is true while all are well. */
  get truth(): Truth {
    return Object.fromEntries(this.hosts.map((host) => [host.name, host.truth]));
  }

  /** Writes what an exporter needs, and says how to start it. */
  exporterOptions(probe: object, addressOf: (name: string) => string = () => '127.0.0.1'): ExporterProcessOptions {
    const at = (name: string): string => join(this.folder, name);
    writeFileSync(at('id_ed25519'), makeKeyPair('ed25519').privateKey, { mode: 0o600 });
    writeFileSync(at('known_hosts'), this.hosts.map(({ knownHosts }) => knownHosts).join(''));
    const hosts = this.hosts.map(({ name, port }) => ({ name, address: addressOf(name), ssh: { port } }));
    const ssh = { user: 'probe', identity_file: 'id_ed25519', known_hosts: 'known_hosts' };
    writeFileSync(at('reboot-exporter.yml'), stringify({ probe, ssh, hosts }));
    return { configFile: at('reboot-exporter.yml'), stateFile: at('state.json'), flags: ['--log.level=debug'] };
  }

  async stop(): Promise<void> {
    await Promise.all(this.hosts.map((host) => host.stop()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}
