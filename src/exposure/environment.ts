import type { Family } from './addresses';
import type { Interface } from './interfaces';
import type { Listeners } from './listeners';
import type { RangeSet } from './ranges';
import type { Routing } from './routing';
import { type Bound, fromPairs } from './ranges';

/** What rules are judged against, beside the packet: fixed for one evaluation. */
export interface Environment {
  readonly interfaces: ReadonlyMap<string, Interface>;
  readonly listeners: Listeners;
  readonly routing: Readonly<Record<Family, Routing>>;
  readonly sysctls: ReadonlyMap<string, number>;
  readonly usage: Usage;
}

/** Reads `net/ipv4/conf/…` values; null: not known. */
export function sysctl(environment: Environment, path: string): number | null {
  return environment.sysctls.get(path) ?? null;
}

/** The routing table of the VRF that an interface belongs to. */
export function vrfOf(environment: Environment, name: string | null): Interface | null {
  const master = name === null ? null : (environment.interfaces.get(name)?.master ?? null);
  const vrf = master === null ? undefined : environment.interfaces.get(master);
  return vrf?.kind === 'vrf' ? vrf : null;
}

export type Used = 'dport' | 'sport' | 'daddr4' | 'daddr6';

/**
 * What the rules tell apart. Ports between two values that any rule names fare alike, so one of them stands for all;
 * the same for destination addresses. A rule that computes with a port makes every port its own.
 */
export class Usage {
  private readonly pairs: Record<Used, (readonly [Bound, Bound])[]> = { dport: [], sport: [], daddr4: [], daddr6: [] };
  private readonly computed = new Set<Used>();
  private readonly sorted = new Map<Used, readonly Bound[]>();
  /** TCP flag bits that any rule looks at. */
  flagBits = 0;
  /** Some rule sends packets elsewhere before routing (dnat, redirect, tproxy): ports without a socket matter then. */
  redirects = false;
  /** Largest number of outcomes of any random choice. */
  randomness = 0;
  /** Sets that packets can fill or empty, by key. */
  readonly fillable = new Set<string>();
  /**
   * Families of which some rule asks for connections: the kernel tracks none before that (nf_ct_netns_get), and nat chains
   * see no packet of a connection that is not tracked.
   */
  readonly tracked = new Set<Family>();
  /** Header fields and properties that rules set; reading one of those is not understood. */
  readonly mangled = new Set<string>();

  names(what: Used, set: RangeSet): void {
    for (let i = 0; i < set.length; i += 2) this.pairs[what].push([set[i] as Bound, set[i + 1] as Bound]);
  }

  computes(what: Used): void {
    this.computed.add(what);
  }

  isComputed(what: Used): boolean {
    return this.computed.has(what);
  }

  /** Every value at which a range that some rule names begins or ends, sorted. */
  boundaries(what: Used): readonly Bound[] {
    const found = this.sorted.get(what);
    if (found !== undefined) return found;
    const all = new Set<Bound>();
    for (const [start, end] of this.pairs[what]) all.add(start).add(end);
    const sorted = [...all].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    this.sorted.set(what, sorted);
    return sorted;
  }

  /** A number that is equal for values that no rule tells apart. */
  classOf(what: Used, value: Bound): string {
    if (this.computed.has(what)) return `=${value}`;
    const all = this.boundaries(what);
    let low = 0;
    let high = all.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((all[middle] as Bound) <= value) low = middle + 1;
      else high = middle;
    }
    return String(low);
  }

  /** One value of each class within 0 to `last`, with the class's own last value. */
  classes(what: Used, last: number): readonly { readonly first: number; readonly last: number }[] {
    const cuts = this.boundaries(what)
      .map(Number)
      .filter((cut) => cut > 0 && cut <= last);
    const starts = [0, ...cuts];
    return starts.map((first, i) => ({ first, last: (starts[i + 1] ?? last + 1) - 1 }));
  }

  /** All that rules name for a field, as one set. */
  named(what: Used): RangeSet {
    return fromPairs(this.pairs[what]);
  }
}
