import { bootedAt, day, now } from '../fixture/said';
import type { RecordedRoot, Recording } from './record';

const before = bootedAt - 30 * day;
const after = now - 3600;
const byDpkg =
  'dpkg: packages made for the test, installed by dpkg 1.21 of Debian 12 into a root of their own and printed by dpkg-query; the times of info/*.list were set afterwards';
const byHook = 'flag: as notify-reboot-required of update-notifier-common writes it; its birth time is made up';

interface Release {
  readonly os: string;
  readonly release: string;
  readonly version: string;
  /** The package of the kernel that runs, and its version. */
  readonly kernel: readonly [name: string, version: string];
  readonly libc: string;
}

const noble: Release = {
  os: 'PRETTY_NAME="Ubuntu 24.04.1 LTS"\nID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"',
  release: '6.8.0-49-generic',
  version: '#49-Ubuntu SMP PREEMPT_DYNAMIC Mon Nov  4 02:06:24 UTC 2024',
  kernel: ['linux-image-6.8.0-49-generic', '6.8.0-49.49'],
  libc: '2.39-0ubuntu8.3',
};
const jammy: Release = {
  os: 'PRETTY_NAME="Ubuntu 22.04.5 LTS"\nID=ubuntu\nID_LIKE=debian\nVERSION_ID="22.04"',
  release: '5.15.0-126-generic',
  version: '#136-Ubuntu SMP Wed Nov 6 10:38:22 UTC 2024',
  kernel: ['linux-image-5.15.0-126-generic', '5.15.0-126.136'],
  libc: '2.35-0ubuntu3.8',
};
const bookworm: Release = {
  os: 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian',
  release: '6.1.0-27-amd64',
  version: '#1 SMP PREEMPT_DYNAMIC Debian 6.1.115-1 (2024-11-01)',
  kernel: ['linux-image-6.1.0-27-amd64', '6.1.115-1'],
  libc: '2.36-9+deb12u9',
};
const trixie: Release = {
  os: 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nVERSION_ID="13"\nID=debian',
  release: '6.12.43+deb13-amd64',
  version: '#1 SMP PREEMPT_DYNAMIC Debian 6.12.43-1 (2025-08-27)',
  kernel: ['linux-image-6.12.43+deb13-amd64', '6.12.43-1'],
  libc: '2.41-12',
};

/** A system of dpkg's family as its installer leaves it. */
async function debian(
  root: RecordedRoot,
  { os, release, version, kernel, libc }: Release,
  ...others: readonly string[]
): Promise<void> {
  root.removeDebian();
  root.write('etc/os-release', `${os}\n`);
  root.write('proc/sys/kernel/osrelease', `${release}\n`);
  root.write('proc/sys/kernel/version', `${version}\n`);
  if (os.includes('Ubuntu')) root.write('proc/version_signature', `Ubuntu ${kernel[1]}-generic 6.8.12\n`);
  await root.deb(before, ...kernel);
  await root.deb(before, 'libc6', libc, 'same');
  for (const name of others) await root.deb(before, name, '1');
}

function raiseFlag(root: RecordedRoot, modified: number, ...packages: readonly string[]): void {
  root.write('run/reboot-required', '*** System restart required ***\n', modified);
  root.write('run/reboot-required.pkgs', packages.map((name) => `${name}\n`).join(''), modified);
}

const programs = ['dpkg-query'];
const ubuntus = ['update-notifier-common', 'unattended-upgrades'];

