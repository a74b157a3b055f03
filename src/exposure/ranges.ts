/** One end of a range: IPv4 addresses, ports and marks are numbers, IPv6 addresses are bigints. One set never mixes them. */
export type Bound = number | bigint;

/**
 * A set of values as sorted, disjoint, non-adjacent half-open ranges, flattened: [start, end, start, end, …].
 * Half open, so that no operation ever has to add or subtract one.
 */
export type RangeSet = readonly Bound[];

/** The empty set, of either kind. */
export const EMPTY: RangeSet = Object.freeze([]);

export function isEmpty(set: RangeSet): boolean {
  return set.length === 0;
}

/** How many ranges a set has: what an operation on it costs. */
export function rangeCount(set: RangeSet): number {
  return set.length >> 1;
}

/** Builds a set from ranges in any order; empty and inverted ranges are left out. */
export function fromPairs(pairs: readonly (readonly [Bound, Bound])[]): RangeSet {
  const packed = pairs.length < WORTH_PACKING ? null : packedPairs(pairs);
  if (packed !== null) return packed;
  const sorted = pairs.filter(([start, end]) => start < end);
  if (!isSorted(sorted)) sorted.sort(byStart);
  const out: Bound[] = [];
  for (const [start, end] of sorted) append(out, start, end);
  return out.length === 0 ? EMPTY : out;
}

/** Fewer ranges are sorted as they are. */
const WORTH_PACKING = 256;
const MOST_STARTS = 2 ** 32;
const MOST_SIZES = 2 ** 20;

/** The same for many small ranges of IPv4: each as one number, start and size, which sort many times faster. */
function packedPairs(pairs: readonly Pair[]): RangeSet | null {
  const packed = new Float64Array(pairs.length);
  for (let i = 0; i < pairs.length; i += 1) {
    const [start, end] = pairs[i] as Pair;
    if (typeof start !== 'number' || typeof end !== 'number' || start < 0 || start >= MOST_STARTS) return null;
    const size = end - start;
    if (size <= 0 || size >= MOST_SIZES) return null;
    packed[i] = start * MOST_SIZES + size;
  }
  packed.sort();
  const out: Bound[] = [];
  for (const one of packed) {
    const start = Math.floor(one / MOST_SIZES);
    append(out, start, start + (one - start * MOST_SIZES));
  }
  return out;
}

type Pair = readonly [Bound, Bound];

function byStart([a]: Pair, [b]: Pair): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return a < b ? -1 : a > b ? 1 : 0;
}

function isSorted(pairs: readonly Pair[]): boolean {
  for (let i = 1; i < pairs.length; i += 1) if ((pairs[i] as Pair)[0] < (pairs[i - 1] as Pair)[0]) return false;
  return true;
}

function append(out: Bound[], start: Bound, end: Bound): void {
  const last = out.length - 1;
  const lastEnd = out[last];
  if (lastEnd === undefined || start > lastEnd) {
    out.push(start, end);
    return;
  }
  if (end > lastEnd) out[last] = end;
}

export function contains(set: RangeSet, value: Bound): boolean {
  return indexOf(set, value) >= 0;
}

/** The number of the range that holds the value, or -1; by bisection. */
export function indexOf(set: RangeSet, value: Bound): number {
  let low = 0;
  let high = (set.length >> 1) - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (value < (set[middle * 2] as Bound)) high = middle - 1;
    else if (value >= (set[middle * 2 + 1] as Bound)) low = middle + 1;
    else return middle;
  }
  return -1;
}

/** The numbers of a small set one by one; undefined if there are more than a few. */
export function listed(set: RangeSet): readonly number[] | undefined {
  const out: number[] = [];
  for (let i = 0; i < set.length; i += 2) {
    for (let value = Number(set[i]); value < Number(set[i + 1]); value += 1) {
      if (out.length >= MOST_LISTED) return undefined;
      out.push(value);
    }
  }
  return out;
}

const MOST_LISTED = 16;

export function intersect(a: RangeSet, b: RangeSet): RangeSet {
  if (a === b) return a;
  if (a.length === 0 || b.length === 0) return EMPTY;
  if (covers(a, b)) return b;
  if (covers(b, a)) return a;
  const out: Bound[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const start = larger(a[i] as Bound, b[j] as Bound);
    const endA = a[i + 1] as Bound;
    const endB = b[j + 1] as Bound;
    const end = endA < endB ? endA : endB;
    if (start < end) out.push(start, end);
    if (endA < endB) i += 2;
    else j += 2;
  }
  return out.length === 0 ? EMPTY : out;
}

export function union(a: RangeSet, b: RangeSet): RangeSet {
  if (a === b || b.length === 0) return a;
  if (a.length === 0) return b;
  if (covers(a, b)) return a;
  if (covers(b, a)) return b;
  const out: Bound[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const takeA = j >= b.length || (i < a.length && (a[i] as Bound) <= (b[j] as Bound));
    if (takeA) {
      append(out, a[i] as Bound, a[i + 1] as Bound);
      i += 2;
    } else {
      append(out, b[j] as Bound, b[j + 1] as Bound);
      j += 2;
    }
  }
  return out;
}

/** All of many sets, at the cost of sorting their ranges once. */
export function unionAll(sets: readonly RangeSet[]): RangeSet {
  if (sets.length < 4) return sets.reduce(union, EMPTY);
  const pairs: (readonly [Bound, Bound])[] = [];
  for (const set of sets) for (let i = 0; i < set.length; i += 2) pairs.push([set[i] as Bound, set[i + 1] as Bound]);
  return fromPairs(pairs);
}

/** What is in `a` and not in `b`. */
export function subtract(a: RangeSet, b: RangeSet): RangeSet {
  if (a === b || a.length === 0) return EMPTY;
  if (b.length === 0) return a;
  if (covers(b, a)) return EMPTY;
  const out: Bound[] = [];
  let j = 0;
  for (let i = 0; i < a.length; i += 2) {
    let start = a[i] as Bound;
    const end = a[i + 1] as Bound;
    while (j < b.length && (b[j + 1] as Bound) <= start) j += 2;
    let k = j;
    while (k < b.length && (b[k] as Bound) < end) {
      const cut = b[k] as Bound;
      if (start < cut) out.push(start, cut);
      start = larger(start, b[k + 1] as Bound);
      k += 2;
    }
    if (start < end) out.push(start, end);
  }
  return out.length === 0 ? EMPTY : out;
}

/** Whether a single range of `a` holds all of `b`: the common case, and it saves the copy. */
function covers(a: RangeSet, b: RangeSet): boolean {
  if (a.length !== 2) return false;
  return (a[0] as Bound) <= (b[0] as Bound) && (a[1] as Bound) >= (b[b.length - 1] as Bound);
}

function larger(a: Bound, b: Bound): Bound {
  return a > b ? a : b;
}
