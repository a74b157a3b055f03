import { type Family, SPACE_END, formatAddress, parseNetwork } from './addresses';
import { type Bound, type RangeSet, fromPairs, intersect, isEmpty, subtract } from './ranges';

function networks(texts: readonly string[]): RangeSet {
  const pairs: [Bound, Bound][] = [];
  for (const text of texts) {
    const net = parseNetwork(text);
    if (net !== null) pairs.push([net.start, net.end]);
  }
  return fromPairs(pairs);
}

export const EVERYTHING: Readonly<Record<Family, RangeSet>> = { 4: [0, SPACE_END[4]], 6: [0n, SPACE_END[6]] };

export const LOOPBACK: Readonly<Record<Family, RangeSet>> = { 4: networks(['127.0.0.0/8']), 6: networks(['::1']) };

export const LINK_LOCAL: Readonly<Record<Family, RangeSet>> = {
  4: networks(['169.254.0.0/16']),
  6: networks(['fe80::/10']),
};

export const MULTICAST: Readonly<Record<Family, RangeSet>> = {
  4: networks(['224.0.0.0/4']),
  6: networks(['ff00::/8']),
};

/** RFC 1918, RFC 6598 and RFC 4193: who has such an address is in a private network. */
export const PRIVATE: Readonly<Record<Family, RangeSet>> = {
  4: networks(['10.0.0.0/8', '100.64.0.0/10', '172.16.0.0/12', '192.168.0.0/16']),
  6: networks(['fc00::/7']),
};

/** What no packet from the internet has as its source: the IANA special-purpose registries (RFC 6890) and multicast. */
const SPECIAL_IPV4 = networks([
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.168.0.0/16', '198.18.0.0/15', '224.0.0.0/4', '240.0.0.0/4'],
]);

/** Documentation ranges (RFC 5737, RFC 3849): public in shape, but nobody on the internet has one. */
const DOCUMENTATION: Readonly<Record<Family, RangeSet>> = {
  4: networks(['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24']),
  6: networks(['2001:db8::/32', '3fff::/20']),
};

/** Addresses that can be the source of a packet from the internet. */
export const PUBLIC: Readonly<Record<Family, RangeSet>> = {
  4: subtract(EVERYTHING[4], SPECIAL_IPV4),
  6: networks(['2000::/3']),
};

/**
 * The blocks of 2000::/3 that IANA has handed to the registries (ipv6-unicast-address-assignments). Rules that
 * list just these let in everybody, though they are a hundredth of 2000::/3.
 */
const ALLOCATED_IPV6 = networks([
  ...['2001::/16', '2002::/16', '2003::/18', '2400::/12', '2410::/12', '2600::/12', '2610::/23', '2620::/23'],
  ...['2630::/12', '2800::/12', '2a00::/12', '2a10::/12', '2c00::/12'],
]);

/** An address that the internet can route to, for `public: auto`: documentation ranges are not. */
export function isGlobal(family: Family, address: Bound): boolean {
  const one: RangeSet = typeof address === 'bigint' ? [address, address + 1n] : [address, address + 1];
  return !isEmpty(intersect(subtract(PUBLIC[family], DOCUMENTATION[family]), one));
}

function size(set: RangeSet): number {
  let total = 0;
  for (let i = 0; i < set.length; i += 2) total += Number(set[i + 1] as Bound) - Number(set[i] as Bound);
  return total;
}

function sizeExact(set: RangeSet): bigint {
  let total = 0n;
  for (let i = 0; i < set.length; i += 2) total += (set[i + 1] as bigint) - (set[i] as bigint);
  return total;
}

const PUBLIC_SIZE_IPV4 = size(PUBLIC[4]);
const PUBLIC_SIZE_IPV6 = Number(sizeExact(PUBLIC[6]));
const ALLOCATED_SIZE_IPV6 = Number(sizeExact(ALLOCATED_IPV6));

/** Sets are never changed, and the same few are measured again and again. */
const shares = new WeakMap<RangeSet, number>();

/** How much of the public address space a set is, 0 to 1; for IPv6 the larger of its shares of 2000::/3 and of what is handed out. */
export function publicShare(family: Family, set: RangeSet): number {
  if (set.length === 0) return 0;
  let share = shares.get(set);
  if (share === undefined) shares.set(set, (share = measured(family, set)));
  return share;
}

function measured(family: Family, set: RangeSet): number {
  if (family === 4) return size(intersect(set, PUBLIC[4])) / PUBLIC_SIZE_IPV4;
  const open = Number(sizeExact(intersect(set, PUBLIC[6]))) / PUBLIC_SIZE_IPV6;
  const allocated = Number(sizeExact(intersect(set, ALLOCATED_IPV6))) / ALLOCATED_SIZE_IPV6;
  return Math.max(open, allocated);
}

/** Below this share of the public address space a set is "some networks", at or above the other it is "anywhere". */
export const SMALL_SHARE = 0.02;
export const LARGE_SHARE = 0.4;

/** The first few networks of a set in CIDR notation, for a sentence: "198.51.100.0/24, 10.0.0.0/8 and 3 more". */
export function describeNetworks(family: Family, set: RangeSet, atMost: number): string {
  const shown: string[] = [];
  const bits = family === 4 ? 32 : 128;
  for (let i = 0; i < set.length && shown.length < atMost; i += 2) {
    const start = BigInt(set[i] as Bound);
    const end = BigInt(set[i + 1] as Bound);
    const length = prefixLength(start, end, bits);
    const first = formatAddress(family, set[i] as Bound);
    const last = formatAddress(family, family === 4 ? Number(end - 1n) : end - 1n);
    if (length === null) shown.push(`${first}-${last}`);
    else shown.push(length === bits ? first : `${first}/${length}`);
  }
  const rest = (set.length >> 1) - shown.length;
  return rest > 0 ? `${shown.join(', ')} and ${rest} more` : shown.join(', ');
}

function prefixLength(start: bigint, end: bigint, bits: number): number | null {
  const span = end - start;
  if (span <= 0n || (span & (span - 1n)) !== 0n || start % span !== 0n) return null;
  return bits - (span.toString(2).length - 1);
}
