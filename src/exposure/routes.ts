import { type Family, type Network, SPACE_END, parseNetwork } from './addresses';
import { type Reading, asInteger, asString, asStrings, isRecord, jsonOf, known, notKnown } from './reading';

export interface Route {
  /** `unicast`, `local`, `broadcast`, `multicast`, `blackhole`, `unreachable`, `prohibit`, `throw`, `anycast`, … */
  readonly type: string;
  readonly table: string;
  readonly to: Network;
  readonly prefixLength: number;
  readonly metric: number;
  /** Interfaces of its next hops; empty where it has none. */
  readonly devices: readonly string[];
  /** Bound to a source prefix or a TOS: taken as "maybe". */
  readonly conditional: boolean;
}

/** A rule of policy routing (ip-rule(8)). */
export interface RouteRule {
  readonly priority: number;
  readonly not: boolean;
  readonly from: Network | null;
  readonly to: Network | null;
  readonly fwmark: { readonly value: number; readonly mask: number } | null;
  readonly iif: string | null;
  readonly oif: string | null;
  readonly action: 'lookup' | 'drop' | 'other';
  readonly table: string;
  /** Routes with a prefix at most this long are passed over; null: none are. */
  readonly suppressPrefixLength: number | null;
  /** Looks into the table of the VRF that the packet is in. */
  readonly l3mdev: boolean;
  /** Has a condition that is not modelled (ports, uid, tos, …): it may apply. */
  readonly conditional: boolean;
}

const MAX_ROUTES = 200_000;

/** Reads `ip -j route show table all` or its text, for one family; the other family's lines are left out. */
export function parseRoutes(text: string, family: Family): Reading<readonly Route[]> {
  return text.trimStart().startsWith('[') ? routesFromJson(text, family) : routesFromText(text, family);
}

function routesFromJson(text: string, family: Family): Reading<readonly Route[]> {
  const json = jsonOf(text);
  if (!json.known) return json;
  if (!Array.isArray(json.value) || json.value.length > MAX_ROUTES) return notKnown('is not a list of routes');
  const out: Route[] = [];
  for (const item of json.value as unknown[]) {
    if (!isRecord(item)) return notKnown('is not a list of routes');
    const destination = asString(item['dst']);
    if (destination === null) continue;
    const to = destinationOf(destination, family);
    if (to === null) return notKnown('has a route that is not understood');
    if (to.family !== family) continue;
    const hops = Array.isArray(item['nexthops']) ? (item['nexthops'] as unknown[]) : [];
    const devices = hops.flatMap((hop) => (isRecord(hop) ? asStrings(hop['dev']) : []));
    out.push({
      type: asString(item['type']) ?? 'unicast',
      table: tableName(item['table']),
      to,
      prefixLength: prefixLengthOf(to),
      metric: asInteger(item['metric']) ?? 0,
      devices: [...asStrings(item['dev']), ...devices],
      conditional: item['from'] !== undefined || item['tos'] !== undefined,
    });
  }
  return known(out);
}

/** `default` carries no family of its own; an address does. */
function destinationOf(text: string, family: Family): Network | null {
  if (text === 'default' || text === 'all') return { family, start: family === 4 ? 0 : 0n, end: SPACE_END[family] };
  return parseNetwork(text);
}

function tableName(value: unknown): string {
  if (typeof value === 'number') return tableName(String(value));
  const text = asString(value) ?? 'main';
  return { '255': 'local', '254': 'main', '253': 'default' }[text] ?? text;
}

function prefixLengthOf(to: Network): number {
  const size = BigInt(to.end) - BigInt(to.start);
  return (to.family === 4 ? 32 : 128) - (size.toString(2).length - 1);
}

const ROUTE_TYPES = new Set([
  ...['unicast', 'local', 'broadcast', 'multicast', 'anycast', 'blackhole', 'unreachable', 'prohibit', 'throw', 'nat'],
]);

/** `[TYPE] DST [via …] dev DEV [table T] …`; hops of a multipath route follow on indented lines. */
function routesFromText(text: string, family: Family): Reading<readonly Route[]> {
  const out: (Route & { devices: string[] })[] = [];
  for (const line of text.split('\n', MAX_ROUTES)) {
    const words = line.trim().split(/\s+/, 60);
    if (words[0] === '' || words[0] === undefined) continue;
    const devices = words.flatMap((word, at) => (word === 'dev' ? [words[at + 1] ?? ''] : []));
    if (words[0] === 'nexthop') {
      out[out.length - 1]?.devices.push(...devices);
      continue;
    }
    const typed = ROUTE_TYPES.has(words[0]);
    const to = destinationOf(words[typed ? 1 : 0] ?? '', family);
    if (to === null) return notKnown('has a route that is not understood');
    if (to.family !== family) continue;
    out.push({
      type: typed ? words[0] : 'unicast',
      table: tableName(wordAfter(words, 'table') ?? undefined),
      to,
      prefixLength: prefixLengthOf(to),
      metric: Number(wordAfter(words, 'metric') ?? 0),
      devices,
      conditional: words.includes('from') || words.includes('tos'),
    });
  }
  return known(out);
}

