import { describeWithLab } from '../lab/describe-with-lab';
import type { LabHost } from '../lab/host';
import type { HostSpec } from '../lab/host-spec';
import { Lab } from '../lab/lab';
import { builtProgram, ensureBuilt } from './built-program';
import { mustRun } from '../lab/program';
import { ExporterInProcess } from './exporter-in-process';
import type { Scrape } from './scrape';
import { until } from './until';

jest.setTimeout(60_000);

const hour = 3600_000;
const bootedAt = new Date(Date.now() - 72 * hour);
/** In whole seconds, as the modification times of files are compared. */
const unpackedAt = new Date(Math.floor((Date.now() - 20 * hour) / 1000) * 1000);
const unpackedSeconds = unpackedAt.getTime() / 1000;

interface Expected {
  /** undefined: it can't be told. */
  readonly required: 0 | 1 | undefined;
  readonly reasons?: readonly string[];
  readonly packages?: readonly string[];
  /** `now`: when the test set the flag. */
  readonly since?: number | 'now';
  readonly evidence?: 'birth' | 'package' | 'first_seen' | 'modified';
}

interface Kind {
  readonly spec: Omit<HostSpec, 'name' | 'bootedAt'>;
  readonly arrange?: (host: LabHost, lab: Lab) => void | Promise<void>;
  readonly expected: Expected;
}

const upToDate: Expected = { required: 0 };
const flagged: Expected = { required: 1, reasons: ['flag'], packages: ['libc6'], since: 'now', evidence: 'birth' };
const raiseFlag = (host: LabHost): void => host.setFlag(['libc6']);

const ubuntu50 = { name: 'linux-image-6.8.0-50-generic', version: '6.8.0-50.51', installedAt: unpackedAt };
const libc = { name: 'libc6', version: '2.41-12+deb13u1', multiArchSame: true, installedAt: unpackedAt };
const byKernel: Expected = {
  required: 1,
  reasons: ['kernel'],
  packages: ['linux-image-6.8.0-50-generic'],
  since: unpackedSeconds,
  evidence: 'package',
};
/** Its package is not in dpkg's database, so nothing can be told of it. */
const ownKernel = { release: '6.12.9-custom', version: '#1 SMP' };

