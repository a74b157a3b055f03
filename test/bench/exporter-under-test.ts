import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ExporterProcess } from '../e2e/exporter-process';
import type { Contestant } from './contest';
import type { CannedFleet, Login } from './canned-fleet';
import { processorSecondsOf } from './processor-time';

export interface ExporterSettings {
  readonly connection: 'fresh' | 'keep';
  readonly concurrency: number;
  /** How often hosts are probed by themselves; a day where only asking counts. */
  readonly interval: string;
  /** Reads and evaluates sockets, routes and firewall at every probe that is asked for. */
  readonly withExposure?: boolean;
  readonly flags?: readonly string[];
  readonly under?: readonly string[];
  /** Hosts of another stack, which are not measured: its code is compiled with them. */
  readonly warmUp?: Fleet;
}

type Fleet = Login & Pick<CannedFleet, 'port' | 'addresses'>;

const measuredStack = 'measured';
const warmUpStack = 'warm-up';

/** The exporter as it is shipped, probing a fleet of which every address is a host. */
export async function startExporter(
  folder: string,
  fleet: Fleet,
  { connection, concurrency, interval, withExposure = false, flags = [], under = [], warmUp }: ExporterSettings,
): Promise<ExporterProcess> {
  const config = {
    probe: { interval, timeout: '10s', concurrency },
    ssh: { ...loginOf(fleet), connection },
    hosts: fleet.addresses.map((address, at): Record<string, unknown> => ({
      name: `host-${at}`,
      address,
      stack: measuredStack,
      exposure: withExposure ? { public: true } : 'internal',
    })),
  };
  for (const [at, address] of (warmUp?.addresses ?? []).entries()) {
    if (warmUp === undefined) break;
    const ssh = loginOf(warmUp);
    config.hosts.push({ name: `warm-up-${at}`, address, stack: warmUpStack, exposure: 'internal', ssh });
  }
  const name = `exporter-${connection}-${withExposure ? 'exposure' : 'restart'}`;
  const configFile = join(folder, `${name}.yml`);
  writeFileSync(configFile, JSON.stringify(config));
  return ExporterProcess.start({ configFile, stateFile: join(folder, `${name}.state.json`), flags, under });
}

function loginOf({ user, port, keyFile, knownHostsFile }: Fleet): Record<string, string | number> {
  return { user, port, identity_file: keyFile, known_hosts: knownHostsFile };
}

/** Has the code compiled that probes run through, with at least so many of them. */
export async function warmUpBy(exporter: ExporterProcess, hosts: number, probes: number): Promise<void> {
  for (let probed = 0; probed < probes; probed += hosts) await refreshAll(exporter, warmUpStack);
}

/** Every probe goes the product's whole way: turn, connection, answer parsed, state judged, remembered, metrics rendered. */
export function exporterContestant(name: string, exporter: ExporterProcess, hosts: number): Contestant {
  return {
    name,
    async run(probes) {
      const sweeps = Math.max(1, Math.round(probes / hosts));
      const begunMs = performance.now();
      const processorSeconds = processorSecondsOf(exporter.pid);
      for (let sweep = 0; sweep < sweeps; sweep++) await refreshAll(exporter);
      return {
        probes: sweeps * hosts,
        processorSeconds: processorSecondsOf(exporter.pid) - processorSeconds,
        elapsedSeconds: (performance.now() - begunMs) / 1000,
      };
    },
    stop: async () => void (await exporter.end('SIGTERM')),
  };
}

async function refreshAll(exporter: ExporterProcess, stack = measuredStack): Promise<void> {
  const response = await fetch(`${exporter.url}/api/v1/refresh?stack=${stack}&wait=1`, { method: 'POST' });
  if (!response.ok) throw new Error(`the exporter answered ${response.status}: ${await response.text()}`);
  await response.arrayBuffer();
}

/** @throws Error unless the last probe of every host succeeded: a benchmark of failures would be a fast one. */
export async function insistOnSuccess(exporter: ExporterProcess, hosts: number): Promise<void> {
  await refreshAll(exporter);
  const text = await (await fetch(`${exporter.url}/metrics`)).text();
  const succeeded = text.match(/^reboot_probe_success\{.*stack="measured".*\} 1$/gm)?.length ?? 0;
  if (succeeded !== hosts)
    throw new Error(`${succeeded} of ${hosts} hosts were probed with success: ${exporter.log.slice(-2000)}`);
}
