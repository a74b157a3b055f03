import { EVERYTHING } from './address-space';
import type { Left } from './left';
import { type Match, both } from './match';
import { rangeOf, valuesOf } from './nft-right';
import { type Column, type Entry, WILD, WORTH_IT, columnOf, isWild } from './nft-set-entry';
import type { Flow, Packet } from './packet';
import { EMPTY, type RangeSet, subtract, union, unionAll } from './ranges';
import { isRecord } from './reading';
import type { Run } from './run';
import { BREAK, UNKNOWN, type Value, type ValueSet, isIn } from './values';

/** What a lookup gives: an element's data, and for which peers. */
export interface Hit {
  readonly data: unknown;
  readonly match: Match;
}

/** A set or map, read for the fields that it is compared with. */
export class SetIndex {
  private readonly entries: readonly Entry[];
  private readonly single: ValueSet | null;
  private readonly memory = new Map<string, Match>();
  private readonly hits = new Map<string, readonly Hit[]>();
  readonly partial: boolean;

  constructor(
    elements: readonly unknown[],
    private readonly lefts: readonly Left[],
    isMap: boolean,
    /** Packets can add or remove elements: what is listed is only what is there now. */
    private readonly fillable: boolean,
    private readonly key: string,
  ) {
    const entries: Entry[] = [];
    const only = lefts.length === 1 ? (lefts[0] as Left) : null;
    let partial = false;
    const bare: unknown[] = [];
    for (const element of elements) {
      const pair = isMap && Array.isArray(element) ? (element as unknown[]) : [element, null];
      const holder = pair[0];
      const inner = isRecord(holder) && isRecord(holder['elem']) ? holder['elem'] : null;
      const value = inner === null ? holder : inner['val'];
      const doubtful = inner !== null && ('limit' in inner || 'quota' in inner || 'ct count' in inner);
      if (only !== null && !isMap && !doubtful) {
        bare.push(value);
        continue;
      }
      const parts = partsOf(value, lefts);
      if (parts === null) partial = true;
      else entries.push({ parts, data: pair[1], doubtful });
    }
    this.single = only !== null && !isMap ? valuesOf(bare, only) : null;
    this.entries = entries;
    this.partial = partial || (this.single?.partial ?? false);
  }

  /** Whether the packet is in the set. */
  contains(flow: Flow, run: Run): Match | 'broken' {
    const values = this.lefts.map((left) => left.read(flow, run));
    if (values.includes(BREAK)) return 'broken';
    const found = this.member(values, flow.packet, run);
    return this.fillable ? this.filled(found, flow.packet, run) : found;
  }

  private member(values: readonly Value[], packet: Packet, run: Run): Match {
    if (this.single !== null) {
      const one = isIn(values[0] as Value, this.single, packet.family, run);
      return this.entries.length === 0 ? (one === 'broken' ? 'no' : one) : 'maybe';
    }
    const memoKey = this.memoKey(values, packet);
    const found = memoKey === null ? undefined : this.memory.get(memoKey);
    if (found !== undefined) return found;
    const candidates = this.candidates(values);
    run.budget.spend(candidates.length);
    let sure: RangeSet = EMPTY;
    let may: RangeSet = this.partial ? EVERYTHING[packet.family] : EMPTY;
    const collected: RangeSet[] = [];
    for (const entry of candidates) {
      const match = entryMatch(entry, values, packet, run);
      if (match === 'no') continue;
      if (match === 'yes') sure = EVERYTHING[packet.family];
      else if (match === 'maybe') may = EVERYTHING[packet.family];
      else {
        collected.push(match.sure);
        may = match.sure === match.may ? may : union(may, match.may);
      }
    }
    sure = union(sure, unionAll(collected));
    const result = simplest(sure, union(may, sure), packet);
    if (memoKey !== null) this.memory.set(memoKey, result);
    return result;
  }

  /** What packets put in or take out cannot be known; a fresh peer is in only if its own packet has put it there. */
  private filled(listed: Match, packet: Packet, run: Run): Match {
    run.choiceSeen = true;
    if (run.mode === 'free') return 'maybe';
    return packet.joined.includes(this.key) ? 'yes' : listed;
  }

  /** The elements that the packet may hit. Peers in none of them miss; the last entry of the result is that miss, with data undefined. */
  find(flow: Flow, run: Run): readonly Hit[] | 'broken' {
    const values = this.lefts.map((left) => left.read(flow, run));
    if (values.includes(BREAK)) return 'broken';
    const memoKey = this.memoKey(values, flow.packet);
    const found = memoKey === null ? undefined : this.hits.get(memoKey);
    if (found !== undefined) return found;
    const hits = this.search(values, flow.packet, run);
    if (memoKey !== null) this.hits.set(memoKey, hits);
    return hits;
  }

