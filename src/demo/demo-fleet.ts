import { randomUUID } from 'node:crypto';
import type { SimulatedHost } from './simulated-host';

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** A host of the demo, and how its server stands to the world. */
export interface DemoHost {
  readonly stack: 'shop' | 'office';
  /** `down`: nothing listens. `wrong key`: it presents another key than known_hosts has. */
  readonly reach: 'up' | 'down' | 'wrong key';
  readonly labels: Readonly<Record<string, string>>;
  readonly host: SimulatedHost;
}

/** The fleet as the demo begins, with times counted back from `now` (unix seconds). */
export function demoFleet(now: number): DemoHost[] {
  const ago = (seconds: number): number => Math.floor(now - seconds);
  return [
    shop('web-1', {
      ...base('web-1', ago(40 * day), 10),
      flag: flagAt(ago(20 * day), ago(2 * day), ['linux-image-6.8.0-48-generic', 'linux-base', 'libc6']),
      kernel: kernels('6.8.0-45-generic', ago(60 * day), [['6.8.0-48-generic', ago(20 * day)]]),
      libcUnpackedAt: ago(20 * day),
      network: open(10, [22, 80, 443], [80, 443]),
    }),
    shop('web-2', { ...base('web-2', ago(9 * day), 11), network: open(11, [22, 80, 443], [80, 443]) }),
    shop('web-3', {
      ...base('web-3', ago(9 * day), 12),
      flag: flagAt(ago(5 * hour), ago(5 * hour), ['libc6']),
      libcUnpackedAt: ago(5 * hour),
      network: open(12, [22, 80, 443], [80, 443]),
    }),
    shop('api-1', {
      ...base('api-1', ago(30 * day), 13),
      flag: flagAt(ago(4 * day), ago(1 * day), ['linux-image-6.8.0-48-generic', 'linux-base']),
      kernel: kernels('6.8.0-45-generic', ago(60 * day), [['6.8.0-48-generic', ago(4 * day)]]),
      network: open(13, [22, 8443], null),
    }),
    shop('db-1', {
      ...base('db-1', ago(90 * day), 14),
      flag: flagAt(ago(35 * day), ago(3 * day), ['linux-image-6.8.0-45-generic', 'dbus']),
      network: open(14, [22, 5432], []),
    }),
    shop('db-2', { ...base('db-2', ago(3 * minute), 15), network: open(15, [22, 5432], []) }),
    office('files-1', {
      ...base('files-1', ago(120 * day), 20),
      os: 'debian',
      unattendedUpgrades: 'not installed',
      kernel: kernels('6.1.0-25-amd64', ago(130 * day), [['6.1.0-27-amd64', ago(16 * day)]]),
      network: lan(20, [22, 445]),
    }),
    office('print-1', {
      ...base('print-1', ago(200 * day), 21),
      os: 'debian',
      unattendedUpgrades: 'not installed',
      kernel: { running: '5.10.0-custom', installed: [] },
      network: lan(21, [22, 631]),
    }),
    office('mail-1', {
      ...base('mail-1', ago(15 * day), 22),
      flag: flagAt(ago(40 * minute), ago(40 * minute), ['linux-image-6.8.0-48-generic', 'linux-base']),
      kernel: kernels('6.8.0-45-generic', ago(60 * day), [['6.8.0-48-generic', ago(40 * minute)]]),
      network: { ...open(22, [22, 25, 993], null), readable: false },
    }),
    office('wiki-1', { ...base('wiki-1', ago(6 * day), 23), network: lan(23, [22, 8080]) }),
    { ...office('backup-1', { ...base('backup-1', ago(50 * day), 24), network: lan(24, [22]) }), reach: 'down' },
    { ...office('vpn-1', { ...base('vpn-1', ago(50 * day), 25), network: lan(25, [22]) }), reach: 'wrong key' },
  ];
}

function shop(name: string, host: SimulatedHost): DemoHost {
  const team = name.startsWith('db') ? 'data' : 'web';
  return { stack: 'shop', reach: 'up', labels: { team }, host };
}

function office(_name: string, host: SimulatedHost): DemoHost {
  return { stack: 'office', reach: 'up', labels: { team: 'it' }, host };
}

/** A clean Ubuntu host that is patched. */
function base(name: string, bootedAt: number, octet: number): SimulatedHost {
  const kernelAt = bootedAt - 10 * day;
  return {
    name,
    os: 'ubuntu',
    bootId: randomUUID(),
    bootedAt,
    flag: null,
    kernel: kernels('6.8.0-48-generic', kernelAt, []),
    libcUnpackedAt: bootedAt - 20 * day,
    unattendedUpgrades: 'on',
    unattendedUpgradesRanAt: Math.floor(Date.now() / 1000) - 7 * hour,
    network: lan(octet, [22]),
  };
}

function kernels(running: string, at: number, newer: readonly (readonly [string, number])[]): SimulatedHost['kernel'] {
  return {
    running,
    installed: [{ release: running, at }, ...newer.map(([release, unpackedAt]) => ({ release, at: unpackedAt }))],
  };
}

function flagAt(bornAt: number, modifiedAt: number, packages: readonly string[]): SimulatedHost['flag'] {
  return { bornAt, modifiedAt, packages };
}

/** On the internet. The address is public by its range, and nobody's: nothing is ever sent to it. */
function open(octet: number, listening: readonly number[], ports: readonly number[] | null): SimulatedHost['network'] {
  return { address: `198.18.0.${octet}`, listening, open: ports, readable: true };
}

function lan(octet: number, listening: readonly number[]): SimulatedHost['network'] {
  return { address: `10.20.0.${octet}`, listening, open: null, readable: true };
}

/** The host after a restart: a new boot, the newest kernel, no flag. */
export function restarted(host: SimulatedHost, now: number): SimulatedHost {
  const newest = host.kernel.installed.at(-1);
  return {
    ...host,
    bootId: randomUUID(),
    bootedAt: Math.floor(now),
    flag: null,
    kernel: { ...host.kernel, running: newest?.release ?? host.kernel.running },
  };
}

/** The host after unattended-upgrades installed a C library. */
export function patched(host: SimulatedHost, now: number): SimulatedHost {
  const at = Math.floor(now);
  return { ...host, flag: flagAt(at, at, ['libc6']), libcUnpackedAt: at, unattendedUpgradesRanAt: at };
}
