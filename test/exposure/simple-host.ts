import { SECTION } from '../../src/exposure/section-names';
import type { Section, Sections } from '../../src/report/section';
import { parseIpv4, parseIpv6 } from '../../src/exposure/addresses';

/** A host in a few words: what it listens on, its addresses by interface, and its firewall. */
export interface SimpleHost {
  /** `tcp 0.0.0.0:22`, `udp [::]:53 v6only`. */
  readonly listeners?: readonly string[];
  /** Default: eth0 with 203.0.113.10/24 and 2001:db8::10/64, with default routes, and lo. */
  readonly addresses?: Readonly<Record<string, readonly string[]>>;
  /** Interfaces with a default route. */
  readonly uplinks?: readonly string[];
  readonly nft?: readonly unknown[];
  readonly iptables?: string;
  readonly legacy?: string;
  readonly ipset?: string;
  readonly sysctls?: Readonly<Record<string, number>>;
  readonly cloud?: unknown;
  /** Sections that could not be read. */
  readonly denied?: readonly string[];
}

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';

/** The sections that such a host sends. */
export function sectionsOf(host: SimpleHost): Map<string, Section> {
  const addresses = host.addresses ?? { eth0: ['203.0.113.10/24', '2001:db8::10/64'] };
  const uplinks = host.uplinks ?? ['eth0'];
  const sections = new Map<string, Section>();
  const put = (name: string, text: string): void => {
    const denied = host.denied?.includes(name) === true;
    sections.set(name, { name, status: denied ? 1 : 0, body: Buffer.from(denied ? '' : text) });
  };
  const listeners = (host.listeners ?? []).map(listener);
  for (const [name, proto, six] of [
    [SECTION.tcp, 'tcp', false],
    [SECTION.tcp6, 'tcp', true],
    [SECTION.udp, 'udp', false],
    [SECTION.udp6, 'udp', true],
  ] as const) {
    const own = listeners.filter((one) => one.proto === proto && one.address.includes(':') === six);
    put(name, HEAD + own.map(procRow).join(''));
  }
  put(SECTION.ss, listeners.map(ssRow).join('\n'));
  put(SECTION.addresses, JSON.stringify(interfaces({ lo: ['127.0.0.1/8', '::1/128'], ...addresses })));
  put(
    SECTION.links,
    JSON.stringify(Object.keys(addresses).map((ifname) => ({ ifname, linkinfo: { info_kind: 'veth' } }))),
  );
  put(SECTION.routes4, routes(addresses, uplinks, false));
  put(SECTION.routes6, routes(addresses, uplinks, true));
  put(SECTION.rules4, '0:\tfrom all lookup local\n32766:\tfrom all lookup main\n');
  put(SECTION.rules6, '0:\tfrom all lookup local\n32766:\tfrom all lookup main\n');
  put(SECTION.sysctls, sysctls(Object.keys(addresses), host.sysctls ?? {}));
  put(SECTION.nftJson, JSON.stringify({ nftables: [{ metainfo: { version: '1.0.6' } }, ...(host.nft ?? [])] }));
  put(SECTION.iptables4, host.iptables ?? '');
  put(SECTION.iptables6, '');
  put(SECTION.legacy4, host.legacy ?? '');
  put(SECTION.legacy6, '');
  put(SECTION.ipsets, host.ipset ?? '');
  if (host.cloud !== undefined) put(SECTION.cloud, JSON.stringify(host.cloud));
  return sections;
}

interface Socket {
  readonly proto: 'tcp' | 'udp';
  readonly address: string;
  readonly device: string;
  readonly port: number;
  readonly v6only: boolean;
}

function listener(text: string): Socket {
  const [proto = '', end = '', flag] = text.split(' ');
  const colon = end.lastIndexOf(':');
  const [address = '', device = ''] = end.slice(0, colon).replace(/[[\]]/g, '').split('%');
  return {
    proto: proto === 'udp' ? 'udp' : 'tcp',
    address,
    device,
    port: Number(end.slice(colon + 1)),
    v6only: flag === 'v6only',
  };
}

