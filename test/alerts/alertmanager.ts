import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import { pathOf } from './programs';
import type { Labels } from './rule-case';
import { freePort } from '../fixture/free-port';

const alertsFolder = resolve(__dirname, '../../alerts');

export const configFile = join(alertsFolder, 'alertmanager.yml');

export interface RouteConfig {
  matchers?: string[];
  receiver: string;
  group_by?: string[];
  group_wait?: string;
  group_interval?: string;
  repeat_interval?: string;
  active_time_intervals?: string[];
  routes?: RouteConfig[];
}

export interface Config {
  global: Record<string, unknown>;
  templates: string[];
  route: RouteConfig;
  time_intervals: { name: string; time_intervals: object[] }[];
  receivers: ({ name: string } & Record<string, unknown>)[];
  inhibit_rules: object[];
}

/** The committed configuration. */
export function shippedConfig(): Config {
  return parse(readFileSync(configFile, 'utf8')) as Config;
}

/** Every node of the tree below a route, itself first. */
export function allRoutes(route: RouteConfig): readonly RouteConfig[] {
  return [route, ...(route.routes ?? []).flatMap(allRoutes)];
}

/** The same routes and inhibitions, but each receiver is a webhook of its own name, and groups wait for tenths of seconds. */
export function withWebhooks(config: Config, sinkUrl: string): Config {
  for (const route of allRoutes(config.route)) {
    route.group_wait = '500ms';
    route.group_interval = '1s';
  }
  return {
    ...config,
    global: {},
    receivers: config.receivers.map(({ name }) => ({
      name,
      webhook_configs: [{ url: `${sinkUrl}/${name}`, send_resolved: true }],
    })),
  };
}

/** Opens or closes the office: `open` makes every moment a working hour, otherwise none is for the coming days. */
export function withOffice(config: Config, open: boolean): Config {
  const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
  const farDay = weekdays[(new Date().getUTCDay() + 3) % 7] ?? 'sunday';
  return {
    ...config,
    time_intervals: config.time_intervals.map(({ name }) => ({
      name,
      time_intervals: [{ weekdays: [open ? 'sunday:saturday' : farDay] }],
    })),
  };
}

export interface PostedAlert {
  readonly labels: Labels;
  readonly annotations?: Labels;
  readonly resolved?: boolean;
}

/** A real Alertmanager with a folder and a port of its own, without a cluster. */
export interface Alertmanager {
  /** Where it listens: host and port. */
  readonly address: string;
  post(alerts: readonly PostedAlert[]): Promise<void>;
  /** Replaces the configuration. */
  reload(config: Config): Promise<void>;
  /** What it has printed so far. */
  log(): string;
  stop(): Promise<void>;
}

export async function startAlertmanager(config: Config): Promise<Alertmanager> {
  const folder = mkdtempSync(join(tmpdir(), 'reboot-alertmanager-'));
  cpSync(join(alertsFolder, 'templates'), join(folder, 'templates'), { recursive: true });
  const write = (value: Config): void =>
    writeFileSync(join(folder, 'alertmanager.yml'), stringify(value, { version: '1.1' }));
  write(config);
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(
    pathOf('alertmanager'),
    [
      `--config.file=${join(folder, 'alertmanager.yml')}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
      '--cluster.listen-address=',
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  try {
    await until(
      async () => (await fetch(`http://${address}/-/ready`)).ok,
      () => `Alertmanager did not start:\n${printed}`,
    );
  } catch (error) {
    await end(child);
    throw error;
  }
  return {
    address,
    post: async (alerts) => {
      const response = await fetch(`http://${address}/api/v2/alerts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(alerts.map(toApi)),
      });
      if (!response.ok) {
        throw new Error(`Alertmanager refused the alerts: ${await response.text()}`);
      }
    },
    reload: async (value) => {
      write(value);
      const response = await fetch(`http://${address}/-/reload`, { method: 'POST' });
      if (!response.ok) {
        throw new Error(`Alertmanager did not reload: ${await response.text()}`);
      }
    },
    log: () => printed,
    stop: async () => {
      await end(child);
      rmSync(folder, { recursive: true });
    },
  };
}

function toApi({ labels, annotations = {}, resolved = false }: PostedAlert): object {
  const now = Date.now();
  return {
    labels,
    annotations,
    generatorURL: 'http://prometheus.example.org/graph?g0.expr=reboot_required',
    // Without a start, Alertmanager keeps the one that it knows. A start in the past would skip the wait of the group.
    ...(resolved
      ? { endsAt: new Date(now).toISOString() }
      : { startsAt: new Date(now).toISOString(), endsAt: new Date(now + 600_000).toISOString() }),
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return;
  }
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

/** Asks until the answer is yes. An error while asking is a no. @throws Error with `message` after twenty seconds. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  message: () => string,
  milliseconds = 20_000,
): Promise<void> {
  const deadline = Date.now() + milliseconds;
  while (Date.now() < deadline) {
    if (
      await Promise.resolve()
        .then(condition)
        .catch(() => false)
    ) {
      return;
    }
    await pause(50);
  }
  throw new Error(message());
}

export async function pause(milliseconds: number): Promise<void> {
  await new Promise((done) => setTimeout(done, milliseconds));
}
