import { describeWithLab } from '../lab/describe-with-lab';
import type { HostSpec } from '../lab/host-spec';
import { Lab } from '../lab/lab';
import { ExporterInProcess } from './exporter-in-process';
import type { Scrape } from './scrape';
import { until } from './until';

jest.setTimeout(60_000);

const hour = 3600;
const automatic = 'Unattended-Upgrade::Automatic-Reboot "true";\nUnattended-Upgrade::Automatic-Reboot-Time "03:30";\n';
const kernel50 = { name: 'linux-image-6.8.0-50-generic', version: '6.8.0-50.51', installedAt: new Date() };
const patched = [
  'mount -t tmpfs tmpfs /sys/kernel',
  'mkdir -p /sys/kernel/livepatch/lkp_Ubuntu_6_8_0_49_49_generic_1',
  'echo 1 >/sys/kernel/livepatch/lkp_Ubuntu_6_8_0_49_49_generic_1/enabled',
  'echo 0 >/sys/kernel/livepatch/lkp_Ubuntu_6_8_0_49_49_generic_1/transition',
].join('\n');
/** A kernel that was built a month ago: its patches are made for a year more. */
const builtAt = new Date(Date.now() - 30 * 24 * hour * 1000).toUTCString().split(/[ ,]+/);
const recentKernel = {
  release: '6.8.0-49-generic',
  version: `#49-Ubuntu SMP PREEMPT_DYNAMIC ${builtAt[0]} ${builtAt[2]} ${builtAt[1]} 02:06:24 UTC ${builtAt[3]}`,
};

const hosts: readonly HostSpec[] = [
  { name: 'unattended', files: { '/etc/apt/apt.conf.d/99-restart': automatic } },
  { name: 'scheduled' },
  { name: 'unannounced' },
  { name: 'livepatched', kernel: recentKernel, packages: [kernel50], onBoot: patched },
  {
    name: 'dnf',
    system: 'almalinux-9',
    files: {
      '/etc/systemd/system/timers.target.wants/dnf-automatic.timer': '',
      '/etc/dnf/automatic.conf': '[commands]\napply_updates = yes\nreboot = when-needed\n',
      '/var/lib/systemd/timers/stamp-dnf-automatic.timer': '',
    },
  },
];