  private search(values: readonly Value[], packet: Packet, run: Run): readonly Hit[] {
    const all = EVERYTHING[packet.family];
    const byData = new Map<string, { data: unknown; sure: RangeSet[]; may: RangeSet[] }>();
    let wild: Entry | null = null;
    const candidates = this.candidates(values);
    run.budget.spend(candidates.length);
    for (const entry of candidates) {
      if (isWild(entry)) {
        wild = entry;
        continue;
      }
      const match = entryMatch(entry, values, packet, run);
      if (match === 'no') continue;
      const dataKey = JSON.stringify(entry.data);
      let group = byData.get(dataKey);
      if (group === undefined) byData.set(dataKey, (group = { data: entry.data, sure: [], may: [] }));
      if (match === 'yes') group.sure.push(all);
      else if (match === 'maybe') group.may.push(all);
      else {
        group.sure.push(match.sure);
        group.may.push(match.may);
      }
    }
    const hits: Hit[] = [];
    let hit: RangeSet = EMPTY;
    for (const { data, sure, may } of byData.values()) {
      const surely = unionAll(sure);
      hit = union(hit, surely);
      hits.push({ data, match: simplest(surely, union(unionAll(may), surely), packet) });
    }
    const missed = subtract(all, hit);
    const open = this.fillable || this.partial;
    if (wild !== null) hits.push({ data: wild.data, match: simplest(missed, missed, packet) });
    if (wild === null || open)
      hits.push({ data: undefined, match: simplest(missed, this.fillable ? all : missed, packet) });
    if (open) hits.push({ data: UNKNOWN, match: 'maybe' });
    return hits;
  }

  private readonly columns = new Map<number, Column>();

  /** The entries that can match at all: of thousands there are often a few with the packet's own port or address. */
  private candidates(values: readonly Value[]): readonly Entry[] {
    if (this.entries.length < WORTH_IT) return this.entries;
    for (const [position, value] of values.entries()) {
      if (typeof value !== 'number' && typeof value !== 'bigint') continue;
      let column = this.columns.get(position);
      if (column === undefined) this.columns.set(position, (column = columnOf(this.entries, position)));
      return [...(column.exact.get(value) ?? []), ...column.others];
    }
    return this.entries;
  }

  private memoKey(values: readonly Value[], packet: Packet): string | null {
    let key = String(packet.family);
    for (const value of values) {
      if (typeof value === 'object') return null;
      key +=
        typeof value === 'symbol' ? `|${value.description}` : `|${typeof value === 'string' ? `"${value}` : value}`;
    }
    return key;
  }
}

function partsOf(value: unknown, lefts: readonly Left[]): readonly ValueSet[] | null {
  if (value === '*') return [WILD];
  const items =
    lefts.length === 1
      ? [value]
      : isRecord(value) && Array.isArray(value['concat'])
        ? (value['concat'] as unknown[])
        : [];
  if (items.length !== lefts.length) return null;
  return items.map((item, i) => onePart(item, lefts[i] as Left));
}

function onePart(item: unknown, left: Left): ValueSet {
  if (left.domain === 'name' || left.domain === 'opaque') return valuesOf([item], left);
  const range = rangeOf(item, left);
  return range === null ? { ranges: EMPTY, names: [], partial: true } : { ranges: range, names: [], partial: false };
}

function entryMatch(entry: Entry, values: readonly Value[], packet: Packet, run: Run): Match {
  let match: Match = entry.doubtful ? 'maybe' : 'yes';
  if (entry.doubtful) run.choiceSeen = true;
  if (isWild(entry)) return match;
  for (const [i, part] of entry.parts.entries()) {
    const one = isIn(values[i] ?? UNKNOWN, part, packet.family, run);
    match = both(match, one === 'broken' ? 'no' : one);
    if (match === 'no') return match;
  }
  return match;
}

function simplest(sure: RangeSet, may: RangeSet, packet: Packet): Match {
  const all = EVERYTHING[packet.family];
  if (may.length === 0) return 'no';
  if (covers(sure, all)) return 'yes';
  return sure.length === 0 && covers(may, all) ? 'maybe' : { sure, may };
}

function covers(set: RangeSet, all: RangeSet): boolean {
  return set.length === 2 && set[0] === all[0] && set[1] === all[1];
}

/** The key under which a set's changes by packets are noted. */
export function setKey(family: string, table: string, name: string): string {
  return `${family} ${table} ${name}`;
}
