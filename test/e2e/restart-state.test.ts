import { setTimeout as sleep } from 'node:timers/promises';
import { describeWithLab } from '../lab/describe-with-lab';
import type { LabHost } from '../lab/host';
import { Lab } from '../lab/lab';
import { ExporterInProcess } from './exporter-in-process';
import type { Scrape } from './scrape';
import { until } from './until';

jest.setTimeout(60_000);

const probe = { interval: '1s', timeout: '2s', stale_after: '8s' };
const day = 24 * 3600;
const kernel50 = { release: '6.8.0-50-generic', version: '#51-Ubuntu SMP PREEMPT_DYNAMIC Fri Nov 8 09:06:15 UTC 2024' };

function nowSeconds(): number {
  return Date.now() / 1000;
}

/** What a scrape says of the restart of a host; what it does not say is undefined. */
function restartOf(metrics: Scrape, host: string): Record<string, number | readonly string[] | undefined> {
  return {
    required: metrics.value('reboot_required', { host }),
    unknown: metrics.value('reboot_required_unknown', { host }),
    reasons: metrics.labelValues('reboot_required_reason_info', 'reason', { host }),
    packages: metrics.labelValues('reboot_required_package_info', 'package', { host }),
    count: metrics.value('reboot_required_packages', { host }),
  };
}

const notRequired = { required: 0, unknown: 0, reasons: [], packages: [], count: 0 };

function flagged(...packages: readonly string[]): Record<string, unknown> {
  return { required: 1, unknown: 0, reasons: ['flag'], packages, count: packages.length };
}

function sinceOf(metrics: Scrape, host: string): number {
  return metrics.value('reboot_required_since_timestamp_seconds', { host }) ?? NaN;
}

function ageOf(metrics: Scrape, host: string): number {
  return metrics.value('reboot_required_age_seconds', { host }) ?? NaN;
}

