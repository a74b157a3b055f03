import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { isInShard } from '../../src/inventory/shard';
import { describeWith } from '../alerts/programs';
import { ensureBuilt, projectFolder } from './built-program';
import { ExporterProcess } from './exporter-process';
import { PrometheusServer } from './prometheus-server';
import { freePort } from '../fixture/free-port';
import { SimulatedFleet } from './simulated-fleet';
import { until } from './until';

jest.setTimeout(180_000);

interface RelabelRule {
  readonly target_label: string;
  readonly replacement?: string;
}

/** As much of Prometheus' configuration as is changed here. */
interface PrometheusConfig {
  readonly scrape_configs: readonly {
    readonly job_name: string;
    readonly relabel_configs?: readonly RelabelRule[];
    readonly static_configs?: readonly { readonly targets: readonly string[] }[];
  }[];
}

/** The blocks of YAML of docs/sharding.md that have these words. @throws Error unless there is one. */
function documented(words: string): string {
  const page = readFileSync(join(projectFolder, 'docs/sharding.md'), 'utf8');
  const found = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, block = '']) => block);
  const [block, ...others] = found.filter((text) => text.includes(words));
  if (block === undefined || others.length > 0) throw new Error(`not one block of docs/sharding.md has ${words}`);
  return block;
}

/** Port of all exporters; each has an address of its own, 127.66.0.1 and its number. */
let port = 0;

/** The documentation's names of exporters as addresses of this machine: `reboot-exporter-2:10066` is 127.66.0.12 with our port. */
function located(text: string): string {
  return text.replaceAll(/reboot-exporter-(\d):10066/g, (_, number: string) => addressOf(Number(number)));
}

function addressOf(number: number): string {
  return `127.66.0.1${number}:${port}`;
}

/** Runs the real rules, but for how long something has to last: seconds in place of minutes. */
function writeRules(fleet: SimulatedFleet): string {
  const rules = readFileSync(join(projectFolder, 'alerts/reboot-exporter.rules.yml'), 'utf8');
  expect(rules.match(/^ *for: 1[05]m$/gm)?.length).toBeGreaterThanOrEqual(3);
  expect(rules.match(/max_over_time\(up\[5m\]\)/g)).toHaveLength(1);
  const file = join(fleet.folder, 'quick.rules.yml');
  writeFileSync(
    file,
    rules.replace(/^( *for: )1[05]m$/gm, '$13s').replace('max_over_time(up[5m])', 'max_over_time(up[5s])'),
  );
  return file;
}

/** A documented configuration with the addresses and paths of this machine, and everything every few seconds. */
function adapted(text: string, fleet: SimulatedFleet, rules: string): PrometheusConfig {
  const config = parse(located(text).replaceAll('targets/*.yml', fleet.targetsFile)) as PrometheusConfig;
  return {
    ...config,
    ...{ global: { scrape_interval: '2s', evaluation_interval: '1s' }, rule_files: [rules], alerting: {} },
    scrape_configs: config.scrape_configs.map((job) => ({ ...job, scrape_timeout: '2s' })),
  };
}

function startExporter(
  fleet: SimulatedFleet,
  configFile: string,
  number: number,
  flags: readonly string[] = [],
): Promise<ExporterProcess> {
  const stateFile = join(fleet.folder, `state-${number}.json`);
  return ExporterProcess.start({ configFile, stateFile, listenAddress: addressOf(number), flags });
}

/** The hosts that an exporter has, by its own account. */
async function hostsAt(exporter: ExporterProcess): Promise<string[]> {
  const response = await fetch(`${exporter.url}/api/v1/hosts`);
  const { hosts } = (await response.json()) as { hosts: { host: string }[] };
  return hosts.map(({ host }) => host);
}

/** That every host needs a restart, and that one exporter alone says so. */
async function expectEachOnce(prometheus: PrometheusServer, names: readonly string[]): Promise<void> {
  const counted = await prometheus.query('count by (host) (reboot_required == 1)');
  expect(Object.fromEntries(counted.map(({ metric, value }) => [metric['host'], value]))).toEqual(
    Object.fromEntries(names.map((name) => [name, 1])),
  );
}

const exporterAlerts = [
  'RebootExporterDown',
  'RebootExporterAbsent',
  'RebootExporterShardMissing',
  'RebootProbeUnanswered',
];

async function alertsAboutExporters(prometheus: PrometheusServer): Promise<string[]> {
  const firing = await Promise.all(exporterAlerts.map((name) => prometheus.firing(name)));
  return firing.flat().map(({ labels }) => [labels['alertname'], labels['job'], labels['instance']].join(' ').trim());
}