function wordAfter(words: readonly string[], key: string): string | null {
  const at = words.indexOf(key);
  return at < 0 ? null : (words[at + 1] ?? null);
}

/** Reads `ip -j rule` or its text, for one family. */
export function parseRules(text: string, family: Family): Reading<readonly RouteRule[]> {
  const rows = text.trimStart().startsWith('[') ? ruleObjects(text) : ruleTexts(text);
  if (rows === null || rows.length === 0) return notKnown('is not a list of rules');
  const out: RouteRule[] = [];
  for (const row of rows) {
    if (asInteger(row['priority']) === null) return notKnown('is not a list of rules');
    out.push(rule(row, family));
  }
  return known(out.sort((a, b) => a.priority - b.priority));
}

function ruleObjects(text: string): readonly Record<string, unknown>[] | null {
  const json = jsonOf(text);
  if (!json.known || !Array.isArray(json.value)) return null;
  return json.value.every(isRecord) ? (json.value as Record<string, unknown>[]) : null;
}

/** `32765:	not from all fwmark 0xca6c lookup 51820`, as objects with the keys that the JSON has. */
function ruleTexts(text: string): readonly Record<string, unknown>[] | null {
  const out: Record<string, unknown>[] = [];
  for (const line of text.split('\n', 10_000)) {
    const words = line.trim().split(/\s+/, 40);
    if (words[0] === '' || words[0] === undefined) continue;
    const priority = Number(words[0].replace(':', ''));
    if (!words[0].endsWith(':') || !Number.isInteger(priority)) return null;
    const row: Record<string, unknown> = { priority };
    for (let i = 1; i < words.length; i += 1) {
      const word = words[i] as string;
      if (word === 'not' || word === 'l3mdev' || word === '[detached]') row[word] = null;
      else if (['blackhole', 'unreachable', 'prohibit'].includes(word)) row['action'] = word;
      else {
        const key =
          { from: 'src', to: 'dst', lookup: 'table', suppress_prefixlength: 'suppress_prefixlen' }[word] ?? word;
        row[key] = words[(i += 1)] ?? '';
      }
    }
    out.push(row);
  }
  return out;
}

const MODELLED = new Set([
  ...['priority', 'not', 'src', 'srclen', 'dst', 'dstlen', 'fwmark', 'fwmask', 'iif', 'oif', 'table', 'protocol'],
  ...['suppress_prefixlen', 'action', 'iif_detached', 'oif_detached', 'proto', 'l3mdev'],
]);

function rule(row: Record<string, unknown>, family: Family): RouteRule {
  const [mark, inlineMask] = (asString(row['fwmark']) ?? '').split('/', 2);
  const from = selector(row['src'], row['srclen'], family);
  const to = selector(row['dst'], row['dstlen'], family);
  const suppress = row['suppress_prefixlen'];
  const action = asString(row['action']);
  return {
    priority: asInteger(row['priority']) ?? 0,
    not: 'not' in row,
    from: from.network,
    to: to.network,
    fwmark:
      mark === '' || mark === undefined
        ? null
        : { value: Number(mark), mask: Number(inlineMask ?? asString(row['fwmask']) ?? 0xffffffff) },
    iif: asString(row['iif']),
    oif: asString(row['oif']),
    l3mdev: 'l3mdev' in row,
    action:
      'table' in row || 'l3mdev' in row
        ? 'lookup'
        : action === null || action === 'goto' || action === 'nop'
          ? 'other'
          : 'drop',
    table: tableName(row['table']),
    suppressPrefixLength: suppress === undefined ? null : Number(suppress),
    conditional: !from.understood || !to.understood || Object.keys(row).some((key) => !MODELLED.has(key)),
  };
}

function selector(value: unknown, length: unknown, family: Family): { network: Network | null; understood: boolean } {
  const text = asString(value);
  if (text === null || text === 'all' || text === 'default') return { network: null, understood: true };
  const suffix = typeof length === 'number' && !text.includes('/') ? `/${length}` : '';
  const found = parseNetwork(`${text}${suffix}`);
  return { network: found, understood: found !== null && found.family === family };
}
