import { redHatKernel, suseKernel, type RpmPackageSpec } from '../fixture/rpm-package';
import { bootedAt, day, now } from '../fixture/said';
import type { RecordedRoot, Recording } from './record';

const before = bootedAt - 30 * day;
const after = now - 3600;
const varLib = 'var/lib/rpm';
const sysimage = 'usr/lib/sysimage/rpm';
const byRpm = 'rpm: written and printed by rpm 4.18.0 of Debian 12; packages made for the test, named as';

interface Family {
  readonly os: string;
  readonly release: string;
  readonly version?: string;
  readonly database: string;
}

function glibc(release: string): RpmPackageSpec {
  return { name: 'glibc', version: '2.34', release };
}

/** A host whose packages are rpm's, with its C library and these packages from before the boot. */
async function rpmSystem(root: RecordedRoot, family: Family, ...older: readonly RpmPackageSpec[]): Promise<void> {
  root.removeDebian();
  root.write('etc/os-release', `${family.os}\n`);
  root.write('proc/sys/kernel/osrelease', `${family.release}\n`);
  root.write('proc/sys/kernel/version', `${family.version ?? '#1 SMP PREEMPT_DYNAMIC'}\n`);
  await root.rpm(family.database, before, glibc('100'), ...older);
}

function bareMetal(root: RecordedRoot): void {
  root.write('proc/cpuinfo', 'processor\t: 0\nflags\t\t: fpu vme lahf_lm\n');
  root.write('sys/class/dmi/id/sys_vendor', 'Dell Inc.\n');
  root.write('sys/class/dmi/id/product_name', 'PowerEdge R640\n');
}

const alma: Family = {
  os: 'PRETTY_NAME="AlmaLinux 9.5 (Teal Serval)"\nID="almalinux"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.5"',
  release: '5.14.0-427.el9.x86_64',
  database: varLib,
};
const fedora: Family = {
  os: 'PRETTY_NAME="Fedora Linux 41 (Server Edition)"\nID=fedora\nVERSION_ID=41',
  release: '6.11.4-301.fc41.x86_64',
  database: sysimage,
};
const amazon: Family = {
  os: 'PRETTY_NAME="Amazon Linux 2023.6.20241121"\nID="amzn"\nID_LIKE="fedora"\nVERSION_ID="2023"',
  release: '6.12.23-29.97.amzn2023.x86_64',
  database: varLib,
};
const tumbleweed: Family = {
  os: 'PRETTY_NAME="openSUSE Tumbleweed"\nID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\nVERSION_ID="20241101"',
  release: '6.11.3-1-default',
  database: sysimage,
};
const leap: Family = {
  os: 'PRETTY_NAME="openSUSE Leap 15.6"\nID="opensuse-leap"\nID_LIKE="suse opensuse"\nVERSION_ID="15.6"',
  release: '6.4.0-150600.23.25-default',
  database: sysimage,
};

const alma427 = redHatKernel('kernel-core', '5.14.0', '427.el9');
const fedora4 = redHatKernel('kernel-core', '6.11.4', '301.fc41');
const amazon612 = redHatKernel('kernel6.12', '6.12.23', '29.97.amzn2023');
const libzypp =
  'reboot_needed: an empty file, as libzypp makes it (zypp/target/TargetImpl.cc); its birth time is made up';
const plugin = 'reboot_needed: the words of zypp-boot-plugin (README.md, solvable-matcher.h)';

