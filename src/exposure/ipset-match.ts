import { EVERYTHING } from './address-space';
import type { Family } from './addresses';
import type { Usage } from './environment';
import { type Parsed, type Part, elementMatch, ipsetKey, parseElement, partsOf, plainRanges } from './ipset-element';
import type { IpSet } from './ipset-save';
import { type Match, type Test, member, peersIn } from './match';
import type { Flow } from './packet';
import { EMPTY, type RangeSet, subtract, unionAll } from './ranges';
import type { Reading } from './reading';
import type { Run } from './run';

/** The rules that ask: their family, and where it is noted what they tell apart. */
interface Reader {
  readonly family: Family;
  readonly usage: Usage;
}

/** More sets than anybody puts into one list. */
const MOST_IN_LIST = 1000;

/** All ipsets of a host, ready to be asked. */
export class IpSets {
  private readonly byName = new Map<string, IpSet>();
  private readonly plainSets = new Map<string, RangeSet | null>();
  private readonly parsed = new Map<string, readonly Parsed[]>();
  private readonly memory = new Map<string, Match>();
  private readonly noted = new Set<string>();

  constructor(
    reading: Reading<readonly IpSet[]>,
    /** Names of sets that rules fill (`-j SET --add-set`). */
    private readonly filled: ReadonlySet<string>,
  ) {
    for (const set of reading.known ? reading.value : []) this.byName.set(set.name, set);
  }

  /** A test for `--match-set NAME FLAGS`; a set that was not listed may hold anything. */
  test(name: string, flags: readonly string[], scope: Reader): Test {
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
    if (set === undefined) return 'maybe';
    if (set.type === 'list:set') return this.askList(set, flags, flow, run, depth);
    const parts = partsOf(set.type);
    if (parts === null || flags.length < parts.length) return set.type === '' || parts === null ? 'maybe' : 'no';
    // A set of the other family never matches (net/netfilter/ipset/ip_set_core.c, ip_set_test).
    if (set.family !== flow.packet.family && !set.type.startsWith('bitmap:port')) return 'no';
    if (set.netmask !== null) return 'maybe';
    if (parts.length === 1 && parts[0] !== 'port' && parts[0] !== 'mac')
      return this.askPlain(set, flags[0] as string, flow);
    return this.askParts(set, parts, flags, flow, run);
  }

  private askList(set: IpSet, flags: readonly string[], flow: Flow, run: Run, depth: number): Match {
    // The kernel puts no list into a list, and nobody a thousand sets.
    if (depth > 0 || set.elements.length > MOST_IN_LIST) return 'maybe';
    const sure: RangeSet[] = [];
    const may: RangeSet[] = [];
    for (const element of set.elements) {
      const one = this.ask(element.value, flags, flow, run, depth + 1);
      if (one === 'yes') return 'yes';
      if (one === 'maybe') may.push(EVERYTHING[flow.packet.family]);
      else if (one !== 'no') {
        sure.push(one.sure);
        may.push(one.may);
        run.budget.spend(one.may.length);
      }
    }
    return { sure: unionAll(sure), may: unionAll(may) };
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
    const at = parts.indexOf('port');
    if (at >= 0) run.look(packet, flags[at] === 'src' ? 'sport' : 'dport');
    const key = [
      set.name,
      flags.join(','),
      packet.family,
      packet.transport,
      packet.sport,
      packet.dport,
      packet.saddr,
      packet.daddr,
      packet.iif,
      packet.oif,
      packet.mark,
    ].join('|');
    const found = this.memory.get(key);
    if (found !== undefined) return found;
    const elements = this.elementsOf(set, parts);
    run.budget.spend(elements.length);
    let sure: RangeSet[] = [];
    const may: RangeSet[] = [];
    const all = EVERYTHING[packet.family];
    for (const element of elements) {
      const match = elementMatch(element, parts, flags, flow);
      if (match === 'no') continue;
      const ranges = match === 'yes' || match === 'maybe' ? { sure: match === 'yes' ? all : EMPTY, may: all } : match;
      if (element.nomatch) {
        const before = unionAll(sure);
        run.budget.spend(1 + before.length);
        sure = [subtract(before, ranges.may)];
      } else {
        sure.push(ranges.sure);
        may.push(ranges.may);
      }
    }
    const result: Match = { sure: unionAll(sure), may: unionAll(may) };
    this.memory.set(key, result);
    return result;
  }

  private elementsOf(set: IpSet, parts: readonly Part[]): readonly Parsed[] {
    let elements = this.parsed.get(set.name);
    if (elements === undefined)
      this.parsed.set(set.name, (elements = set.elements.map((element) => parseElement(element, parts, set.family))));
    return elements;
  }

  /** Notes the ports and destinations that a set tells apart. */
  private note(name: string, flags: readonly string[], scope: Reader, depth: number): void {
    const set = this.byName.get(name);
    if (set === undefined) return;
    if (set.type === 'list:set') {
      if (depth > 0 || set.elements.length > MOST_IN_LIST) return;
      for (const element of set.elements) this.note(element.value, flags, scope, depth + 1);
      return;
    }
    const key = `${scope.family} ${flags.join(',')} ${name}`;
    if (this.noted.has(key)) return;
    this.noted.add(key);
    const parts = partsOf(set.type) ?? [];
    if (!parts.includes('port') && !flags.includes('dst')) return;
    const port = flags[parts.indexOf('port')] === 'src' ? 'sport' : 'dport';
    // Neighbouring elements may say different things, so each is noted by itself.
    for (const parsed of this.elementsOf(set, parts)) {
      scope.usage.names(port, parsed.ports ?? EMPTY);
      if (set.family !== scope.family) continue;
      for (const [at, range] of parsed.address.entries()) {
        if (range !== null && flags[at] === 'dst') scope.usage.names(set.family === 4 ? 'daddr4' : 'daddr6', range);
      }
    }
  }
}
