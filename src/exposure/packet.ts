import type { Family } from './addresses';
import type { Algebra } from './algebra';
import { type Bound, type RangeSet, isEmpty } from './ranges';
import type { Transport } from './sockets';

/** What conntrack says of a packet. `invalid` stands for "no connection attached", which rules see before conntrack has run, too. */
export type Tracking = 'invalid' | 'untracked' | 'new' | 'established';

/**
 * One packet on its way, with the peer's address left open: where `saddr` or `daddr` is null it is the peer's. Everything
 * else is known, or null where it cannot be. Never changed in place.
 */
export interface Packet {
  readonly family: Family;
  readonly transport: Transport;
  /** `original`: from the peer; `reply`: the host's answer. */
  readonly direction: 'original' | 'reply';
  readonly saddr: Bound | null;
  readonly daddr: Bound | null;
  readonly sport: number | null;
  readonly dport: number | null;
  readonly flags: number;
  /** Interface that it came in by or leaves by, as the hook under way sees it; null where there is none or it is not known. */
  readonly iif: string | null;
  readonly oif: string | null;
  readonly mark: number | null;
  readonly tracking: Tracking;
  readonly connection: Connection;
  /** Given by TPROXY: the socket that takes it, whatever its destination says. */
  readonly tproxy: { readonly address: Bound | null; readonly port: number | null } | null;
  /** Sets that this packet has put its peer into, sorted. */
  readonly joined: readonly string[];
}

/** What conntrack remembers of the connection. */
export interface Connection {
  readonly mark: number | null;
  /** Destination before any translation. */
  readonly address: Bound;
  readonly port: number;
  readonly peerPort: number | null;
  /** Its destination was translated to what follows. */
  readonly dnat: { readonly address: Bound; readonly port: number | null } | null;
  /** A nat rule has decided: no later one is asked (net/netfilter/nf_nat_core.c, nf_nat_initialized). */
  readonly mapped: boolean;
  /** The interface that it came in by, when that belongs to a VRF. */
  readonly slave: string | null;
}

/** Packets from some peers that are in the same state. */
export interface Flow {
  readonly packet: Packet;
  readonly peers: RangeSet;
  readonly why: Why | null;
}

/** The decisions that let a flow come this far, the last one first. */
export interface Why {
  readonly kind: 'rule' | 'policy' | 'nat';
  readonly text: string;
  readonly before: Why | null;
}

/** How many decisions are remembered: enough for a sentence, and a chain of thousands of marks stays small. */
const MAX_WHY = 24;

export function because(flow: Flow, kind: Why['kind'], text: string): Flow {
  let depth = 0;
  for (let why = flow.why; why !== null; why = why.before) {
    if (why.text === text) return flow;
    depth += 1;
  }
  return depth >= MAX_WHY ? flow : { ...flow, why: { kind, text, before: flow.why } };
}

/** Two flows in the same state are one flow. */
export function stateKey(packet: Packet): string {
  const { connection: c, tproxy: t } = packet;
  return [
    ...[packet.saddr, packet.daddr, packet.sport, packet.dport, packet.flags, packet.iif, packet.oif, packet.mark],
    ...[packet.tracking, packet.direction, packet.joined.join(','), t?.address, t?.port, t === null],
    ...[c.mark, c.address, c.port, c.dnat?.address, c.dnat?.port, c.mapped],
  ].join('|');
}

const keys = new WeakMap<Packet, string>();

function keyOf(packet: Packet): string {
  let key = keys.get(packet);
  if (key === undefined) keys.set(packet, (key = stateKey(packet)));
  return key;
}

/** Joins flows in equal states; of their reasons the one that more peers have survives. */
export function merge(flows: readonly Flow[], algebra: Algebra): readonly Flow[] {
  if (flows.length < 2) return flows;
  const byPacket = new Map<Packet, Flow>();
  for (const flow of flows) {
    if (isEmpty(flow.peers)) continue;
    const same = byPacket.get(flow.packet);
    byPacket.set(flow.packet, same === undefined ? flow : joinedFlow(same, flow, algebra));
  }
  if (byPacket.size < 2) return [...byPacket.values()];
  const byKey = new Map<string, Flow>();
  for (const flow of byPacket.values()) {
    const key = keyOf(flow.packet);
    const same = byKey.get(key);
    byKey.set(key, same === undefined ? flow : joinedFlow(same, flow, algebra));
  }
  return [...byKey.values()];
}

function joinedFlow(a: Flow, b: Flow, algebra: Algebra): Flow {
  return { packet: a.packet, peers: algebra.union(a.peers, b.peers), why: a.why === b.why ? a.why : longer(a, b) };
}

function longer(a: Flow, b: Flow): Why | null {
  return weight(b.peers) > weight(a.peers) ? b.why : a.why;
}

const weights = new WeakMap<RangeSet, number>();

function weight(peers: RangeSet): number {
  const known = weights.get(peers);
  if (known !== undefined) return known;
  let total = 0;
  for (let i = 0; i < peers.length; i += 2) total += Number(peers[i + 1] as Bound) - Number(peers[i] as Bound);
  weights.set(peers, total);
  return total;
}
