import fs from 'node:fs';
import path from 'node:path';
import { mustRun } from './program';

/** Name of the unprivileged user on every host. */
export const labUser = 'reboot-exporter';
/** Its user and group number. */
export const labUserId = 990;

/** What programs from the machine's /usr need from /etc; everything else in a host's /etc is the lab's own. */
const machineFiles = [
  'alternatives',
  'bash.bashrc',
  'ethertypes',
  'fish',
  'iproute2',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'localtime',
  'login.defs',
  'profile',
  'protocols',
  'rpc',
  'security',
  'services',
  'xtables.conf',
];

const folders = [
  'boot',
  'dev',
  'etc/apt/apt.conf.d',
  'etc/pam.d',
  'etc/ssh',
  'etc/sudoers.d',
  `home/${labUser}`,
  'mnt',
  'opt',
  'proc',
  'root',
  'run',
  'srv',
  'sys',
  'tmp',
  'usr',
  'var/cache/apt',
  'var/lib/apt/periodic',
  'var/lib/dpkg/info',
  'var/log',
  'var/tmp',
];

const pam = `auth required pam_unix.so
account required pam_nologin.so
account required pam_unix.so
password required pam_unix.so
session required pam_unix.so
`;

const files: Readonly<Record<string, string>> = {
  'etc/group': `root:x:0:\nsudo:x:27:\nshadow:x:42:\nnogroup:x:65534:\n${labUser}:x:${labUserId}:\n`,
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nshadow: files\nhosts: files\n',
  'etc/pam.d/sshd': pam,
  'etc/pam.d/sudo': pam,
  'etc/pam.d/sudo-i': pam,
  'etc/pam.d/other': pam,
  // As adduser --system leaves it: no password that could match.
  'etc/shadow': `root:*:19700:0:99999:7:::\n${labUser}:!:19700::::::\n`,
  'etc/shells': '/bin/sh\n/bin/bash\n/usr/bin/fish\n/usr/bin/tcsh\n',
  'etc/subuid': '',
};

/** Character devices of /dev: name, major and minor number, as in the kernel's Documentation/admin-guide/devices.txt. */
const devices = ['null 1 3', 'zero 1 5', 'full 1 7', 'random 1 8', 'urandom 1 9', 'tty 5 0'];

/**
 * Lays out, once per lab, what all hosts have in common: the folders `skeleton` (copied), `dev` (bind-mounted), `first`
 * (programs of a host's first process, linked) and `busybox` (a layer for hosts that have BusyBox instead of GNU).
 */
export async function layOutSkeleton(labFolder: string): Promise<void> {
  const root = path.join(labFolder, 'skeleton');
  folders.forEach((folder) => fs.mkdirSync(path.join(root, folder), { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    fs.writeFileSync(path.join(root, name), content);
  }
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
    fs.symlinkSync(`usr/${name}`, path.join(root, name));
  }
  fs.symlinkSync('/run', path.join(root, 'var/run'));
  fs.symlinkSync('/proc/self/mounts', path.join(root, 'etc/mtab'));
  fs.chmodSync(path.join(root, 'tmp'), 0o1777);
  fs.chmodSync(path.join(root, 'var/tmp'), 0o1777);
  fs.chmodSync(path.join(root, 'root'), 0o700);
  fs.chmodSync(path.join(root, 'etc/shadow'), 0o640);
  fs.chmodSync(path.join(root, 'etc/sudoers.d'), 0o750);
  fs.chownSync(path.join(root, `home/${labUser}`), labUserId, labUserId);
  await layOutBusybox(path.join(labFolder, 'busybox'));
  await mustRun(['sh', '-eu', '-c', fillProgram, 'fill', labFolder, ...machineFiles], { input: devices.join('\n') });
}

const fillProgram = String.raw`
cd "$1"
shift
for name do
  [ ! -e "/etc/$name" ] || cp -a "/etc/$name" skeleton/etc/
done
# Manual pages make up most of the alternatives.
find skeleton/etc/alternatives -name '*.gz' -delete
mkdir -p dev/pts dev/shm hosts first
cp "$(command -v env)" first/env
cp "$(command -v date)" first/date
cp "$(command -v cat)" first/init
while read -r name major minor || [ -n "$name" ]; do
  mknod -m 666 "dev/$name" c "$major" "$minor"
done
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
`;

async function layOutBusybox(layer: string): Promise<void> {
  const applets = (await mustRun(['busybox', '--list']))
    .split('\n')
    .filter((name) => name !== '' && name !== 'busybox');
  for (const folder of ['bin', 'sbin']) {
    fs.mkdirSync(path.join(layer, folder), { recursive: true });
    applets
      .filter((name) => name !== 'init')
      .forEach((name) => fs.symlinkSync('/usr/bin/busybox', path.join(layer, folder, name)));
  }
}

/** Copies the skeleton to `root` of each of these host folders. */
export async function copySkeleton(labFolder: string, hostFolders: readonly string[]): Promise<void> {
  const script = 'from=$1; shift; for to do mkdir "$to"; cp -a "$from" "$to/root"; done';
  await mustRun(['sh', '-eu', '-c', script, 'copy', path.join(labFolder, 'skeleton'), ...hostFolders]);
}