describeWithLab('the restart state of real hosts', () => {
  let lab: Lab;
  let exporter: ExporterInProcess;

  beforeAll(async () => {
    lab = await Lab.start({
      hosts: [
        { name: 'rewritten' },
        { name: 'no-birth', birthTimes: false },
        { name: 'restarted' },
        { name: 'quick' },
        { name: 'old-kernel-again' },
        { name: 'persistent', runPersists: true },
        { name: 'whole-seconds', sh: 'busybox' },
        { name: 'silent' },
        { name: 'refusing' },
      ],
    });
    exporter = await ExporterInProcess.start(lab, { probe });
  });

  afterAll(async () => {
    await exporter?.stop();
    await lab?.stop();
  });

  /** Waits until the host has been read after `sinceMs`, and answers a scrape from then. */
  function readAfter(host: LabHost, sinceMs = Date.now()): Promise<Scrape> {
    return until(15, async () => {
      const metrics = await exporter.metrics();
      const at = metrics.value('reboot_probe_last_success_timestamp_seconds', { host: host.name }) ?? 0;
      const tookSeconds = metrics.value('reboot_probe_duration_seconds', { host: host.name }) ?? 0;
      if ((at - tookSeconds) * 1000 <= sinceMs) throw new Error(`${host.name} has not been read`);
      return metrics;
    });
  }

  async function becomes(host: LabHost, state: Record<string, unknown>): Promise<Scrape> {
    return until(15, async () => {
      const metrics = await exporter.metrics();
      expect(restartOf(metrics, host.name)).toEqual(state);
      return metrics;
    });
  }

  test('a flag appears, is rewritten, its list grows, and it goes away', async () => {
    const host = lab.host('rewritten');
    await becomes(host, notRequired);
    const before = Math.floor(nowSeconds());
    host.setFlag(['libc6']);
    const after = Math.floor(nowSeconds());

    const first = await becomes(host, flagged('libc6'));
    const since = sinceOf(first, host.name);
    expect(since).toBeGreaterThanOrEqual(before);
    expect(since).toBeLessThanOrEqual(after);
    expect((await exporter.document(host.name))['restart']).toMatchObject({ verdict: 'required', evidence: 'birth' });

    await sleep(2500);
    host.setFlag(['dbus', 'libc6', 'libc6']);
    const rewritten = await becomes(host, flagged('dbus', 'libc6'));
    expect(sinceOf(rewritten, host.name)).toBe(since);
    expect(ageOf(rewritten, host.name)).toBeGreaterThanOrEqual(2.5);
    expect(Math.abs(ageOf(rewritten, host.name) - (rewritten.endedMs / 1000 - since))).toBeLessThan(2.5);

    host.setFlag([], { touchOnly: true });
    const touched = await readAfter(host);
    expect(restartOf(touched, host.name)).toEqual(flagged('dbus', 'libc6'));
    expect(sinceOf(touched, host.name)).toBe(since);

    host.clearFlag();
    const cleared = await becomes(host, notRequired);
    expect(ageOf(cleared, host.name)).toBe(0);
    expect(sinceOf(cleared, host.name)).toBeNaN();

    host.setFlag([], { touchOnly: true });
    const again = await becomes(host, flagged());
    expect(sinceOf(again, host.name)).toBeGreaterThan(since);
    expect(sinceOf(again, host.name)).toBeGreaterThanOrEqual(Math.floor(cleared.begunMs / 1000));
  });

  test('the age grows between probes, and the metrics wait for no host', async () => {
    const host = lab.host('rewritten');
    const ages: number[] = [];
    for (let turn = 0; turn < 8; turn++) {
      const metrics = await exporter.metrics();
      expect(metrics.endedMs - metrics.begunMs).toBeLessThan(1000);
      ages.push(ageOf(metrics, host.name));
      await sleep(60);
    }
    for (const [index, age] of ages.entries()) expect(age).toBeGreaterThan(ages[index - 1] ?? 0);
  });

  test('a flag without a birth time counts from the first sight, also for the next exporter', async () => {
    const host = lab.host('no-birth');
    host.setFlag(['libc6', 'dbus'], { mtime: new Date(Date.now() - 3600_000) });
    const first = await becomes(host, flagged('dbus', 'libc6'));
    const since = sinceOf(first, host.name);
    expect(Math.abs(nowSeconds() - 3600 - since)).toBeLessThan(15);
    expect((await exporter.document(host.name))['restart']).toMatchObject({ evidence: 'modified' });

    host.setFlag(['systemd']);
    const rewritten = await becomes(host, flagged('dbus', 'libc6', 'systemd'));
    expect(sinceOf(rewritten, host.name)).toBe(since);
    const lastAge = ageOf(await exporter.metrics(), host.name);
    expect(lastAge).toBeGreaterThan(3600);

    await exporter.stop();
    exporter = await ExporterInProcess.start(lab, { probe });
    const next = await becomes(host, flagged('dbus', 'libc6', 'systemd'));
    expect(sinceOf(next, host.name)).toBe(since);
    expect(ageOf(next, host.name)).toBeGreaterThan(lastAge);
  });

  test('an exporter that starts again at once sets no age back, where date tells fractions of seconds and where not', async () => {
    const hosts = ['whole-seconds', 'no-birth'];
    lab.host('whole-seconds').setFlag(['libc6']);
    for (let turn = 0; turn < 8; turn++) {
      await becomes(lab.host('whole-seconds'), flagged('libc6'));
      const last = await exporter.metrics();
      await exporter.stop();
      exporter = await ExporterInProcess.start(lab, { probe });
      const first = await until(
        15,
        async () => {
          const metrics = await exporter.metrics();
          for (const host of hosts) expect(metrics.value('reboot_required', { host })).toBe(1);
          return metrics;
        },
        10,
      );
      for (const host of hosts) expect(ageOf(first, host)).toBeGreaterThan(ageOf(last, host));
    }
  });

  test('a restart clears the state within seconds and is counted', async () => {
    const host = lab.host('restarted');
    const installedAt = new Date(Date.now() - 2 * day * 1000);
    host.installKernel(kernel50.release, '6.8.0-50.51', installedAt);
    host.setFlag(['linux-base', `linux-image-${kernel50.release}`]);
    const before = await becomes(host, {
      ...flagged('linux-base', `linux-image-${kernel50.release}`),
      reasons: ['flag', 'kernel'],
    });
    expect(sinceOf(before, host.name)).toBe(Math.floor(installedAt.getTime() / 1000));
    expect(before.value('reboot_host_boots_seen_total', { host: host.name })).toBe(0);

    await host.restart({ kernel: kernel50, awayMilliseconds: 1500 });
    const upMs = Date.now();
    const cleared = await becomes(host, notRequired);
    expect(cleared.endedMs - upMs).toBeLessThan(10_000);
    expect(cleared.value('reboot_host_boots_seen_total', { host: host.name })).toBe(1);
    expect(cleared.value('reboot_host_boot_timestamp_seconds', { host: host.name })).toBe(await host.bootTimeSeconds());
    expect(cleared.value('reboot_host_restarting', { host: host.name })).toBe(0);
    expect(cleared.value('reboot_probe_success', { host: host.name })).toBe(1);
    expect(cleared.labelValues('reboot_host_info', 'kernel_running', { host: host.name })).toEqual([kernel50.release]);
  });

  test('a restart that is too short to be noticed still counts', async () => {
    const host = lab.host('quick');
    host.setFlag(['dbus']);
    await becomes(host, flagged('dbus'));
    await host.restart();
    const cleared = await becomes(host, notRequired);
    expect(cleared.value('reboot_host_boots_seen_total', { host: host.name })).toBe(1);
  });

  test('a restart into the old kernel does not help, and is told', async () => {
    const host = lab.host('old-kernel-again');
    const names = [`linux-image-${kernel50.release}`];
    host.installKernel(kernel50.release, '6.8.0-50.51', new Date(Date.now() - 3 * day * 1000));
    const wanted = { ...flagged(...names), reasons: ['kernel'] };
    const before = await becomes(host, wanted);
    expect(before.value('reboot_still_required_after_restart', { host: host.name })).toBe(0);
    await host.restart();
    const after = await until(15, async () => {
      const metrics = await exporter.metrics();
      expect(metrics.value('reboot_host_boots_seen_total', { host: host.name })).toBe(1);
      return metrics;
    });
    expect(restartOf(after, host.name)).toEqual(wanted);
    expect(after.value('reboot_still_required_after_restart', { host: host.name })).toBe(1);
    expect(sinceOf(after, host.name)).toBe(await host.bootTimeSeconds());
    expect(ageOf(after, host.name)).toBeLessThan(20);
  });

  test('a flag that outlives the restart is not taken for a new one', async () => {
    const host = lab.host('persistent');
    host.setFlag(['libc6']);
    await becomes(host, flagged('libc6'));
    // A boot time has whole seconds, and moves by some when the clock is stepped: within five nothing can be told.
    await sleep(6500);
    await host.restart();
    expect(host.files.exists('/run/reboot-required')).toBe(true);
    const after = await until(15, async () => {
      const metrics = await exporter.metrics();
      expect(metrics.value('reboot_host_boots_seen_total', { host: host.name })).toBe(1);
      return metrics;
    });
    expect(restartOf(after, host.name)).toEqual(notRequired);

    const asked = Math.floor(nowSeconds());
    host.setFlag(['dbus']);
    const flaggedAgain = await becomes(host, flagged('dbus', 'libc6'));
    expect(sinceOf(flaggedAgain, host.name)).toBeGreaterThanOrEqual(asked);
    expect(sinceOf(flaggedAgain, host.name)).toBeLessThanOrEqual(Math.floor(nowSeconds()));
  });

  test('hosts that leave keep their last values until these are stale, and return', async () => {
    await Promise.all([leaveAndReturn('silent', 'drop', 'timeout'), leaveAndReturn('refusing', 'reset', 'connect')]);
  });

  async function leaveAndReturn(name: string, cut: 'drop' | 'reset', reason: string): Promise<void> {
    const host = lab.host(name);
    const stateOf = (metrics: Scrape): string[] =>
      metrics.linesOf(name, (metric) => !metric.startsWith('reboot_probe_') && !/_age_|_restarting$/.test(metric));
    host.setFlag(['libc6']);
    const last = await becomes(host, flagged('libc6'));
    const failuresBefore = last.value('reboot_probe_failures_total', { host: name, reason });
    await host.partition(cut);
    const cutMs = Date.now();

    const away = await until(15, async () => {
      const metrics = await exporter.metrics();
      expect(metrics.value('reboot_probe_success', { host: name })).toBe(0);
      return metrics;
    });
    expect(away.labelValues('reboot_probe_failing_reason_info', 'reason', { host: name })).toEqual([reason]);
    expect(away.value('reboot_probe_failures_total', { host: name, reason })).toBeGreaterThan(failuresBefore ?? 0);
    expect(away.value('reboot_host_restarting', { host: name })).toBe(1);
    expect(stateOf(away)).toEqual(stateOf(last));
    expect(ageOf(away, name)).toBeGreaterThan(ageOf(last, name));

    const lastSuccess = away.value('reboot_probe_last_success_timestamp_seconds', { host: name }) ?? 0;
    expect(lastSuccess * 1000).toBeLessThanOrEqual(cutMs + 100);
    const stale = await until(20, async () => {
      const metrics = await exporter.metrics();
      expect(metrics.value('reboot_required', { host: name })).toBeUndefined();
      return metrics;
    });
    expect(stale.endedMs / 1000 - lastSuccess).toBeGreaterThanOrEqual(8);
    expect(stale.endedMs / 1000 - lastSuccess).toBeLessThan(13);
    expect(stateOf(stale)).toEqual([`reboot_host_boots_seen_total{"host":"${name}","stack":"default"} 0`]);
    expect(stale.value('reboot_required_age_seconds', { host: name })).toBeUndefined();
    expect(stale.value('reboot_probe_success', { host: name })).toBe(0);
    expect(stale.value('reboot_probe_last_success_timestamp_seconds', { host: name })).toBe(lastSuccess);

    await host.heal();
    const back = await becomes(host, flagged('libc6'));
    expect(stateOf(back)).toEqual(stateOf(last));
    expect(back.value('reboot_probe_success', { host: name })).toBe(1);
    expect(ageOf(back, name)).toBeGreaterThan(ageOf(away, name));
  }
});
