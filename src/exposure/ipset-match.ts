import { EVERYTHING } from './address-space';
import type { Family } from './addresses';
import type { Usage } from './environment';
import { type Parsed, type Part, elementMatch, ipsetKey, parseElement, partsOf, plainRanges } from './ipset-element';
import type { IpSet } from './ipset-save';
import { type Match, type Test, member, peersIn } from './match';
import type { Flow } from './packet';
import { EMPTY, type RangeSet, subtract, union } from './ranges';
import type { Reading } from './reading';
import type { Run } from './run';

/** The rules that ask: their family, and where it is noted what they tell apart. */
interface Reader {
  readonly family: Family;
  readonly usage: Usage;
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
    if (set === undefined || depth > 4) return 'maybe';
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
    let elements = this.parsed.get(set.name);
    if (elements === undefined)
      this.parsed.set(set.name, (elements = set.elements.map((element) => parseElement(element, parts, set.family))));
    run.budget.spend(elements.length);
    let sure: RangeSet = EMPTY;
    let may: RangeSet = EMPTY;
    const all = EVERYTHING[packet.family];
    for (const element of elements) {
      const match = elementMatch(element, parts, flags, flow);
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
  private note(name: string, flags: readonly string[], scope: Reader, depth: number): void {
    const set = this.byName.get(name);
    if (set === undefined || depth > 4) return;
    if (set.type === 'list:set') {
      for (const element of set.elements.slice(0, 1000)) this.note(element.value, flags, scope, depth + 1);
      return;
    }
    const parts = partsOf(set.type) ?? [];
    if (!parts.includes('port') && !flags.includes('dst')) return;
    const port = flags[parts.indexOf('port')] === 'src' ? 'sport' : 'dport';
    // Neighbouring elements may say different things, so each is noted by itself.
    for (const element of set.elements) {
      const parsed = parseElement(element, parts, set.family);
      scope.usage.names(port, parsed.ports ?? EMPTY);
      if (set.family !== scope.family) continue;
      for (const [at, range] of parsed.address.entries()) {
        if (range !== null && flags[at] === 'dst') scope.usage.names(set.family === 4 ? 'daddr4' : 'daddr6', range);
      }
    }
  }
}
