import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { defaultSsh } from '../../src/config/resolve-host';
import { withOutlook } from '../../src/fleet/known';
import { createExporterMetrics } from '../../src/metrics/exporter-metrics';
import type { ExposureVerdict } from '../../src/exposure/verdict';
import { newStatus, type HostStatus, type Known } from '../../src/fleet/status';
import type { Host } from '../../src/inventory/host';
import { renderOneHost } from '../../src/metrics/fleet-text';
import { renderStacks } from '../../src/metrics/stack-families';
import { defaultPolicy } from '../../src/policy/defaults';
import type { StackPolicy } from '../../src/policy/policy';
import { readFacts } from '../../src/reading';
import { stableFraction } from '../../src/schedule/jitter';

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** Stacks of the made-up fleet. */
const stacks: ReadonlyMap<string, StackPolicy> = new Map([
  ['default', defaultPolicy],
  [
    'shop',
    {
      ...defaultPolicy,
      maintenanceWindow: { cron: '0 2 * * 0', durationSeconds: 3 * hour, timezone: 'Europe/London' },
    },
  ],
  ['office', defaultPolicy],
  ['data', { ...defaultPolicy, maintenanceWindow: { cron: '0 * * * *', durationSeconds: 1800, timezone: 'UTC' } }],
]);

/** A fleet over a span of time, as the exporter would have published it. */
export interface HistoryOptions {
  readonly hosts: number;
  /** Unix seconds. */
  readonly from: number;
  readonly to: number;
  readonly stepSeconds: number;
  /** Nothing needs a restart, everything is patched, known and reached. */
  readonly allWell?: boolean;
}

/** Writes OpenMetrics with timestamps, for `promtool tsdb create-blocks-from openmetrics`. */
export async function writeHistory(file: string, options: HistoryOptions): Promise<void> {
  const out = createWriteStream(file);
  const hosts = Array.from({ length: options.hosts }, (_, index) =>
    madeUpHost(index, options.to, options.allWell === true),
  );
  const exporter = stamped(await createExporterMetrics().render('openmetrics'));
  for (let at = options.from; at <= options.to; at += options.stepSeconds) {
    const text = [
      ...hosts.map((host) => renderOneHost({ ...host(at), monotonicMs: at * 1000 }, 'openmetrics')),
      renderStacks(stacks, at * 1000, 'openmetrics'),
    ].join('');
    const lines = [...stamped(text), ...exporter].map((line) => `${line} ${at}\n`).join('');
    if (!out.write(lines)) await once(out, 'drain');
  }
  out.end('# EOF\n');
  await once(out, 'close');
}

function stamped(text: string): string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

type AtTime = (at: number) => { status: HostStatus; known: Known | null };

/** Each host takes patches every week or so, and is restarted some days later, or never. */
function madeUpHost(index: number, end: number, allWell: boolean): AtTime {
  const kinds = ['web', 'api', 'db', 'files', 'mail', 'cache'];
  const kind = kinds[index % kinds.length] ?? 'web';
  const name = `${kind}-${Math.floor(index / kinds.length) + 1}`;
  const stack = kind === 'web' || kind === 'api' ? 'shop' : kind === 'db' || kind === 'cache' ? 'data' : 'office';
  const chance = (what: string): number => stableFraction(`${name} ${what}`);
  const host: Host = {
    name,
    address: name,
    stack,
    labels: { team: stack },
    ssh: defaultSsh,
    exposure: { mode: 'evaluate', public: 'auto', edge: null, ignore: [] },
  };
  const period = (5 + 10 * chance('period')) * day;
  const laziness = allWell ? 0 : chance('lazy') ** 3 * 3;
  const phase = chance('phase') * period;
  const unreachableFrom = !allWell && chance('reach') < 0.08 ? end - 9 * hour * chance('gone') - 600 : Infinity;
  const exposed = kind === 'web' || kind === 'mail' || (kind === 'api' && chance('exposed') < 0.5);
  const idleDays = !allWell && chance('idle') < 0.15 ? 5 : 0;
  const unpatched = !allWell && chance('patched') < 0.12;

  return (at) => {
    const cycle = Math.floor((at - phase) / period);
    const patchedAt = phase + cycle * period;
    const restartAt = patchedAt + laziness * period * (0.3 + chance(`restart ${cycle}`));
    const isRequired = at < restartAt;
    const previousRestart = phase + (cycle - 1) * period + laziness * period * (0.3 + chance(`restart ${cycle - 1}`));
    const bootedAt = isRequired ? Math.min(previousRestart, patchedAt - hour) : restartAt;
    const isDown = at >= unreachableFrom;
    const isUnknown = !allWell && kind === 'files' && chance('unknown') < 0.15;
    const seenAt = isDown ? unreachableFrom : at;
    const known = madeUpKnown({
      seenAt,
      isUnknown,
      isRequired,
      patchedAt,
      bootedAt,
      exposed,
      unpatched,
      idleDays,
      kind,
      cycle,
    });
    const failure = isDown
      ? { reason: chance('why') < 0.5 ? ('connect' as const) : ('timeout' as const), message: 'no answer' }
      : null;
    const restarts = Math.max(0, cycle + (isRequired ? 0 : 1));
    const status: HostStatus = {
      ...newStatus(host),
      known,
      attempt: { atMs: at * 1000, durationSeconds: isDown ? 10 : 0.02 + 0.05 * chance(`took ${at}`), failure },
      failures: isDown ? { connect: Math.floor((at - unreachableFrom) / minute) } : {},
      restartsSeen: restarts,
      nextProbeMs: null,
    };
    return { status, known: at - seenAt > hour ? null : known };
  };
}

