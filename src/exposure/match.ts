import { EVERYTHING } from './address-space';
import type { Family } from './addresses';
import type { Flow } from './packet';
import { type Bound, EMPTY, type RangeSet, contains, intersect, isEmpty } from './ranges';
import type { Run } from './run';

/**
 * Whether a packet matches: certainly, certainly not, maybe (nobody can tell from here), or for some peers: those in
 * `sure` match, those outside `may` do not, the rest may.
 */
export type Match = 'yes' | 'no' | 'maybe' | { readonly sure: RangeSet; readonly may: RangeSet };

export type Test = (flow: Flow, run: Run) => Match;

/** Splits a flow; peers about whom it is not certain go both ways. */
export function split(flow: Flow, match: Match, run: Run): { readonly taken: Flow | null; readonly rest: Flow | null } {
  if (match === 'yes') return { taken: flow, rest: null };
  if (match === 'no') return { taken: null, rest: flow };
  if (match === 'maybe') return { taken: flow, rest: flow };
  return {
    taken: narrowed(flow, run.algebra.intersect(flow.peers, match.may)),
    rest: narrowed(flow, run.algebra.subtract(flow.peers, match.sure)),
  };
}

export function narrowed(flow: Flow, peers: RangeSet): Flow | null {
  if (isEmpty(peers)) return null;
  return peers === flow.peers ? flow : { ...flow, peers };
}

export function invert(match: Match, family: Family, run: Run): Match {
  if (match === 'maybe') return match;
  if (match === 'yes') return 'no';
  if (match === 'no') return 'yes';
  const all = EVERYTHING[family];
  return { sure: run.algebra.subtract(all, match.may), may: run.algebra.subtract(all, match.sure) };
}

/** Both must match. */
export function both(a: Match, b: Match): Match {
  if (a === 'no' || b === 'no') return 'no';
  if (a === 'yes') return b;
  if (b === 'yes') return a;
  if (a === 'maybe') return b === 'maybe' ? b : { sure: EMPTY, may: b.may };
  if (b === 'maybe') return { sure: EMPTY, may: a.may };
  return { sure: intersect(a.sure, b.sure), may: intersect(a.may, b.may) };
}

/** Peers of a set, and perhaps others if the set was not understood as a whole. */
export function peersIn(set: RangeSet, partial: boolean, family: Family): Match {
  return { sure: set, may: partial ? EVERYTHING[family] : set };
}

export function whether(condition: boolean): Match {
  return condition ? 'yes' : 'no';
}

/** Whether a single value is in a set that may be incomplete. */
export function member(set: RangeSet, partial: boolean, value: Bound): Match {
  if (contains(set, value)) return 'yes';
  return partial ? 'maybe' : 'no';
}
