import { setTimeout as sleep } from 'node:timers/promises';
import { selection, unreachable } from '../../dashboards/query';
import { until } from '../e2e/until';
import type { LabHost } from '../lab/host';
import { Lab } from '../lab/lab';
import type { Cut } from '../lab/router';
import { stopAtSignal } from './at-signal';
import { inWords, spreadOf, type RunReport } from './figures';
import { PagingSystem } from './paging-system';

/** Longest allowed from sshd's accepting connections to the cleared state, in seconds. */
const limitSeconds = 10;
const lostSeconds = 60;

/** How a host goes away. */
interface Way {
  readonly words: string;
  /** What the network says while it is down: `reset` refuses, `drop` is silent. */
  readonly cut: Cut;
  /** Whether it still closes its connections, as in a restart; with a loss of power it does not. */
  readonly farewell: boolean;
  /** How long it is away, in milliseconds: from a container's restart to a small server's. */
  readonly awayMs: readonly [from: number, to: number];
}

const refusing: Way = { words: 'that refuse while down', cut: 'reset', farewell: true, awayMs: [3000, 25_000] };
const silent: Way = { words: 'that are silent while down', cut: 'drop', farewell: true, awayMs: [3000, 25_000] };
const powerless: Way = { words: 'that lost their power', cut: 'drop', farewell: false, awayMs: [20_000, 35_000] };
const ways: ReadonlyMap<string, Way> = new Map([
  ['refusing-1', refusing],
  ['silent-1', silent],
  ['powerless-1', powerless],
  ['refusing-2', refusing],
  ['silent-2', silent],
]);

/** After this long the kernel has found out that a host without a word is gone: see `watchPeer` in src/ssh/connection.ts. */
const foundDeadSeconds = 30;

interface Restart {
  readonly host: string;
  readonly way: Way;
  readonly awaySeconds: number;
  /** From sshd's accepting connections until /metrics has the host as done. */
  readonly doneSeconds: number;
  /** From its going down until /metrics has it as restarting; null: never. */
  readonly noticedSeconds: number | null;
}

/** Restarts hosts that are probed every five minutes, the default: what is faster than that is the exporter's own doing. */
export async function timeRestarts(restarts: number, say: (line: string) => void): Promise<RunReport> {
  const names = [...ways.keys()];
  const lab = await Lab.start({ hosts: names.map((name) => ({ name, exposure: 'internal' })) });
  let system: PagingSystem | null = null;
  let disarm = (): void => undefined;
  try {
    const started = await PagingSystem.start(lab, { exporter: { probe: { interval: '5m', timeout: '10s' } } });
    system = started;
    disarm = stopAtSignal(() => started.stop().finally(() => lab.stop()));
    const { prometheus } = started;
    const startedMs = Date.now();
    await until(lostSeconds, async () => {
      const well = await prometheus.query('reboot_required == 0');
      if (well.length !== names.length) throw new Error('not all hosts were probed');
    });
    const done: Restart[] = [];
    const faults: string[] = [];
    let left = restarts;
    const work = [...ways].map(async ([name, way]) => {
      while (left > 0) {
        left -= 1;
        const one = await oneRestart(lab.host(name), way, started);
        if (typeof one === 'string') faults.push(one);
        else done.push(one);
        say(typeof one === 'string' ? one : `${name}: done ${one.doneSeconds.toFixed(2)} s after it was back`);
      }
    });
    await Promise.all(work);
    faults.push(...(await faultsSeen(started, done, startedMs)));
    return { figures: figuresOf(done), faults: [...faults, ...faultsOf(done)] };
  } finally {
    disarm();
    await system?.stop();
    await lab.stop();
  }
}

