import { ensureBuilt } from '../e2e/built-program';
import { ExporterProcess } from '../e2e/exporter-process';
import { scrape, type Scrape } from '../e2e/scrape';
import { until } from '../e2e/until';
import { describeWithLab } from '../lab/describe-with-lab';
import { FaultFleet } from './fault-fleet';
import { NameServer } from './name-server';
import { TruthWatch } from './truth-watch';

jest.setTimeout(120_000);

const dead = Array.from({ length: 16 }, (_, at) => `dead-${at + 1}`);
const named = ['named-1', 'named-2'];
const numbered = ['numbered-1', 'numbered-2'];
/** What the C library waits for a name server that says nothing: two attempts of so many seconds. */
const attemptSeconds = 2;

describeWithLab('name servers that are slow, silent or fail', () => {
  let fleet: FaultFleet;
  let server: NameServer;
  let watch: TruthWatch;
  let exporter: ExporterProcess;
  let startedMs: number;

  beforeAll(async () => {
    ensureBuilt();
    server = await NameServer.start();
    server.answers((name) => (name.startsWith('dead-') ? 'silence' : 'well'));
    // Those that can not be found come first: the others wait behind them, if anybody does.
    fleet = await FaultFleet.start([...dead, ...named, ...numbered], []);
    watch = await TruthWatch.start();
    startedMs = performance.now();
    const options = fleet.exporterOptions({ interval: '2s', timeout: '3s' }, (name) =>
      numbered.includes(name) ? '127.0.0.1' : `${name}.faults.internal`,
    );
    exporter = await ExporterProcess.start({ ...options, under: server.under(fleet.folder, attemptSeconds) });
    await watch.expect(
      Object.fromEntries(Object.entries(fleet.truth).map(([name, truth]) => [name, { ...truth, isKnown: false }])),
    );
    await watch.attach(exporter.url);
  });

  afterAll(async () => {
    await exporter?.kill();
    await watch?.stop();
    await server?.stop();
    await fleet?.stop();
  });

  function all(
    hosts: readonly string[],
    check: (metrics: Scrape, host: string) => void,
    seconds = 30,
  ): Promise<Scrape> {
    return until(seconds, async () => {
      const metrics = await scrape(`${exporter.url}/metrics`);
      for (const host of hosts) check(metrics, host);
      return metrics;
    });
  }

  const succeeds = (metrics: Scrape, host: string): void => {
    expect([host, metrics.value('reboot_probe_success', { host })]).toEqual([host, 1]);
  };

  const fails =
    (...reasons: readonly string[]) =>
    (metrics: Scrape, host: string): void => {
      const [reason = 'none'] = metrics.labelValues('reboot_probe_failing_reason_info', 'reason', { host });
      expect([host, reasons.includes(reason)]).toEqual([host, true]);
    };

  test('names that are not answered hold up hosts with addresses not at all, and those with other names shortly', async () => {
    await all(numbered, succeeds, 5);
    await all(named, succeeds, 20);
    const seconds = (performance.now() - startedMs) / 1000;
    process.stdout.write(
      `${dead.length} names that are not answered: other names found after ${seconds.toFixed(1)} s\n`,
    );
    // All that are not answered, one after the other, would take four seconds each.
    expect(seconds).toBeLessThan((dead.length * 2 * attemptSeconds) / 3);
    await all(dead, fails('dns', 'timeout'));
    expect(exporter.log).toMatch(
      /host=dead-1 reason=timeout error="timed out after 3\.0 s while resolving dead-1\.faults\.internal"/,
    );
  });

  test('names that are answered again are found with the next probe', async () => {
    server.answers(() => 'well');
    await all(
      fleet.hosts.map(({ name }) => name),
      succeeds,
    );
    await watch.expect(fleet.truth);
    await watch.seen(3);
  });

  test('/metrics answered within a second throughout, and never said what was not so', () => {
    process.stdout.write(`names: ${watch.summary}\n`);
    expect(watch.faults).toEqual([]);
    expect(watch.slowestMs).toBeLessThan(1000);
  });
});
