import { type Family, parseDecimal, parseNetwork } from './addresses';
import { addressSpan } from './iptables-words';
import type { IpSet, IpSetElement } from './ipset-save';
import type { IptablesScope } from './iptables-scope';
import { EVERYTHING } from './address-space';
import { type Match, type Test, both, member, peersIn, whether } from './match';
import { symbol } from './nft-symbols';
import type { Flow } from './packet';
import { type Bound, EMPTY, type RangeSet, fromPairs, subtract, union } from './ranges';
import type { Reading } from './reading';
import type { Run } from './run';

type Part = 'ip' | 'net' | 'port' | 'iface' | 'mac' | 'mark';

interface Parsed {
  readonly address: readonly (RangeSet | null)[];
  readonly transport: number | null;
  readonly ports: RangeSet | null;
  readonly iface: string | null;
  readonly doubtful: boolean;
  readonly nomatch: boolean;
}

/** All ipsets of a host, ready to be asked. */
export class IpSets {
  private readonly byName = new Map<string, IpSet>();
  private readonly plainSets = new Map<string, RangeSet | null>();
  private readonly parsed = new Map<string, readonly Parsed[]>();
  private readonly memory = new Map<string, Match>();

  constructor(
    reading: Reading<readonly IpSet[]>,
    /** Names of sets that rules fill (`-j SET --add-set`). */
    private readonly filled: ReadonlySet<string>,
  ) {
    for (const set of reading.known ? reading.value : []) this.byName.set(set.name, set);
  }

  /** A test for `--match-set NAME FLAGS`; a set that was not listed may hold anything. */
  test(name: string, flags: readonly string[], scope: IptablesScope): Test {
    this.note(name, flags, scope, 0);
    return (flow, run) => {
      const listed = this.ask(name, flags, flow, run, 0);
      if (!this.filled.has(name)) return listed;
      run.choiceSeen = true;
      if (run.mode === 'free') return 'maybe';
      return flow.packet.joined.includes(ipsetKey(name)) ? 'yes' : listed;
    };
  }

  private ask(name: string, flags: readonly string[], flow: Flow, run: Run, depth: number): Match {
    const set = this.byName.get(name);
    if (set === undefined || depth > 4) return 'maybe';
    if (set.type === 'list:set') return this.askList(set, flags, flow, run, depth);
    const parts = partsOf(set.type);
    if (parts === null || flags.length < parts.length) return set.type === '' || parts === null ? 'maybe' : 'no';
    // A set of the other family never matches (net/netfilter/ipset/ip_set_core.c, ip_set_test).
    if (set.family !== flow.packet.family && !set.type.startsWith('bitmap:port')) return 'no';
    if (set.netmask !== null) return 'maybe';
    if (parts.length === 1 && parts[0] !== 'port' && parts[0] !== 'mac') return this.askPlain(set, flags[0] as string, flow);
    return this.askParts(set, parts, flags, flow, run);
  }

  private askList(set: IpSet, flags: readonly string[], flow: Flow, run: Run, depth: number): Match {
    let sure: RangeSet = EMPTY;
    let may: RangeSet = EMPTY;
    const all = EVERYTHING[flow.packet.family];
    for (const element of set.elements.slice(0, 1000)) {
      const one = this.ask(element.value, flags, flow, run, depth + 1);
      if (one === 'yes') return 'yes';
      if (one === 'maybe') may = all;
      else if (one !== 'no') {
        sure = union(sure, one.sure);
        may = union(may, one.may);
      }
    }
    return { sure, may };
  }

  /** Sets of addresses alone: kept as ranges, exceptions (nomatch) cut out by the length of their prefix. */
  private askPlain(set: IpSet, flag: string, flow: Flow): Match {
    let ranges = this.plainSets.get(set.name);
    if (ranges === undefined) this.plainSets.set(set.name, (ranges = plainRanges(set)));
    if (ranges === null) return 'maybe';
    const address = flag === 'src' ? flow.packet.saddr : flow.packet.daddr;
    return address === null ? peersIn(ranges, false, flow.packet.family) : member(ranges, false, address);
  }

