import { SECTION } from '../exposure/section-names';

export interface SimulatedNetwork {
  /** The address of its only interface. */
  readonly address: string;
  /** TCP ports that something listens on, on every address. */
  readonly listening: readonly number[];
  /** TCP ports that its firewall lets in from anywhere; null: it has no firewall. */
  readonly open: readonly number[] | null;
  /** Whether the exporter's user may read the firewall there. */
  readonly readable: boolean;
}

/** A section's text with its exit status. */
export interface SimulatedSection {
  readonly name: string;
  readonly status: number;
  readonly text: string;
}

/** Sections about sockets, routes and firewall, as the probe program would print them. */
export function exposureSections(network: SimulatedNetwork, isAsked: boolean): SimulatedSection[] {
  const fingerprint = ok(
    SECTION.fingerprint,
    `${network.listening.join(' ')} / ${network.open?.join(' ') ?? 'none'}\n`,
  );
  if (!isAsked) return [fingerprint];
  return [
    fingerprint,
    ok(SECTION.tcp, sockets(network)),
    ...[SECTION.tcp6, SECTION.udp, SECTION.udp6].map((name) => ok(name, socketHead)),
    ok(SECTION.addresses, addresses(network)),
    ok(SECTION.links, addresses(network)),
    ok(SECTION.routes4, routes(network)),
    ok(SECTION.routes6, '[]\n'),
    ok(SECTION.rules4, rules),
    ok(SECTION.rules6, rules),
    ok(SECTION.sysctls, sysctls),
    ok(SECTION.kernel, 'nf_tables present\nip_tables absent\nip6_tables absent\nip_vs absent\n'),
    ...firewall(network),
  ];
}

function firewall(network: SimulatedNetwork): SimulatedSection[] {
  const names = [SECTION.nftJson, SECTION.nftText, SECTION.iptables4, SECTION.iptables6, SECTION.ipsets];
  // nft, iptables-save and ipset all end with 1 for a user who may not read the rules.
  if (!network.readable) return names.map((name) => ({ name, status: 1, text: '' }));
  const texts = [nftJson(network.open), nftText(network.open), '', '', ''];
  return names.map((name, index) => ok(name, texts[index] ?? ''));
}

function ok(name: string, text: string): SimulatedSection {
  return { name, status: 0, text };
}

const socketHead = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';

function sockets({ listening }: SimulatedNetwork): string {
  const rows = listening.map((port, index) => {
    const hex = port.toString(16).toUpperCase().padStart(4, '0');
    return `   ${index}: 00000000:${hex} 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 ${4000 + index} 1 0 100 0 0 10 0\n`;
  });
  return socketHead + rows.join('');
}

function addresses({ address }: SimulatedNetwork): string {
  return JSON.stringify([
    {
      ifindex: 1,
      ifname: 'lo',
      flags: ['LOOPBACK', 'UP', 'LOWER_UP'],
      link_type: 'loopback',
      addr_info: [{ family: 'inet', local: '127.0.0.1', prefixlen: 8, scope: 'host' }],
    },
    {
      ifindex: 2,
      ifname: 'eth0',
      flags: ['BROADCAST', 'MULTICAST', 'UP', 'LOWER_UP'],
      link_type: 'ether',
      addr_info: [{ family: 'inet', local: address, prefixlen: 24, scope: 'global' }],
    },
  ]);
}

function routes({ address }: SimulatedNetwork): string {
  const net = address.replace(/\.[0-9]+$/, '');
  return JSON.stringify([
    { dst: 'default', gateway: `${net}.1`, dev: 'eth0', flags: [] },
    { dst: `${net}.0/24`, dev: 'eth0', protocol: 'kernel', scope: 'link', prefsrc: address, flags: [] },
    { type: 'local', dst: '127.0.0.0/8', dev: 'lo', table: 'local', scope: 'host', prefsrc: '127.0.0.1', flags: [] },
    { type: 'local', dst: address, dev: 'eth0', table: 'local', scope: 'host', prefsrc: address, flags: [] },
  ]);
}

const rules = JSON.stringify([
  { priority: 0, src: 'all', table: 'local' },
  { priority: 32766, src: 'all', table: 'main' },
]);

const sysctls = [
  'net/ipv6/bindv6only = 0',
  'net/ipv4/ip_forward = 0',
  'net/ipv6/conf/all/forwarding = 0',
  'net/ipv6/conf/all/disable_ipv6 = 0',
  ...['all', 'default', 'eth0', 'lo'].flatMap((name) =>
    ['rp_filter', 'route_localnet', 'forwarding'].map((key) => `net/ipv4/conf/${name}/${key} = 0`),
  ),
  '',
].join('\n');

function nftText(open: readonly number[] | null): string {
  if (open === null) return '';
  const accept = open.length === 0 ? '' : `\t\ttcp dport { ${open.join(', ')} } accept\n`;
  return (
    'table inet filter {\n\tchain input {\n\t\ttype filter hook input priority filter; policy drop;\n' +
    `\t\tiifname "lo" accept\n\t\tct state established,related accept\n\t\tip saddr 10.0.0.0/8 accept\n${accept}\t}\n}\n`
  );
}

function nftJson(open: readonly number[] | null): string {
  const metainfo = { metainfo: { version: '1.0.9', release_name: 'Old Doc Yak #3', json_schema_version: 1 } };
  if (open === null) return JSON.stringify({ nftables: [metainfo] });
  const place = { family: 'inet', table: 'filter' };
  const match = (op: string, left: unknown, right: unknown): unknown => ({ match: { op, left, right } });
  const expressions = [
    [match('==', { meta: { key: 'iifname' } }, 'lo')],
    [match('in', { ct: { key: 'state' } }, ['established', 'related'])],
    [match('==', { payload: { protocol: 'ip', field: 'saddr' } }, { prefix: { addr: '10.0.0.0', len: 8 } })],
  ];
  if (open.length > 0) expressions.push([match('==', { payload: { protocol: 'tcp', field: 'dport' } }, { set: open })]);
  return JSON.stringify({
    nftables: [
      metainfo,
      { table: { family: 'inet', name: 'filter', handle: 1 } },
      { chain: { ...place, name: 'input', handle: 1, type: 'filter', hook: 'input', prio: 0, policy: 'drop' } },
      ...expressions.map((expr, index) => ({
        rule: { ...place, chain: 'input', handle: index + 2, expr: [...expr, { accept: null }] },
      })),
    ],
  });
}
