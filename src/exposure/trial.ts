import { FIRST, handshake } from './handshake';
import { publicShare } from './address-space';
import type { Family } from './addresses';
import type { Environment } from './environment';
import type { Hooks } from './hooks';
import type { Algebra } from './algebra';
import { arrive } from './passage';
import type { Flow, Packet, Why } from './packet';
import { type Bound, EMPTY, type RangeSet, intersect, isEmpty, subtract, union, unionAll } from './ranges';
import { type Budget, type Mode, Run } from './run';
import type { Transport } from './sockets';

/** One kind of packet that a peer may send. */
export interface Attempt {
  readonly family: Family;
  readonly transport: Transport;
  readonly address: Bound;
  readonly port: number;
  readonly iif: string;
  readonly peerPort: number | null;
  readonly flags: number;
  /** False: no ordinary client sends this; it only shows who may get in. */
  readonly ordinary: boolean;
}

/** Who gets in with it. */
export interface Outcome {
  readonly surely: RangeSet;
  readonly maybe: RangeSet;
  /** How the largest part got in. */
  readonly why: Why | null;
  /** Somebody was sent on to another address or port. */
  readonly redirected: boolean;
  readonly stops: Run['stops'];
  /** Some rule looked at the peer's port, or at the flags of its first packet. */
  readonly saw: { readonly peerPort: boolean; readonly flags: boolean };
}

export interface Laboratory {
  readonly environment: Environment;
  readonly hooks: Hooks;
  readonly budget: Budget;
  readonly algebra: Algebra;
  /** Every kind of packet is tried for every port, also when the answer is clear; for tests that ask about single sources. */
  readonly exhaustive: boolean;
}

/** What an attempt costs by itself, in steps. */
const ATTEMPT = 10;

/** Sends the packet from all peers at once, in every way that chance and what is not known may turn out. */
export function attempt(packet: Attempt, peers: RangeSet, lab: Laboratory): Outcome {
  const orders = lab.hooks.hasTies(packet.family) ? [false, true] : [false];
  let result: Outcome | null = null;
  for (const reversed of orders) {
    const one = inOrder(packet, peers, lab, reversed);
    result =
      result === null
        ? one
        : {
            ...one,
            surely: intersect(result.surely, one.surely),
            maybe: union(result.maybe, one.maybe),
            why: result.why ?? one.why,
            redirected: result.redirected || one.redirected,
            saw: either(result.saw, one.saw),
          };
  }
  return result as Outcome;
}

function either(a: Outcome['saw'], b: Outcome['saw']): Outcome['saw'] {
  return { peerPort: a.peerPort || b.peerPort, flags: a.flags || b.flags };
}

function inOrder(packet: Attempt, peers: RangeSet, lab: Laboratory, reversed: boolean): Outcome {
  const free = once(packet, peers, lab, 'free', 0, reversed);
  if (!free.choiceSeen || !packet.ordinary) return { ...free, surely: packet.ordinary ? free.surely : EMPTY };
  const lucks = Math.max(1, Math.min(lab.environment.usage.randomness, 16));
  let surely = free.surely;
  let why = free.why;
  let stops = free.stops;
  let saw = free.saw;
  for (let luck = 0; luck < lucks; luck += 1) {
    const natural = once(packet, peers, lab, 'natural', luck, reversed);
    if (luck === 0) stops = natural.stops;
    if (publicShare(packet.family, natural.surely) > publicShare(packet.family, surely)) why = natural.why;
    surely = union(surely, natural.surely);
    saw = either(saw, natural.saw);
  }
  return { ...free, surely, why, stops, saw };
}

function once(
  given: Attempt,
  peers: RangeSet,
  lab: Laboratory,
  mode: Mode,
  luck: number,
  reversed: boolean,
): Outcome & { readonly choiceSeen: boolean } {
  const run = new Run(lab.environment, mode, luck, reversed, lab.budget, lab.algebra);
  const start = packetOf(given);
  const deliveries = arrive([{ packet: start, peers, why: null }], lab.hooks, run, FIRST, true);
  const flows = handshake(deliveries, start, lab.hooks, run);
  const { lost, stopped } = run;
  const maybe = intersect(unionAll([lost, ...flows.map((flow) => flow.peers)]), peers);
  lab.budget.spend(ATTEMPT + stopped.length + maybe.length);
  const surely = thinned(
    intersect(subtract(peers, stopped), maybe),
    lab.exhaustive && run.portion < 1 ? 0 : run.portion,
    given.family,
  );
  const redirected = [...deliveries.map(({ flow }) => flow), ...flows].some(isRedirected) || !isEmpty(lost);
  return {
    surely,
    maybe,
    why: largest(flows)?.why ?? null,
    redirected,
    stops: run.stops,
    saw: { peerPort: run.sawPeerPort, flags: run.sawFlags },
    choiceSeen: run.choiceSeen,
  };
}

/** A run about a portion of all peers, scattered evenly, counts as one about every other block of the address space. */
function thinned(peers: RangeSet, portion: number, family: Family): RangeSet {
  if (portion >= 1) return peers;
  return portion >= 0.5 ? intersect(peers, EVERY_OTHER_BLOCK[family]) : EMPTY;
}

const EVERY_OTHER_BLOCK: Readonly<Record<Family, RangeSet>> = {
  4: Array.from({ length: 256 }, (_, i) => i * 2 ** 24),
  6: Array.from({ length: 65_536 }, (_, i) => BigInt(i) << 112n),
};

function isRedirected({ packet }: Flow): boolean {
  return (
    packet.tproxy !== null ||
    packet.connection.dnat !== null ||
    packet.dport !== packet.connection.port ||
    packet.daddr !== packet.connection.address
  );
}

function largest(flows: readonly Flow[]): Flow | null {
  if (flows.length < 2) return flows[0] ?? null;
  let best: Flow | null = null;
  for (const flow of flows) {
    if (best === null || publicShare(flow.packet.family, flow.peers) > publicShare(best.packet.family, best.peers))
      best = flow;
  }
  return best;
}

function packetOf(given: Attempt): Packet {
  return {
    family: given.family,
    transport: given.transport,
    direction: 'original',
    saddr: null,
    daddr: given.address,
    sport: given.peerPort,
    dport: given.port,
    flags: given.flags,
    iif: given.iif,
    oif: '',
    mark: 0,
    tracking: 'invalid',
    connection: {
      mark: 0,
      address: given.address,
      port: given.port,
      peerPort: given.peerPort,
      dnat: null,
      mapped: false,
      slave: given.iif,
    },
    tproxy: null,
    joined: [],
  };
}
