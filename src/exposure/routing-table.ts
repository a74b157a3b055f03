import type { Family } from './addresses';
import { type Bound, type RangeSet, fromPairs } from './ranges';
import type { Route } from './routes';

/** What the routing tables say about a destination. */
export interface Outcome {
  readonly kind: 'local' | 'unicast' | 'broadcast' | 'none' | 'unknown';
  readonly devices: readonly string[];
}

/** A part of a table with one outcome. */
export interface Segment {
  readonly to: RangeSet;
  readonly outcome: Outcome;
  readonly prefixLength: number;
  /** A `throw` route: the next rule is asked. */
  readonly passes: boolean;
}

export const NO_ROUTE: Outcome = { kind: 'none', devices: [] };
export const NOT_KNOWN: Outcome = { kind: 'unknown', devices: [] };

/** A table as disjoint pieces: prefixes nest, so one pass with a stack gives the longest match of every address. */
export function segments(routes: readonly Route[], family: Family): readonly Segment[] {
  const sorted = [...routes].sort((a, b) =>
    a.to.start < b.to.start ? -1 : a.to.start > b.to.start ? 1 : a.prefixLength - b.prefixLength || a.metric - b.metric,
  );
  const groups = new Map<
    string,
    { outcome: Outcome; prefixLength: number; passes: boolean; pairs: [Bound, Bound][] }
  >();
  const stack: Route[] = [];
  let position: Bound = family === 4 ? 0 : 0n;
  const emit = (end: Bound): void => {
    const top = stack[stack.length - 1];
    if (top !== undefined && position < end) {
      const outcome = outcomeOf(top);
      const key = `${outcome.kind}|${outcome.devices.join(',')}|${top.prefixLength}|${top.type === 'throw'}`;
      const group = groups.get(key);
      if (group !== undefined) group.pairs.push([position, end]);
      else
        groups.set(key, {
          outcome,
          prefixLength: top.prefixLength,
          passes: top.type === 'throw',
          pairs: [[position, end]],
        });
    }
    if (position < end) position = end;
  };
  for (const route of sorted) {
    for (
      let top = stack[stack.length - 1];
      top !== undefined && top.to.end <= route.to.start;
      top = stack[stack.length - 1]
    ) {
      emit(top.to.end);
      stack.pop();
    }
    const top = stack[stack.length - 1];
    // The same prefix again, with a higher metric: not used while the first one is there.
    if (top !== undefined && top.to.start === route.to.start && top.to.end === route.to.end) continue;
    emit(route.to.start);
    stack.push(route);
  }
  for (let top = stack[stack.length - 1]; top !== undefined; top = stack[stack.length - 1]) {
    emit(top.to.end);
    stack.pop();
  }
  return [...groups.values()].map(({ pairs, ...rest }) => ({ ...rest, to: fromPairs(pairs) }));
}

function outcomeOf(route: Route): Outcome {
  if (route.conditional) return NOT_KNOWN;
  if (route.type === 'local' || route.type === 'anycast') return { kind: 'local', devices: route.devices };
  if (route.type === 'unicast') return { kind: 'unicast', devices: route.devices };
  if (route.type === 'broadcast' || route.type === 'multicast') return { kind: 'broadcast', devices: route.devices };
  return NO_ROUTE;
}
