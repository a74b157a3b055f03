import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathOf, run } from '../alerts/programs';
import { until } from '../e2e/until';
import { writeHistory, type HistoryOptions } from './history';
import { freePort } from '../fixture/free-port';

/** One series of an answer: of an instant query, with one value. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [number, string])[];
}

export interface PrometheusOptions {
  /** Folder with what it is to know already. */
  readonly history?: HistoryOptions;
  /** `host:port` to scrape every second. */
  readonly target?: string;
}

/** Settings of a server whose data, made up or scraped, comes every `stepSeconds`. */
function lookbackSeconds({ history }: PrometheusOptions): number {
  return history === undefined ? 300 : history.stepSeconds * 1.5;
}

/** A real Prometheus on loopback, in a folder of its own. */
export class Prometheus {
  private constructor(
    readonly url: string,
    readonly stop: () => Promise<void>,
  ) {}

  static async start(options: PrometheusOptions): Promise<Prometheus> {
    const folder = mkdtempSync(join(tmpdir(), 'reboot-exporter-prometheus-'));
    const data = join(folder, 'data');
    if (options.history !== undefined) {
      await writeHistory(join(folder, 'history'), options.history);
      run('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', join(folder, 'history'), data]);
    }
    const scrape = `\nscrape_configs: [{ job_name: reboot-exporter, honor_labels: true, static_configs: [{ targets: ['${options.target}'] }] }]`;
    writeFileSync(
      join(folder, 'prometheus.yml'),
      `global: { scrape_interval: 1s }${options.target === undefined ? '' : scrape}\n`,
    );
    const address = `127.0.0.1:${await freePort()}`;
    const child = spawn(
      pathOf('prometheus'),
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${data}`,
        '--storage.tsdb.retention.time=1y',
        `--web.listen-address=${address}`,
        `--query.lookback-delta=${lookbackSeconds(options)}s`,
      ],
      { stdio: 'ignore' },
    );
    const prometheus = new Prometheus(`http://${address}`, async () => {
      if (child.exitCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      rmSync(folder, { recursive: true, force: true });
    });
    await until(30, async () => {
      const answer = await fetch(`${prometheus.url}/-/ready`);
      if (!answer.ok) throw new Error(`Prometheus is not ready: ${answer.status}`);
    });
    return prometheus;
  }

  /** @throws Error with what Prometheus says is wrong. */
  async query(expr: string, atSeconds: number): Promise<Series[]> {
    const result = await this.ask('query', { query: expr, time: String(atSeconds) });
    return (result as { result: { metric: Series['metric']; value: readonly [number, string] }[] }).result.map(
      ({ metric, value }) => ({ metric, values: [value] }),
    );
  }

  async queryRange(expr: string, from: number, to: number, stepSeconds: number): Promise<Series[]> {
    const range = { query: expr, start: String(from), end: String(to), step: String(stepSeconds) };
    return ((await this.ask('query_range', range)) as { result: Series[] }).result;
  }

  async labelValues(label: string, selector: string, from: number, to: number): Promise<string[]> {
    const range = { 'match[]': selector, start: String(from), end: String(to) };
    return (await this.ask(`label/${label}/values`, range, 'GET')) as string[];
  }

  private async ask(path: string, parameters: Record<string, string>, method = 'POST'): Promise<unknown> {
    const body = new URLSearchParams(parameters);
    const url = `${this.url}/api/v1/${path}`;
    const answer = method === 'GET' ? await fetch(`${url}?${body}`) : await fetch(url, { method, body });
    const said = (await answer.json()) as { status: string; error?: string; data: unknown };
    if (said.status !== 'success') throw new Error(said.error);
    return said.data;
  }
}
