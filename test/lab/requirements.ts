import { spawnSync } from 'node:child_process';

/** Programs that the lab runs, and the Debian and Ubuntu package of each. */
const programs: Readonly<Record<string, string>> = {
  unshare: 'util-linux',
  nsenter: 'util-linux',
  setpriv: 'util-linux',
  mount: 'mount',
  pivot_root: 'util-linux',
  ip: 'iproute2',
  nft: 'nftables',
  iptables: 'iptables',
  '/usr/sbin/sshd': 'openssh-server',
  ssh: 'openssh-client',
  'ssh-keygen': 'openssh-client',
  sudo: 'sudo',
  perl: 'perl-base',
  busybox: 'busybox-static',
  fish: 'fish',
  tcsh: 'tcsh',
};

/** Each line makes what a lab host is made of, in namespaces of its own, and names what failed. */
const trial = String.raw`
set -u
try() { what=$1; shift; "$@" >/dev/null 2>&1 || echo "$what"; }
try 'a tmpfs cannot be mounted' mount -t tmpfs tmpfs /mnt
mkdir -p /mnt/upper /mnt/work /mnt/merged
try 'the kernel has no overlay file system over /usr' \
  mount -t overlay overlay -o lowerdir=/usr,upperdir=/mnt/upper,workdir=/mnt/work /mnt/merged
try '/proc cannot be mounted' mount -t proc proc /proc
try '/proc/sys cannot be bind-mounted over' mount --bind /etc/passwd /proc/sys/kernel/osrelease
try 'the kernel has no bridges' ip link add name bridge0 type bridge
try 'the kernel has no veth devices' ip link add name left type veth peer name right
try 'the kernel has no nftables' nft add table inet trial
`;

let known: string[] | undefined;

/**
 * What this machine lacks for the lab, a line each with how to get it; empty when the lab can run.
 * Found out once per process: it takes some tens of milliseconds.
 */
export function whatIsMissing(): string[] {
  known ??= findMissing();
  return [...known];
}

function findMissing(): string[] {
  if (process.platform !== 'linux') {
    return ['Linux: the lab is made of Linux namespaces'];
  }
  const missing = missingPrograms();
  if (process.getuid?.() !== 0) {
    return ['root: the lab makes namespaces, mounts and network devices (run the tests with sudo)', ...missing];
  }
  return missing.length > 0 ? missing : missingFromKernel();
}

function missingPrograms(): string[] {
  const names = Object.keys(programs);
  const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
  const script = 'for name do command -v "$name" >/dev/null || echo "$name"; done';
  const found = spawnSync('sh', ['-c', script, 'sh', ...names], {
    encoding: 'utf8',
    env: { ...process.env, PATH: path },
  });
  return lines(found.stdout).map((name) => `${name}: apt-get install ${programs[name]}`);
}

function missingFromKernel(): string[] {
  const argv = [
    '--mount',
    '--net',
    '--uts',
    '--pid',
    '--cgroup',
    '--time',
    '--boottime',
    '1000',
    '--fork',
    '--kill-child',
  ];
  const tried = spawnSync('unshare', [...argv, 'sh', '-c', trial], { encoding: 'utf8', timeout: 30_000 });
  const how = 'use a kernel >= 5.18, and in a container run it privileged (docker run --privileged)';
  if (tried.status !== 0 && tried.stdout === '') {
    return [`namespaces (${tried.stderr.trim()}): ${how}`];
  }
  return lines(tried.stdout).map((line) => `${line}: ${how}`);
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
