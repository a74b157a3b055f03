import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Shard } from '../inventory/shard';
import { version } from '../version';
import { renderHead, renderSample, type ExpositionFormat, type FamilyHead, type Labels } from './family';

/**
 * The exporter's metrics about itself, by prom-client. This file is the only
 * one that knows that library, so that it can be exchanged for its successor.
 */
export interface ExporterMetrics {
  readonly probeQueueWait: { observe(seconds: number): void };
  readonly sweepLag: { observe(seconds: number): void };
  configReloaded(success: boolean, atSeconds: number): void;
  /** The file of --web.config.file was read, at the start or again. */
  webConfigLoaded(success: boolean, atSeconds: number): void;
  stateSaveFailed(): void;
  /** This exporter has the hosts of one of so many shards. */
  isShard(shard: Shard): void;
  /** Somebody asked for hosts of a stack to be probed now, as a deploy does. */
  refreshed(stack: string, atSeconds: number): void;
  /** Current values, asked for at every scrape. */
  watch(read: () => ExporterReadings): void;
  render(format: ExpositionFormat): Promise<string>;
  /** The families that there are, for the documentation. */
  heads(): FamilyHead[];
}

export interface ExporterReadings {
  readonly hostsByStack: ReadonlyMap<string, number>;
  readonly probesInFlight: number;
  readonly probesQueued: number;
  readonly bastionConnections: number;
}

/**
 * prom-client counts these by going through every open connection at every scrape, and gives half of them names that
 * end in `_total` though they are gauges, to which promtool rightly objects.
 */
const unwanted = ['handles', 'requests', 'resources'].flatMap((what) => [
  `nodejs_active_${what}`,
  `nodejs_active_${what}_total`,
]);

const waitBuckets = [0.001, 0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 300];

export function createExporterMetrics(): ExporterMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  for (const name of unwanted) registry.removeSingleMetric(name);

  new Gauge({
    name: 'reboot_exporter_build_info',
    help: 'Version of the exporter and of Node.js.',
    labelNames: ['version', 'nodeversion'],
    registers,
  }).set({ version, nodeversion: process.versions.node }, 1);
  const queueWait = new Histogram({
    name: 'reboot_exporter_probe_queue_wait_seconds',
    help: 'How long probes waited for their turn under probe.concurrency.',
    buckets: waitBuckets,
    registers,
  });
  const sweepLag = new Histogram({
    name: 'reboot_exporter_sweep_lag_seconds',
    help: 'How long after its due time a scheduled probe began.',
    buckets: waitBuckets,
    registers,
  });
  const reloadSuccess = new Gauge({
    name: 'reboot_exporter_config_last_reload_successful',
    help: 'Whether the last attempt to load the configuration succeeded.',
    registers,
  });
  const reloadTime = new Gauge({
    name: 'reboot_exporter_config_last_reload_success_timestamp_seconds',
    help: 'Unix time of the last successful load of the configuration.',
    registers,
  });
  const webConfigSuccess = new Gauge({
    name: 'reboot_exporter_web_config_last_reload_successful',
    help: 'Whether the last attempt to load the file of --web.config.file succeeded; absent without one.',
    registers,
  });
  const webConfigTime = new Gauge({
    name: 'reboot_exporter_web_config_last_reload_success_timestamp_seconds',
    help: 'Unix time of the last successful load of the file of --web.config.file; absent without one.',
    registers,
  });
  // prom-client sets a gauge without labels to 0 when it is made.
  for (const gauge of [webConfigSuccess, webConfigTime]) gauge.remove();
  const saveFailures = new Counter({
    name: 'reboot_exporter_state_save_failures_total',
    help: 'Writes of the state file that failed.',
    registers,
  });
  const shards = new Gauge({
    name: 'reboot_exporter_shards',
    help: 'How many exporters share the fleet, by --shard; the label says which of them this one is. Absent where it has the whole fleet.',
    labelNames: ['shard'],
    registers,
  });
  const refreshTime = new Gauge({
    name: 'reboot_exporter_refresh_timestamp_seconds',
    help: 'Unix time at which hosts of the stack were last asked to be probed at once, as a deploy does.',
    labelNames: ['stack'],
    registers,
  });
  let read: (() => ExporterReadings) | null = null;
  const hosts = new Gauge({
    name: 'reboot_exporter_hosts',
    help: 'Hosts of the inventory.',
    labelNames: ['stack'],
    registers,
    collect() {
      this.reset();
      for (const [stack, count] of read?.().hostsByStack ?? []) hosts.set({ stack }, count);
    },
  });
  new Gauge({
    name: 'reboot_exporter_probes_in_flight',
    help: 'Probes under way.',
    registers,
    collect() {
      this.set(read?.().probesInFlight ?? 0);
    },
  });
  new Gauge({
    name: 'reboot_exporter_probes_queued',
    help: 'Probes that wait for their turn.',
    registers,
    collect() {
      this.set(read?.().probesQueued ?? 0);
    },
  });
  new Gauge({
    name: 'reboot_exporter_bastion_connections',
    help: 'Open connections to bastions, each shared by the hosts behind it.',
    registers,
    collect() {
      this.set(read?.().bastionConnections ?? 0);
    },
  });

  return {
    probeQueueWait: queueWait,
    sweepLag,
    configReloaded(success, atSeconds) {
      reloadSuccess.set(success ? 1 : 0);
      if (success) reloadTime.set(atSeconds);
    },
    webConfigLoaded(success, atSeconds) {
      webConfigSuccess.set(success ? 1 : 0);
      if (success) webConfigTime.set(atSeconds);
    },
    stateSaveFailed: () => saveFailures.inc(),
    isShard: ({ index, count }) => shards.set({ shard: String(index) }, count),
    refreshed: (stack, atSeconds) => refreshTime.set({ stack }, atSeconds),
    watch(next) {
      read = next;
    },
    render: (format) => renderRegistry(registry, format),
    heads: () =>
      registry.getMetricsAsArray().map(({ name, type, help }) => ({ name, type: typeOf(String(type)), help })),
  };
}

/** Written here and not by prom-client, whose registries know only one format each and write NaN as `Nan`. */
async function renderRegistry(registry: Registry, format: ExpositionFormat): Promise<string> {
  const pieces: string[] = [];
  for (const metric of await registry.getMetricsAsJSON()) {
    const type = typeOf(String(metric.type));
    pieces.push(renderHead({ name: metric.name, type, help: metric.help }, format));
    for (const sample of metric.values) {
      const name = 'metricName' in sample && typeof sample.metricName === 'string' ? sample.metricName : metric.name;
      // Node.js has no mean of event loop delays that were not measured yet.
      if (Number.isFinite(Number(sample.value))) {
        pieces.push(renderSample(name, { labels: labelsOf(sample.labels), value: Number(sample.value) }));
      }
    }
  }
  return pieces.join('');
}

function typeOf(type: string): 'gauge' | 'counter' | 'histogram' {
  if (type === 'counter' || type === 'histogram') return type;
  return 'gauge';
}

function labelsOf(labels: Partial<Record<string, string | number>>): Labels {
  // OpenMetrics wants the bound of a bucket as a float; both formats accept `+Inf`.
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, String(value)]));
}
