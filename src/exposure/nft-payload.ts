import { type Left, type LeftContext, plain } from './left';
import type { Flow, Packet } from './packet';
import { asInteger, asString } from './reading';
import type { Run } from './run';
import { BREAK, PEER, UNKNOWN, type Value } from './values';

/** Header fields that a peer chooses, with what an ordinary client's packets have in them. */
const CHOSEN: Readonly<Record<string, readonly [number | null, number]>> = {
  'ip ttl': [33, 128],
  'ip6 hoplimit': [33, 128],
  'ip dscp': [0, 0],
  'ip6 dscp': [0, 0],
  'ip ecn': [0, 0],
  'ip6 ecn': [0, 0],
  'ip id': [0, 65535],
  'ip frag-off': [0, 0x4000],
  'ip length': [40, 576],
  'ip6 length': [20, 576],
  'ip hdrlength': [5, 5],
  'ip6 flowlabel': [0, 0xfffff],
  'tcp window': [1024, 65535],
  'tcp sequence': [0, 0xffffffff],
  'tcp ackseq': [0, 0],
  'tcp urgptr': [0, 0],
  'tcp doff': [5, 10],
  'tcp reserved': [0, 0],
  'udp length': [9, 576],
  'udp checksum': [0, 0xffff],
  'tcp checksum': [0, 0xffff],
  'ip checksum': [0, 0xffff],
};

const TRANSPORTS: Readonly<Record<string, number>> = { tcp: 6, udp: 17, udplite: 136 };

/** A named header field: `ip saddr`, `tcp dport`, … */
export function payloadField(protocol: string, field: string, context: LeftContext): Left {
  const name = `${protocol} ${field}`;
  if (protocol === 'ip' || protocol === 'ip6') return networkField(protocol, field, context);
  if (protocol === 'ether') return etherField(field);
  if (protocol === 'vlan')
    return plain('number', 'none', (flow) => (flow.packet.direction === 'reply' ? BREAK : UNKNOWN));
  const transport = Object.hasOwn(TRANSPORTS, protocol) ? TRANSPORTS[protocol] : undefined;
  if (transport !== undefined || protocol === 'th') return transportField(protocol, field, transport ?? null, context);
  if (['vxlan', 'geneve', 'gretap', 'tunnel', 'gre'].includes(protocol)) {
    return plain('opaque', 'none', ({ packet }) => (packet.transport === 17 ? UNKNOWN : BREAK));
  }
  // arp, icmp, igmp, sctp, …: not what is asked about here, so the rule cannot match.
  return plain('opaque', 'none', () => (KNOWN_OTHERS.has(protocol) ? BREAK : chosen(name, context)));
}

const KNOWN_OTHERS = new Set(['arp', 'icmp', 'icmpv6', 'igmp', 'sctp', 'dccp', 'ah', 'esp', 'comp']);

function networkField(protocol: 'ip' | 'ip6', field: string, context: LeftContext): Left {
  const family = protocol === 'ip' ? 4 : 6;
  const domain = family === 4 ? 'ipv4' : 'ipv6';
  const only =
    (read: (flow: Flow, run: Run) => Value): Left['read'] =>
    (flow, run) =>
      flow.packet.family === family ? read(flow, run) : BREAK;
  if (field === 'saddr') {
    const read = only(({ packet }) => packet.saddr ?? PEER);
    return { ...plain(domain, 'none', read), peer: true };
  }
  if (field === 'daddr') {
    const uses = family === 4 ? 'daddr4' : 'daddr6';
    return {
      ...plain(
        domain,
        'none',
        only(({ packet }) => packet.daddr ?? PEER),
      ),
      uses,
    };
  }
  if (field === 'version')
    return plain(
      'number',
      'none',
      only(() => family),
    );
  if (field === 'protocol')
    return plain(
      'number',
      'protocol',
      only(({ packet }) => packet.transport),
    );
  // Extension headers may stand between: then the first next header is not the transport's.
  if (field === 'nexthdr') {
    return plain(
      'number',
      'protocol',
      only(({ packet }) => ({ kind: 'choice', low: packet.transport, high: packet.transport })),
    );
  }
  return plain(
    'number',
    'none',
    only(() => chosen(`${protocol} ${field}`, context)),
  );
}

