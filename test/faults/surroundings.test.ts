import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuilt } from '../e2e/built-program';
import { ExporterProcess, type ExporterProcessOptions } from '../e2e/exporter-process';
import { scrape, type Scrape } from '../e2e/scrape';
import { seededRandom, seedOfRun } from '../e2e/seeded-random';
import { until } from '../e2e/until';
import { describeWithLab } from '../lab/describe-with-lab';
import { makeKeyPair } from '../lab/ssh-keys';
import { FaultFleet } from './fault-fleet';
import { SmallDisk } from './small-disk';
import type { HostTruth, Truth } from './truth';
import { TruthWatch } from './truth-watch';

jest.setTimeout(120_000);

const good = ['good-1', 'good-2', 'good-3', 'good-4'];
/** Only the exporter knows since when they have needed a restart. */
const forgetful = ['forgetful-1', 'forgetful-2', 'forgetful-3'];
const all = [...good, ...forgetful];
const seed = seedOfRun();
const daySeconds = 86_400;

describeWithLab(`an exporter whose surroundings fail (E2E_SEED=${seed})`, () => {
  const random = seededRandom(seed);
  let fleet: FaultFleet;
  let watch: TruthWatch;
  let options: ExporterProcessOptions;
  let exporter: ExporterProcess;
  let truth: Truth;

  beforeAll(async () => {
    ensureBuilt();
    fleet = await FaultFleet.start(good, [], forgetful);
    watch = await TruthWatch.start();
    options = fleet.exporterOptions({ interval: '1s', timeout: '3s' });
    await watch.expect(Object.fromEntries(all.map((host) => [host, { required: 'any', isKnown: false }])));
    await start();
    const metrics = await wellAgain();
    // What was first seen now is true from now on, whatever happens.
    const learnt = forgetful.map((host): [string, HostTruth] => {
      const sinceSeconds = metrics.value('reboot_required_since_timestamp_seconds', { host }) ?? NaN;
      return [host, { ...fleet.host(host).truth, sinceSeconds }];
    });
    truth = { ...fleet.truth, ...Object.fromEntries(learnt) };
    await watch.expect(truth);
    await watch.seen(2);
  });

  afterAll(async () => {
    await exporter?.kill();
    await watch?.stop();
    await fleet?.stop();
  });

  afterEach(() => {
    const found = watch.faults.splice(0);
    expect(found).toEqual([]);
    expect(watch.slowestMs).toBeLessThan(1000);
  });

  afterAll(() => void process.stdout.write(`surroundings, E2E_SEED=${seed}: ${watch.summary}\n`));

  async function start(more: Partial<ExporterProcessOptions> = {}): Promise<void> {
    exporter = await ExporterProcess.start({ ...options, ...more });
    await watch.attach(exporter.url);
  }

  /** Until each host was probed once, an exporter that was started has nothing to say of it. */
  async function restart(more: Partial<ExporterProcessOptions> = {}): Promise<void> {
    await watch.expect(
      Object.fromEntries(Object.entries(truth).map(([host, is]) => [host, { ...is, isKnown: false }])),
    );
    await start(more);
    await wellAgain();
    await watch.expect(truth);
    await watch.seen(2);
  }

  async function end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await watch.attach(null);
    const ending = await exporter.end(signal);
    expect(ending).toEqual(signal === 'SIGTERM' ? { code: 0, signal: null } : { code: null, signal });
  }

  const metricsNow = (): Promise<Scrape> => scrape(`${exporter.url}/metrics`);

  /** Every host is probed again, and with success. */
  async function wellAgain(): Promise<Scrape> {
    const before = new Map(fleet.hosts.map((host) => [host.name, host.probed]));
    return until(20, async () => {
      for (const host of fleet.hosts) expect(host.probed).toBeGreaterThan(before.get(host.name) ?? 0);
      const metrics = await metricsNow();
      const well = metrics.all('reboot_probe_success').filter(({ value }) => value === 1);
      expect(well).toHaveLength(all.length);
      expect(metrics.all('reboot_required')).toHaveLength(all.length);
      return metrics;
    });
  }

  test('SIGKILL and SIGTERM at any point lose nothing', async () => {
    for (let time = 0; time < 4; time += 1) {
      await end(random.oneOf(['SIGTERM', 'SIGKILL']));
      await watch.expect(
        Object.fromEntries(Object.entries(truth).map(([host, is]) => [host, { ...is, isKnown: false }])),
      );
      await start();
      await sleep(random.between(0, 700));
    }
    await end('SIGKILL');
    await restart();
  });

  test.each(['fsync', 'rename'])('SIGKILL in the middle of a state write, at %s, loses nothing', async (call) => {
    await end('SIGTERM');
    // strace kills it as it makes the call; at its end it saves its state in any case.
    const strace = ['strace', '-f', '-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${call}:signal=SIGKILL`];
    const dying = await ExporterProcess.start({ ...options, under: strace });
    const child = readFileSync(`/proc/${dying.pid}/task/${dying.pid}/children`, 'utf8').trim();
    process.kill(Number(child), 'SIGTERM');
    await dying.ending();
    expect(dying.log).not.toContain('msg=Stopped');
    JSON.parse(readFileSync(options.stateFile, 'utf8'));
    await restart();
  });

  test('SIGTERM in the middle of a state write waits for its end, and for all else that is under way', async () => {
    await end('SIGTERM');
    const strace = ['strace', '-f', '-o', '/dev/null', '-e', 'trace=fsync', '-e', 'inject=fsync:delay_enter=600000'];
    await restart({ under: strace });
    await reboots('good-3', 'is written');
    const child = readFileSync(`/proc/${exporter.pid}/task/${exporter.pid}/children`, 'utf8').trim();
    await watch.attach(null);
    process.kill(Number(child), 'SIGTERM');
    expect(await exporter.ending()).toEqual({ code: 0, signal: null });
    expect(exporter.log).toMatch(/msg=Stopped\n$/);
    await restart();
  });

  test('a disk that is full, and then read-only, under the state file hides nothing and loses nothing', async () => {
    await end('SIGTERM');
    const disk = await SmallDisk.mount(join(fleet.folder, 'disk'));
    try {
      copyFileSync(options.stateFile, disk.path('state.json'));
      const onDisk = { stateFile: join(disk.folder, 'state.json'), under: disk.under };
      await restart(onDisk);
      const failures = async (): Promise<number> =>
        (await metricsNow()).value('reboot_exporter_state_save_failures_total') ?? NaN;
      for (const [host, spoil, mend] of [
        ['good-1', () => disk.fill(), () => disk.empty()],
        ['good-2', () => disk.setReadOnly(true), () => disk.setReadOnly(false)],
      ] as const) {
        await spoil();
        const before = await failures();
        await reboots(host);
        await until(10, async () => expect(await failures()).toBeGreaterThan(before));
        expect((await fetch(`${exporter.url}/-/ready`)).status).toBe(200);
        await watch.seen(3);
        await mend();
        const bootId = /"id":"([^"]+)"/;
        await until(10, () => {
          const kept = readFileSync(disk.path('state.json'), 'utf8');
          const { hosts } = JSON.parse(kept) as { hosts: Record<string, { boot: object; sinceSeconds: unknown }> };
          expect(bootId.exec(JSON.stringify(hosts[host]))).not.toBeNull();
          expect(hosts[host]?.sinceSeconds).toBeNull();
        });
      }
      await end('SIGKILL');
      await restart(onDisk);
      await end('SIGTERM');
      copyFileSync(disk.path('state.json'), options.stateFile);
      expect(existsSync(disk.path('filling'))).toBe(false);
    } finally {
      await exporter.kill();
      await disk.unmount();
    }
    await restart();
  });

  /** A host restarts, which is news that has to be remembered: it is told when that has been, or while it is done. */
  async function reboots(host: string, when: 'is told' | 'is written' = 'is told'): Promise<void> {
    await watch.expect({ [host]: { required: 'any', isKnown: false } });
    const before = fleet.host(host).probed;
    fleet.host(host).reboot();
    if (when === 'is written') {
      await until(10, () => expect(fleet.host(host).probed).toBeGreaterThan(before), 10);
      await sleep(200);
      truth = { ...truth, [host]: fleet.host(host).truth };
      return;
    }
    await until(10, async () => expect((await metricsNow()).value('reboot_required', { host })).toBe(0));
    truth = { ...truth, [host]: fleet.host(host).truth };
    await watch.expect(truth);
  }

  test('a wall clock that is set by days and years moves no age and holds up no probe', async () => {
    await end('SIGTERM');
    const file = join(fleet.folder, 'shift');
    writeFileSync(file, '0');
    const hook = join(__dirname, 'shifted-clock.cjs');
    await restart({ under: ['env', `NODE_OPTIONS=--require=${hook}`, `SHIFTED_CLOCK_FILE=${file}`] });
    for (const shift of [daySeconds, -3650 * daySeconds, 3650 * daySeconds, 0]) {
      writeFileSync(file, `${shift}`);
      await until(20, async () => {
        const metrics = await wellAgain();
        const at = metrics.value('reboot_probe_last_success_timestamp_seconds', { host: 'good-1' }) ?? NaN;
        expect(Math.abs(at - Date.now() / 1000 - shift)).toBeLessThan(10);
      });
      await watch.seen(1);
    }
    // A clock that is years off when it ends, and right when it begins again, forgets nobody.
    writeFileSync(file, `${3650 * daySeconds}`);
    await wellAgain();
    await end('SIGTERM');
    await restart();
  });

  test('a machine that is suspended goes on where it was', async () => {
    await watch.attach(null);
    exporter.signal('SIGSTOP');
    await sleep(4000);
    exporter.signal('SIGCONT');
    await watch.attach(exporter.url);
    await watch.seen(3);
    await wellAgain();
  });

  test('settings, keys and known hosts that are swapped, cut off or gone during reloads lose no host and no value', async () => {
    const { configFile } = options;
    const failedBefore = failuresIn(await metricsNow());
    const identity = join(fleet.folder, 'id_ed25519');
    const knownHosts = join(fleet.folder, 'known_hosts');
    const whole = new Map([configFile, identity, knownHosts].map((file) => [file, readFileSync(file)]));
    const spoil: readonly ((file: string) => void)[] = [
      (file) => writeFileSync(file, (whole.get(file) ?? Buffer.alloc(0)).subarray(0, 40)),
      (file) => writeFileSync(file, ''),
      (file) => writeFileSync(file, makeKeyPair('ecdsa').privateKey),
      (file) => rmSync(file),
      (file) => {
        rmSync(file);
        mkdirSync(file);
      },
      (file) => {
        rmSync(file);
        symlinkSync(file, file);
      },
    ];
    const mend = (file: string): void => {
      rmSync(file, { recursive: true, force: true });
      writeFileSync(`${file}.new`, whole.get(file) ?? '', { mode: 0o600 });
      renameSync(`${file}.new`, file);
    };
    for (const file of whole.keys()) {
      for (const how of spoil) {
        how(file);
        exporter.signal('SIGHUP');
        await sleep(random.between(20, 300));
        mend(file);
        if (random.fraction() < 0.5) exporter.signal('SIGHUP');
      }
    }
    const failed = failuresIn(await metricsNow()).filter((reason) => !failedBefore.includes(reason));
    expect(failed.filter((reason) => !/ (auth|host_key) /.test(reason))).toEqual([]);
    exporter.signal('SIGHUP');
    await wellAgain();
    await until(5, async () =>
      expect((await metricsNow()).value('reboot_exporter_config_last_reload_successful')).toBe(1),
    );
  });
});

/** Which hosts failed for what, and how often. */
function failuresIn(metrics: Scrape): string[] {
  const failures = metrics.all('reboot_probe_failures_total').filter(({ value }) => value > 0);
  return failures.map(({ labels, value }) => `${labels['host']} ${labels['reason']} ${value}`);
}
