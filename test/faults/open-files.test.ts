import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { ensureBuilt } from '../e2e/built-program';
import { ExporterProcess } from '../e2e/exporter-process';
import { scrape } from '../e2e/scrape';
import { until } from '../e2e/until';
import { FaultFleet } from './fault-fleet';
import { TruthWatch } from './truth-watch';

jest.setTimeout(120_000);

const hosts = Array.from({ length: 60 }, (_, at) => `web-${at + 1}`);
/** Fewer than there are hosts, each of which would have a connection kept. */
const openFiles = 64;

describe(`an exporter of ${hosts.length} hosts that may have ${openFiles} files open`, () => {
  let fleet: FaultFleet;
  let watch: TruthWatch;
  let exporter: ExporterProcess;
  const clients: Socket[] = [];

  beforeAll(async () => {
    ensureBuilt();
    fleet = await FaultFleet.start(hosts, []);
    watch = await TruthWatch.start();
    exporter = await ExporterProcess.start({
      ...fleet.exporterOptions({ interval: '2s', timeout: '10s' }),
      under: ['prlimit', `--nofile=${openFiles}:${openFiles}`],
    });
    await watch.expect(
      Object.fromEntries(Object.entries(fleet.truth).map(([name, truth]) => [name, { ...truth, isKnown: false }])),
    );
    await watch.attach(exporter.url);
  });

  afterAll(async () => {
    for (const client of clients) client.destroy();
    await exporter?.kill();
    await watch?.stop();
    await fleet?.stop();
  });

  test('probes all of them all the same, and says so', async () => {
    await until(30, async () => {
      const metrics = await scrape(`${exporter.url}/metrics`);
      expect(metrics.all('reboot_probe_success').filter(({ value }) => value === 1)).toHaveLength(hosts.length);
    });
    await watch.expect(fleet.truth);
    const before = fleet.host('web-60').probed;
    await until(20, () => expect(fleet.host('web-60').probed).toBeGreaterThan(before));
    const metrics = await scrape(`${exporter.url}/metrics`);
    const failures = metrics.all('reboot_probe_failures_total').filter(({ value }) => value > 0);
    expect(failures).toEqual([]);
    expect(exporter.log).toMatch(/level=warn msg="[^"]*open files/);
  });

  test('is not kept from that by clients who take every connection', async () => {
    const { hostname, port } = new URL(exporter.url);
    for (let at = 0; at < 2 * openFiles; at += 1) {
      clients.push(connect(Number(port), hostname).on('error', () => undefined));
    }
    await watch.seen(10);
    const metrics = await scrape(`${exporter.url}/metrics`);
    expect(metrics.all('reboot_probe_failures_total').filter(({ value }) => value > 0)).toEqual([]);
    expect(metrics.value('process_open_fds')).toBeLessThan(openFiles);
    expect(readdirSync(`/proc/${exporter.pid}/fd`).length).toBeLessThan(openFiles);
  });

  test('/metrics answered within a second throughout, and never said what was not so', () => {
    process.stdout.write(`${openFiles} open files: ${watch.summary}\n`);
    expect(watch.faults).toEqual([]);
    expect(watch.slowestMs).toBeLessThan(1000);
    expect(exporter.log).not.toMatch(/EMFILE|no file descriptor/);
  });
});
