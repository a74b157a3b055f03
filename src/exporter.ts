import type { RequestListener } from 'node:http';
import type { Config } from './config/config';
import { formatFault, type Fault } from './config/fault';
import { loadConfig } from './config/load';
import { hostDocument, type HostDocument } from './document/host-document';
import { Fleet, type FleetSettings } from './fleet/fleet';
import { freshKnown, type HostStatus } from './fleet/status';
import { isInShard, type Shard } from './inventory/shard';
import type { Logger } from './logging/logger';
import { openMemoryFile, type Memory } from './memory/memory-file';
import { createExporterMetrics } from './metrics/exporter-metrics';
import { createExposition } from './metrics/exposition';
import { FleetText, renderOneHost } from './metrics/fleet-text';
import { policyOf } from './policy/stacks';
import { judgeExposure } from './probe/exposure';
import { probeHost } from './probe/probe';
import { createTimetable, periodSeconds } from './schedule/timetable';
import { SshTransport } from './ssh/ssh-transport';
import { systemTime, type Time } from './time/time';
import { version } from './version';
import { createApp, type WebBackend } from './web/app';
import { listen, type ListenAddress, type WebServer } from './web/server';

/** What the flags of `serve` say. */
export interface ExporterOptions {
  readonly configFile: string;
  readonly stateFile: string;
  readonly listenAddresses: readonly ListenAddress[];
  /** TLS and basic auth, in the exporter-toolkit's format; null: plain HTTP. */
  readonly webConfigFile: string | null;
  readonly enableLifecycle: boolean;
  readonly shard: Shard | null;
  readonly log: Logger;
  readonly time?: Time;
}

/** The configuration can't be used; every fault is told. */
export class ConfigError extends Error {
  constructor(readonly faults: readonly Fault[]) {
    super(faults.map(formatFault).join('\n'));
    this.name = 'ConfigError';
  }
}

/** A running exporter. */
export interface Exporter {
  /** Where it listens. */
  readonly urls: readonly string[];
  /** Loads the configuration again; null when it is in force, else what is wrong: then the old one stays. */
  reload(): Promise<string | null>;
  /** Ends what is in flight, within a bound, and closes every connection. */
  stop(): Promise<void>;
}

/** How long requests and probes in flight may take to end when the exporter stops, in milliseconds. */
const drainMs = 15_000;

/**
 * Starts the whole exporter: configuration, memory, fleet, metrics, web. Throws
 * ConfigError, LockedError, or the system's error for an address that is in use.
 */
