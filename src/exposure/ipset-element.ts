import { type Family, parseDecimal, parseNetwork } from './addresses';
import { addressSpan } from './iptables-words';
import type { IpSet, IpSetElement } from './ipset-save';
import { type Match, both, member, peersIn, whether } from './match';
import { symbol } from './nft-symbols';
import type { Flow } from './packet';
import { type Bound, EMPTY, type RangeSet, fromPairs } from './ranges';

export type Part = 'ip' | 'net' | 'port' | 'iface' | 'mac' | 'mark';

/** One element, read against the parts of its set's type. */
export interface Parsed {
  readonly address: readonly (RangeSet | null)[];
  readonly transport: number | null;
  readonly ports: RangeSet | null;
  readonly iface: string | null;
  readonly doubtful: boolean;
  readonly nomatch: boolean;
}

export function ipsetKey(name: string): string {
  return `ipset ${name}`;
}

export function partsOf(type: string): readonly Part[] | null {
  const list = type.slice(type.indexOf(':') + 1).split(',');
  const known = ['ip', 'net', 'port', 'iface', 'mac', 'mark'];
  return list.every((part) => known.includes(part)) ? (list as Part[]) : null;
}

/** More specific prefixes win, so they are applied last. */
export function plainRanges(set: IpSet): RangeSet | null {
  if (!set.elements.some((element) => element.nomatch)) {
    const pairs: (readonly [Bound, Bound])[] = [];
    for (const element of set.elements) {
      const range = elementRange(element.value, set.family);
      if (range === null) return null;
      pairs.push([range[0] as Bound, range[1] as Bound]);
    }
    return fromPairs(pairs);
  }
  const layers: Layer[] = [];
  for (const element of set.elements) {
    const range = elementRange(element.value, set.family);
    if (range === null || range.length === 0) return null;
    layers.push({ start: range[0] as Bound, end: range[1] as Bound, matches: !element.nomatch });
  }
  return topmost(layers);
}

interface Layer {
  readonly start: Bound;
  readonly end: Bound;
  readonly matches: boolean;
}

/** Prefixes nest, so one pass with a stack finds the most specific one of every address; null if some only overlap. */
function topmost(layers: readonly Layer[]): RangeSet | null {
  const sorted = [...layers].sort((a, b) => order(a.start, b.start) || order(b.end, a.end));
  const pairs: (readonly [Bound, Bound])[] = [];
  const stack: Layer[] = [];
  let position = sorted[0]?.start ?? 0;
  const emit = (end: Bound): void => {
    if (stack[stack.length - 1]?.matches === true && position < end) pairs.push([position, end]);
    if (position < end) position = end;
  };
  const closeUpTo = (start: Bound | null): void => {
    for (let top = stack[stack.length - 1]; top !== undefined; top = stack[stack.length - 1]) {
      if (start !== null && top.end > start) return;
      emit(top.end);
      stack.pop();
    }
  };
  for (const layer of sorted) {
    closeUpTo(layer.start);
    const top = stack[stack.length - 1];
    if (top !== undefined && layer.end > top.end) return null;
    if (top === undefined) position = layer.start;
    else emit(layer.start);
    stack.push(layer);
  }
  closeUpTo(null);
  return fromPairs(pairs);
}

function order(a: Bound, b: Bound): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function elementRange(text: string, family: Family): RangeSet | null {
  if (text.includes('-')) return addressSpan(text, family);
  const net = parseNetwork(text);
  return net === null || net.family !== family ? null : [net.start, net.end];
}

export function parseElement(element: IpSetElement, parts: readonly Part[], family: Family): Parsed {
  const words = element.value.split(',');
  const address: (RangeSet | null)[] = [];
  let parsed: Omit<Parsed, 'address'> = {
    transport: null,
    ports: null,
    iface: null,
    doubtful: words.length < parts.length,
    nomatch: element.nomatch,
  };
  for (const [i, part] of parts.entries()) {
    const word = words[i] ?? '';
    address.push(part === 'ip' || part === 'net' ? elementRange(word, family) : null);
    if (part === 'port') parsed = { ...parsed, ...portPart(word) };
    else if (part === 'iface') parsed = { ...parsed, iface: word };
    else if (part === 'mac' || part === 'mark') parsed = { ...parsed, doubtful: true };
    else if (address[i] === null) parsed = { ...parsed, doubtful: true };
  }
  return { ...parsed, address };
}

/** `tcp:22`, `udp:53`, `22` (which is tcp), `1000-2000` in bitmaps. */
function portPart(word: string): { transport: number | null; ports: RangeSet | null } {
  const colon = word.lastIndexOf(':');
  const transport = colon < 0 ? null : symbol('protocol', word.slice(0, colon));
  const [first = '', last = first] = word.slice(colon + 1).split('-', 2);
  const low = parseDecimal(first, 65535);
  const high = parseDecimal(last, 65535);
  return { transport, ports: low === null || high === null ? EMPTY : [low, high + 1] };
}

export function elementMatch(element: Parsed, parts: readonly Part[], flags: readonly string[], flow: Flow): Match {
  const { packet } = flow;
  let match: Match = element.doubtful ? 'maybe' : 'yes';
  for (const [i, part] of parts.entries()) {
    match = both(match, partMatch(element, part, i, flags[i] ?? 'src', flow));
    if (match === 'no') return match;
  }
  return element.transport === null || element.transport === packet.transport ? match : 'no';
}

function partMatch(element: Parsed, part: Part, at: number, flag: string, { packet }: Flow): Match {
  if (part === 'port') {
    const port = flag === 'src' ? packet.sport : packet.dport;
    return port === null ? 'maybe' : member(element.ports ?? EMPTY, false, port);
  }
  if (part === 'iface') {
    const name = flag === 'src' ? packet.iif : packet.oif;
    return name === null || (element.iface ?? '').includes(':') ? 'maybe' : whether(element.iface === name);
  }
  const range = element.address[at] ?? null;
  if (range === null) return 'maybe';
  const address = flag === 'src' ? packet.saddr : packet.daddr;
  return address === null ? peersIn(range, false, packet.family) : member(range, false, address);
}
