import type { Config } from './config/config';
import { formatFault, type Fault } from './config/fault';
import { createConfigLoader, type ConfigLoader } from './config/loader';
import { createConfigWatch, type ConfigWatch } from './config/watch';
import { hostDocument, type DocumentContext } from './document/host-document';
import { Fleet, type FleetSettings } from './fleet/fleet';
import { freshKnown, type HostStatus } from './fleet/status';
import { isInShard, type Shard } from './inventory/shard';
import type { Logger } from './logging/logger';
import { openMemoryFile, type Memory } from './memory/memory-file';
import { createExporterMetrics, type ExporterMetrics } from './metrics/exporter-metrics';
import { createExposition } from './metrics/exposition';
import { FleetText, renderOneHost } from './metrics/fleet-text';
import { openFilesLimit, shareOpenFiles } from './open-files';
import { policyOf } from './policy/stacks';
import { judgeExposure } from './probe/exposure';
import { probeHost } from './probe/probe';
import { createTimetable, periodSeconds } from './schedule/timetable';
import { SshTransport } from './ssh/ssh-transport';
import { systemTime, type Time } from './time/time';
import { version } from './version';
import type { WebBackend } from './web/backend';
import { hostDigest } from './web/fleet-list/digest';
import type { ListenAddress } from './web/server';
import type { SettingsSource } from './web/settings/settings-file';
import { openWebSettings, startWebSide, type WebSide } from './web/web-side';

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

/** Connections kept open at a time; one takes about 30 KB here and a process on the host. */
const maxKeptConnections = 10_000;

/**
 * Starts the whole exporter: configuration, memory, fleet, metrics, web. Throws
 * ConfigError, LockedError, or the system's error for an address that is in use.
 */
export async function startExporter(options: ExporterOptions): Promise<Exporter> {
  const { log, time = systemTime } = options;
  const metrics = createExporterMetrics();
  if (options.shard !== null) metrics.isShard(options.shard);
  const loader = createConfigLoader(options.configFile, () => time.nowMs());
  const watch = createConfigWatch((reason) => void reload(reason));
  let config = await load(loader, watch, options);
  warnOfOpenFiles(config, log);
  metrics.configReloaded(true, time.nowMs() / 1000);
  const webSettings = loadWebSide(options, time, metrics);

  const memory: Memory = await openMemoryFile(options.stateFile, {
    log,
    nowMs: () => time.nowMs(),
    onSaveFailure: () => metrics.stateSaveFailed(),
  });
  const { kept } = shareOpenFiles();
  const transport = new SshTransport({
    maxKept: Math.min(maxKeptConnections, kept),
    periodSeconds: periodSeconds(config.probe.schedule, time.nowMs()),
    probesAtATime: () => fleetSettings(config).concurrency,
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
    bastionConnections: transport.bastionConnections,
  }));

  const reload = async (reason = 'asked'): Promise<string | null> => {
    try {
      config = await load(loader, watch, options);
    } catch (error) {
      metrics.configReloaded(false, 0);
      const message = error instanceof Error ? error.message : String(error);
      log.error('The configuration could not be loaded; the old one stays in force', { reason, error: message });
      return message;
    }
    fleet.setHosts(config.hosts, fleetSettings(config));
    transport.retain(new Set(config.hosts.map((host) => host.name)));
    metrics.configReloaded(true, time.nowMs() / 1000);
    // A service that gives hosts is asked every minute or so: that is not worth a line each time.
    const say = reason === 'refresh' ? log.debug : log.info;
    say('Loaded the configuration', { reason, file: config.file, hosts: config.hosts.length });
    return null;
  };

  let ready = false;
  const backend: WebBackend = {
    log,
    exposition: createExposition({ time, fleet: text, exporter: metrics, stacks: () => config.stacks }),
    nowMs: () => time.nowMs(),
    monotonicMs: () => time.monotonicMs(),
    isReady: () => ready,
    digests: () => fleet.statuses().map((status) => hostDigest(status, documentContext(status, config, time))),
    document: (name) => {
      const status = fleet.status(name);
      return status === null ? null : hostDocument(status, documentContext(status, config, time));
    },
    policy: (stack) => policyOf(config.stacks, stack),
    probe: (name, wish) => {
      const stack = fleet.status(name)?.host.stack;
      if (wish.exposure && stack !== undefined) metrics.refreshed(stack, time.nowMs() / 1000);
      return fleet.probe(name, wish)?.then(() => undefined) ?? null;
    },
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
    reload: options.enableLifecycle ? () => reload() : null,
  };

  let web: WebSide;
  try {
    web = await startWebSide(options.listenAddresses, backend, webSettings);
  } catch (error) {
    await transport.close();
    await memory.close();
    throw error;
  }
  log.info('Started reboot-exporter', {
    version,
    hosts: config.hosts.length,
    urls: web.urls.join(' '),
  });
  fleet.start();
  ready = true;

  return {
    urls: web.urls,
    reload: () => reload(),
    async stop() {
      ready = false;
      watch.stop();
      await Promise.all([fleet.stop(drainMs), web.close(drainMs)]);
      await transport.close();
      await memory.close();
      log.info('Stopped');
    },
  };
}

async function load(
  loader: ConfigLoader,
  watch: ConfigWatch,
  { shard, log }: Pick<ExporterOptions, 'shard' | 'log'>,
): Promise<Config> {
  const result = await loader.load();
  watch.follow(result.watch);
  for (const warning of result.warnings) log.warn('The configuration has a weak point', { at: formatFault(warning) });
  if (!result.ok) throw new ConfigError(result.faults);
  const { config } = result;
  const hosts = shard === null ? config.hosts : config.hosts.filter((host) => isInShard(host.name, shard));
  return { ...config, hosts };
}

/** Says what the limit of open files costs, if anything. */
function warnOfOpenFiles({ probe }: Config, log: Logger): void {
  const { probes } = shareOpenFiles();
  if (probe.concurrency <= probes) return;
  log.warn('Fewer probes run at a time than probe.concurrency says, for the limit of open files is low', {
    concurrency: probe.concurrency,
    at_a_time: probes,
    open_files: openFilesLimit(),
  });
}

function loadWebSide({ webConfigFile, log }: ExporterOptions, time: Time, metrics: ExporterMetrics): SettingsSource {
  const onLoad = (success: boolean): void => metrics.webConfigLoaded(success, time.nowMs() / 1000);
  const opened = openWebSettings(webConfigFile, { log, time, onLoad });
  if (opened.faults !== null) throw new ConfigError(opened.faults);
  return opened.source;
}

function fleetSettings({ probe }: Config): FleetSettings {
  return {
    timetable: createTimetable(probe.schedule),
    timeoutSeconds: probe.timeoutSeconds,
    concurrency: Math.min(probe.concurrency, shareOpenFiles().probes),
    exposureIntervalSeconds: probe.exposureIntervalSeconds,
  };
}

function documentContext(status: HostStatus, config: Config, time: Time): DocumentContext {
  return {
    monotonicMs: time.monotonicMs(),
    staleAfterSeconds: config.probe.staleAfterSeconds,
    isScheduled: config.probe.schedule.kind !== 'never',
    policy: policyOf(config.stacks, status.host.stack),
  };
}

function countByStack(statuses: readonly HostStatus[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { host } of statuses) counts.set(host.stack, (counts.get(host.stack) ?? 0) + 1);
  return counts;
}