function transportField(protocol: string, field: string, transport: number | null, context: LeftContext): Left {
  const only =
    (read: (packet: Packet, run: Run) => Value): Left['read'] =>
    ({ packet }, run) =>
      transport === null || packet.transport === transport ? read(packet, run) : BREAK;
  if (field === 'dport' || field === 'sport') {
    const read = only((packet, run) => {
      run.look(packet, field);
      return packet[field] ?? UNKNOWN;
    });
    return { ...plain('number', 'none', read), uses: field, isPort: field === 'dport' };
  }
  if (field === 'flags') {
    const read = only((packet, run) => {
      run.sawFlags = true;
      return packet.flags;
    });
    return { ...plain('number', 'tcpFlags', read), bits: true };
  }
  const value = chosen(`${protocol} ${field}`, context);
  const read = only(() => value);
  return plain('number', 'none', read);
}

function chosen(name: string, context: LeftContext): Value {
  if (context.usage.mangled.has(name)) return UNKNOWN;
  const usual = Object.hasOwn(CHOSEN, name) ? CHOSEN[name] : undefined;
  return usual === undefined ? UNKNOWN : { kind: 'choice', low: usual[0], high: usual[1] };
}

function etherField(field: string): Left {
  if (field === 'type') return plain('number', 'etherType', ({ packet }) => (packet.family === 4 ? 0x0800 : 0x86dd));
  return plain('opaque', 'none', ({ packet }, run) => {
    if (packet.direction === 'reply' && packet.iif === '') return BREAK;
    const type = packet.iif === null ? null : (run.environment.interfaces.get(packet.iif)?.linkType ?? null);
    return type === null || type === 'ether' ? UNKNOWN : BREAK;
  });
}

/** `@th,16,16` and the like: offsets in bits from the start of a header (nft(8), raw payload expression). */
const RAW: Readonly<Record<string, readonly [string, string]>> = {
  'th 0 16': ['th', 'sport'],
  'th 16 16': ['th', 'dport'],
  'th 104 8': ['tcp', 'flags'],
  'nh 96 32': ['ip', 'saddr'],
  'nh 128 32': ['ip', 'daddr'],
  'nh 72 8': ['ip', 'protocol'],
};

export function rawField(body: Record<string, unknown>, context: LeftContext): Left {
  const base = asString(body['base']) ?? '';
  const [protocol, field] = RAW[`${base} ${asInteger(body['offset'])} ${asInteger(body['len'])}`] ?? [];
  if (protocol !== undefined && field !== undefined) {
    const left = payloadField(protocol, field, context);
    // Written for IPv4, but applied to whatever comes: on IPv6 these bits are something else.
    if (base !== 'nh') return { ...left, domain: 'number' };
    return { ...left, read: (flow, run) => (flow.packet.family === 4 ? left.read(flow, run) : UNKNOWN) };
  }
  context.usage.computes('dport');
  context.usage.computes('sport');
  return plain('opaque', 'none', () => UNKNOWN);
}

/** Options that an ordinary SYN carries; later packets only carry the time (RFC 7323). */
const SYN_OPTIONS = new Set(['maxseg', 'mss', 'sack-perm', 'sack-permitted', 'timestamp', 'window']);
const LATER_OPTIONS = new Set(['timestamp']);

const SYN = 0x02;

export function tcpOption(body: Record<string, unknown>): Left {
  const name = asString(body['name']) ?? '';
  const field = asString(body['field']);
  const valueOf = (usual: boolean): Value => {
    if (field === null) return { kind: 'choice', low: usual ? 1 : 0, high: usual ? 1 : 0 };
    const [low, high] = field === 'size' ? [1200, 9000] : [0, 0xffffffff];
    return { kind: 'choice', low: usual ? low : null, high };
  };
  const inSyn = valueOf(SYN_OPTIONS.has(name));
  const later = valueOf(LATER_OPTIONS.has(name));
  // Asked whether there is one, the kernel says no of packets that can have none (net/netfilter/nft_exthdr.c).
  const none = field === null ? 0 : BREAK;
  return plain('number', 'none', ({ packet }) =>
    packet.transport !== 6 ? none : (packet.flags & SYN) !== 0 ? inSyn : later,
  );
}
