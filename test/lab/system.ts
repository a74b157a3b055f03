import type { LabKernel, LabPackage } from './host-spec';
import { rpmSystems, type RpmSystemName } from './rpm-system';

export type SystemName = 'ubuntu-24.04' | 'ubuntu-22.04' | 'debian-12' | 'debian-13' | 'alpine-3.20' | RpmSystemName;

/** What is particular to a distribution's release. */
export interface LabSystem {
  readonly osRelease: string;
  readonly kernel: LabKernel;
  readonly packages: readonly LabPackage[];
  /** Programs of the machine under the lab that this system does not have. */
  readonly without?: readonly string[];
  readonly sh?: 'dash' | 'bash' | 'busybox';
  /** Files that every host of it has: path and content. */
  readonly files?: Readonly<Record<string, string>>;
}

const debianUpgrades = '2.9.1+nmu3';

/** As the distributions' own files and packages name them. */
export const systems: Readonly<Record<SystemName, LabSystem>> = {
  ...rpmSystems,
  'ubuntu-24.04': {
    osRelease: osRelease('Ubuntu 24.04.1 LTS', 'Ubuntu', 'ubuntu', '24.04', 'noble', 'debian'),
    kernel: { release: '6.8.0-49-generic', version: '#49-Ubuntu SMP PREEMPT_DYNAMIC Mon Nov  4 02:06:24 UTC 2024' },
    packages: [
      ...base('2.39-0ubuntu8.3'),
      { name: 'linux-image-6.8.0-49-generic', version: '6.8.0-49.49' },
      { name: 'linux-image-generic', version: '6.8.0-49.49' },
      { name: 'unattended-upgrades', version: '2.9.1+nmu4ubuntu1', architecture: 'all' },
      { name: 'update-notifier-common', version: '3.192.68.1', architecture: 'all' },
    ],
  },
  'ubuntu-22.04': {
    osRelease: osRelease('Ubuntu 22.04.5 LTS', 'Ubuntu', 'ubuntu', '22.04', 'jammy', 'debian'),
    kernel: { release: '5.15.0-126-generic', version: '#136-Ubuntu SMP Wed Nov 6 10:38:22 UTC 2024' },
    packages: [
      ...base('2.35-0ubuntu3.8'),
      { name: 'linux-image-5.15.0-126-generic', version: '5.15.0-126.136' },
      { name: 'unattended-upgrades', version: '2.8ubuntu1', architecture: 'all' },
      { name: 'update-notifier-common', version: '3.192.54.8', architecture: 'all' },
    ],
  },
  'debian-12': {
    osRelease: osRelease('Debian GNU/Linux 12 (bookworm)', 'Debian GNU/Linux', 'debian', '12', 'bookworm'),
    kernel: { release: '6.1.0-27-amd64', version: '#1 SMP PREEMPT_DYNAMIC Debian 6.1.115-1 (2024-11-01)' },
    packages: [
      ...base('2.36-9+deb12u9'),
      { name: 'linux-image-6.1.0-27-amd64', version: '6.1.115-1' },
      { name: 'linux-image-amd64', version: '6.1.115-1' },
      { name: 'unattended-upgrades', version: debianUpgrades, architecture: 'all' },
    ],
  },
  'debian-13': {
    osRelease: osRelease('Debian GNU/Linux 13 (trixie)', 'Debian GNU/Linux', 'debian', '13', 'trixie'),
    kernel: { release: '6.12.43+deb13-amd64', version: '#1 SMP PREEMPT_DYNAMIC Debian 6.12.43-1 (2025-08-27)' },
    packages: [
      ...base('2.41-12'),
      { name: 'linux-image-6.12.43+deb13-amd64', version: '6.12.43-1' },
      { name: 'linux-image-amd64', version: '6.12.43-1' },
    ],
  },
  'alpine-3.20': {
    osRelease: osRelease('Alpine Linux v3.20', 'Alpine Linux', 'alpine', '3.20.3'),
    kernel: { release: '6.6.58-0-lts', version: '#1-Alpine SMP PREEMPT_DYNAMIC 2024-10-22 12:00:00' },
    packages: [],
    sh: 'busybox',
    without: ['apt', 'apt-config', 'apt-get', 'bash', 'dash', 'dpkg', 'dpkg-query', 'gzip', 'perl', 'ss', 'sudo'],
  },
};

function base(libc: string): LabPackage[] {
  return [
    { name: 'libc6', version: libc, multiArchSame: true },
    { name: 'dbus', version: '1.14.10-1' },
    { name: 'openssl', version: '3.0.15-1' },
    { name: 'systemd', version: '252.31-1' },
  ];
}

function osRelease(
  pretty: string,
  name: string,
  id: string,
  version: string,
  codename?: string,
  like?: string,
): string {
  const lines = [`PRETTY_NAME="${pretty}"`, `NAME="${name}"`, `VERSION_ID="${version}"`, `ID=${id}`];
  if (codename !== undefined) {
    lines.push(`VERSION_CODENAME=${codename}`);
  }
  if (like !== undefined) {
    lines.push(`ID_LIKE=${like}`);
  }
  return `${lines.join('\n')}\n`;
}
