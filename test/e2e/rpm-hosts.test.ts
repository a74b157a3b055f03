import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildRpms, redHatKernel, rpmFile, suseKernel, type RpmPackageSpec } from '../fixture/rpm-package';
import { describeWith } from '../fixture/programs';
import { describeWithLab } from '../lab/describe-with-lab';
import type { LabHost } from '../lab/host';
import type { LabKernel } from '../lab/host-spec';
import { Lab } from '../lab/lab';
import type { SystemName } from '../lab/system';
import { ExporterInProcess } from './exporter-in-process';
import type { Scrape } from './scrape';
import { until } from './until';

jest.setTimeout(90_000);

interface Case {
  readonly system: SystemName;
  /** What is there when the host boots, and what is installed afterwards. */
  readonly older: readonly RpmPackageSpec[];
  readonly newer: readonly RpmPackageSpec[];
  /** The command that installs the newer ones, or with which each is installed. */
  readonly update: readonly string[];
  /** The kernel of the next boot. */
  readonly kernel?: LabKernel;
  readonly reasons: readonly string[];
  readonly packages: readonly string[];
  readonly evidence?: 'birth';
}

const glibc = (release: string): RpmPackageSpec => ({ name: 'glibc', version: '2.34', release });
const dnf = ['dnf', '-y', '--quiet', '--releasever=41'];
const zypper = ['zypper', '--non-interactive', '--no-gpg-checks', '--quiet'];

/** Each of another family, or by another tool. The newer packages come by what the administrator would type. */
const cases: Readonly<Record<string, Case>> = {
  'rpm-kernel': {
    system: 'almalinux-9',
    older: [redHatKernel('kernel-core', '5.14.0', '427.el9'), glibc('100.el9')],
    newer: [
      redHatKernel('kernel-core', '5.14.0', '503.el9'),
      redHatKernel('kernel-rt-core', '5.14.0', '570.el9', '+rt'),
    ],
    update: ['rpm', '-i'],
    kernel: { release: '5.14.0-503.el9.x86_64', version: '#1 SMP PREEMPT_DYNAMIC' },
    reasons: ['kernel'],
    packages: ['kernel-core'],
  },
  'rpm-libc': {
    system: 'almalinux-9',
    older: [redHatKernel('kernel-core', '5.14.0', '427.el9'), glibc('100.el9')],
    newer: [glibc('125.el9')],
    update: ['rpm', '-U'],
    reasons: ['package'],
    packages: ['glibc'],
  },
  'dnf-all': {
    system: 'fedora-41',
    older: [
      redHatKernel('kernel-core', '6.11.4', '301.fc41'),
      glibc('100.fc41'),
      { name: 'systemd', version: '256.7', release: '1.fc41' },
    ],
    newer: [
      redHatKernel('kernel-core', '6.11.10', '300.fc41'),
      glibc('125.fc41'),
      { name: 'systemd', version: '256.8', release: '1.fc41' },
    ],
    update: [...dnf, 'upgrade'],
    kernel: { release: '6.11.10-300.fc41.x86_64', version: '#1 SMP PREEMPT_DYNAMIC' },
    reasons: ['kernel', 'package'],
    packages: ['glibc', 'kernel-core', 'systemd'],
  },
  'dnf-amazon': {
    system: 'amazon-2023',
    older: [
      redHatKernel('kernel6.12', '6.12.23', '29.97.amzn2023'),
      redHatKernel('kernel', '6.1.112', '122.189.amzn2023'),
      glibc('100.amzn2023'),
    ],
    newer: [
      redHatKernel('kernel6.12', '6.12.40', '63.114.amzn2023'),
      redHatKernel('kernel', '6.1.134', '150.224.amzn2023'),
    ],
    update: [...dnf, 'upgrade'],
    kernel: { release: '6.12.40-63.114.amzn2023.x86_64', version: '#1 SMP PREEMPT_DYNAMIC' },
    reasons: ['kernel'],
    packages: ['kernel6.12'],
  },
  'zypper-kernel': {
    system: 'opensuse-tumbleweed',
    older: [suseKernel('default', '6.11.3', '1.1'), glibc('100')],
    newer: [suseKernel('default', '6.11.10', '1.1')],
    update: [...zypper, 'install', 'kernel-default'],
    kernel: { release: '6.11.10-1-default', version: '#1 SMP PREEMPT_DYNAMIC' },
    // libzypp raises its own flag for what provides `kernel`.
    reasons: ['kernel', 'flag'],
    packages: ['kernel-default'],
  },
  'zypper-libc': {
    system: 'opensuse-tumbleweed',
    older: [suseKernel('default', '6.11.3', '1.1'), glibc('100')],
    newer: [glibc('125')],
    update: [...zypper, 'update'],
    reasons: ['package'],
    packages: ['glibc'],
  },
};