interface MadeUp {
  readonly seenAt: number;
  readonly isUnknown: boolean;
  readonly isRequired: boolean;
  readonly patchedAt: number;
  readonly bootedAt: number;
  readonly exposed: boolean;
  readonly unpatched: boolean;
  /** For how many days unattended-upgrades has not run although it is on. */
  readonly idleDays: number;
  readonly kind: string;
  readonly cycle: number;
}

function madeUpKnown(of: MadeUp): Known {
  const kernels = of.cycle % 2 === 0;
  const required = of.isRequired && !of.isUnknown;
  return withOutlook({
    atMs: of.seenAt * 1000,
    atMonotonicMs: of.seenAt * 1000,
    hostClockOffsetSeconds: 0,
    restart: {
      verdict: of.isUnknown ? 'unknown' : required ? 'required' : 'not_required',
      sinceSeconds: required ? Math.floor(of.patchedAt) : null,
      evidence: required ? 'birth' : null,
      reasons: required ? (kernels ? ['flag', 'kernel'] : ['flag', 'library']) : [],
      packages: required ? (kernels ? ['linux-base', 'linux-image-6.8.0-48-generic'] : ['libc6', 'dbus']) : [],
      packagesCut: false,
      findings: [],
      survivedRestart: false,
      boot: {
        id: `boot-${of.cycle}`,
        atSeconds: Math.floor(of.bootedAt),
        earliestAtSeconds: Math.floor(of.bootedAt),
        latestAtSeconds: Math.floor(of.bootedAt),
        nowSeconds: of.seenAt,
      },
    },
    facts: {
      ...readFacts(new Map()),
      clock: { nowSeconds: of.seenAt, zoneSeconds: null },
      kernel: { release: '6.8.0-45-generic', version: null, signature: null, pinned: null },
      os: { id: 'ubuntu', like: ['debian'], versionId: '24.04', prettyName: 'Ubuntu 24.04.3 LTS' },
      machine: { container: null, virtualization: 'kvm' },
      dpkg: {
        packages: [
          { name: 'linux-image-6.8.0-48-generic', architecture: 'amd64', version: '6.8.0-48.48', state: 'ii ' },
          ...(of.unpatched ? [] : [{ name: 'unattended-upgrades', architecture: 'all', version: '2.9', state: 'ii ' }]),
        ],
        installedAtSeconds: new Map(),
      },
      patching: {
        configured: !of.unpatched,
        lastRunSeconds: of.unpatched ? null : (Math.floor(of.seenAt / day) - of.idleDays) * day + 6 * hour,
        lastSuccessSeconds: null,
        automaticReboot: false,
        automaticRebootTime: null,
      },
    },
    exposure: madeUpExposure(of.exposed, of.kind),
  });
}

function madeUpExposure(exposed: boolean, kind: string): ExposureVerdict {
  const ports = kind === 'mail' ? [25, 993] : [80, 443];
  const open = (port: number, openTo: 'anywhere' | 'some'): ExposureVerdict['ports'][number] => ({
    proto: 'tcp',
    port,
    family: 'ipv4',
    openTo,
    because: 'accepted by table inet filter, chain input, rule 7',
    ignored: false,
  });
  return {
    verdict: exposed ? 'exposed' : 'not_exposed',
    basis: kind === 'cache' ? 'no-public-address' : 'proven',
    because: '',
    ports: [open(22, 'some'), ...(exposed ? ports.map((port) => open(port, 'anywhere')) : [])],
  };
}
