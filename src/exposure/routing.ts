import { EVERYTHING, LOOPBACK, MULTICAST } from './address-space';
import type { Family } from './addresses';
import { type Bound, EMPTY, type RangeSet, contains, fromPairs, intersect, isEmpty, subtract, union } from './ranges';
import type { Reading } from './reading';
import type { Route, RouteRule } from './routes';
import { NOT_KNOWN, NO_ROUTE, type Outcome, type Segment, segments } from './routing-table';

/** An outcome and for which destinations it may come out. Pieces overlap where it cannot be told which holds. */
export interface Piece {
  readonly to: RangeSet;
  readonly outcome: Outcome;
}

/** What a lookup goes by, beside the destination. Null: not known. */
export interface Query {
  readonly from: Bound | null;
  readonly iif: string | null;
  readonly mark: number | null;
  /** Routing table of the VRF that the packet is in; null: in none. */
  readonly vrfTable: string | null;
}

/** The default three rules (ip-rule(8)), which are all that most hosts have. */
function isPlain(rules: readonly RouteRule[]): boolean {
  return rules.every(
    (rule) =>
      rule.action === 'lookup' &&
      rule.from === null &&
      rule.to === null &&
      rule.fwmark === null &&
      rule.iif === null &&
      rule.oif === null &&
      !rule.not &&
      !rule.conditional &&
      rule.suppressPrefixLength === null,
  );
}

/** Routing tables and rules of one family. */
export class Routing {
  private readonly tables = new Map<string, readonly Segment[]>();
  private readonly memory = new Map<string, readonly Piece[]>();
  /** False: a table or the rules could not be read; then every answer is "unknown". */
  readonly known: boolean;
  private readonly routes: readonly Route[];
  private readonly rules: readonly RouteRule[];
  private readonly plain: boolean;

  constructor(
    readonly family: Family,
    routes: Reading<readonly Route[]>,
    rules: Reading<readonly RouteRule[]>,
    /** Is told what lookups cost. */
    private readonly spend: (operations: number) => void = () => undefined,
  ) {
    // A host that has an address has a local route to it: none at all means that the list is not what it should be.
    this.known = routes.known && rules.known && routes.value.some((route) => route.type === 'local');
    this.routes = routes.known ? routes.value : [];
    this.rules = rules.known ? rules.value : [];
    this.plain = isPlain(this.rules);
    const byTable = new Map<string, Route[]>();
    for (const route of this.routes) {
      const list = byTable.get(route.table);
      if (list === undefined) byTable.set(route.table, [route]);
      else list.push(route);
    }
    for (const [name, list] of byTable) this.tables.set(name, segments(list, family));
  }

  /** All that lookups of the given kind can give, for every destination. */
  lookup(query: Query): readonly Piece[] {
    if (!this.known) return [{ to: EVERYTHING[this.family], outcome: NOT_KNOWN }];
    const key = this.plain ? '' : `${query.from}|${query.iif}|${query.mark}|${query.vrfTable}`;
    const found = this.memory.get(key);
    if (found !== undefined) return found;
    const pieces = this.walk(query);
    this.memory.set(key, pieces);
    return pieces;
  }

  private walk(query: Query): readonly Piece[] {
    const out: Piece[] = [];
    let open: RangeSet = EVERYTHING[this.family];
    for (const rule of this.rules) {
      this.spend(1);
      if (isEmpty(open)) break;
      const { sure, may } = this.applies(rule, query);
      const tried = intersect(open, may);
      if (isEmpty(tried)) continue;
      if (rule.action === 'other') continue;
      if (rule.action === 'drop') {
        out.push({ to: tried, outcome: NO_ROUTE });
        open = subtract(open, sure);
        continue;
      }
      const table = rule.l3mdev ? query.vrfTable : rule.table;
      for (const segment of table === null ? [] : (this.tables.get(table) ?? [])) {
        this.spend(1 + open.length + segment.to.length);
        if (segment.passes) continue;
        if (rule.suppressPrefixLength !== null && segment.prefixLength <= rule.suppressPrefixLength) continue;
        const to = intersect(tried, segment.to);
        if (isEmpty(to)) continue;
        out.push({ to, outcome: segment.outcome });
        open = subtract(open, intersect(sure, segment.to));
      }
    }
    if (!isEmpty(open)) out.push({ to: open, outcome: NO_ROUTE });
    return out;
  }

