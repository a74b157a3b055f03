import type { Host } from '../../inventory/host';
import type { Urgency } from '../../policy/urgency';
import { searchText, type Answering, type HostDigest } from './digest';
import { isAsked, type FleetQuery, type SortKey } from './query';

/** Hosts on one page. */
export const hostsPerPage = 100;

/** What the fleet's page shows. */
export interface FleetSelection {
  /** The hosts of the page asked for, in order. */
  readonly hosts: readonly HostDigest[];
  /** The page shown: the last one where a later one was asked for. Counts from 1. */
  readonly page: number;
  readonly pages: number;
  /** Hosts that match the whole query, on all pages. */
  readonly matching: number;
  /** Counts of the hosts that match the text and the stack, whatever else is asked. */
  readonly counts: FleetCounts;
  /** Every host of the inventory. */
  readonly total: number;
  /** Every stack of the inventory, sorted. */
  readonly stacks: readonly string[];
}

export interface FleetCounts {
  readonly all: number;
  readonly urgency: Readonly<Record<Urgency, number>>;
  readonly answering: Readonly<Record<Answering, number>>;
  /** Hosts that need a restart and can be reached from anywhere. */
  readonly neededAndExposed: number;
}

/** Narrows, counts, sorts and cuts a fleet. One pass and one sort: it runs at every request for the page. */
export function selectHosts(fleet: readonly HostDigest[], query: FleetQuery): FleetSelection {
  const words = query.text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  const counts = newCounts();
  const stacks = new Set<string>();
  const matching: HostDigest[] = [];
  for (const digest of fleet) {
    stacks.add(digest.status.host.stack);
    if (!isInScope(digest, query.stack, words)) continue;
    count(counts, digest);
    if (isMatch(digest, query)) matching.push(digest);
  }
  const pages = Math.max(1, Math.ceil(matching.length / hostsPerPage));
  const page = Math.min(query.page, pages);
  sortDigests(matching, query.sort, query.reversed);
  return {
    hosts: matching.slice((page - 1) * hostsPerPage, page * hostsPerPage),
    page,
    pages,
    matching: matching.length,
    counts,
    total: fleet.length,
    stacks: [...stacks].sort(),
  };
}

type MutableCounts = {
  all: number;
  urgency: Record<Urgency, number>;
  answering: Record<Answering, number>;
  neededAndExposed: number;
};

function newCounts(): MutableCounts {
  return {
    all: 0,
    urgency: { none: 0, info: 0, warning: 0, critical: 0, unknown: 0 },
    answering: { yes: 0, no: 0, restarting: 0, not_yet: 0 },
    neededAndExposed: 0,
  };
}

function count(counts: MutableCounts, { urgency, answering, restart, exposure }: HostDigest): void {
  counts.all++;
  counts.urgency[urgency]++;
  counts.answering[answering]++;
  if (restart === 'required' && exposure === 'exposed') counts.neededAndExposed++;
}

function isInScope({ status }: HostDigest, stack: string | null, words: readonly string[]): boolean {
  if (stack !== null && status.host.stack !== stack) return false;
  if (words.length === 0) return true;
  const text = searchText(status);
  return words.every((word) => text.includes(word));
}

function isMatch(digest: HostDigest, query: FleetQuery): boolean {
  if (query.answering !== null && digest.answering !== query.answering) return false;
  if (query.exposed && digest.exposure !== 'exposed') return false;
  return isAsked(query.urgency, digest.urgency);
}

/** What needs somebody comes first; a host of which nothing is known comes before one that can still wait. */
const urgencyRank: Readonly<Record<Urgency, number>> = { critical: 0, warning: 1, unknown: 2, info: 3, none: 4 };
const exposureRank: Readonly<Record<HostDigest['exposure'], number>> = { exposed: 0, unknown: 1, not_exposed: 2 };
const answeringRank: Readonly<Record<Answering, number>> = { no: 0, restarting: 1, not_yet: 2, yes: 3 };

type Compare = (a: HostDigest, b: HostDigest) => number;

const byUrgency: Compare = (a, b) => urgencyRank[a.urgency] - urgencyRank[b.urgency];
const byAge: Compare = (a, b) => (b.ageSeconds ?? -1) - (a.ageSeconds ?? -1);
const byStack: Compare = (a, b) => byText(a.status.host.stack, b.status.host.stack);
const byExposure: Compare = (a, b) => exposureRank[a.exposure] - exposureRank[b.exposure];
const byProbe: Compare = (a, b) =>
  answeringRank[a.answering] - answeringRank[b.answering] ||
  (a.status.attempt?.atMs ?? 0) - (b.status.attempt?.atMs ?? 0);

/** Of those that need a restart just as urgently, the one that anyone can reach comes first. */
const byNeedAndExposure: Compare = (a, b) =>
  a.restart === 'required' && b.restart === 'required' ? byExposure(a, b) : 0;

const orders: Readonly<Record<SortKey, readonly Compare[]>> = {
  urgency: [byUrgency, byNeedAndExposure, byAge],
  host: [],
  stack: [byStack, byUrgency, byNeedAndExposure, byAge],
  age: [byAge, byUrgency],
  exposure: [byExposure, byUrgency, byAge],
  probe: [byProbe],
};

function sortDigests(digests: HostDigest[], key: SortKey, isReversed: boolean): void {
  const compares = orders[key];
  digests.sort((a, b) => {
    for (const compare of compares) {
      const order = compare(a, b);
      if (order !== 0) return isReversed ? -order : order;
    }
    const order = byText(naturalKey(a.status.host), naturalKey(b.status.host));
    return isReversed && key === 'host' ? -order : order;
  });
}

const naturalKeys = new WeakMap<Host, string>();

/** `web-2` comes before `web-10`: numbers as wide as each other sort as numbers do. Kept, as most hosts stay. */
function naturalKey(host: Host): string {
  let key = naturalKeys.get(host);
  if (key === undefined) {
    key = host.name.toLowerCase().replace(/[0-9]+/g, (digits) => digits.padStart(10, '0'));
    naturalKeys.set(host, key);
  }
  return key;
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