function procRow({ proto, address, port }: Socket, at: number): string {
  const state = proto === 'tcp' ? '0A' : '07';
  const zero = address.includes(':') ? '0'.repeat(32) : '0'.repeat(8);
  const digits = address.includes(':')
    ? (parseIpv6(address) ?? 0n).toString(16).padStart(32, '0')
    : (parseIpv4(address) ?? 0).toString(16).padStart(8, '0');
  const words = (digits.match(/.{8}/g) ?? []).map((word) => (word.match(/../g) ?? []).reverse().join(''));
  return `   ${at}: ${words.join('').toUpperCase()}:${port.toString(16).toUpperCase().padStart(4, '0')} ${zero}:0000 ${state} 0:0 0:0 0     0        0 1\n`;
}

function ssRow({ proto, address, device, port, v6only }: Socket): string {
  const six = address.includes(':');
  const host = six ? `[${address}]` : address;
  return `${proto} LISTEN 0 128 ${host}${device === '' ? '' : `%${device}`}:${port} *:*${six ? ` v6only:${v6only ? 1 : 0}` : ''}`;
}

function interfaces(addresses: Readonly<Record<string, readonly string[]>>): readonly unknown[] {
  return Object.entries(addresses).map(([ifname, own]) => ({
    ifname,
    flags: ifname === 'lo' ? ['LOOPBACK', 'UP'] : ['UP'],
    link_type: ifname === 'lo' ? 'loopback' : 'ether',
    group: 'default',
    addr_info: own.map((text) => ({ local: text.split('/')[0], prefixlen: Number(text.split('/')[1]) })),
  }));
}

function routes(
  addresses: Readonly<Record<string, readonly string[]>>,
  uplinks: readonly string[],
  six: boolean,
): string {
  const lines = uplinks.map((device, metric) => `default dev ${device} metric ${metric}`);
  if (!six) lines.push('local 127.0.0.0/8 dev lo table local');
  for (const [device, own] of Object.entries(addresses)) {
    for (const text of own.filter((one) => one.includes(':') === six)) {
      lines.push(`local ${text.split('/')[0]} dev ${device} table local`);
      if (!text.endsWith('/32') && !text.endsWith('/128')) lines.push(`${text} dev ${device}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function sysctls(devices: readonly string[], own: Readonly<Record<string, number>>): string {
  const all: Record<string, number> = { 'net/ipv4/ip_forward': 0, 'net/ipv6/conf/all/forwarding': 0 };
  for (const device of ['all', 'lo', ...devices]) {
    for (const name of ['rp_filter', 'route_localnet', 'forwarding']) all[`net/ipv4/conf/${device}/${name}`] = 0;
  }
  return Object.entries({ ...all, ...own })
    .map(([key, value]) => `${key} = ${value}\n`)
    .join('');
}

/** `table inet f` with one input chain, as nft's JSON has it. */
export function inputChain(policy: 'accept' | 'drop', ...rules: readonly (readonly unknown[])[]): readonly unknown[] {
  const place = { family: 'inet', table: 'f' };
  return [
    { table: { family: 'inet', name: 'f', handle: 1 } },
    { chain: { ...place, name: 'in', handle: 2, type: 'filter', hook: 'input', prio: 0, policy } },
    {
      rule: {
        ...place,
        chain: 'in',
        handle: 3,
        expr: [
          { match: { op: 'in', left: { ct: { key: 'state' } }, right: ['established', 'related'] } },
          { accept: null },
        ],
      },
    },
    ...rules.map((expr) => ({ rule: { ...place, chain: 'in', handle: 4, expr } })),
  ];
}

/** `tcp dport PORT`, `ip saddr NETWORK`, as nft's JSON has them. */
export const nft = {
  tcp: (port: unknown) => ({
    match: { op: '==', left: { payload: { protocol: 'tcp', field: 'dport' } }, right: port },
  }),
  from: (network: unknown) => ({
    match: { op: '==', left: { payload: { protocol: 'ip', field: 'saddr' } }, right: network },
  }),
  iif: (name: unknown) => ({ match: { op: '==', left: { meta: { key: 'iifname' } }, right: name } }),
  accept: { accept: null },
  drop: { drop: null },
} as const;

export type { Sections };
