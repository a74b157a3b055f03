import type { Environment } from './environment';
import { Algebra } from './algebra';
import type { Flow, Packet } from './packet';
import { type Bound, type RangeSet, unionAll } from './ranges';

/** Thrown inside the evaluator only: an input that costs more than the bounds allow. The answer is then "unknown". */
export class TooLarge extends Error {}

/** Counts what is done, so that the same input always stops at the same place; a clock would not. */
export class Budget {
  constructor(private left: number) {}

  /** @throws TooLarge from the step on that is one too many. */
  spend(operations: number): void {
    this.left -= operations;
    if (this.left < 0) throw new TooLarge();
  }

  /** Whether something was left out, since it would have cost too much. */
  get isSpent(): boolean {
    return this.left < 0;
  }
}

/**
 * `free`: whatever chance, time or the peer may choose can come out either way: shows who may get in.
 * `natural`: limits have tokens left, a peer is on no list yet, an ordinary client: shows who surely gets in.
 */
export type Mode = 'free' | 'natural';

/** One passage of one kind of packet through the host. Peers go every way that they may go, so the flows can overlap. */
export class Run {
  /** Something was met that differs between the modes. */
  choiceSeen = false;
  /** Who was stopped where, for the explanation. */
  readonly stops: { readonly text: string; readonly peers: RangeSet }[] = [];
  private readonly stoppedPeers = new Set<RangeSet>();
  private readonly lostPeers = new Set<RangeSet>();
  /** Some rule looked at the peer's port, or at the flags of its first packet: then other ones may fare otherwise. */
  sawPeerPort = false;
  sawFlags = false;
  /** The hook under way comes after routing: before it a packet seldom has a route that could be asked for. */
  isRouted = true;
  /** Which packet of a connection is under way, for the explanation. */
  about = '';
  readonly algebra: Algebra;
  /** Some rule writes into a packet's destination port without translation. */
  readonly rewritesPorts: boolean;

  constructor(
    readonly environment: Environment,
    readonly mode: Mode,
    /** Which way a random choice falls in natural mode. */
    readonly luck: number,
    /** Which of two equal priorities goes first. */
    readonly reversed: boolean,
    readonly budget: Budget,
    memory?: Algebra,
  ) {
    const { mangled } = environment.usage;
    this.rewritesPorts = mangled.has('tcp dport') || mangled.has('udp dport') || mangled.has('th dport');
    this.algebra = memory ?? new Algebra((operations) => budget.spend(operations));
  }

  /** Peers whose packets may be stopped somewhere. */
  get stopped(): RangeSet {
    return unionAll([...this.stoppedPeers]);
  }

  /** Peers whose packets went where the model cannot follow. */
  get lost(): RangeSet {
    return unionAll([...this.lostPeers]);
  }

  stop(flow: Flow, text: string): void {
    this.budget.spend(1 + (flow.peers.length >> 3));
    this.stoppedPeers.add(flow.peers);
    if (this.stops.length < 200) this.stops.push({ text: `${this.about}${text}`, peers: flow.peers });
  }

  /** The packet may get through or not: what it met is not modelled. */
  lose(flow: Flow, text: string): void {
    this.lostPeers.add(flow.peers);
    this.stop(flow, text);
  }

  /** Notes that a rule looks at a port; that of the peer is the source on the way in, the destination on the way out. */
  look(packet: Packet, side: 'sport' | 'dport'): void {
    if ((side === 'sport') === (packet.direction === 'original')) this.sawPeerPort = true;
  }

  /** Something that chance or the peer decides; `natural` is how it falls for an ordinary first packet. */
  choice(natural: boolean): 'yes' | 'no' | 'maybe' {
    this.choiceSeen = true;
    if (this.mode === 'free') return 'maybe';
    return natural ? 'yes' : 'no';
  }

  /** How much of all peers this run is about: less than 1 once it follows only those of a scattered kind. */
  portion = 1;
  private scattered: { readonly mask: bigint; readonly values: RangeSet; readonly inside: boolean } | null = null;

  /** Whether a peer's address under a mask is one of some values, for masks that scatter peers over the whole space. */
  scatter(mask: bigint, values: RangeSet): 'yes' | 'no' | 'maybe' {
    this.choiceSeen = true;
    this.environment.usage.randomness = Math.max(this.environment.usage.randomness, 2);
    if (this.mode === 'free') return 'maybe';
    if (this.scattered === null) {
      let bits = 0;
      for (let rest = mask; rest > 0n; rest >>= 1n) bits += Number(rest & 1n);
      let count = 0;
      for (let i = 0; i < values.length; i += 2) count += Number(values[i + 1] as Bound) - Number(values[i] as Bound);
      const inside = this.luck % 2 === 0;
      const share = Math.min(1, count / 2 ** bits);
      this.scattered = { mask, values, inside };
      this.portion = inside ? share : 1 - share;
    }
    const same = this.scattered.mask === mask && this.scattered.values === values;
    return same ? (this.scattered.inside ? 'yes' : 'no') : 'maybe';
  }

  /** A random choice, which a peer can repeat until it falls as wanted. */
  chance(): 'yes' | 'no' | 'maybe' {
    return this.choice(this.luck % 2 === 0);
  }
}
