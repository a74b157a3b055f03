import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { HostFiles } from './host-files';
import type { HostSpec } from './host-spec';
import { unameProgram } from './boot-program';
import { mustRun } from './program';
import { labUser, labUserId } from './skeleton';
import { sshdConfig } from './sshd-config';
import { systems, type LabSystem } from './system';

const unattendedUpgrades = `APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
`;

/** The distribution that a host claims to be. */
export function systemOf(spec: HostSpec): LabSystem {
  return systems[spec.system ?? 'ubuntu-24.04'];
}

/**
 * Makes what is particular to a host, before it first boots. Its root folder has to be there already.
 * The host's folder holds `root` (its /), `usr` and `work` (upper and work folder of the overlay over the machine's
 * /usr), `modules` (its /lib/modules), `identity` (what is bound over files of /proc) and `persistent-run`.
 */
export async function furnish(
  folder: string,
  files: HostFiles,
  spec: HostSpec,
  clientPublicKey: string,
): Promise<void> {
  for (const name of ['usr/bin', 'usr/sbin', 'usr/lib/init', 'usr/lib/modules', 'work', 'modules', 'identity']) {
    fs.mkdirSync(path.join(folder, name), { recursive: true });
  }
  fs.mkdirSync(path.join(folder, 'persistent-run'), { recursive: true });
  const lab = path.join(folder, '../..');
  fs.linkSync(path.join(lab, 'first/env'), path.join(folder, 'usr/lib/init/env'));
  fs.linkSync(path.join(lab, 'first/date'), path.join(folder, 'usr/lib/init/date'));
  fs.linkSync(path.join(lab, 'first/init'), path.join(folder, 'usr/sbin/init'));
  writeSettings(files, spec, clientPublicKey);
  const { without = [], shell } = withSystem(spec);
  if (shell !== 'dash' && shell !== 'busybox') {
    fs.symlinkSync(shell, path.join(folder, 'usr/bin/sh'));
  }
  await hidePrograms(folder, without);
}

/** The file systems of a host, in the order in which they are mounted, as an fstab(5). */
export function fstab(folder: string, spec: HostSpec): string {
  const lab = path.join(folder, '../..');
  const lower = withSystem(spec).shell === 'busybox' ? `${path.join(lab, 'busybox')}:/usr` : '/usr';
  const identity = path.join(folder, 'identity');
  return [
    `overlay /usr overlay lowerdir=${lower},upperdir=${folder}/usr,workdir=${folder}/work`,
    `${folder}/modules /usr/lib/modules none bind`,
    'proc /proc proc nosuid,nodev,noexec',
    `${identity}/boot_id /proc/sys/kernel/random/boot_id none bind`,
    `${identity}/osrelease /proc/sys/kernel/osrelease none bind`,
    `${identity}/version /proc/sys/kernel/version none bind`,
    `${identity}/proc_version /proc/version none bind`,
    'sysfs /sys sysfs ro,nosuid,nodev,noexec',
    `${lab}/dev /dev none bind`,
    'devpts /dev/pts devpts newinstance,ptmxmode=0666,mode=620,gid=0,nosuid,noexec',
    'tmpfs /dev/shm tmpfs mode=1777,nosuid,nodev',
    runMount(folder, spec),
    '',
  ].join(' 0 0\n');
}

function runMount(folder: string, spec: HostSpec): string {
  if (spec.runPersists === true) {
    return `${folder}/persistent-run /run none bind`;
  }
  // ramfs keeps no birth times, which is what stat(2) says of tmpfs before Linux 5.18.
  return spec.birthTimes === false ? 'ramfs /run ramfs mode=755' : 'tmpfs /run tmpfs mode=755,nosuid,nodev';
}

function writeSettings(files: HostFiles, spec: HostSpec, clientPublicKey: string): void {
  const { osRelease, packages } = systemOf(spec);
  const shell = spec.shell ?? (withSystem(spec).shell === 'busybox' ? '/bin/sh' : '/bin/bash');
  const user = `${labUser}:x:${labUserId}:${labUserId}::/home/${labUser}:${shell}`;
  const root = `root:x:0:0:root:/root:${withSystem(spec).shell === 'busybox' ? '/bin/sh' : '/bin/bash'}`;
  const system = [
    'sshd:x:102:65534::/run/sshd:/usr/sbin/nologin',
    'nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin',
  ];
  files.write('/etc/passwd', [root, ...system, user, ''].join('\n'));
  files.write('/etc/hostname', `${spec.name}\n`);
  files.write('/etc/hosts', `127.0.0.1 localhost\n127.0.1.1 ${spec.name}\n::1 localhost ip6-localhost\n`);
  files.write('/usr/lib/os-release', osRelease);
  files.symlink('../usr/lib/os-release', '/etc/os-release');
  files.write('/usr/bin/uname', unameProgram.replace('@MACHINE@', os.machine()), { mode: 0o755 });
  files.write('/etc/sudoers', 'Defaults env_reset\nroot ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n', {
    mode: 0o440,
  });
  if (spec.sudoers !== undefined) {
    files.write(`/etc/sudoers.d/${labUser}`, `${spec.sudoers}\n`, { mode: 0o440 });
  }
  if (packages.some((item) => item.name === 'unattended-upgrades')) {
    files.write('/etc/apt/apt.conf.d/20auto-upgrades', unattendedUpgrades);
  }
  const keys = { mode: 0o600, owner: labUserId };
  files.write(`/home/${labUser}/.ssh/authorized_keys`, spec.authorizedKeys ?? `${clientPublicKey}\n`, keys);
  files.write('/root/.ssh/authorized_keys', `${clientPublicKey}\n`, { mode: 0o600 });
  files.write(
    '/etc/ssh/sshd_config',
    sshdConfig(spec.sshPort ?? 22, spec.hostKeys ?? ['ed25519'], spec.sshdConfig ?? ''),
  );
  for (const [name, content] of Object.entries({ ...systemOf(spec).files, ...spec.files })) {
    files.write(name, content);
  }
}

function withSystem(spec: HostSpec): {
  readonly without: readonly string[];
  readonly shell: NonNullable<HostSpec['sh']>;
} {
  const system = systemOf(spec);
  return { without: [...(system.without ?? []), ...(spec.without ?? [])], shell: spec.sh ?? system.sh ?? 'dash' };
}

/** A character device 0/0 in the upper layer hides a file of the lower one: overlayfs.rst, "whiteouts". */
async function hidePrograms(folder: string, names: readonly string[]): Promise<void> {
  if (names.length === 0) {
    return;
  }
  const script = 'for name do for at in bin sbin; do mknod "$at/$name" c 0 0; done; done';
  await mustRun(['sh', '-eu', '-c', `cd "$0"; ${script}`, path.join(folder, 'usr'), ...names]);
}