describeWithLab('hosts that restart and update themselves', () => {
  let lab: Lab;
  let exporter: ExporterInProcess;

  beforeAll(async () => {
    lab = await Lab.start({ hosts: hosts.map((spec) => ({ exposure: 'internal', ...spec })) });
    const atOnce = { warning_after: '0s', critical_after: '0s' };
    exporter = await ExporterInProcess.start(lab, {
      probe: { interval: '1s', timeout: '8s' },
      policy: { exposed: atOnce, internal: atOnce },
    });
  });

  afterAll(async () => {
    await exporter?.stop();
    await lab?.stop();
  });

  async function becomes(name: string, urgency: string): Promise<Scrape> {
    return until(20, async () => {
      expect({ name, urgency: (await exporter.document(name)).urgency }).toEqual({ name, urgency });
      return exporter.metrics();
    });
  }

  test('a host of which nothing is known to restart it is critical at once, as this policy says', async () => {
    lab.host('unannounced').setFlag(['libc6']);
    const metrics = await becomes('unannounced', 'critical');
    expect(metrics.value('reboot_expected_timestamp_seconds', { host: 'unannounced' })).toBeUndefined();
    expect(metrics.value('automatic_updates_enabled', { host: 'unannounced' })).toBe(1);
    expect(metrics.labelValues('automatic_updates_info', 'by', { host: 'unannounced' })).toEqual([
      'unattended-upgrades',
    ]);
  });

  test('shutdown(8) has scheduled a restart: nobody is paged until it is late', async () => {
    const host = lab.host('scheduled');
    host.setFlag(['libc6']);
    await becomes('scheduled', 'critical');
    const at = Math.floor(Date.now() / 1000) + 2 * hour;
    host.files.write('/run/systemd/shutdown/scheduled', `USEC=${at}000000\nWARN_WALL=1\nMODE=reboot\n`);
    const metrics = await becomes('scheduled', 'info');
    expect(metrics.value('reboot_expected_timestamp_seconds', { host: 'scheduled', by: 'shutdown' })).toBe(at);
    expect(metrics.value('reboot_scheduled_timestamp_seconds', { host: 'scheduled' })).toBe(at);
    host.files.write('/run/systemd/shutdown/scheduled', `USEC=${at - 3 * hour}000000\nMODE=reboot\n`);
    await becomes('scheduled', 'critical');
    host.files.write('/run/systemd/shutdown/scheduled', `USEC=${at}000000\nMODE=poweroff\n`);
    await becomes('scheduled', 'critical');
  });

  test('unattended-upgrades is set to restart it, as apt-config says: expected at its time, after its next run', async () => {
    const host = lab.host('unattended');
    // Its next run is over within two hours from now.
    const ranAt = new Date(Date.now() - 23 * hour * 1000);
    host.files.write('/var/lib/apt/periodic/unattended-upgrades-stamp', '', { mtime: ranAt });
    host.setFlag(['libc6']);
    const metrics = await until(20, async () => {
      const scraped = await exporter.metrics();
      expect(scraped.labelValues('reboot_automatic_info', 'by', { host: 'unattended' })).toEqual([
        'unattended-upgrades',
      ]);
      expect(scraped.value('reboot_required', { host: 'unattended' })).toBe(1);
      expect(scraped.value('reboot_expected_timestamp_seconds', { host: 'unattended' })).toBeDefined();
      return scraped;
    });
    const expected = metrics.value('reboot_expected_timestamp_seconds', { host: 'unattended' }) ?? 0;
    const zone = new Date().getTimezoneOffset() * 60;
    expect((((expected - zone) % (24 * hour)) + 24 * hour) % (24 * hour)).toBe(3.5 * hour);
    const runsUntil = Math.floor(ranAt.getTime() / 1000) + 25 * hour;
    expect(expected).toBeGreaterThanOrEqual(runsUntil);
    expect(expected).toBeLessThan(runsUntil + 24 * hour);
    await becomes('unattended', expected - Date.now() / 1000 < 24 * hour ? 'info' : 'critical');
    // It ran, found the flag and ordered nothing.
    host.files.write('/var/lib/apt/periodic/unattended-upgrades-stamp', '');
    await becomes('unattended', 'critical');
  });

  test('a live patched kernel alone is never critical, and with a library it is', async () => {
    const host = lab.host('livepatched');
    const metrics = await becomes('livepatched', 'warning');
    expect(metrics.value('reboot_required_livepatched', { host: 'livepatched' })).toBe(1);
    expect(metrics.labelValues('reboot_livepatch_info', 'patch', { host: 'livepatched' })).toEqual([
      'lkp_Ubuntu_6_8_0_49_49_generic_1',
    ]);
    host.setFlag(['libc6']);
    await becomes('livepatched', 'critical');
    expect((await exporter.metrics()).value('reboot_required_livepatched', { host: 'livepatched' })).toBe(0);
  });

  test('dnf-automatic installs updates, and is told of', async () => {
    const metrics = await until(20, async () => {
      const scraped = await exporter.metrics();
      expect(scraped.value('automatic_updates_enabled', { host: 'dnf' })).toBe(1);
      return scraped;
    });
    expect(metrics.labelValues('automatic_updates_info', 'by', { host: 'dnf' })).toEqual(['dnf-automatic']);
    expect(metrics.value('automatic_updates_last_run_timestamp_seconds', { host: 'dnf' })).toBeGreaterThan(1.7e9);
    expect(metrics.value('unattended_upgrades_enabled', { host: 'dnf' })).toBeUndefined();
    expect((await exporter.document('dnf')).restart?.['by_itself']).toMatchObject({ by: 'dnf-automatic', at: null });
    lab.host('dnf').files.symlink('/dev/null', '/etc/systemd/system/dnf-automatic.timer');
    await until(20, async () => {
      expect((await exporter.metrics()).value('automatic_updates_enabled', { host: 'dnf' })).toBe(0);
    });
  });
});