  private askParts(set: IpSet, parts: readonly Part[], flags: readonly string[], flow: Flow, run: Run): Match {
    const { packet } = flow;
    const key = [set.name, flags.join(','), packet.family, packet.transport, packet.sport, packet.dport, packet.saddr, packet.daddr, packet.iif, packet.oif, packet.mark].join('|');
    const found = this.memory.get(key);
    if (found !== undefined) return found;
    let elements = this.parsed.get(set.name);
    if (elements === undefined) this.parsed.set(set.name, (elements = set.elements.map((element) => parseElement(element, parts, set.family))));
    run.budget.spend(elements.length);
    let sure: RangeSet = EMPTY;
    let may: RangeSet = EMPTY;
    const all = EVERYTHING[packet.family];
    for (const element of elements) {
      const match = elementMatch(element, parts, flags, flow, run);
      if (match === 'no') continue;
      const ranges = match === 'yes' || match === 'maybe' ? { sure: match === 'yes' ? all : EMPTY, may: all } : match;
      if (element.nomatch) sure = subtract(sure, ranges.may);
      else {
        sure = union(sure, ranges.sure);
        may = union(may, ranges.may);
      }
    }
    const result: Match = { sure, may };
    this.memory.set(key, result);
    return result;
  }

  /** Notes the ports and destinations that a set tells apart. */
  private note(name: string, flags: readonly string[], scope: IptablesScope, depth: number): void {
    const set = this.byName.get(name);
    if (set === undefined || depth > 4) return;
    if (set.type === 'list:set') {
      for (const element of set.elements.slice(0, 1000)) this.note(element.value, flags, scope, depth + 1);
      return;
    }
    const parts = partsOf(set.type) ?? [];
    if (!parts.includes('port') && !flags.includes('dst')) return;
    const pairs: Record<string, (readonly [Bound, Bound])[]> = { port: [], address: [] };
    for (const element of set.elements) {
      const parsed = parseElement(element, parts, set.family);
      for (let i = 0; i < (parsed.ports ?? EMPTY).length; i += 2) pairs['port']?.push([parsed.ports?.[i] ?? 0, parsed.ports?.[i + 1] ?? 0]);
      for (const [at, range] of parsed.address.entries()) {
        if (range !== null && flags[at] === 'dst') pairs['address']?.push([range[0] as Bound, range[1] as Bound]);
      }
    }
    scope.usage.names(flags[parts.indexOf('port')] === 'src' ? 'sport' : 'dport', fromPairs(pairs['port'] ?? []));
    if (set.family === scope.family) scope.usage.names(set.family === 4 ? 'daddr4' : 'daddr6', fromPairs(pairs['address'] ?? []));
  }
}

export function ipsetKey(name: string): string {
  return `ipset ${name}`;
}

function partsOf(type: string): readonly Part[] | null {
  const list = type.slice(type.indexOf(':') + 1).split(',');
  const known = ['ip', 'net', 'port', 'iface', 'mac', 'mark'];
  return list.every((part) => known.includes(part)) ? (list as Part[]) : null;
}

/** More specific prefixes win, so they are applied last. */
function plainRanges(set: IpSet): RangeSet | null {
  if (!set.elements.some((element) => element.nomatch)) {
    const pairs: (readonly [Bound, Bound])[] = [];
    for (const element of set.elements) {
      const range = elementRange(element.value, set.family);
      if (range === null) return null;
      pairs.push([range[0] as Bound, range[1] as Bound]);
    }
    return fromPairs(pairs);
  }
  const sized = set.elements.map((element) => ({ element, range: elementRange(element.value, set.family) }));
  sized.sort((a, b) => size(b.range) - size(a.range));
  let ranges: RangeSet = EMPTY;
  for (const { element, range } of sized) {
    if (range === null) return null;
    ranges = element.nomatch ? subtract(ranges, range) : union(ranges, range);
  }
  return ranges;
}

function size(range: RangeSet | null): number {
  return range === null ? 0 : Number(range[1]) - Number(range[0]);
}

function elementRange(text: string, family: Family): RangeSet | null {
  if (text.includes('-')) return addressSpan(text, family);
  const net = parseNetwork(text);
  return net === null || net.family !== family ? null : [net.start, net.end];
}

function parseElement(element: IpSetElement, parts: readonly Part[], family: Family): Parsed {
  const words = element.value.split(',');
  const address: (RangeSet | null)[] = [];
  let parsed: Omit<Parsed, 'address'> = { transport: null, ports: null, iface: null, doubtful: words.length < parts.length, nomatch: element.nomatch };
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

function elementMatch(element: Parsed, parts: readonly Part[], flags: readonly string[], flow: Flow, run: Run): Match {
  const { packet } = flow;
  let match: Match = element.doubtful ? 'maybe' : 'yes';
  for (const [i, part] of parts.entries()) {
    match = both(match, partMatch(element, part, i, flags[i] ?? 'src', flow, run));
    if (match === 'no') return match;
  }
  return element.transport === null || element.transport === packet.transport ? match : 'no';
}

function partMatch(element: Parsed, part: Part, at: number, flag: string, { packet }: Flow, _run: Run): Match {
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