describeWith(['prometheus'], 'three exporters that share a fleet', () => {
  let fleet: SimulatedFleet;
  let prometheus: PrometheusServer;
  let exporters: Map<number, ExporterProcess>;
  let config: PrometheusConfig;

  beforeAll(async () => {
    ensureBuilt();
    port = await freePort();
  });
  beforeEach(async () => {
    exporters = new Map();
    fleet = await SimulatedFleet.start(Array.from({ length: 40 }, (_, at) => `app-${at + 1}`));
  });
  afterEach(async () => {
    await prometheus?.stop();
    await Promise.all([...exporters.values()].map((exporter) => exporter.kill()));
    await fleet?.stop();
  });

  test('by --shard=K/N: every host once, a quarter moves when there are four, and one that is gone is an alert', async () => {
    const configFile = fleet.writeConfig({ interval: '4s', timeout: '3s' });
    const start = async (index: number, count: number): Promise<void> =>
      void exporters.set(index, await startExporter(fleet, configFile, index, [`--shard=${index}/${count}`]));
    const restart = async (index: number, count: number): Promise<void> => {
      expect(await exporters.get(index)?.end('SIGTERM')).toEqual({ code: 0, signal: null });
      await start(index, count);
    };
    /** The exporter that Prometheus has each host from. */
    const owners = async (): Promise<Map<string, string>> =>
      new Map(
        (await prometheus.query('reboot_required')).map(({ metric }) => [
          metric['host'] ?? '',
          metric['instance'] ?? '',
        ]),
      );
    const shardOf = (name: string, count: number): number =>
      [1, 2, 3, 4].find((index) => index <= count && isInShard(name, { index, count })) ?? NaN;

    const rules = writeRules(fleet);
    const block = documented("'reboot-exporter-3:10066']");
    config = adapted(block, fleet, rules);
    await Promise.all([1, 2, 3].map((index) => start(index, 3)));
    prometheus = await PrometheusServer.start(config);
    await until(40, () => expectEachOnce(prometheus, fleet.names));
    const before = await owners();
    for (const name of fleet.names) expect(before.get(name)).toBe(addressOf(shardOf(name, 3)));
    expect(await prometheus.query('reboot_probe_success')).toHaveLength(fleet.names.length);

    // From three to four, in the order of the documentation.
    await start(4, 4);
    for (const index of [1, 2, 3]) await restart(index, 4);
    const four = adapted(block.replace("3:10066']", "3:10066', 'reboot-exporter-4:10066']"), fleet, rules);
    await prometheus.reload(four);
    await until(60, async () => {
      await expectEachOnce(prometheus, fleet.names);
      expect(new Set((await owners()).values()).size).toBe(4);
      expect(await alertsAboutExporters(prometheus)).toEqual([]);
    });
    const after = await owners();
    const moved = fleet.names.filter((name) => before.get(name) !== after.get(name));
    expect(moved.map((name) => after.get(name))).toEqual(moved.map(() => addressOf(4)));
    expect(moved).toEqual(fleet.names.filter((name) => shardOf(name, 4) === 4));
    // A quarter of forty, give or take: that it is a quarter of many is measured beside the hashing itself.
    expect(moved.length).toBeGreaterThanOrEqual(4);
    expect(moved.length).toBeLessThanOrEqual(16);
    for (const [index, exporter] of exporters) {
      expect((await hostsAt(exporter)).sort()).toEqual(
        fleet.names.filter((name) => after.get(name) === addressOf(index)).sort(),
      );
    }
    // What moved has ended where it was: no series of it is left there.
    const left = await prometheus.query(
      `{host=~"${moved.join('|')}",instance!="${addressOf(4)}",__name__=~"reboot_.+"}`,
    );
    expect(left).toEqual([]);

    // One is killed.
    await exporters.get(2)?.kill();
    const kept = fleet.names.filter((name) => after.get(name) !== addressOf(2));
    await until(40, async () => {
      expect(await alertsAboutExporters(prometheus)).toEqual([`RebootExporterDown reboot-exporter ${addressOf(2)}`]);
      await expectEachOnce(prometheus, kept);
    });

    // Its target goes too, as service discovery does it with a pod that is not there.
    await prometheus.reload(
      adapted(
        block.replace("'reboot-exporter-2:10066', ", '').replace("3:10066']", "3:10066', 'reboot-exporter-4:10066']"),
        fleet,
        rules,
      ),
    );
    await until(40, async () =>
      expect(await alertsAboutExporters(prometheus)).toEqual(['RebootExporterShardMissing reboot-exporter']),
    );
    const [missing] = await prometheus.firing('RebootExporterShardMissing');
    expect(missing?.annotations['description']).toContain('1 of them are missing; these shards are there: 1, 3, 4.');

    // And comes back.
    await start(2, 4);
    await prometheus.reload(four);
    await until(60, async () => {
      await expectEachOnce(prometheus, fleet.names);
      expect(await alertsAboutExporters(prometheus)).toEqual([]);
    });
  });

  test('by Prometheus on /probe: every host once, a quarter moves when there are four, and one that is gone is an alert', async () => {
    // What the documentation says of the exporters' configuration.
    const { probe } = parse(documented('schedule: never')) as { probe: object };
    const configFile = fleet.writeConfig({ ...probe, timeout: '2s' });
    const start = async (number: number): Promise<void> =>
      void exporters.set(number, await startExporter(fleet, configFile, number));
    /** The exporter that Prometheus asks about each host. */
    const owners = async (): Promise<Map<string, string>> =>
      new Map(
        (await prometheus.targets())
          .filter(({ labels }) => labels['job'] === 'reboot-probe')
          .map(({ labels, scrapeUrl }) => [labels['instance'] ?? '', new URL(scrapeUrl).host]),
      );

    const rules = writeRules(fleet);
    const file = readFileSync(join(projectFolder, 'deploy/prometheus/prometheus-probe.yml'), 'utf8');
    config = adapted(file, fleet, rules);
    await Promise.all([0, 1, 2].map(start));
    expect(fleet.names.map((name) => fleet.probesOf(name))).toEqual(fleet.names.map(() => 0));
    prometheus = await PrometheusServer.start(config);
    await until(40, async () => {
      await expectEachOnce(prometheus, fleet.names);
      expect(await prometheus.query('probe_success == 1')).toHaveLength(fleet.names.length);
      expect(await alertsAboutExporters(prometheus)).toEqual([]);
    });
    const before = await owners();
    expect([...before.keys()].sort()).toEqual([...fleet.names].sort());
    expect(new Set(before.values())).toEqual(new Set([0, 1, 2].map(addressOf)));
    await expectProbedWhenAskedAlone(before);

    // From three to four: the rules of the documentation in place of those of the example.
    await start(3);
    const buckets = parse(located(documented('3|7|11'))) as RelabelRule[];
    const isOfBuckets = (rule: RelabelRule): boolean =>
      rule.target_label === '__tmp_bucket' || rule.target_label === '__address__';
    const four: PrometheusConfig = {
      ...config,
      scrape_configs: config.scrape_configs.map((job) =>
        job.relabel_configs === undefined
          ? { ...job, static_configs: [{ targets: [0, 1, 2, 3].map(addressOf) }] }
          : { ...job, relabel_configs: [...job.relabel_configs.filter((rule) => !isOfBuckets(rule)), ...buckets] },
      ),
    };
    await prometheus.reload(four);
    await until(40, async () => {
      expect(new Set((await owners()).values()).size).toBe(4);
      await expectEachOnce(prometheus, fleet.names);
    });
    const after = await owners();
    const moved = fleet.names.filter((name) => before.get(name) !== after.get(name));
    expect(moved.map((name) => after.get(name))).toEqual(moved.map(() => addressOf(3)));
    // A quarter of forty, give or take: that it is a quarter of many is measured beside the example itself.
    expect(moved.length).toBeGreaterThanOrEqual(4);
    expect(moved.length).toBeLessThanOrEqual(16);

    // One is killed: its hosts end, those of the others do not, and it is told.
    await exporters.get(1)?.kill();
    const lost = fleet.names.filter((name) => after.get(name) === addressOf(1));
    const kept = fleet.names.filter((name) => !lost.includes(name));
    await until(40, async () => {
      expect(await alertsAboutExporters(prometheus)).toEqual([
        `RebootExporterDown reboot-exporter ${addressOf(1)}`,
        'RebootProbeUnanswered reboot-probe',
      ]);
      await expectEachOnce(prometheus, kept);
    });
    const [unanswered] = await prometheus.firing('RebootProbeUnanswered');
    expect(unanswered?.annotations['description']).toContain(`about ${lost.length} of its hosts`);

    // And comes back.
    await start(1);
    await until(40, async () => {
      await expectEachOnce(prometheus, fleet.names);
      expect(await alertsAboutExporters(prometheus)).toEqual([]);
    });
  });

  /** No exporter probes by itself: none has probed a host that falls to another, and none has anything planned. */
  async function expectProbedWhenAskedAlone(owners: ReadonlyMap<string, string>): Promise<void> {
    for (const [number, exporter] of exporters) {
      const response = await fetch(`${exporter.url}/api/v1/hosts`);
      const { hosts } = (await response.json()) as {
        hosts: { host: string; probe: { at: string | null; next_at: string | null; scheduled: boolean } }[];
      };
      expect(hosts).toHaveLength(fleet.names.length);
      for (const { host, probe } of hosts) {
        expect([host, probe.at !== null, probe.next_at, probe.scheduled]).toEqual([
          host,
          owners.get(host) === addressOf(number),
          null,
          false,
        ]);
      }
      const own = await (await fetch(`${exporter.url}/metrics`)).text();
      expect(own).toMatch(/^reboot_exporter_sweep_lag_seconds_count 0$/m);
      const page = await (await fetch(`${exporter.url}/hosts/app-1`)).text();
      expect(page).toContain('when it is asked for: there is no schedule');
    }
  }
});