/** Red Hat's, Fedora's, Oracle's and Amazon's family, and SUSE's. */
export const rpmHosts: readonly Recording[] = [
  {
    folder: 'almalinux-9-up-to-date',
    proof: 'real tool',
    source: [`${byRpm} AlmaLinux'`],
    programs: ['rpm'],
    arrange: (root) => rpmSystem(root, alma, alma427),
  },
  {
    folder: 'almalinux-9-kernel-pending',
    proof: 'real tool',
    source: [`${byRpm} AlmaLinux'; the real-time kernel is newer and another flavour`],
    programs: ['rpm'],
    arrange: async (root) => {
      await rpmSystem(root, alma, alma427);
      await root.rpm(varLib, after, redHatKernel('kernel-core', '5.14.0', '503.el9'));
      await root.rpm(varLib, after, redHatKernel('kernel-rt-core', '5.14.0', '570.el9', '+rt'));
    },
  },
  {
    folder: 'almalinux-9-restarted-into-the-old-kernel',
    proof: 'real tool',
    source: [`${byRpm} AlmaLinux'`],
    programs: ['rpm'],
    arrange: (root) => rpmSystem(root, alma, alma427, redHatKernel('kernel-core', '5.14.0', '503.el9')),
  },
  {
    folder: 'almalinux-9-database-broken',
    proof: 'real tool',
    source: ['rpm: printed by rpm 4.18.0 of Debian 12 over a database that was overwritten'],
    programs: ['rpm'],
    arrange: async (root) => {
      await rpmSystem(root, alma, alma427);
      root.write(`${varLib}/rpmdb.sqlite`, 'no database\n'.repeat(2000));
    },
  },
  {
    folder: 'rocky-9-container-libc-pending',
    proof: 'real tool',
    source: [`${byRpm} Rocky Linux'`, 'machine: the mark that podman makes'],
    programs: ['rpm'],
    arrange: async (root) => {
      await rpmSystem(root, {
        ...alma,
        os: 'PRETTY_NAME="Rocky Linux 9.4"\nID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"',
      });
      root.write('run/.containerenv', '');
      await root.rpm(
        varLib,
        after,
        { ...glibc('125'), version: '2.34' },
        { name: 'systemd', version: '252', release: '46.el9' },
      );
    },
  },
  {
    folder: 'rhel-7-kernel-pending',
    proof: 'documentation',
    source: [
      `${byRpm} Red Hat's (kernel.spec: one package with the image, no kernel-core). RHEL 7 keeps a Berkeley DB, here it is SQLite`,
    ],
    programs: ['rpm'],
    arrange: async (root) => {
      const own = redHatKernel('kernel', '3.10.0', '1160.el7');
      const rhel = {
        ...alma,
        os: 'PRETTY_NAME="Red Hat Enterprise Linux"\nID="rhel"\nID_LIKE="fedora"\nVERSION_ID="7.9"',
      };
      await rpmSystem(root, { ...rhel, release: '3.10.0-1160.el7.x86_64' }, own);
      await root.rpm(varLib, after, redHatKernel('kernel', '3.10.0', '1160.119.1.el7'));
    },
  },
  {
    folder: 'oraclelinux-9-uek-pending',
    proof: 'recorded output',
    source: [`${byRpm} Oracle's, after its advisories; the Red Hat compatible kernel is there as well`],
    programs: ['rpm'],
    arrange: async (root) => {
      const oracle = {
        ...alma,
        os: 'PRETTY_NAME="Oracle Linux Server 9.4"\nID="ol"\nID_LIKE="fedora"\nVERSION_ID="9.4"',
      };
      const own = redHatKernel('kernel-uek-core', '5.15.0', '209.161.7.2.el9uek');
      await rpmSystem(root, { ...oracle, release: '5.15.0-209.161.7.2.el9uek.x86_64' }, own, alma427);
      await root.rpm(varLib, after, redHatKernel('kernel-core', '5.14.0', '503.el9'));
      await root.rpm(varLib, after + 60, redHatKernel('kernel-uek-core', '5.15.0', '300.163.18.el9uek'));
    },
  },
  {
    folder: 'fedora-41-libc-and-systemd-pending',
    proof: 'real tool',
    source: [`${byRpm} Fedora's`],
    programs: ['rpm'],
    arrange: async (root) => {
      await rpmSystem(root, fedora, fedora4);
      await root.rpm(sysimage, after, glibc('125'), { name: 'systemd', version: '256.8', release: '1.fc41' });
    },
  },
  {
    folder: 'fedora-41-soft-rebooted',
    proof: 'documentation',
    source: [
      `${byRpm} Fedora's; the links of /run/systemd/units after systemd's unit_export_invocation_id(); as seen with systemd 252, daemon-reload and daemon-reexec leave their times alone, but a soft reboot, which 254 brought, was not tried`,
    ],
    programs: ['rpm'],
    arrange: async (root) => {
      await rpmSystem(root, fedora, fedora4);
      // The links are as old as this recording, which is after the C library was installed.
      root.link('run/systemd/units/invocation:systemd-tmpfiles-setup.service', '0123456789abcdef0123456789abcdef');
      root.link('run/systemd/units/invocation:systemd-user-sessions.service', '123456789abcdef0123456789abcdef0');
      await root.rpm(sysimage, after, glibc('125'));
    },
  },
  {
    folder: 'fedora-41-bare-metal-microcode-pending',
    proof: 'real tool',
    source: [`${byRpm} Fedora's`, 'machine: the firmware of a real server, shortened'],
    programs: ['rpm'],
    arrange: async (root) => {
      await rpmSystem(root, fedora, fedora4);
      bareMetal(root);
      await root.rpm(sysimage, after, { name: 'microcode_ctl', version: '2.1', release: '67.fc41', epoch: 2 });
    },
  },
  {
    folder: 'fedora-41-guest-firmware-replaced',
    proof: 'real tool',
    source: [`${byRpm} Fedora's; a guest loads none of this firmware`],
    programs: ['rpm'],
    arrange: async (root) => {
      await rpmSystem(root, fedora, fedora4);
      await root.rpm(sysimage, after, { name: 'linux-firmware', version: '20241110', release: '1.fc41' });
    },
  },
  {
    folder: 'amazon-2023-kernel-pending',
    proof: 'real tool',
    source: [`${byRpm} Amazon's release notes name them`],
    programs: ['rpm'],
    arrange: async (root) => {
      await rpmSystem(root, amazon, amazon612, redHatKernel('kernel', '6.1.112', '122.189.amzn2023'));
      await root.rpm(varLib, after, redHatKernel('kernel6.12', '6.12.40', '63.114.amzn2023'));
    },
  },
  {
    folder: 'amazon-2023-smart-restart',
    proof: 'documentation',
    source: [
      'smart_restart: as bin/smart-restart.sh of amazonlinux/smart-restart writes it; its birth time is made up',
      `${byRpm} Amazon's`,
    ],
    programs: ['rpm'],
    born: now - 7200,
    arrange: async (root) => {
      await rpmSystem(root, amazon, amazon612);
      root.write('run/smart-restart/reboot-hint-marker', '\n  * linux-firmware\n', after);
    },
  },
  {
    folder: 'opensuse-tumbleweed-kernel-pending',
    proof: 'real tool',
    source: [`${byRpm} openSUSE's`, libzypp],
    programs: ['rpm'],
    born: after + 5,
    arrange: async (root) => {
      await rpmSystem(root, tumbleweed, suseKernel('default', '6.11.3', '1.1'));
      await root.rpm(sysimage, after, suseKernel('default', '6.11.10', '1.1'));
      root.write('run/reboot-needed', '', after + 60);
    },
  },
  {
    folder: 'opensuse-leap-15.6-rebuilt-kernel-pending',
    proof: 'documentation',
    source: [`${byRpm} openSUSE's: a rebuild, which has the release of the kernel that runs (kernel-binary.spec)`],
    programs: ['rpm'],
    arrange: async (root) => {
      await rpmSystem(root, leap);
      await root.rpm(sysimage, after, suseKernel('default', '6.4.0', '150600.23.25.2'));
    },
  },
  {
    folder: 'opensuse-leap-15.6-up-to-date',
    proof: 'real tool',
    source: [`${byRpm} openSUSE's`],
    programs: ['rpm'],
    arrange: (root) => rpmSystem(root, leap, suseKernel('default', '6.4.0', '150600.23.25.1')),
  },
  {
    folder: 'sles-15-soft-reboot-needed',
    proof: 'documentation',
    source: [plugin, `${byRpm} SUSE's`],
    programs: ['rpm'],
    born: now - 7200,
    arrange: async (root) => {
      await rpmSystem(
        root,
        {
          ...leap,
          os: 'PRETTY_NAME="SUSE Linux Enterprise Server 15 SP6"\nID="sles"\nID_LIKE="suse"\nVERSION_ID="15.6"',
        },
        suseKernel('default', '6.4.0', '150600.23.25.1'),
      );
      root.write('run/reboot-needed', 'soft-reboot', after);
    },
  },
  ...(['up-to-date', 'snapshot-pending', 'restarted'] as const).map((state): Recording => ({
    folder: `opensuse-microos-${state}`,
    proof: 'documentation',
    source: [
      'image: the state as save_state_file() of transactional-update 6 writes it; the mount as of an installed MicroOS',
      'reboot_needed: as write_needs_restarting() of transactional-update writes it',
      `${byRpm} openSUSE's: the database is that of the snapshot that runs`,
    ],
    programs: ['rpm'],
    born: now - 7200,
    arrange: async (root) => {
      const microos =
        'PRETTY_NAME="openSUSE MicroOS"\nID="opensuse-microos"\nID_LIKE="suse opensuse opensuse-tumbleweed microos"\nVERSION_ID="20241101"';
      await rpmSystem(root, { ...tumbleweed, os: microos }, suseKernel('default', '6.11.3', '1.1'));
      root.program('usr/sbin/transactional-update', '#!/bin/bash\n');
      root.write(
        'proc/self/mounts',
        '/dev/vda3 / btrfs ro,relatime,discard=async,subvolid=271,subvol=/@/.snapshots/6/snapshot 0 0\n/dev/vda3 /var btrfs rw,subvol=/@/var 0 0\n',
      );
      const booted = state === 'restarted' ? 5 : 6;
      const levels = {
        'up-to-date': '',
        'snapshot-pending': 'REBOOT_ASSOCS[7]=kexec\n',
        restarted: 'REBOOT_ASSOCS[6]=kexec\n',
      };
      root.write(
        'var/lib/misc/transactional-update.state',
        `LAST_WORKING_SNAPSHOTS="5"\nUNUSED_SNAPSHOTS=""\nLAST_BOOTED="${booted}"\n${levels[state]}FORCE_REFRESH="0"\n`,
        after,
      );
      if (state === 'snapshot-pending') root.write('run/reboot-needed', 'kexec', after);
    },
  })),
  {
    folder: 'centos-bootc-9-composefs-staged',
    proof: 'documentation',
    source: [
      'image: the file of crates/lib of bootc, COMPOSEFS_STAGED_DEPLOYMENT_FNAME; the command line as composefs_consts.rs',
      `${byRpm} CentOS'`,
    ],
    programs: ['rpm'],
    born: now - 120,
    arrange: async (root) => {
      const centos = 'PRETTY_NAME="CentOS Stream 9"\nID="centos"\nID_LIKE="rhel fedora"\nVERSION_ID="9"';
      await rpmSystem(root, { ...alma, os: centos, database: 'usr/share/rpm' }, alma427);
      root.write('proc/cmdline', `root=UUID=1 rw composefs=${'ab'.repeat(64)}\n`);
      root.write('run/composefs/staged-deployment', '{}', now - 120);
    },
  },
];
