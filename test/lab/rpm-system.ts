import type { LabSystem } from './system';

export type RpmSystemName = 'almalinux-9' | 'amazon-2023' | 'fedora-41' | 'fedora-coreos-41' | 'opensuse-tumbleweed';

/** What Debian's systems have and these have not. */
const without = ['apt', 'apt-config', 'apt-get', 'dpkg', 'dpkg-query'];

/**
 * Systems whose packages are rpm's. Their databases are where the distribution has them, and empty: a test installs
 * with the machine's rpm, dnf or zypper, whose own settings say where.
 */
export const rpmSystems: Readonly<Record<RpmSystemName, LabSystem>> = {
  'almalinux-9': {
    osRelease: osRelease('AlmaLinux 9.5 (Teal Serval)', 'AlmaLinux', 'almalinux', '9.5', 'rhel centos fedora'),
    kernel: { release: '5.14.0-427.el9.x86_64', version: '#1 SMP PREEMPT_DYNAMIC Tue Apr 30 18:35:28 EDT 2024' },
    ...rpmHost('/var/lib/rpm'),
  },
  'amazon-2023': {
    osRelease: osRelease('Amazon Linux 2023.6.20241121', 'Amazon Linux', 'amzn', '2023', 'fedora'),
    kernel: { release: '6.12.23-29.97.amzn2023.x86_64', version: '#1 SMP PREEMPT_DYNAMIC Wed Apr 16 2025' },
    ...rpmHost('/var/lib/rpm'),
  },
  'fedora-41': {
    osRelease: osRelease('Fedora Linux 41 (Server Edition)', 'Fedora Linux', 'fedora', '41'),
    kernel: { release: '6.11.4-301.fc41.x86_64', version: '#1 SMP PREEMPT_DYNAMIC Sun Oct 20 15:02:33 UTC 2024' },
    ...rpmHost('/usr/lib/sysimage/rpm'),
  },
  'fedora-coreos-41': {
    osRelease: osRelease('Fedora CoreOS 41.20241109.3.0', 'Fedora Linux', 'fedora', '41'),
    kernel: { release: '6.11.5-300.fc41.x86_64', version: '#1 SMP PREEMPT_DYNAMIC Tue Oct 22 20:11:15 UTC 2024' },
    ...rpmHost('/usr/share/rpm'),
  },
  'opensuse-tumbleweed': {
    osRelease: osRelease(
      'openSUSE Tumbleweed',
      'openSUSE Tumbleweed',
      'opensuse-tumbleweed',
      '20241101',
      'opensuse suse',
    ),
    kernel: { release: '6.11.3-1-default', version: '#1 SMP PREEMPT_DYNAMIC Thu Oct 10 12:01:42 UTC 2024 (5f0a17d)' },
    ...rpmHost('/usr/lib/sysimage/rpm'),
  },
};

function rpmHost(database: string): Pick<LabSystem, 'packages' | 'without' | 'sh' | 'files'> {
  return {
    packages: [],
    without,
    sh: 'bash',
    files: {
      // Debian's rpm keeps its database in the home folder unless it is told otherwise.
      '/etc/rpm/macros': `%_dbpath ${database}\n`,
      '/etc/dnf/dnf.conf': '[main]\ngpgcheck=0\n',
      '/etc/yum.repos.d/lab.repo': repository('file:///srv/packages'),
      '/etc/zypp/repos.d/lab.repo': repository('dir:///srv/packages'),
      // libzypp has this built in since 17.27.0 (TargetImpl.cc); Debian's 17.25 reads it from SUSE's settings.
      '/etc/zypp/needreboot': 'provides:kernel\n',
      '/etc/zypp/zypp.conf': '[main]\nmultiversion = provides:multiversion(kernel)\n',
    },
  };
}

function repository(address: string): string {
  return `[lab]\nname=lab\nbaseurl=${address}\nenabled=1\ngpgcheck=0\nautorefresh=1\n`;
}

function osRelease(pretty: string, name: string, id: string, version: string, like?: string): string {
  const lines = [`PRETTY_NAME="${pretty}"`, `NAME="${name}"`, `ID="${id}"`, `VERSION_ID="${version}"`];
  return `${[...lines, ...(like === undefined ? [] : [`ID_LIKE="${like}"`])].join('\n')}\n`;
}