/** Debian's and Ubuntu's. */
export const debianHosts: readonly Recording[] = [
  {
    folder: 'ubuntu-24.04-up-to-date',
    proof: 'real tool',
    source: [byDpkg],
    programs,
    arrange: (root) => debian(root, noble, ...ubuntus),
  },
  {
    folder: 'ubuntu-24.04-kernel-pending',
    proof: 'real tool',
    source: [byDpkg, byHook],
    programs,
    born: after + 7,
    arrange: async (root) => {
      await debian(root, noble, ...ubuntus);
      await root.deb(after, 'linux-image-6.8.0-100-generic', '6.8.0-100.100');
      raiseFlag(root, now - 60, 'linux-image-6.8.0-100-generic', 'linux-base', 'linux-base');
    },
  },
  {
    folder: 'ubuntu-24.04-kernel-removed-again',
    proof: 'real tool',
    source: [`${byDpkg}; the newer kernel was removed with dpkg --remove, its configuration stays`],
    programs,
    arrange: async (root) => {
      await debian(root, noble, ...ubuntus);
      await root.deb(after, 'linux-image-6.8.0-100-generic', '6.8.0-100.100');
      await root.removeDeb('linux-image-6.8.0-100-generic');
    },
  },
  {
    folder: 'ubuntu-24.04-livepatched',
    proof: 'documentation',
    source: [byDpkg, 'flag: none, since the hooks of a livepatched host withhold it; the folders of the snap'],
    programs,
    arrange: async (root) => {
      await debian(root, noble, ...ubuntus);
      root.makeFolder('snap/canonical-livepatch');
      root.makeFolder('var/snap/canonical-livepatch');
      await root.deb(after, 'linux-image-6.8.0-100-generic', '6.8.0-100.100');
    },
  },
  ...(['first', 'rewritten'] as const).map((report): Recording => ({
    folder: 'ubuntu-22.04-flag-without-birth-times',
    report,
    proof: 'real tool',
    source: [byDpkg, `${byHook}: none, as on Linux 5.15. In the second report the flag has been rewritten`],
    programs,
    arrange: async (root) => {
      await debian(root, jammy, ...ubuntus);
      root.removeFile('var/lib/dpkg/info/dbus.list');
      raiseFlag(root, report === 'first' ? now - 7200 : now - 60, 'dbus');
    },
  })),
  {
    folder: 'debian-12-up-to-date-without-a-writer',
    proof: 'real tool',
    source: [`${byDpkg}; nothing is there that would write a flag`],
    programs,
    arrange: (root) => debian(root, bookworm),
  },
  {
    folder: 'debian-12-kernel-pending',
    proof: 'real tool',
    source: [byDpkg],
    programs,
    arrange: async (root) => {
      await debian(root, bookworm, 'unattended-upgrades');
      await root.deb(after, 'linux-image-6.1.0-100-amd64', '6.1.999-1');
    },
  },
  {
    folder: 'debian-12-libc-pending',
    proof: 'real tool',
    source: [`${byDpkg}; nothing raises a flag for the C library`],
    programs,
    arrange: async (root) => {
      await debian(root, bookworm, 'unattended-upgrades');
      await root.deb(after, 'libc6', '2.36-9+deb12u13', 'same');
    },
  },
  {
    folder: 'debian-12-flag-of-an-earlier-boot',
    proof: 'real tool',
    source: [byDpkg, 'flag: one that is older than the boot, as where /run is no tmpfs'],
    programs,
    arrange: async (root) => {
      await debian(root, bookworm, 'unattended-upgrades');
      raiseFlag(root, bootedAt - 3600, 'dbus');
    },
  },
  {
    folder: 'debian-12-backport-installed',
    proof: 'real tool',
    source: [byDpkg],
    programs,
    arrange: async (root) => {
      await debian(root, bookworm, 'unattended-upgrades');
      await root.deb(after, 'linux-image-6.9.7+bpo-amd64', '6.9.7-1~bpo12+1');
      await root.deb(after, 'linux-image-6.1.0-40-cloud-amd64', '6.1.153-1');
    },
  },
  {
    folder: 'debian-12-lxc-libc-pending',
    proof: 'real tool',
    source: [byDpkg, 'machine: the mark that LXC and systemd-nspawn have systemd make'],
    programs,
    arrange: async (root) => {
      await debian(root, bookworm);
      root.write('run/systemd/container', 'lxc\n');
      await root.deb(after, 'libc6', '2.36-9+deb12u13', 'same');
    },
  },
  {
    folder: 'debian-12-rpm-installed-too',
    proof: 'real tool',
    source: [byDpkg, 'rpm: a database in /var/lib/rpm, as alien and build tools leave one, of rpm 4.18.0'],
    programs: [...programs, 'rpm'],
    arrange: async (root) => {
      await debian(root, bookworm, 'unattended-upgrades');
      await root.rpm('var/lib/rpm', after, { name: 'glibc', version: '2.34', release: '1' });
    },
  },
  {
    folder: 'debian-13-kernel-rebuilt',
    proof: 'real tool',
    source: [`${byDpkg}; a rebuild under the name of the kernel that runs`],
    programs,
    arrange: async (root) => {
      await debian(root, trixie);
      await root.deb(after, 'linux-image-6.12.43+deb13-amd64', '6.12.43-2');
    },
  },
];