const kinds: Readonly<Record<string, Kind>> = {
  'ubuntu-24': { spec: {}, expected: upToDate },
  'ubuntu-22': { spec: { system: 'ubuntu-22.04' }, expected: upToDate },
  'debian-12': { spec: { system: 'debian-12' }, expected: upToDate },
  'an empty flag': {
    spec: {},
    arrange: (host) => host.setFlag([], { touchOnly: true }),
    expected: { ...flagged, packages: [] },
  },
  'a flag and its kernel': {
    spec: { packages: [ubuntu50] },
    arrange: (host) => host.setFlag(['linux-base', ubuntu50.name, ubuntu50.name]),
    expected: { ...byKernel, reasons: ['flag', 'kernel'], packages: ['linux-base', ubuntu50.name] },
  },
  'a newer kernel': { spec: { packages: [ubuntu50] }, expected: byKernel },
  'a newer kernel of another flavour': {
    spec: { packages: [{ name: 'linux-image-6.8.0-50-lowlatency', version: '6.8.0-50.51', installedAt: unpackedAt }] },
    expected: upToDate,
  },
  'a newer kernel that was removed': {
    spec: { packages: [{ ...ubuntu50, status: 'deinstall ok config-files' }] },
    expected: upToDate,
  },
  'an older kernel with a larger first digit': {
    spec: {
      kernel: { release: '6.8.0-100-generic', version: '#100-Ubuntu SMP' },
      packages: [
        { name: 'linux-image-6.8.0-31-generic', version: '6.8.0-31.31', installedAt: unpackedAt },
        { name: 'linux-image-6.8.0-100-generic', version: '6.8.0-100.100' },
      ],
    },
    expected: upToDate,
  },
  'a rebuilt kernel of the same name': {
    spec: {
      system: 'debian-12',
      packages: [{ name: 'linux-image-6.1.0-27-amd64', version: '6.1.115-2', installedAt: unpackedAt }],
    },
    expected: { ...byKernel, packages: ['linux-image-6.1.0-27-amd64'] },
  },
  'plain debian, without a writer of flags': { spec: { system: 'debian-13' }, expected: upToDate },
  'plain debian, with a kernel of its own': {
    spec: { system: 'debian-13', kernel: ownKernel },
    expected: { required: undefined },
  },
  'plain debian, with a newer kernel': {
    spec: {
      system: 'debian-13',
      packages: [{ name: 'linux-image-6.12.48+deb13-amd64', version: '6.12.48-1', installedAt: unpackedAt }],
    },
    expected: { ...byKernel, packages: ['linux-image-6.12.48+deb13-amd64'] },
  },
  'plain debian, with a newer libc': {
    spec: { system: 'debian-13', packages: [libc] },
    expected: { required: 1, reasons: ['library'], packages: ['libc6'], since: unpackedSeconds, evidence: 'package' },
  },
  'plain debian, with a flag all the same': { spec: { system: 'debian-13' }, arrange: raiseFlag, expected: flagged },
  'a livepatched host': { spec: { files: { '/var/snap/canonical-livepatch/x': '' } }, expected: upToDate },
  'a livepatched host with a newer kernel and no flag': {
    spec: { files: { '/var/snap/canonical-livepatch/x': '' }, packages: [ubuntu50] },
    expected: byKernel,
  },
  'a livepatched host with a kernel of its own': {
    spec: { files: { '/var/snap/canonical-livepatch/x': '' }, kernel: ownKernel },
    expected: { required: undefined },
  },
  'an ubuntu host with a kernel of its own': { spec: { kernel: ownKernel }, expected: upToDate },
  'busybox for everything': { spec: { sh: 'busybox' }, expected: upToDate },
  'busybox for everything, with a flag': {
    spec: { sh: 'busybox' },
    arrange: raiseFlag,
    expected: { ...flagged, evidence: 'modified' },
  },
  'alpine, which is not of this family': { spec: { system: 'alpine-3.20' }, expected: { required: undefined } },
  'fish as the login shell': { spec: { shell: '/usr/bin/fish' }, arrange: raiseFlag, expected: flagged },
  'tcsh as the login shell': { spec: { shell: '/usr/bin/tcsh' }, arrange: raiseFlag, expected: flagged },
  'a noisy .bashrc': {
    spec: {
      files: {
        '/home/reboot-exporter/.bashrc':
          "echo 'Welcome!'; echo '=0 begin flag'; printf '\\n=0 end flag 0\\n'; echo noise >&2; alias stat=false; uptime",
      },
    },
    arrange: raiseFlag,
    expected: flagged,
  },
  'a banner and a message of the day': {
    spec: { sshdConfig: 'Banner /etc/banner\nPrintMotd yes', files: { '/etc/banner': 'Keep out!\n'.repeat(50) } },
    arrange: raiseFlag,
    expected: flagged,
  },
  'no sudo, no ss, no apt, no stat': {
    spec: { without: ['sudo', 'ss', 'nft', 'apt-config', 'stat', 'gzip'] },
    arrange: raiseFlag,
    expected: { ...flagged, evidence: 'first_seen' },
  },
  'a forced command and nothing else': {
    spec: {},
    arrange: async (host, lab) => {
      const probe = await mustRun([process.execPath, builtProgram, 'probe-script']);
      host.write('/usr/local/lib/reboot-exporter/probe', probe, { mode: 0o755 });
      const key = `restrict,command="/usr/local/lib/reboot-exporter/probe" ${lab.clientKey.publicKey}\n`;
      host.write('/home/reboot-exporter/.ssh/authorized_keys', key);
      host.setFlag(['libc6']);
    },
    expected: flagged,
  },
};

for (const container of ['docker', 'podman', 'lxc', 'systemd-nspawn'] as const) {
  Object.assign(kinds, {
    [`a ${container} container with a newer kernel`]: { spec: { container, packages: [ubuntu50] }, expected: upToDate },
    [`a ${container} container with a flag`]: { spec: { container }, arrange: raiseFlag, expected: flagged },
  });
}

const names = new Map(Object.keys(kinds).map((kind) => [kind, kind.replace(/[^a-z0-9]+/g, '-').replace(/-$/, '')]));

