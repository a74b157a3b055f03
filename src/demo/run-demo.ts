import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { stringify } from 'yaml';
import { startExporter } from '../exporter';
import { createLogger } from '../logging/logger';
import type { ListenAddress } from '../web/server';
import { demoFleet, patched, restarted, type DemoHost } from './demo-fleet';
import { startSimulatedServer, type SimulatedServer } from './simulated-server';

/** The demo while it runs. */
export interface RunningDemo {
  readonly url: string;
  /** The configuration that was written for it. */
  readonly configFile: string;
  stop(): Promise<void>;
}

export interface DemoOptions {
  readonly listen: ListenAddress;
  /** What happens is told here, a line at a time. */
  readonly say: (line: string) => void;
  /** Seconds between two happenings; 0: nothing happens by itself. */
  readonly pauseSeconds: number;
}

interface Live {
  entry: DemoHost;
  readonly hostKey: string;
  server: SimulatedServer | null;
  port: number;
}

/** Starts a dozen simulated hosts behind real SSH servers on loopback, and the exporter probing them. */
export async function startDemo(options: DemoOptions): Promise<RunningDemo> {
  const folder = mkdtempSync(join(tmpdir(), 'reboot-exporter-demo-'));
  const client = newKeyPair();
  const clientKey = publicBlob(client.public);
  const fleet = new Map<string, Live>();
  for (const entry of demoFleet(Date.now() / 1000)) {
    const keys = newKeyPair();
    fleet.set(entry.host.name, { entry, hostKey: keys.private, server: null, port: 0 });
  }

  async function up(live: Live): Promise<void> {
    live.server = await startSimulatedServer({
      hostKey: live.hostKey,
      clientKey,
      port: live.port,
      host: () => live.entry.host,
      delayMs: 5,
    });
    live.port = live.server.port;
  }
  async function down(live: Live): Promise<void> {
    await live.server?.close();
    live.server = null;
  }

  for (const live of fleet.values()) {
    await up(live);
    // The port is kept for when it comes back.
    if (live.entry.reach === 'down') await down(live);
  }
  writeFiles(folder, client.private, fleet);
  const cleanUp = async (): Promise<void> => {
    await Promise.all([...fleet.values()].map(down));
    rmSync(folder, { recursive: true, force: true });
  };
  const exporter = await startExporter({
    configFile: join(folder, 'reboot-exporter.yml'),
    stateFile: join(folder, 'state.json'),
    listenAddresses: [options.listen],
    webConfigFile: null,
    enableLifecycle: false,
    shard: null,
    log: createLogger('error', 'logfmt'),
  }).catch(async (error: unknown) => {
    await cleanUp();
    throw error;
  });

  const story = tellStory(fleet, { up, down }, options);
  return {
    url: exporter.urls[0] ?? '',
    configFile: join(folder, 'reboot-exporter.yml'),
    async stop() {
      await story.stop();
      await exporter.stop();
      await cleanUp();
    },
  };
}

interface Stage {
  up(live: Live): Promise<void>;
  down(live: Live): Promise<void>;
}

/** What happens while one watches: a patch arrives, a host restarts, one that was away returns, over and over. */
function tellStory(
  fleet: Map<string, Live>,
  stage: Stage,
  { say, pauseSeconds }: DemoOptions,
): { stop(): Promise<void> } {
  let stopped = false;
  let wake: () => void = () => undefined;
  const pause = (seconds: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, seconds * 1000);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const events: readonly (() => Promise<void>)[] = [
    async () => {
      say('web-2: unattended-upgrades installs libc6 and raises the flag');
      change(fleet, 'web-2', (host) => patched(host, Date.now() / 1000));
    },
    async () => {
      const live = fleet.get('web-1');
      if (live === undefined) return;
      say('web-1: somebody restarts it');
      await stage.down(live);
      await pause(6);
      if (stopped) return;
      change(fleet, 'web-1', (host) => restarted(host, Date.now() / 1000));
      await stage.up(live);
      say('web-1: up again, with the new kernel');
    },
    async () => {
      const live = fleet.get('backup-1');
      if (live === undefined) return;
      if (live.server === null) {
        say('backup-1: can be reached again');
        await stage.up(live);
      } else {
        say('backup-1: goes away');
        await stage.down(live);
      }
    },
    async () => {
      say('web-2: somebody restarts it, too fast for a probe to miss it');
      change(fleet, 'web-2', (host) => restarted(host, Date.now() / 1000));
    },
  ];
  const done = (async () => {
    for (let turn = 0; !stopped && pauseSeconds > 0; turn++) {
      await pause(pauseSeconds);
      if (!stopped) await events[turn % events.length]?.();
    }
  })();
  return {
    async stop() {
      stopped = true;
      wake();
      await done;
    },
  };
}

function change(fleet: Map<string, Live>, name: string, next: (host: DemoHost['host']) => DemoHost['host']): void {
  const live = fleet.get(name);
  if (live !== undefined) live.entry = { ...live.entry, host: next(live.entry.host) };
}

function writeFiles(folder: string, clientKey: string, fleet: Map<string, Live>): void {
  const lives = [...fleet.values()];
  writeFileSync(join(folder, 'id_ed25519'), clientKey, { mode: 0o600 });
  const stranger = newKeyPair().public;
  const known = lives.map(({ entry, hostKey, port }) => {
    const key = entry.reach === 'wrong key' ? stranger : publicText(hostKey);
    return `[127.0.0.1]:${port} ${key.split(' ').slice(0, 2).join(' ')}\n`;
  });
  writeFileSync(join(folder, 'known_hosts'), known.join(''));
  const config = {
    probe: { interval: '5s', timeout: '4s', stale_after: '2m' },
    ssh: { user: 'reboot-exporter', identity_file: 'id_ed25519', known_hosts: 'known_hosts' },
    stacks: {
      shop: {
        policy: { exposed: { warning_after: '1d', critical_after: '7d' } },
        maintenance_window: { cron: '0 2 * * 0', duration: '3h', timezone: 'Europe/London' },
      },
    },
    hosts: lives.map(({ entry, port }) => ({
      name: entry.host.name,
      address: '127.0.0.1',
      ssh: { port },
      stack: entry.stack,
      labels: entry.labels,
      // The demo's addresses are of a range for tests, which is never public by itself.
      ...(entry.host.network.address.startsWith('198.18.') ? { exposure: { public: true } } : {}),
    })),
  };
  writeFileSync(join(folder, 'reboot-exporter.yml'), stringify(config));
}

/** Length of an Ed25519 public key as RFC 8709, 4 encodes it: two lengths, the name, 32 bytes. */
const ed25519Bytes = 51;

/** ssh2 1.17 cuts leading zero bytes off, so that one key in some hundreds is malformed: such a one is thrown away. */
function newKeyPair(): { private: string; public: string } {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519');
    if (publicBlob(pair.public).length === ed25519Bytes) return pair;
  }
}

function publicText(privateKey: string): string {
  const parsed = ssh2.utils.parseKey(privateKey);
  if (parsed instanceof Error) throw parsed;
  return `${parsed.type} ${parsed.getPublicSSH().toString('base64')}`;
}

function publicBlob(publicKey: string): Buffer {
  return Buffer.from(publicKey.split(' ')[1] ?? '', 'base64');
}