async function oneRestart(host: LabHost, way: Way, system: PagingSystem): Promise<Restart | string> {
  const read = async (metric: string): Promise<number | undefined> =>
    (await system.metrics()).value(metric, { host: host.name });
  host.setFlag(['libc6']);
  await system.refresh(host.name);
  if ((await read('reboot_required')) !== 1) return `${host.name}: the flag was not seen`;

  const downMs = performance.now();
  // Whoever shuts down ends its connections first; then the network is silent or refuses.
  if (way.farewell) await host.stop();
  await host.partition(way.cut);
  if (!way.farewell) await host.stop();
  let noticedSeconds: number | null = null;
  const awayMs = way.awayMs[0] + Math.random() * (way.awayMs[1] - way.awayMs[0]);
  while (performance.now() - downMs < awayMs) {
    const isRestarting = (await read('reboot_host_restarting')) === 1;
    if (isRestarting) noticedSeconds ??= (performance.now() - downMs) / 1000;
    else if (noticedSeconds !== null) return `${host.name}: was restarting, and then no longer while it was away`;
    await sleep(100);
  }
  await host.start();
  // sshd listens; from here on a connection gets through to it.
  const backMs = performance.now();
  await host.heal();
  while ((await read('reboot_required')) !== 0) {
    if (performance.now() - backMs > lostSeconds * 1000) return `${host.name}: not seen as done after ${lostSeconds} s`;
    await sleep(50);
  }
  const doneSeconds = (performance.now() - backMs) / 1000;
  const after = await read('reboot_host_restarting');
  if (after !== 0) return `${host.name}: done, and reboot_host_restarting is ${after}`;
  return { host: host.name, way, awaySeconds: awayMs / 1000, doneSeconds, noticedSeconds };
}

function figuresOf(done: readonly Restart[]): string[] {
  const doneOf = (restarts: readonly Restart[]): string => inWords(spreadOf(restarts.map((one) => one.doneSeconds)));
  const noticed = (restarts: readonly Restart[]): string =>
    inWords(spreadOf(restarts.flatMap(({ noticedSeconds: at }) => (at === null ? [] : [at]))));
  return [
    `sshd accepts again to cleared: ${doneOf(done)}`,
    ...[refusing, silent, powerless].flatMap((way) => {
      const own = done.filter((one) => one.way === way);
      return [`  hosts ${way.words}: ${doneOf(own)}; shown as restarting after: ${noticed(own)}`];
    }),
  ];
}

function faultsOf(done: readonly Restart[]): string[] {
  const late = done.filter((one) => one.doneSeconds >= limitSeconds).length;
  const unnoticed = done.filter(
    (one) => one.noticedSeconds === null && (one.way.farewell || one.awaySeconds > foundDeadSeconds),
  ).length;
  return [
    ...(late > 0 ? [`${late} restarts were seen as done only after ${limitSeconds} s or more`] : []),
    ...(unnoticed > 0 ? [`${unnoticed} restarts were never shown as under way`] : []),
  ];
}

/** What Prometheus, a dashboard and the receivers had of it: restarting, and never unreachable. */
async function faultsSeen(system: PagingSystem, done: readonly Restart[], startedMs: number): Promise<string[]> {
  const window = `${Math.ceil((Date.now() - startedMs) / 1000)}s`;
  const { prometheus } = system;
  const seen = await prometheus.query(`max_over_time(reboot_host_restarting[${window}]) == 1`);
  const noticed = new Set(done.flatMap(({ host, noticedSeconds }) => (noticedSeconds === null ? [] : [host])));
  const missed = [...noticed].filter((name) => !seen.some(({ metric }) => metric['host'] === name));
  const alerts = await prometheus.query(`count_over_time(ALERTS{alertname="RebootHostUnreachable"}[${window}])`);
  const panel = unreachable.replaceAll(selection, 'host!=""');
  const shown = await prometheus.query(`max_over_time(${panel}[${window}:1s])`);
  const told = system.notifications().flatMap(({ alerts: all }) => all.map(({ labels }) => labels['alertname'] ?? ''));
  return [
    ...missed.map((name) => `Prometheus never had ${name} as restarting`),
    ...alerts.map(({ metric }) => `RebootHostUnreachable was ${metric['alertstate']} for ${metric['host']}`),
    ...shown.map(({ metric }) => `the dashboard counted ${metric['host']} as unreachable`),
    ...told.map((name) => `${name} was sent`),
  ];
}