describeWithLab('a host of each kind', () => {
  let lab: Lab;
  let exporter: ExporterInProcess;
  let metrics: Scrape;
  const arranged = { fromSeconds: 0, untilSeconds: 0 };

  beforeAll(async () => {
    ensureBuilt();
    lab = await Lab.start({
      hosts: Object.entries(kinds).map(([kind, { spec }]) => ({ ...spec, name: names.get(kind) ?? '', bootedAt })),
    });
    arranged.fromSeconds = Math.floor(Date.now() / 1000);
    for (const [kind, { arrange }] of Object.entries(kinds)) await arrange?.(lab.host(names.get(kind) ?? ''), lab);
    exporter = await ExporterInProcess.start(lab, { probe: { interval: '1m', timeout: '10s' } });
    metrics = await until(20, async () => {
      const scraped = await exporter.metrics();
      expect(scraped.all('reboot_probe_success').filter((sample) => sample.value === 1)).toHaveLength(names.size);
      return scraped;
    });
    arranged.untilSeconds = Date.now() / 1000;
  });

  afterAll(async () => {
    await exporter?.stop();
    await lab?.stop();
  });

  test.each(Object.entries(kinds))('%s', async (kind, { expected }) => {
    const host = names.get(kind) ?? '';
    const { restart } = await exporter.document(host);
    const signals = JSON.stringify(restart?.['signals']);
    expect({ required: metrics.value('reboot_required', { host }), signals }).toEqual({
      required: expected.required,
      signals,
    });
    expect(metrics.value('reboot_required_unknown', { host })).toBe(expected.required === undefined ? 1 : 0);
    expect(metrics.labelValues('reboot_required_reason_info', 'reason', { host })).toEqual(expected.reasons ?? []);
    expect(metrics.labelValues('reboot_required_package_info', 'package', { host })).toEqual(expected.packages ?? []);
    expect(restart?.['evidence']).toBe(expected.evidence ?? null);

    const since = metrics.value('reboot_required_since_timestamp_seconds', { host });
    const age = metrics.value('reboot_required_age_seconds', { host });
    if (expected.required === 1) {
      expect(since).toBeGreaterThanOrEqual(expected.since === 'now' ? arranged.fromSeconds : (expected.since ?? NaN));
      expect(since).toBeLessThanOrEqual(expected.since === 'now' ? arranged.untilSeconds : (expected.since ?? NaN));
      // It is counted from when the host told its clock, at some moment of the probe, maybe in whole seconds.
      const behind = metrics.begunMs / 1000 - ((since ?? NaN) + (age ?? NaN));
      expect(behind).toBeLessThan((metrics.value('reboot_probe_duration_seconds', { host }) ?? NaN) + 1.1);
      expect((age ?? NaN) + (since ?? NaN)).toBeLessThan(metrics.endedMs / 1000 + 0.1);
    } else {
      expect(since).toBeUndefined();
      expect(age).toBe(expected.required);
    }
  });

  test('what runs on each is told', () => {
    const infoOf = (kind: string): unknown => {
      const [sample] = metrics.all('reboot_host_info', { host: names.get(kind) ?? '' });
      const { os, os_version: version, kernel_running: running, kernel_installed: installed } = sample?.labels ?? {};
      return [os, version, running, installed];
    };
    expect(infoOf('a newer kernel')).toEqual(['ubuntu', '24.04', '6.8.0-49-generic', '6.8.0-50-generic']);
    expect(infoOf('debian-12')).toEqual(['debian', '12', '6.1.0-27-amd64', '6.1.0-27-amd64']);
    expect(infoOf('alpine, which is not of this family')).toEqual(['alpine', '3.20.3', '6.6.58-0-lts', '']);
    const container = metrics.all('reboot_host_info', { host: names.get('a docker container with a flag') ?? '' });
    expect(container.map(({ labels }) => [labels['virtualization'], labels['kernel_installed']])).toEqual([
      ['docker', ''],
    ]);
  });

  test('whether anything patches it is told, or not', () => {
    const enabled = (kind: string): unknown =>
      metrics.value('unattended_upgrades_enabled', { host: names.get(kind) ?? '' });
    expect(enabled('ubuntu-24')).toBe(1);
    expect(enabled('plain debian, without a writer of flags')).toBe(0);
    expect(enabled('alpine, which is not of this family')).toBeUndefined();
    expect(enabled('no sudo, no ss, no apt, no stat')).toBeUndefined();
  });
});
