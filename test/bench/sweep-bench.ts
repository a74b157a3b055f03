import { startCannedFleet } from './canned-fleet';
import { startExporter } from './exporter-under-test';
import type { BenchSetting } from './probe-benches';
import { processorSecondsOf, residentBytesOf } from './processor-time';
import { spreadOf } from './contest';
import { compareSnapshots, takeSnapshot } from '../soak/heap-snapshot';

const scrapeEveryMs = 5000;
/** From so many minutes on, the live heap is compared at two moments: after the first few, and at the end. */
const soakMinutes = 10;
const warmMinutes = 5;
/** The bound of a bucket of reboot_exporter_sweep_lag_seconds: a probe that begins within it is on time. */
const onTimeSeconds = 1;
/** monitorEventLoopDelay's own period is part of every delay that it measures. */
const lagResolutionSeconds = 0.01;

interface Reading {
  readonly lagSeconds: number;
  readonly probes: number;
  readonly onTime: number;
  readonly failures: number;
  readonly scrapeMs: number;
}

/**
 * A fleet on a one-minute schedule with connections kept, scraped every 5 s, beside its simulator on the same machine. The first
 * sweep, in which every connection is made, is told apart from the minutes after it.
 */
export async function sweeps({ folder, isQuick, minutes, hosts, say }: BenchSetting): Promise<string> {
  const fleet = await startCannedFleet(folder, hosts);
  const isSoak = minutes >= soakMinutes;
  const under = isSoak ? ['env', `NODE_OPTIONS=--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${folder}`] : [];
  const settings = { connection: 'keep', concurrency: 64, interval: '1m', withExposure: true, under } as const;
  const exporter = await startExporter(folder, fleet, settings);
  try {
    const begunMs = performance.now();
    const first = await readFor(exporter.url, isQuick ? 40_000 : 120_000);
    const lines = [`${hosts} hosts, probed every minute, scraped every ${scrapeEveryMs / 1000} s`];
    lines.push(`the first two minutes, with every handshake: ${summary(first)}`);
    say(lines.at(-1) ?? '');
    const processor = processorSecondsOf(exporter.pid);
    const server = processorSecondsOf(fleet.pid);
    let before = first.at(-1);
    const all: Reading[] = [];
    const residents: number[] = [];
    let firstSnapshot: string | null = null;
    for (let minute = 1; minute <= (isQuick ? 1 : minutes); minute++) {
      const readings = await readFor(exporter.url, 60_000);
      all.push(...readings);
      const resident = residentBytesOf(exporter.pid) / 1e6;
      say(
        `minute ${minute}: ${summary(before === undefined ? readings : [before, ...readings])}, resident ${resident.toFixed(0)} MB`,
      );
      residents.push(resident);
      before = readings.at(-1);
      if (!isSoak || minute !== warmMinutes) continue;
      firstSnapshot = await takeSnapshot(exporter.pid, folder);
      // Writing it stops the exporter for as long as it takes: what it then has to catch up with is not counted.
      await readFor(exporter.url, 60_000);
      before = (await readFor(exporter.url, 1000)).at(-1);
    }
    const seconds = (performance.now() - begunMs) / 1000 - (isQuick ? 40 : 120);
    if (firstSnapshot !== null) {
      lines.push(`resident memory by the minute, MB: ${residents.map((megabytes) => megabytes.toFixed(0)).join(' ')}`);
      lines.push(growth(firstSnapshot, await takeSnapshot(exporter.pid, folder)));
    }
    const start = first.at(-1);
    lines.push(`after them: ${summary(start === undefined ? all : [start, ...all])}`);
    const own = (processorSecondsOf(exporter.pid) - processor) / seconds;
    const other = (processorSecondsOf(fleet.pid) - server) / seconds;
    lines.push(
      `resident memory at the end ${(residentBytesOf(exporter.pid) / 1e6).toFixed(0)} MB; ` +
        `processor: exporter ${(own * 100).toFixed(0)} %, simulator ${(other * 100).toFixed(0)} % of one core`,
    );
    return lines.join('\n');
  } finally {
    await exporter.end('SIGTERM');
    await fleet.stop();
  }
}

/** What lived at the end of a soak that did not live at its beginning, by kind. */
function growth(firstSnapshot: string, lastSnapshot: string): string {
  const { firstBytes, secondBytes, grown } = compareSnapshots(firstSnapshot, lastSnapshot);
  const most = grown
    .slice(0, 5)
    .map(({ name, more, moreBytes, of }) => `${name} ${kilobytes(moreBytes)} (${more} on ${of})`);
  return (
    `live heap ${(firstBytes / 1e6).toFixed(1)} MB after ${warmMinutes} minutes, ${(secondBytes / 1e6).toFixed(1)} MB at the end; ` +
    `grown most: ${most.join(', ') || 'nothing'}`
  );
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(0)} kB`;
}

async function readFor(url: string, durationMs: number): Promise<Reading[]> {
  const endMs = performance.now() + durationMs;
  const readings: Reading[] = [];
  while (performance.now() < endMs) {
    const dueMs = performance.now() + scrapeEveryMs;
    readings.push(await read(url));
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - performance.now())));
  }
  return readings;
}

/** What was counted between the first reading and the last. */
function summary(readings: readonly Reading[]): string {
  const [first, last] = [readings[0], readings.at(-1)];
  if (first === undefined || last === undefined) return 'nothing was read';
  const probes = last.probes - first.probes;
  const onTime = ((last.onTime - first.onTime) / probes) * 100;
  const lag = Math.max(...readings.slice(1).map(({ lagSeconds }) => lagSeconds)) * 1000;
  const scrape = spreadOf(readings.map(({ scrapeMs }) => scrapeMs));
  return (
    `${probes} probes, ${onTime.toFixed(2)} % begun within ${onTimeSeconds} s of their time, ` +
    `${last.failures - first.failures} failed, longest event loop block ${lag.toFixed(0)} ms, ` +
    `scrapes ${scrape.median.toFixed(0)} ms, at most ${scrape.most.toFixed(0)} ms`
  );
}

async function read(url: string): Promise<Reading> {
  const begunMs = performance.now();
  const text = await (await fetch(`${url}/metrics`)).text();
  const scrapeMs = performance.now() - begunMs;
  const value = (name: string): number => {
    const at = text.indexOf(`\n${name} `);
    return at < 0 ? NaN : Number(text.slice(at + name.length + 2, text.indexOf('\n', at + 1)));
  };
  let failures = 0;
  for (const [, count] of text.matchAll(/^reboot_probe_failures_total\{.*\} (\S+)$/gm)) failures += Number(count);
  return {
    lagSeconds: value('nodejs_eventloop_lag_max_seconds') - lagResolutionSeconds,
    probes: value('reboot_exporter_sweep_lag_seconds_count'),
    onTime: value(`reboot_exporter_sweep_lag_seconds_bucket{le="${onTimeSeconds}"}`),
    failures,
    scrapeMs,
  };
}