export async function startExporter(options: ExporterOptions): Promise<Exporter> {
  const { log, time = systemTime } = options;
  const metrics = createExporterMetrics();
  let config = await load(options);
  metrics.configReloaded(true, time.nowMs() / 1000);

  const memory: Memory = await openMemoryFile(options.stateFile, {
    log,
    nowMs: () => time.nowMs(),
    onSaveFailure: () => metrics.stateSaveFailed(),
  });
  const transport = new SshTransport({
    periodSeconds: periodSeconds(config.probe.schedule, time.nowMs()),
    onDrop: (host) => fleet.noteDrop(host.name),
  });
  const fleet = new Fleet(
    fleetSettings(config),
    {
      time,
      log,
      memory,
      probe: (host, wish, signal) => probeHost(host, wish, transport, signal),
      evaluateExposure: judgeExposure,
    },
    {
      queueWait: (seconds) => metrics.probeQueueWait.observe(seconds),
      lateness: (seconds) => metrics.sweepLag.observe(seconds),
    },
  );
  const text = new FleetText(() => config.probe.staleAfterSeconds);
  fleet.onChange((name, status) => text.update(name, status, time.monotonicMs()));
  fleet.setHosts(config.hosts);
  metrics.watch(() => ({
    hostsByStack: countByStack(fleet.statuses()),
    probesInFlight: fleet.probesInFlight,
    probesQueued: fleet.probesQueued,
  }));

  const reload = async (): Promise<string | null> => {
    try {
      config = await load(options);
    } catch (error) {
      metrics.configReloaded(false, 0);
      const message = error instanceof Error ? error.message : String(error);
      log.error('The configuration could not be loaded; the old one stays in force', { error: message });
      return message;
    }
    fleet.setHosts(config.hosts, fleetSettings(config));
    transport.retain(new Set(config.hosts.map((host) => host.name)));
    metrics.configReloaded(true, time.nowMs() / 1000);
    log.info('Loaded the configuration', { file: config.file, hosts: config.hosts.length });
    return null;
  };

  let ready = false;
  const backend: WebBackend = {
    log,
    exposition: createExposition({ time, fleet: text, exporter: metrics, stacks: () => config.stacks }),
    isReady: () => ready,
    documents: (stack) =>
      fleet
        .statuses()
        .filter((status) => stack === undefined || status.host.stack === stack)
        .map((status) => toDocument(status, config, time)),
    document: (name) => {
      const status = fleet.status(name);
      return status === null ? null : toDocument(status, config, time);
    },
    probe: (name, wish) => fleet.probe(name, wish)?.then(() => undefined) ?? null,
    hostMetrics: (name, format) => {
      const status = fleet.status(name);
      if (status === null) return null;
      const monotonicMs = time.monotonicMs();
      return renderOneHost(
        { status, known: freshKnown(status, monotonicMs, config.probe.staleAfterSeconds), monotonicMs },
        format,
      );
    },
    refreshTokenFile: () => config.web.refreshTokenFile,
    reload: options.enableLifecycle ? reload : null,
  };

  let servers: WebServer[];
  try {
    servers = await listenAll(options.listenAddresses, createApp(backend));
  } catch (error) {
    await transport.close();
    await memory.close();
    throw error;
  }
  log.info('Started reboot-exporter', {
    version,
    hosts: config.hosts.length,
    urls: servers.map(({ url }) => url).join(' '),
  });
  fleet.start();
  ready = true;

  return {
    urls: servers.map(({ url }) => url),
    reload,
    async stop() {
      ready = false;
      await Promise.all([fleet.stop(drainMs), ...servers.map((server) => server.close(drainMs))]);
      await transport.close();
      await memory.close();
      log.info('Stopped');
    },
  };
}

async function load({ configFile, shard, log }: ExporterOptions): Promise<Config> {
  const result = await loadConfig(configFile);
  for (const warning of result.warnings) log.warn('The configuration has a weak point', { at: formatFault(warning) });
  if (!result.ok) throw new ConfigError(result.faults);
  const { config } = result;
  return shard === null ? config : { ...config, hosts: config.hosts.filter((host) => isInShard(host.name, shard)) };
}

function fleetSettings({ probe }: Config): FleetSettings {
  return {
    timetable: createTimetable(probe.schedule),
    timeoutSeconds: probe.timeoutSeconds,
    concurrency: probe.concurrency,
    exposureIntervalSeconds: probe.exposureIntervalSeconds,
  };
}

function toDocument(status: HostStatus, config: Config, time: Time): HostDocument {
  return hostDocument(status, {
    monotonicMs: time.monotonicMs(),
    staleAfterSeconds: config.probe.staleAfterSeconds,
    policy: policyOf(config.stacks, status.host.stack),
  });
}

function countByStack(statuses: readonly HostStatus[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { host } of statuses) counts.set(host.stack, (counts.get(host.stack) ?? 0) + 1);
  return counts;
}

/** Listens on every address, or on none. */
async function listenAll(addresses: readonly ListenAddress[], handler: RequestListener): Promise<WebServer[]> {
  const results = await Promise.allSettled(addresses.map((address) => listen(address, handler)));
  const servers = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed === undefined) return servers;
  await Promise.all(servers.map((server) => server.close(0)));
  throw failed.reason;
}