  /** For which destinations a rule surely and possibly applies. */
  private applies(rule: RouteRule, query: Query): { sure: RangeSet; may: RangeSet } {
    const all = EVERYTHING[this.family];
    let certain = true;
    let possible = true;
    const judge = (matches: boolean | null): void => {
      if (matches === false) possible = false;
      if (matches !== true) certain = false;
    };
    if (rule.from !== null)
      judge(query.from === null ? null : query.from >= rule.from.start && query.from < rule.from.end);
    if (rule.fwmark !== null)
      judge(query.mark === null ? null : (query.mark & rule.fwmark.mask) >>> 0 === rule.fwmark.value >>> 0);
    if (rule.iif !== null) judge(query.iif === null ? null : query.iif === rule.iif);
    if (rule.oif !== null) judge(null);
    if (rule.conditional) judge(null);
    if (rule.l3mdev) judge(query.vrfTable !== null);
    const to: RangeSet = rule.to === null ? all : [rule.to.start, rule.to.end];
    const sure = certain ? to : EMPTY;
    const may = possible ? to : EMPTY;
    return rule.not ? { sure: subtract(all, may), may: subtract(all, sure) } : { sure, may };
  }

  /** What may happen to packets for one destination. */
  outcomes(destination: Bound, query: Query): readonly Outcome[] {
    const pieces = this.lookup(query);
    this.spend(pieces.length);
    return pieces.filter((piece) => contains(piece.to, destination)).map((piece) => piece.outcome);
  }

  /** Destinations for which the outcome surely, and may, satisfy a condition. */
  where(query: Query, condition: (outcome: Outcome) => boolean): { readonly sure: RangeSet; readonly may: RangeSet } {
    let may = EMPTY;
    let not = EMPTY;
    for (const { to, outcome } of this.lookup(query)) {
      this.spend(1 + (to.length >> 2));
      if (outcome.kind === 'unknown') {
        may = union(may, to);
        not = union(not, to);
      } else if (condition(outcome)) may = union(may, to);
      else not = union(not, to);
    }
    return { sure: subtract(may, not), may };
  }

  /** Routes that lead out, of every table, for finding the interfaces that face the internet. */
  unicast(): readonly Route[] {
    return this.routes.filter((route) => route.type === 'unicast');
  }

  /** Destinations that are local by any table. */
  locals(): readonly Route[] {
    return this.routes.filter((route) => route.type === 'local');
  }

  /**
   * Address types as nft's `fib … type` and IPv4's `addrtype` see them: from the local table
   * (net/ipv4/fib_frontend.c, __inet_dev_addr_type), with a device only if the route is on it.
   */
  addressType(type: string, device: string | null): RangeSet {
    const multicast = MULTICAST[this.family];
    if (type === 'multicast') return multicast;
    const own = this.typed('local', device);
    const local = subtract(this.family === 6 && device === null ? union(own, LOOPBACK[6]) : own, multicast);
    if (this.family === 6) return this.addressType6(type, local);
    const broadcast = union(subtract(this.typed('broadcast', device), multicast), [2 ** 32 - 1, 2 ** 32]);
    if (type === 'local') return subtract(local, broadcast);
    if (type === 'broadcast') return broadcast;
    if (type === 'unicast') return subtract(EVERYTHING[4], union(union(local, broadcast), multicast));
    return this.typed(type, device);
  }

  /** IPv6 has no broadcast, and what no route leads to is unreachable (net/ipv6/netfilter/nft_fib_ipv6.c). */
  private addressType6(type: string, local: RangeSet): RangeSet {
    if (type === 'local') return local;
    const anywhere: Query = { from: null, iif: 'lo', mark: 0, vrfTable: null };
    const none = subtract(this.where(anywhere, (outcome) => outcome.kind === 'none').may, local);
    if (type === 'unreachable') return none;
    if (type !== 'unicast') return this.typed(type, null);
    return subtract(EVERYTHING[6], union(union(local, MULTICAST[6]), none));
  }

  private readonly types = new Map<string, RangeSet>();

  private typed(kind: string, device: string | null): RangeSet {
    const key = `${kind} ${device ?? ''}`;
    let ranges = this.types.get(key);
    if (ranges === undefined) this.types.set(key, (ranges = this.findTyped(kind, device)));
    return ranges;
  }

  private findTyped(kind: string, device: string | null): RangeSet {
    this.spend(this.routes.length);
    const found = this.routes.filter(
      (route) => route.table === 'local' && route.type === kind && (device === null || route.devices.includes(device)),
    );
    return fromPairs(found.map((route) => [route.to.start, route.to.end] as const));
  }
}