describeWith(['rpm', 'rpmbuild', 'dnf', 'zypper', 'createrepo_c'], 'with the package managers', () => {
  describeWithLab("hosts whose packages are rpm's", () => {
    let lab: Lab;
    let exporter: ExporterInProcess;
    let folder: string;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'rpms-'));
      await buildRpms(
        folder,
        Object.values(cases).flatMap(({ older, newer }) => [...older, ...newer]),
      );
      lab = await Lab.start({
        hosts: [
          ...Object.entries(cases).map(([name, { system }]) => ({ name, system })),
          { name: 'without-rpm', system: 'fedora-41', without: ['rpm'] },
          { name: 'container', system: 'almalinux-9', container: 'podman' },
        ],
      });
      for (const [name, { older }] of Object.entries(cases)) await rpm(lab.host(name), '-i', older);
      await rpm(lab.host('container'), '-i', [glibc('100.el9')]);
      lab.host('without-rpm').write('/usr/lib/sysimage/rpm/rpmdb.sqlite', 'there is one');
      // What is installed before a boot is what runs after it.
      await Promise.all([...Object.keys(cases), 'container'].map((name) => lab.host(name).restart()));
      exporter = await ExporterInProcess.start(lab, { probe: { interval: '1s', timeout: '8s' } });
      // A boot time has whole seconds, and moves by some when the clock is stepped: within five nothing can be told.
      await sleep(6500);
    });

    afterAll(async () => {
      await exporter?.stop();
      await lab?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    /** Brings packages to the host, and installs them with rpm itself. */
    async function rpm(host: LabHost, how: string, packages: readonly RpmPackageSpec[]): Promise<void> {
      bring(host, packages);
      await must(host, [
        'rpm',
        how,
        '--nodeps',
        '--ignorearch',
        ...packages.map((each) => `/srv/packages/${rpmFile(each)}`),
      ]);
    }

    function bring(host: LabHost, packages: readonly RpmPackageSpec[]): void {
      for (const each of packages) {
        host.files.write(`/srv/packages/${rpmFile(each)}`, readFileSync(join(folder, rpmFile(each))));
      }
    }

    async function must(host: LabHost, argv: readonly string[]): Promise<void> {
      const { code, stdout, stderr } = await host.exec(argv);
      expect(`${argv.join(' ')}: ${code}${code === 0 ? '' : `\n${stdout}${stderr}`}`).toBe(`${argv.join(' ')}: 0`);
    }

    async function update(host: LabHost, { update: command, newer }: Case): Promise<void> {
      if (command[0] === 'rpm') {
        await rpm(host, command[1] ?? '', newer);
        return;
      }
      bring(host, newer);
      await must(host, ['createrepo_c', '--quiet', '/srv/packages']);
      await must(host, command);
    }

    async function becomes(name: string, state: Record<string, unknown>): Promise<Scrape> {
      return until(20, async () => {
        const metrics = await exporter.metrics();
        expect({
          required: metrics.value('reboot_required', { host: name }),
          unknown: metrics.value('reboot_required_unknown', { host: name }),
          reasons: metrics.labelValues('reboot_required_reason_info', 'reason', { host: name }),
          packages: metrics.labelValues('reboot_required_package_info', 'package', { host: name }),
        }).toEqual(state);
        return metrics;
      });
    }

    const notRequired = { required: 0, unknown: 0, reasons: [], packages: [] };

    test.each(Object.entries(cases))('%s', async (name, each) => {
      const host = lab.host(name);
      const { reasons, packages, kernel } = each;
      await becomes(name, notRequired);
      const beforeSeconds = Math.floor(Date.now() / 1000);
      await update(host, each);
      const afterSeconds = Date.now() / 1000;

      const metrics = await becomes(name, { required: 1, unknown: 0, reasons: [...reasons].sort(), packages });
      const since = metrics.value('reboot_required_since_timestamp_seconds', { host: name });
      expect(since).toBeGreaterThanOrEqual(beforeSeconds);
      expect(since).toBeLessThanOrEqual(afterSeconds);
      const { restart } = await exporter.document(name);
      expect(['package', 'birth']).toContain(restart?.['evidence']);
      const [installed] = metrics.labelValues('reboot_host_info', 'kernel_installed', { host: name });
      expect(installed).toBe(kernel === undefined ? host.power.kernel.release : newestOf(kernel));

      await host.restart(kernel === undefined ? {} : { kernel });
      await becomes(name, notRequired);
    });

    test('a container has no kernel of its own: the C library alone counts', async () => {
      await becomes('container', notRequired);
      await rpm(lab.host('container'), '-i', [redHatKernel('kernel-core', '5.14.0', '503.el9')]);
      await rpm(lab.host('container'), '-U', [glibc('125.el9')]);
      await becomes('container', { required: 1, unknown: 0, reasons: ['package'], packages: ['glibc'] });
    });

    test('a database that may not be read, or a system without rpm, is unknown', async () => {
      const unknown = { required: undefined, unknown: 1, reasons: [], packages: [] };
      await becomes('without-rpm', unknown);
      const host = lab.host('rpm-libc');
      await becomes('rpm-libc', notRequired);
      await host.shell('chmod 700 /var/lib/rpm');
      await becomes('rpm-libc', unknown);
      await host.shell('chmod 755 /var/lib/rpm');
      await becomes('rpm-libc', notRequired);
      await host.shell('cp /var/lib/rpm/rpmdb.sqlite /root/ && head -c 65536 /dev/urandom >/var/lib/rpm/rpmdb.sqlite');
      await becomes('rpm-libc', unknown);
    });
  });
});

/** SUSE's releases say how often they were built only when they do not run. */
function newestOf({ release }: LabKernel): string {
  return release.replace(/-1-default$/, '-1.1-default');
}
