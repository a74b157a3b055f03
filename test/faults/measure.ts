// Has one host misbehave at a time before an exporter, and says what that took: the rows of docs/reliability.md.
//   npm run measure:faults [-- WORDS]                only those with the words in what they do
//   npm run measure:faults -- --crowd 64 WORDS       so many hosts that all do the same, for half a minute
import { ensureBuilt } from '../e2e/built-program';
import { ExporterProcess } from '../e2e/exporter-process';
import { scrape, type Scrape } from '../e2e/scrape';
import { until } from '../e2e/until';
import { allFaults, FaultFleet, type Fault } from './fault-fleet';
import { forgetPeak, peakBytes } from './peak-memory';
import { TruthWatch } from './truth-watch';

const timeoutSeconds = 3;

async function measured(fault: Fault): Promise<string> {
  const fleet = await FaultFleet.start(['good'], [fault]);
  const watch = await TruthWatch.start();
  const exporter = await ExporterProcess.start(
    fleet.exporterOptions({ interval: '2s', timeout: `${timeoutSeconds}s` }),
  );
  const metrics = (): Promise<Scrape> => scrape(`${exporter.url}/metrics`);
  const well = (): Promise<void> =>
    until(20, async () => {
      const { host } = fault;
      const found = await metrics();
      if ([host, 'good'].some((name) => found.value('reboot_probe_success', { host: name }) !== 1))
        throw new Error('not well');
    });
  try {
    await well();
    await watch.attach(exporter.url);
    await watch.expect({ ...fleet.truth, [fault.host]: { required: 'any', isKnown: false } });
    forgetPeak(exporter.pid);
    const before = peakBytes(exporter.pid);
    const begunSeconds = Date.now() / 1000;
    fleet.host(fault.host).misbehave();
    const found = await until(30, async () => {
      const now = await metrics();
      const isDone =
        fault.reasons === null
          ? (now.value('reboot_probe_last_success_timestamp_seconds', { host: fault.host }) ?? 0) > begunSeconds + 1
          : fault.reasons.some((reason) => isFailing(now, fault.host, reason));
      if (!isDone) throw new Error('not probed since');
      return now;
    });
    const [reason = 'none'] = found.labelValues('reboot_probe_failing_reason_info', 'reason', { host: fault.host });
    const took = found.value('reboot_probe_duration_seconds', { host: fault.host }) ?? NaN;
    const peak = (peakBytes(exporter.pid) - before) / 1e6;
    const healedFrom = performance.now();
    fleet.host(fault.host).heal();
    await well();
    const healed = (performance.now() - healedFrom) / 1000;
    const faults = watch.faults.length === 0 ? '' : ` WRONG: ${watch.faults[0]}`;
    return `| ${fault.does} | \`${reason}\` | ${took.toFixed(2)} s | ${peak.toFixed(0)} MB | ${healed.toFixed(1)} s | ${watch.slowestMs.toFixed(0)} ms |${faults}`;
  } finally {
    await exporter.kill();
    await watch.stop();
    await fleet.stop();
  }
}

function isFailing(metrics: Scrape, host: string, reason: string): boolean {
  return metrics.labelValues('reboot_probe_failing_reason_info', 'reason', { host }).includes(reason);
}

const crowdSeconds = 30;

/** Many hosts that all do the same at once, again and again. */
async function crowded(fault: Fault, count: number): Promise<string> {
  const names = Array.from({ length: count }, (_, at) => `ill-${at + 1}`);
  const good = ['good-1', 'good-2'];
  const faults = names.map((host) => ({ ...fault, host }));
  const fleet = await FaultFleet.start(good, faults);
  const watch = await TruthWatch.start();
  const probe = { interval: '5s', timeout: '10s', concurrency: 64 };
  const exporter = await ExporterProcess.start(fleet.exporterOptions(probe));
  try {
    await until(60, async () => {
      const well = (await scrape(`${exporter.url}/metrics`)).all('reboot_probe_success');
      if (well.filter(({ value }) => value === 1).length < count + good.length) throw new Error('not well');
    });
    const ill = Object.fromEntries(names.map((host) => [host, { required: 'any' as const, isKnown: false }]));
    await watch.expect({ ...fleet.truth, ...ill });
    await watch.attach(exporter.url);
    const probedBefore = fleet.host('good-1').probed;
    for (const name of names) fleet.host(name).misbehave();
    await new Promise((resolve) => setTimeout(resolve, 1000 * crowdSeconds));
    const wrong = watch.faults.length === 0 ? '' : ` WRONG: ${watch.faults[0]}`;
    const probed = fleet.host('good-1').probed - probedBefore;
    return (
      `${count} hosts, each ${fault.does}: peak ${(peakBytes(exporter.pid) / 1e6).toFixed(0)} MB, ${watch.summary}, ` +
      `a good host probed ${probed} times in ${crowdSeconds} s${wrong}`
    );
  } finally {
    await exporter.kill();
    await watch.stop();
    await fleet.stop();
  }
}

async function run(): Promise<void> {
  ensureBuilt();
  const [flag, count, ...rest] = process.argv.slice(2);
  if (flag === '--crowd') {
    for (const fault of allFaults().filter(({ does }) => does.includes(rest.join(' '))))
      process.stdout.write(`${await crowded(fault, Number(count))}\n`);
    return;
  }
  const words = process.argv.slice(2).join(' ');
  for (const fault of allFaults().filter(({ does }) => does.includes(words)))
    process.stdout.write(`${await measured(fault)}\n`);
}

run().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
