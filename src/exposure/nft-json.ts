import { type Reading, asInteger, asString, asStrings, isRecord, jsonOf, known, notKnown } from './reading';

/** A ruleset as `nft -j list ruleset` writes it (libnftables-json(5)): checked in outline, expressions as they came. */
export interface NftRuleset {
  readonly tables: readonly NftTable[];
}

export interface NftTable {
  readonly family: string;
  readonly name: string;
  /** A dormant table's base chains see no packets; null: its flags were not understood. */
  readonly dormant: boolean | null;
  readonly chains: readonly NftChain[];
  readonly sets: readonly NftSet[];
  /** Named limits, quotas and the like, by `kind name`. */
  readonly objects: Readonly<Record<string, Record<string, unknown>>>;
}

export interface NftChain {
  readonly name: string;
  readonly hook: NftHook | null;
  /** Statements of each rule, in order. */
  readonly rules: readonly (readonly unknown[])[];
}

export interface NftHook {
  readonly type: string;
  readonly hook: string;
  readonly priority: number;
  readonly policy: 'accept' | 'drop';
  /** Interfaces of an ingress or egress chain; null: not known. */
  readonly devices: readonly string[] | null;
}

export interface NftSet {
  readonly name: string;
  readonly isMap: boolean;
  readonly type: unknown;
  readonly flags: readonly string[];
  readonly elements: readonly unknown[];
}

type Draft<T> = { -readonly [K in keyof T]: T[K] };
interface TableDraft extends Draft<Omit<NftTable, 'chains' | 'sets'>> {
  chains: Map<string, { name: string; hook: NftHook | null; rules: (readonly unknown[])[] }>;
  sets: NftSet[];
  objects: Record<string, Record<string, unknown>>;
}

/** Objects that statements refer to by name and whose values decide whether a packet matches. */
const NAMED_OBJECTS = new Set(['limit', 'quota', 'ct helper', 'synproxy', 'ct timeout', 'ct expectation']);

/** Reads the JSON. One object that cannot be placed makes the whole ruleset unknown: it might be the rule that matters. */
export function parseNftJson(text: string): Reading<NftRuleset> {
  const json = jsonOf(text);
  if (!json.known) return json;
  const list = isRecord(json.value) ? json.value['nftables'] : null;
  if (!Array.isArray(list)) return notKnown('is not a ruleset');
  const tables = new Map<string, TableDraft>();
  for (const item of list as unknown[]) {
    if (!isRecord(item) || !place(item, tables)) return notKnown('has an object that is not understood');
  }
  const out: NftTable[] = [];
  for (const table of tables.values()) out.push({ ...table, chains: [...table.chains.values()] });
  return known({ tables: out });
}

function place(item: Record<string, unknown>, tables: Map<string, TableDraft>): boolean {
  const kind = Object.keys(item)[0];
  const body = kind === undefined ? undefined : item[kind];
  if (kind === undefined || !isRecord(body)) return false;
  if (kind === 'metainfo') return true;
  const family = asString(body['family']);
  const name = asString(body['name']);
  if (kind === 'table') {
    if (family === null || name === null) return false;
    tables.set(`${family} ${name}`, {
      family,
      name,
      dormant: dormancy(body['flags']),
      chains: new Map(),
      sets: [],
      objects: {},
    });
    return true;
  }
  const table = tables.get(`${family} ${asString(body['table'])}`);
  if (table === undefined) return false;
  if (kind === 'chain') return addChain(table, body);
  if (kind === 'rule') return addRule(table, body);
  if (kind === 'set' || kind === 'map' || kind === 'meter') return addSet(table, body, kind === 'map');
  if (NAMED_OBJECTS.has(kind) && name !== null) table.objects[`${kind} ${name}`] = body;
  return true;
}

/** nft 1.0.6 writes a dormant table's flags as "filter": it looks them up in the wrong list. */
function dormancy(flags: unknown): boolean | null {
  const words = asStrings(flags);
  if (words.includes('dormant')) return true;
  return words.every((word) => word === 'owner' || word === 'persist') && (flags === undefined || words.length > 0)
    ? false
    : null;
}

function addChain(table: TableDraft, body: Record<string, unknown>): boolean {
  const name = asString(body['name']);
  if (name === null) return false;
  const hook = asString(body['hook']);
  if (hook === null) {
    table.chains.set(name, { name, hook: null, rules: [] });
    return true;
  }
  const priority = asInteger(body['prio']);
  const policy = asString(body['policy']) ?? 'accept';
  if (priority === null || (policy !== 'accept' && policy !== 'drop')) return false;
  const devices = asStrings(body['dev'] ?? body['devs']);
  const type = asString(body['type']) ?? 'filter';
  table.chains.set(name, {
    name,
    hook: { type, hook, priority, policy, devices: devices.length > 0 ? devices : null },
    rules: [],
  });
  return true;
}

function addRule(table: TableDraft, body: Record<string, unknown>): boolean {
  const chain = table.chains.get(asString(body['chain']) ?? '');
  const expr = body['expr'] ?? [];
  if (chain === undefined || !Array.isArray(expr)) return false;
  chain.rules.push(expr as unknown[]);
  return true;
}

function addSet(table: TableDraft, body: Record<string, unknown>, isMap: boolean): boolean {
  const name = asString(body['name']);
  const elements = body['elem'] ?? [];
  if (name === null || !Array.isArray(elements)) return false;
  const flags = asStrings(body['flags']);
  table.sets.push({ name, isMap, type: body['type'], flags, elements: elements as unknown[] });
  return true;
}
