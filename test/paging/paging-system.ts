import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import {
  allRoutes,
  shippedConfig,
  startAlertmanager,
  withOffice,
  withWebhooks,
  type Alertmanager,
  type Config,
} from '../alerts/alertmanager';
import { openSink, type Sink } from '../alerts/sink';
import { ensureBuilt, projectFolder } from '../e2e/built-program';
import { ExporterProcess } from '../e2e/exporter-process';
import { PrometheusServer } from '../e2e/prometheus-server';
import { scrape, type Scrape } from '../e2e/scrape';
import type { ConfigOverrides } from '../lab/exporter-config';
import type { Lab } from '../lab/lab';
import { notificationOf, type Notification } from './notification';

/** The rules as they are shipped. */
export const shippedRules = join(projectFolder, 'alerts/reboot-exporter.rules.yml');

export interface PagingOptions {
  /** Sections of the exporter's configuration. */
  readonly exporter: ConfigOverrides;
  /** Divides each `for` of minutes, for tests that cannot wait for it. Default: the rules as they are. */
  readonly hurry?: number;
  /** Keeps the shipped time for which a group's first message waits. Default: half a second. */
  readonly shippedWait?: boolean;
}

/** From the host to the webhook: exporter, Prometheus and Alertmanager, each a real one in a process of its own. */
export class PagingSystem {
  private constructor(
    private readonly lab: Lab,
    private exporter: ExporterProcess,
    readonly prometheus: PrometheusServer,
    readonly alertmanager: Alertmanager,
    private readonly sink: Sink,
  ) {}

  /** @throws Error when one of them does not start; the others have ended then. */
  static async start(lab: Lab, options: PagingOptions): Promise<PagingSystem> {
    ensureBuilt();
    const ends: (() => Promise<unknown>)[] = [];
    try {
      const sink = await openSink();
      ends.push(() => sink.close());
      const alertmanager = await startAlertmanager(routesTo(sink.url, options.shippedWait === true));
      ends.push(() => alertmanager.stop());
      writeFileSync(configFileOf(lab), lab.configYaml(options.exporter));
      const exporter = await startExporter(lab, '127.0.0.1:0');
      ends.push(() => exporter.kill());
      const rules = options.hurry === undefined ? shippedRules : hurriedRules(lab, options.hurry);
      const prometheus = await PrometheusServer.start(
        prometheusConfig(new URL(exporter.url).host, rules, alertmanager.address),
      );
      return new PagingSystem(lab, exporter, prometheus, alertmanager, sink);
    } catch (error) {
      for (const end of ends.reverse()) await end();
      throw error;
    }
  }

  /** All messages so far, the oldest first. */
  notifications(): Notification[] {
    return this.sink.deliveries.map(notificationOf);
  }

  metrics(): Promise<Scrape> {
    return scrape(`${this.exporter.url}/metrics`);
  }

  /** Has a host probed now, and waits for it. @throws Error when the exporter refuses. */
  async refresh(host: string): Promise<void> {
    const response = await fetch(`${this.exporter.url}/api/v1/hosts/${host}/refresh?wait=1`, { method: 'POST' });
    if (!response.ok) throw new Error(`the refresh of ${host} was answered ${response.status}`);
  }

  /** Gives the running exporter another configuration. */
  reconfigure(overrides: ConfigOverrides): void {
    writeFileSync(configFileOf(this.lab), this.lab.configYaml(overrides));
    this.exporter.signal('SIGHUP');
  }

  /** Ends the exporter and starts it again at the same address, as an upgrade does. */
  async restartExporter(): Promise<void> {
    const address = new URL(this.exporter.url).host;
    await this.exporter.end('SIGTERM');
    this.exporter = await startExporter(this.lab, address);
  }

  /** What went wrong in any of the three, in their own words. */
  complaints(): string {
    return [this.exporter.log, ...this.prometheus.complaints(), this.alertmanager.log()].join('\n');
  }

  async stop(): Promise<void> {
    await this.prometheus.stop();
    await this.exporter.kill();
    await this.alertmanager.stop();
    await this.sink.close();
  }
}

function configFileOf(lab: Lab): string {
  return join(lab.folder, 'reboot-exporter.yml');
}

function startExporter(lab: Lab, listenAddress: string): Promise<ExporterProcess> {
  return ExporterProcess.start({
    configFile: configFileOf(lab),
    stateFile: join(lab.folder, 'state.json'),
    listenAddress,
  });
}

/** The shipped configuration: routes, groups and inhibitions are its own; who is told, how fast and when is the test's. */
function routesTo(sinkUrl: string, keepsWait: boolean): Config {
  const shipped = shippedConfig();
  const waits = allRoutes(shipped.route).map((route) => route.group_wait);
  const config = withOffice(withWebhooks(shipped, sinkUrl), true);
  if (!keepsWait) return config;
  allRoutes(config.route).forEach((route, at) => {
    const wait = waits[at];
    if (wait === undefined) delete route.group_wait;
    else route.group_wait = wait;
  });
  return config;
}

function prometheusConfig(exporter: string, rules: string, alertmanager: string): object {
  return {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: [rules],
    alerting: { alertmanagers: [{ static_configs: [{ targets: [alertmanager] }] }] },
    scrape_configs: [{ job_name: 'reboot-exporter', static_configs: [{ targets: [exporter] }], honor_labels: true }],
  };
}

/** The shipped rules with seconds in place of minutes to wait for; longer ones stay. */
function hurriedRules(lab: Lab, divisor: number): string {
  const rules = parse(readFileSync(shippedRules, 'utf8')) as { groups: { rules: { for?: string }[] }[] };
  for (const rule of rules.groups.flatMap((group) => group.rules)) {
    const minutes = /^(\d+)m$/.exec(rule.for ?? '')?.[1];
    if (minutes !== undefined) rule.for = `${Math.ceil((Number(minutes) * 60) / divisor)}s`;
  }
  const file = join(lab.folder, 'hurried.rules.yml');
  writeFileSync(file, stringify(rules));
  return file;
}
