import { after } from './addresses';
import { type Bound, EMPTY } from './ranges';
import type { ValueSet } from './values';

/** One element: a set of values for each part of the key, and what a map yields for it. */
export interface Entry {
  readonly parts: readonly ValueSet[];
  readonly data: unknown;
  /** Carries a limit or quota of its own: then it may match and may not. */
  readonly doubtful: boolean;
}

/** The element `*` of a map, for everything that no other element has. */
export function isWild(entry: Entry): boolean {
  return entry.parts.length === 1 && entry.parts[0] === WILD;
}

export const WILD: ValueSet = { ranges: EMPTY, names: [], partial: false };

/** Maps shorter than this are gone through as they are. */
export const WORTH_IT = 32;

/** The entries by one part of their keys: those with a single value there, and the others. */
export interface Column {
  readonly exact: ReadonlyMap<Bound, readonly Entry[]>;
  readonly others: readonly Entry[];
}

export function columnOf(entries: readonly Entry[], position: number): Column {
  const exact = new Map<Bound, Entry[]>();
  const others: Entry[] = [];
  for (const entry of entries) {
    const value = isWild(entry) ? null : singleValue(entry.parts[position]);
    const list = value === null ? others : (exact.get(value) ?? []);
    list.push(entry);
    if (value !== null) exact.set(value, list);
  }
  return { exact, others };
}

function singleValue(part: ValueSet | undefined): Bound | null {
  if (part === undefined || part.partial || part.names.length > 0 || part.ranges.length !== 2) return null;
  const [start, end] = part.ranges as readonly [Bound, Bound];
  return after(start) === end ? start : null;
}
