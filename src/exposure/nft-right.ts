import { EVERYTHING } from './address-space';
import { after, parseAddress, parseNetwork } from './addresses';
import type { Domain, Left } from './left';
import { symbol } from './nft-symbols';
import { type Bound, type RangeSet, fromPairs } from './ranges';
import { isRecord } from './reading';
import { ANYTHING_MAYBE, type ValueSet } from './values';

/** One value of a field, or null if it is not understood. Lists are flags, taken together. */
export function scalarOf(raw: unknown, left: Pick<Left, 'domain' | 'symbols'>, depth = 0): Bound | null {
  if (typeof raw === 'number') return Number.isSafeInteger(raw) ? (left.domain === 'ipv6' ? BigInt(raw) : raw) : null;
  if (typeof raw === 'boolean') return raw ? 1 : 0;
  if (typeof raw === 'string') return scalarText(raw, left);
  const list = Array.isArray(raw)
    ? (raw as unknown[])
    : isRecord(raw) && Array.isArray(raw['|'])
      ? (raw['|'] as unknown[])
      : null;
  if (list === null || depth > 40 || list.length > 64) return null;
  let bits = 0;
  for (const item of list) {
    const bit = scalarOf(item, left, depth + 1);
    if (typeof bit !== 'number') return null;
    bits = (bits | bit) >>> 0;
  }
  return bits;
}

function scalarText(text: string, left: Pick<Left, 'domain' | 'symbols'>): Bound | null {
  if (left.domain === 'ipv4' || left.domain === 'ipv6') {
    const address = parseAddress(text);
    return address !== null && address.family === (left.domain === 'ipv4' ? 4 : 6) ? address.value : null;
  }
  return left.domain === 'number' ? symbol(left.symbols, text) : null;
}

/** One element of a set, or a whole right side without sets: a value, prefix or range; null if it is not understood. */
export function rangeOf(raw: unknown, left: Pick<Left, 'domain' | 'symbols'>): readonly [Bound, Bound] | null {
  if (isRecord(raw) && isRecord(raw['prefix'])) {
    const { addr, len } = raw['prefix'];
    if (typeof len !== 'number') return null;
    if (left.domain === 'number') return numberPrefix(addr, len);
    const net = parseNetwork(`${String(addr)}/${len}`);
    return net !== null && net.family === (left.domain === 'ipv4' ? 4 : 6) ? [net.start, net.end] : null;
  }
  if (isRecord(raw) && Array.isArray(raw['range'])) {
    const [first, last] = raw['range'] as unknown[];
    const start = scalarOf(first, left);
    const end = scalarOf(last, left);
    return start === null || end === null ? null : [start, after(end)];
  }
  if (raw === '*') return wildcard(left.domain);
  const value = scalarOf(raw, left);
  return value === null ? null : [value, after(value)];
}

/** nft writes a port range that happens to be aligned as a prefix of 16 bits in some versions, marks as one of 32. */
function numberPrefix(value: unknown, length: number): readonly [Bound, Bound] | null {
  const bits = length <= 16 && typeof value === 'number' && value < 65536 ? 16 : 32;
  if (typeof value !== 'number' || length < 0 || length > bits) return null;
  return [value, value + 2 ** (bits - length)];
}

function wildcard(domain: Domain): readonly [Bound, Bound] | null {
  if (domain === 'ipv4') return EVERYTHING[4] as readonly [Bound, Bound];
  if (domain === 'ipv6') return EVERYTHING[6] as readonly [Bound, Bound];
  return domain === 'number' ? [0, 2 ** 53] : null;
}

/** All values of a list as one set; what is not understood makes the set partial. */
export function valuesOf(items: readonly unknown[], left: Pick<Left, 'domain' | 'symbols'>): ValueSet {
  if (left.domain === 'opaque') return ANYTHING_MAYBE;
  const pairs: (readonly [Bound, Bound])[] = [];
  const names: string[] = [];
  let partial = false;
  for (const item of items) {
    const inner = isRecord(item) && isRecord(item['elem']) ? item['elem']['val'] : item;
    if (left.domain === 'name') {
      if (typeof inner === 'string') names.push(inner);
      else partial = true;
      continue;
    }
    const range = rangeOf(inner, left);
    if (range === null) partial = true;
    else pairs.push(range);
  }
  return { ranges: fromPairs(pairs), names, partial };
}

/** The right side of a comparison, where it is not a named set. */
export function rightOf(raw: unknown, left: Pick<Left, 'domain' | 'symbols'>): ValueSet {
  if (isRecord(raw) && Array.isArray(raw['set'])) return valuesOf(raw['set'] as unknown[], left);
  return valuesOf([raw], left);
}

/** All values but those of one, for a set of numbers of unknown extent. */
export function everythingOf(domain: Domain): RangeSet {
  return wildcard(domain) ?? [];
}
