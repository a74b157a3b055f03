import type { Family } from './addresses';
import type { Usage } from './environment';
import type { Destination } from './internet';
import type { Listeners } from './listeners';
import type { Transport } from './sockets';
import type { Attempt, Outcome } from './trial';

/** A port that client systems choose for themselves (net.ipv4.ip_local_port_range begins at 32768 on Linux). */
const EPHEMERAL = 45_678;
const MOST_SOURCE_PORTS = 24;

const SYN = 0x02;
const ECN_SYN = 0xc2;
const ECN_BITS = 0xc0;
/** PSH and URG: the kernel opens a connection for a SYN with them, though no client sends one. */
const ODD_BITS = 0x28;

interface Flags {
  readonly flags: number;
  readonly ordinary: boolean;
}

/** SYNs that differ in a flag that some rule looks at (RFC 3168: an ECN-capable client's SYN has ECE and CWR). */
export function flagVariants(transport: Transport, looked: number): readonly Flags[] {
  if (transport !== 6) return [{ flags: 0, ordinary: true }];
  const out: Flags[] = [{ flags: SYN, ordinary: true }];
  if ((looked & ECN_BITS) !== 0) out.push({ flags: ECN_SYN, ordinary: true });
  const odd = looked & ODD_BITS;
  for (const bits of [0x08, 0x20, 0x28]) {
    if ((bits & odd) !== bits) continue;
    out.push({ flags: SYN | bits, ordinary: false });
    if ((looked & ECN_BITS) !== 0) out.push({ flags: ECN_SYN | bits, ordinary: false });
  }
  if ((looked & ECN_BITS) !== 0)
    out.push({ flags: SYN | 0x40, ordinary: false }, { flags: SYN | 0x80, ordinary: false });
  return out;
}

interface PeerPort {
  readonly port: number | null;
  readonly ordinary: boolean;
}

/**
 * The peer's port: one that its system chose, and one of every kind that rules tell apart, since a peer can choose its own.
 * Rules about destination ports count, too: that is what the peer's port is for the host's answers. A port that only
 * helps there is hardly what anybody calls open, but it is not closed either.
 */
export function peerPorts(usage: Usage): readonly PeerPort[] {
  const out: PeerPort[] = [{ port: EPHEMERAL, ordinary: true }];
  const kind = (port: number): string => `${usage.classOf('sport', port)} ${usage.classOf('dport', port)}`;
  const seen = new Set([kind(EPHEMERAL)]);
  let complete = !usage.isComputed('sport') && !usage.isComputed('dport');
  const named = [1, ...usage.boundaries('sport')].map(Number);
  for (const [i, start] of [...named, ...usage.boundaries('dport').map(Number)].entries()) {
    if (start < 1 || start > 65535 || seen.has(kind(start))) continue;
    if (out.length > MOST_SOURCE_PORTS) {
      complete = false;
      break;
    }
    seen.add(kind(start));
    out.push({ port: start, ordinary: i < named.length && usage.boundaries('sport').length > 0 });
  }
  if (!complete) out.push({ port: null, ordinary: false });
  return out;
}

/** Destinations that no rule tells apart are tried once. */
export function distinctDestinations(
  all: readonly Destination[],
  family: Family,
  transport: Transport,
  port: number | null,
  usage: Usage,
  listeners: Listeners,
): readonly Destination[] {
  const seen = new Set<string>();
  const bound = new Set(port === null ? [] : listeners.at(transport, port).map((listener) => String(listener.address)));
  return all.filter(({ address, device }) => {
    const own = bound.has(String(address)) || listeners.hasVirtual(address) ? String(address) : '';
    const key = `${usage.classOf(family === 4 ? 'daddr4' : 'daddr6', address)}|${device}|${own}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** The kinds of packets worth trying for one port, one address and one interface, the most ordinary first. */
export interface Variants {
  readonly peerPorts: readonly PeerPort[];
  readonly flags: readonly Flags[];
}

export function variants(transport: Transport, usage: Usage): Variants {
  return { peerPorts: peerPorts(usage), flags: flagVariants(transport, usage.flagBits) };
}

/**
 * Tries the variants, and passes over those that cannot differ: another source port changes nothing where no rule on the
 * way looked at it, nor do other flags. `send` says whether to go on.
 */
export function tryAll(
  all: Variants,
  send: (packet: Pick<Attempt, 'peerPort' | 'flags' | 'ordinary'>) => Outcome | null,
): void {
  for (const source of all.peerPorts) {
    let sawPeerPort = false;
    for (const flag of all.flags) {
      const outcome = send({ peerPort: source.port, flags: flag.flags, ordinary: source.ordinary && flag.ordinary });
      if (outcome === null) return;
      sawPeerPort ||= outcome.saw.peerPort;
      if (!outcome.saw.flags) break;
    }
    if (!sawPeerPort) return;
  }
}
