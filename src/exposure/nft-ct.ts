import { type Left, type LeftContext, plain } from './left';
import type { Packet } from './packet';
import { asString } from './reading';
import type { Run } from './run';
import { BREAK, PEER, UNKNOWN, type Value } from './values';

/** Bits of `ct state` (include/uapi/linux/netfilter/nf_conntrack_common.h). */
export const STATE_BIT = { invalid: 1, established: 2, new: 8, untracked: 64 } as const;

const DNAT_BIT = 32;
const SEEN_REPLY_BIT = 2;
const CONFIRMED_BIT = 8;

/** What conntrack knows: `ct state`, `ct mark`, … (nft(8), "Conntrack expressions"). */
export function ctField(body: Record<string, unknown>, context: LeftContext): Left {
  const [key, inlineFamily] = ctKey(asString(body['key']) ?? '');
  const direction = asString(body['dir']);
  const tracked =
    (read: (packet: Packet, run: Run) => Value): Left['read'] =>
    ({ packet }, run) =>
      packet.tracking === 'new' || packet.tracking === 'established' ? read(packet, run) : BREAK;
  switch (key) {
    case 'state':
      return { ...plain('number', 'state', ({ packet }) => STATE_BIT[packet.tracking]), bits: true };
    case 'status':
      return { ...plain('number', 'status', tracked(statusBits)), bits: true };
    case 'direction':
      return plain(
        'number',
        'direction',
        tracked((packet) => (packet.direction === 'original' ? 0 : 1)),
      );
    case 'mark':
      return plain(
        'number',
        'none',
        tracked((packet) => packet.connection.mark ?? UNKNOWN),
      );
    case 'l3proto':
      return plain(
        'number',
        'nfProtocol',
        tracked(({ family }) => (family === 4 ? 2 : 10)),
      );
    case 'protocol':
      return plain(
        'number',
        'protocol',
        tracked(({ transport }) => transport),
      );
    case 'saddr':
    case 'daddr':
      return address(key, direction, inlineFamily ?? asString(body['family']), tracked);
    case 'proto-src':
    case 'proto-dst':
      return port(key, direction, tracked);
    case 'helper':
      // Only connections that a helper expected have one to show (net/netfilter/nft_ct.c).
      return plain('opaque', 'none', () => BREAK);
    case 'label':
      return plain(
        'opaque',
        'none',
        tracked(() => UNKNOWN),
      );
    case 'zone':
      return plain(
        'number',
        'none',
        tracked(() => (context.usage.mangled.has('ct zone') ? UNKNOWN : 0)),
      );
    case 'packets':
      return plain(
        'number',
        'none',
        tracked(() => ({ kind: 'choice', low: 0, high: 3 })),
      );
    case 'bytes':
    case 'avgpkt':
      return plain(
        'number',
        'none',
        tracked(() => ({ kind: 'choice', low: 0, high: 1500 })),
      );
    default:
      return plain(
        'opaque',
        'none',
        tracked(() => UNKNOWN),
      );
  }
}

/** `ip saddr` in newer versions, `saddr` with a family beside it in older ones. */
function ctKey(key: string): readonly [string, string | null] {
  if (key.startsWith('ip6 ')) return [key.slice(4), 'ip6'];
  return key.startsWith('ip ') ? [key.slice(3), 'ip'] : [key, null];
}

function statusBits(packet: Packet): Value {
  const translated = packet.connection.dnat === null ? 0 : DNAT_BIT;
  if (packet.tracking === 'new') return translated;
  return translated | SEEN_REPLY_BIT | CONFIRMED_BIT;
}

type Tracked = (read: (packet: Packet, run: Run) => Value) => Left['read'];

/** Original direction: peer to first destination. Reply direction: translated destination to peer. */
function address(key: string, direction: string | null, family: string | null, tracked: Tracked): Left {
  const wanted = family === null ? null : family === 'ip6' || family === 'ipv6' ? 6 : 4;
  const isPeer = (key === 'saddr') === (direction !== 'reply');
  const read = (packet: Packet): Value => {
    if (wanted !== null && packet.family !== wanted) return BREAK;
    if (isPeer) return PEER;
    const { connection } = packet;
    return direction === 'reply' && connection.dnat !== null ? connection.dnat.address : connection.address;
  };
  const domain = wanted === null ? 'opaque' : wanted === 4 ? 'ipv4' : 'ipv6';
  const left = plain(domain, 'none', tracked(wanted === null ? () => UNKNOWN : read));
  return isPeer || wanted === null ? left : { ...left, uses: wanted === 4 ? 'daddr4' : 'daddr6' };
}

function port(key: string, direction: string | null, tracked: Tracked): Left {
  const isPeer = (key === 'proto-src') === (direction !== 'reply');
  if (isPeer) {
    const peer = tracked((packet, run) => {
      run.sawPeerPort = true;
      return packet.connection.peerPort ?? UNKNOWN;
    });
    return { ...plain('number', 'none', peer), uses: 'sport' };
  }
  const read = ({ connection }: Packet): Value =>
    direction === 'reply' && connection.dnat !== null ? (connection.dnat.port ?? UNKNOWN) : connection.port;
  return { ...plain('number', 'none', tracked(read)), uses: 'dport' };
}
