/** Words that nft writes for numbers, by the kind of field (libnftables-json(5), nft(8)). */
export const SYMBOLS = {
  protocol: {
    ...{ ip: 0, icmp: 1, igmp: 2, tcp: 6, udp: 17, dccp: 33, gre: 47, esp: 50, ah: 51, comp: 108, icmpv6: 58 },
    ...{ 'ipv6-icmp': 58, sctp: 132, udplite: 136, ipv6: 41, 'ipv6-nonxt': 59, 'ipv6-opts': 60, 'ipv6-frag': 44 },
    ...{ 'ipv6-route': 43, hopopt: 0, ospf: 89, vrrp: 112, pim: 103, ipencap: 4, l2tp: 115, eigrp: 88, egp: 8 },
  },
  etherType: {
    ip: 0x0800,
    arp: 0x0806,
    ip6: 0x86dd,
    vlan: 0x8100,
    '8021q': 0x8100,
    '8021ad': 0x88a8,
    ipv4: 0x0800,
    ipv6: 0x86dd,
  },
  nfProtocol: { ipv4: 2, ipv6: 10, ip: 2, ip6: 10, inet: 1, arp: 3, netdev: 5, bridge: 7, unspec: 0 },
  state: { invalid: 1, established: 2, related: 4, new: 8, untracked: 64 },
  status: { expected: 1, 'seen-reply': 2, assured: 4, confirmed: 8, snat: 16, dnat: 32, dying: 512 },
  direction: { original: 0, reply: 1 },
  tcpFlags: { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ecn: 64, ece: 64, cwr: 128 },
  packetType: { host: 0, unicast: 0, broadcast: 1, multicast: 2, other: 3, otherhost: 3 },
  linkType: {
    ...{ ether: 1, ppp: 512, ipip: 768, ipip6: 769, tunnel: 768, tunnel6: 769, loopback: 772, sit: 776, ipgre: 778 },
    ...{ gre: 778, none: 65534, infiniband: 32, slip: 256, vti: 768, ip6gre: 823, netlink: 824, rawip: 519 },
  },
  group: { default: 0 },
  priority: { none: 0 },
  none: {},
} as const satisfies Record<string, Readonly<Record<string, number>>>;

export type SymbolTable = keyof typeof SYMBOLS;

export function symbol(table: SymbolTable, word: string): number | null {
  const own: Readonly<Record<string, number>> = SYMBOLS[table];
  if (Object.hasOwn(own, word)) return own[word] ?? null;
  if (/^\d{1,15}$/.test(word)) return Number(word);
  return /^0x[0-9a-fA-F]{1,13}$/.test(word) ? parseInt(word, 16) : null;
}
