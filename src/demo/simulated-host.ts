import { exposureSections, type SimulatedNetwork, type SimulatedSection } from './simulated-network';

/** What a simulated host is like. Times are unix seconds. */
export interface SimulatedHost {
  readonly name: string;
  readonly os: 'ubuntu' | 'debian';
  readonly bootId: string;
  readonly bootedAt: number;
  /** The flag as unattended-upgrades leaves it; null: there is none. */
  readonly flag: { readonly bornAt: number; readonly modifiedAt: number; readonly packages: readonly string[] } | null;
  readonly kernel: {
    readonly running: string;
    /** Installed releases with the time they were unpacked, the running one among them. */
    readonly installed: readonly { readonly release: string; readonly at: number }[];
  };
  readonly libcUnpackedAt: number;
  readonly unattendedUpgrades: 'on' | 'off' | 'not installed';
  readonly unattendedUpgradesRanAt: number | null;
  readonly network: SimulatedNetwork;
}

/** What the probe program would print on such a host. */
export function answerOf(host: SimulatedHost, nonce: string, wantsExposure: boolean, nowSeconds: number): Buffer {
  const sections = [...restartSections(host, nowSeconds), ...exposureSections(host.network, wantsExposure)];
  const frames = sections.map(
    ({ name, status, text }) => `\n=${nonce} begin ${name}\n${text}\n=${nonce} end ${name} ${status}\n`,
  );
  return Buffer.from(`\n=${nonce} hello 1\n${frames.join('')}\n=${nonce} done\n`);
}

/** Reads the request line; the program that follows it is not run. */
export function parseRequest(input: string): { nonce: string; exposure: boolean } {
  const line = input.slice(0, Math.max(0, input.indexOf('\n')));
  const words = /^request='([a-z0-9= ]*)'$/.exec(line)?.[1]?.split(' ') ?? [];
  const nonce = words.find((word) => word.startsWith('nonce='))?.slice('nonce='.length) ?? '0';
  return { nonce, exposure: words.includes('exposure') };
}

function restartSections(host: SimulatedHost, now: number): SimulatedSection[] {
  return [
    ok('clock', `date=${now.toFixed(9)}\n`),
    ok('boot', bootText(host, now)),
    ok('kernel', kernelText(host)),
    ok('os', osText[host.os]),
    ok('machine', 'vendor=QEMU\nproduct=Standard PC (Q35 + ICH9, 2009)\nvirtual=1\n'),
    ok('dpkg', dpkgText(host)),
    ok('patching', patchingText(host)),
    ok('scheduled', ''),
    ok('flag', flagText(host)),
  ];
}

function ok(name: string, text: string): SimulatedSection {
  return { name, status: 0, text };
}

const osText = {
  ubuntu: 'NAME="Ubuntu"\nID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"\nPRETTY_NAME="Ubuntu 24.04.3 LTS"\n',
  debian: 'NAME="Debian GNU/Linux"\nID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
};

function bootText(host: SimulatedHost, now: number): string {
  const uptime = (now - host.bootedAt).toFixed(2);
  const init = `1 (systemd) S 0 1 1 0 -1 4194560 ${'0 '.repeat(12)}1 0 ${'0 '.repeat(30)}`;
  return `boot_id=${host.bootId}\nuptime=${uptime} ${uptime}\ninit=${init}\nstat=btime ${Math.floor(host.bootedAt)}\n`;
}

function kernelText({ kernel, os }: SimulatedHost): string {
  const build = os === 'ubuntu' ? '#1-Ubuntu SMP PREEMPT_DYNAMIC' : '#1 SMP PREEMPT_DYNAMIC Debian';
  return `release=${kernel.running}\nversion=${build}\n`;
}

function dpkgText(host: SimulatedHost): string {
  const { kernel, os } = host;
  const info = '/var/lib/dpkg/info';
  const lines = kernel.installed.flatMap(({ release, at }) => [
    `package=ii |linux-image-${release}|amd64|${release.replace(/-[a-z].*$/, '.1')}`,
    `unpacked=${at} ${info}/linux-image-${release}.list`,
  ]);
  lines.push('package=ii |libc6|amd64|2.39-0ubuntu8', `unpacked=${host.libcUnpackedAt} ${info}/libc6:amd64.list`);
  if (os === 'ubuntu') lines.push('package=ii |update-notifier-common|all|3.192.68');
  if (host.unattendedUpgrades !== 'not installed') lines.push('package=ii |unattended-upgrades|all|2.9.1');
  return `${lines.join('\n')}\n`;
}

function patchingText(host: SimulatedHost): string {
  const stamp = host.unattendedUpgradesRanAt;
  const lines = stamp === null ? [] : [`stamp=${stamp} /var/lib/apt/periodic/unattended-upgrades-stamp`];
  lines.push('timer=enabled', `upgrade='${host.unattendedUpgrades === 'on' ? 1 : 0}'`);
  return `${lines.join('\n')}\n`;
}

function flagText({ flag }: SimulatedHost): string {
  if (flag === null) return '';
  const times = `${flag.bornAt} ${flag.modifiedAt}`;
  const list = flag.packages.join('\n');
  return (
    `present=reboot-required\nstat=reboot-required ${times} 32\n` +
    `present=reboot-required.pkgs\nstat=reboot-required.pkgs ${times} ${list.length}\npackages\n${list}\n`
  );
}
