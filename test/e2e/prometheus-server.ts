import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { pathOf } from '../alerts/programs';
import { until } from './until';
import { freePort } from '../fixture/free-port';

/** One series of an instant query's answer. */
export interface QueriedSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A target as Prometheus tells of it. */
export interface ScrapeTarget {
  readonly labels: Readonly<Record<string, string>>;
  readonly scrapeUrl: string;
  readonly lastError: string;
  readonly health: 'up' | 'down' | 'unknown';
}

/** An alert as Prometheus has it. */
export interface ActiveAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: 'pending' | 'firing';
}

/** A real Prometheus. */
export class PrometheusServer {
  private log = '';

  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    private readonly url: string,
  ) {
    child.stderr?.on('data', (piece: Buffer) => (this.log += piece.toString()));
  }

  /** Starts it with a configuration, and waits until it is ready. */
  static async start(config: object): Promise<PrometheusServer> {
    const folder = mkdtempSync(join(tmpdir(), 'reboot-exporter-prometheus-'));
    const configFile = join(folder, 'prometheus.yml');
    writeFileSync(configFile, stringify(config));
    const address = `127.0.0.1:${await freePort()}`;
    const argv = [
      `--config.file=${configFile}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
    ];
    const child = spawn(pathOf('prometheus'), argv, { stdio: ['ignore', 'ignore', 'pipe'] });
    const server = new PrometheusServer(child, folder, `http://${address}`);
    try {
      await until(20, async () => {
        if (child.exitCode !== null) throw new Error('it has ended');
        const response = await fetch(`${server.url}/-/ready`);
        if (!response.ok) throw new Error(`it answers ${response.status}`);
      });
    } catch (error) {
      await server.stop();
      throw new Error(`Prometheus did not start: ${server.log}`, { cause: error });
    }
    return server;
  }

  /** An instant query, now or at a unix time in seconds. */
  async query(promql: string, atSeconds?: number): Promise<QueriedSeries[]> {
    const time = atSeconds === undefined ? '' : `&time=${atSeconds}`;
    const data = await this.ask<{ result: { metric: Record<string, string>; value: [number, string] }[] }>(
      `/api/v1/query?query=${encodeURIComponent(promql)}${time}`,
    );
    return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  /** The value of the only series of a query; undefined when there is none. @throws Error when there are several. */
  async value(promql: string, atSeconds?: number): Promise<number | undefined> {
    const found = await this.query(promql, atSeconds);
    if (found.length > 1) throw new Error(`${promql} has ${found.length} series: ${JSON.stringify(found)}`);
    return found[0]?.value;
  }

  /** Alerts of a name that fire, as the rules of its configuration have them. */
  async firing(alertname: string): Promise<ActiveAlert[]> {
    const { alerts } = await this.ask<{ alerts: ActiveAlert[] }>('/api/v1/alerts');
    return alerts.filter(({ labels, state }) => labels['alertname'] === alertname && state === 'firing');
  }

  /** Gives it another configuration; what it knows stays. */
  async reload(config: object): Promise<void> {
    const loaded = 'prometheus_config_last_reload_success_timestamp_seconds';
    const loadedAt = async (): Promise<string | undefined> =>
      (await this.ownMetrics()).split('\n').find((line) => line.startsWith(`${loaded} `));
    const before = await loadedAt();
    writeFileSync(join(this.folder, 'prometheus.yml'), stringify(config));
    // The time is told in whole seconds.
    await sleep(1100);
    this.child.kill('SIGHUP');
    await until(10, async () => {
      if ((await loadedAt()) === before) throw new Error(`Prometheus did not load it: ${this.log}`);
    });
  }

  async targets(): Promise<ScrapeTarget[]> {
    return (await this.ask<{ activeTargets: ScrapeTarget[] }>('/api/v1/targets?state=active')).activeTargets;
  }

  /** Names of the metric families, with type and help, as the targets' answers had them. */
  async metadata(): Promise<Readonly<Record<string, readonly { readonly type: string; readonly help: string }[]>>> {
    return this.ask('/api/v1/metadata');
  }

  /** What it tells of itself. */
  async ownMetrics(): Promise<string> {
    return (await fetch(`${this.url}/metrics`)).text();
  }

  /** What it has logged at the levels warn and error. */
  complaints(): string[] {
    return this.log.split('\n').filter((line) => /level=(warn|error)/.test(line));
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const exit = once(this.child, 'exit');
      this.child.kill('SIGKILL');
      await exit;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async ask<T>(path: string): Promise<T> {
    const response = await fetch(`${this.url}${path}`);
    const body = (await response.json()) as { status: string; data: T; error?: string };
    if (body.status !== 'success') throw new Error(`${path}: ${body.error}`);
    return body.data;
  }
}
