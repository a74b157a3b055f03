import { EVERYTHING } from './address-space';
import { type Family, SPACE_END } from './addresses';
import { type Match, invert, peersIn } from './match';
import { type Bound, EMPTY, type RangeSet, contains, fromPairs, intersect, isEmpty, subtract } from './ranges';
import type { Run } from './run';

/** What an expression yields for a packet. */
export type Value =
  /** Addresses, ports, marks, …; text for interface names. */
  | Bound
  | string
  /** The peer's own address. */
  | typeof PEER
  /** The rule ends here without matching: an `ip …` expression on an IPv6 packet, `tcp …` on UDP. Not even `!=` matches. */
  | typeof BREAK
  | typeof UNKNOWN
  /** The peer's address under a mask. */
  | { readonly kind: 'masked'; readonly mask: bigint }
  /** The peer's to choose; an ordinary client's lies between these two (null: an ordinary packet has no such field). */
  | { readonly kind: 'choice'; readonly low: number | null; readonly high: number }
  /** Random, and so tried until it fits. */
  | { readonly kind: 'chance'; readonly first: number; readonly count: number };

export const PEER = Symbol('peer');
export const BREAK = Symbol('break');
export const UNKNOWN = Symbol('unknown');

/** The right-hand side of a comparison: which values it names. */
export interface ValueSet {
  readonly ranges: RangeSet;
  /** Interface names; a trailing `*` stands for anything. */
  readonly names: readonly string[];
  /** Names more than what is listed here: something in it was not understood, or it changes by the minute. */
  readonly partial: boolean;
}

export const NOTHING: ValueSet = { ranges: EMPTY, names: [], partial: false };
export const ANYTHING_MAYBE: ValueSet = { ranges: EMPTY, names: [], partial: true };

export function valueSet(pairs: readonly (readonly [Bound, Bound])[]): ValueSet {
  return { ranges: fromPairs(pairs), names: [], partial: false };
}

/** Whether a value is one of a set's. `broken` tells the rule's end from a mere "no", which a `!=` would turn round. */
export function isIn(value: Value, set: ValueSet, family: Family, run: Run): Match | 'broken' {
  if (value === BREAK) return 'broken';
  if (value === UNKNOWN) return 'maybe';
  if (value === PEER) return peersIn(set.ranges, set.partial, family);
  if (typeof value === 'string') return named(value, set);
  if (typeof value !== 'object') return contains(set.ranges, value) ? 'yes' : set.partial ? 'maybe' : 'no';
  if (value.kind === 'masked') return maskedIn(value.mask, set, family, run);
  if (value.kind === 'choice') return chosenIn(value.low, value.high, set, run);
  return randomIn(value.first, value.count, set, run);
}

function named(value: string, set: ValueSet): Match {
  if (set.names.some((pattern) => nameMatches(pattern, value))) return 'yes';
  return set.partial ? 'maybe' : 'no';
}

/** `eth*` of nft; an escaped asterisk is one. */
export function nameMatches(pattern: string, name: string): boolean {
  if (pattern.endsWith('\\*')) return name === `${pattern.slice(0, -2)}*`;
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}

/**
 * The peers whose address under a mask is in the set: exact for prefix masks. Under any other mask they are scattered over
 * the whole space (every odd address); the run then goes on with either those inside or those outside.
 */
function maskedIn(mask: bigint, set: ValueSet, family: Family, run: Run): Match {
  const bits = family === 4 ? 32n : 128n;
  const hole = (1n << bits) - 1n - mask;
  if ((hole & (hole + 1n)) !== 0n) return set.partial ? 'maybe' : run.scatter(mask, set.ranges);
  if (set.partial || set.ranges.length > 20_000) return 'maybe';
  const pairs: [Bound, Bound][] = [];
  for (let i = 0; i < set.ranges.length; i += 2) {
    const first = BigInt(set.ranges[i] as Bound);
    const last = BigInt(set.ranges[i + 1] as Bound) - 1n;
    const start = (first + hole) & ~hole;
    const end = (last & ~hole) + hole + 1n;
    if (start <= last) pairs.push(family === 4 ? [Number(start), Number(end)] : [start, end]);
  }
  return peersIn(fromPairs(pairs), false, family);
}

function chosenIn(low: number | null, high: number, set: ValueSet, run: Run): Match | 'broken' {
  run.choiceSeen = true;
  if (run.mode === 'free') return 'maybe';
  if (low === null) return 'broken';
  const usual: RangeSet = [low, high + 1];
  const inside = intersect(usual, set.ranges);
  if (isEmpty(subtract(usual, set.ranges))) return 'yes';
  return isEmpty(inside) && !set.partial ? 'no' : 'maybe';
}

function randomIn(first: number, count: number, set: ValueSet, run: Run): Match {
  run.choiceSeen = true;
  if (run.mode === 'free') return 'maybe';
  const drawn = first + (count > 0 ? run.luck % count : 0);
  return contains(set.ranges, drawn) ? 'yes' : set.partial ? 'maybe' : 'no';
}

/** The values that compare as asked with one value: for `<` and its like. */
export function compared(op: string, value: Bound, family: Family | null): ValueSet {
  const big = typeof value === 'bigint';
  const zero = big ? 0n : 0;
  const end: Bound = big ? SPACE_END[6] : family === 4 ? SPACE_END[4] : 2 ** 53;
  const next: Bound = big ? (value as bigint) + 1n : (value as number) + 1;
  if (op === '<') return valueSet([[zero, value]]);
  if (op === '<=') return valueSet([[zero, next]]);
  if (op === '>') return valueSet([[next, end]]);
  return valueSet([[value, end]]);
}

/** The result of a comparison with `!=`. */
export function negated(match: Match | 'broken', family: Family, run: Run): Match {
  return match === 'broken' ? 'no' : invert(match, family, run);
}

export function settled(match: Match | 'broken'): Match {
  return match === 'broken' ? 'no' : match;
}

/** One bitwise step on a value. */
export function bitwise(op: string, left: Value, right: number | bigint): Value {
  if (left === BREAK) return BREAK;
  if (left === PEER) return op === '&' ? { kind: 'masked', mask: BigInt(right) } : UNKNOWN;
  if (typeof left !== 'number' && typeof left !== 'bigint') return UNKNOWN;
  const a = BigInt(left);
  const b = BigInt(right);
  const result =
    op === '&'
      ? a & b
      : op === '|'
        ? a | b
        : op === '^'
          ? a ^ b
          : op === '<<'
            ? shifted(a, b)
            : op === '>>' && b >= 0n
              ? a >> b
              : null;
  if (result === null) return UNKNOWN;
  return typeof left === 'bigint' ? result : Number(result);
}

function shifted(value: bigint, by: bigint): bigint | null {
  if (by < 0n) return null;
  return by > 128n ? 0n : (value << by) & 0xffffffffn;
}

export const WHOLE: Readonly<Record<Family, ValueSet>> = {
  4: { ranges: EVERYTHING[4], names: [], partial: false },
  6: { ranges: EVERYTHING[6], names: [], partial: false },
};
