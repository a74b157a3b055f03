import type { ExposureSettings } from '../inventory/host';
import { EVERYTHING, LINK_LOCAL, LOOPBACK, MULTICAST, PRIVATE, PUBLIC, isGlobal, publicShare } from './address-space';
import { type Family, parseAddress, parseNetwork } from './addresses';
import type { ExposureFacts } from './facts';
import type { Interface } from './interfaces';
import { type Bound, EMPTY, type RangeSet, contains, fromPairs, subtract, union } from './ranges';
import type { Routing } from './routing';

/** What the configuration and the connection say about one host's exposure. */
export type EvaluationSettings = ExposureSettings & {
  /** The address that was dialled to probe the host; null: not known. */
  readonly dialledAddress: string | null;
};

export type Certainty = 'yes' | 'no' | 'maybe';

/** Whether the internet can route to the host, family by family; what `public: auto` means. */
export function isPublic(facts: ExposureFacts, settings: EvaluationSettings, family: Family): Certainty {
  if (settings.public !== 'auto') return settings.public ? 'yes' : 'no';
  const named = [
    ...(facts.cloudAddresses ?? []),
    ...(settings.dialledAddress === null ? [] : [settings.dialledAddress]),
  ];
  for (const text of named) {
    const address = parseAddress(text);
    if (address !== null && address.family === family && isGlobal(family, address.value)) return 'yes';
  }
  if (!facts.interfaces.known) return 'maybe';
  return facts.interfaces.value.some((iface) => hasGlobal(iface, family)) ? 'yes' : 'no';
}

function hasGlobal(iface: Interface, family: Family): boolean {
  return iface.addresses.some((own) => own.family === family && isGlobal(family, own.address));
}

/** A route to at least this share of the public address space makes its interface one that the internet comes in by. */
const WIDE_ROUTE = 0.001;

/**
 * Interfaces that packets from the internet can come in by: those with a default route, or one nearly as wide, in any
 * table, and those with a public address. With neither, any but the loopback.
 */
export function facing(interfaces: readonly Interface[], routing: Routing, family: Family): readonly string[] {
  const names = new Set<string>();
  for (const route of routing.unicast()) {
    if (publicShare(family, [route.to.start, route.to.end]) >= WIDE_ROUTE)
      for (const device of route.devices) names.add(device);
  }
  for (const iface of interfaces) {
    if (
      !iface.loopback &&
      iface.addresses.some((own) => own.family === family && contains(PUBLIC[family], own.address))
    )
      names.add(iface.name);
  }
  names.delete('lo');
  if (names.size > 0 && routing.known) return [...names];
  const others = interfaces.filter((iface) => !iface.loopback && iface.addresses.some((own) => own.family === family));
  return [...new Set([...names, ...others.map((iface) => iface.name)])];
}

export interface Destination {
  readonly address: Bound;
  /** The interface that has the address; '' for a local route. */
  readonly device: string;
}

/** More addresses than this of one family are not tried one by one. */
export const MAX_DESTINATIONS = 4096;

/**
 * Addresses of the host that a packet from the internet may be for: none of loopback or link-local scope. With
 * `public: auto`, private ones count only on an interface that faces the internet without a global address of its own:
 * there an address translation in front may lead to it, while nobody translates to a container bridge's address.
 */
export function destinations(
  interfaces: readonly Interface[],
  routing: Routing,
  family: Family,
  facingNames: readonly string[],
  auto: boolean,
): readonly Destination[] {
  const out = new Map<Bound, Destination>();
  const skipped = union(union(LOOPBACK[family], LINK_LOCAL[family]), MULTICAST[family]);
  for (const iface of interfaces) {
    const translated = facingNames.includes(iface.name) && !hasGlobal(iface, family);
    for (const own of iface.addresses) {
      if (own.family !== family || own.tentative || contains(skipped, own.address)) continue;
      if (auto && !isGlobal(family, own.address) && !translated) continue;
      out.set(own.address, { address: own.address, device: iface.name });
    }
  }
  for (const route of routing.locals()) {
    // One address stands for a prefix that is local as a whole.
    const address = route.prefixLength < (family === 4 ? 31 : 127) ? next(route.to.start) : route.to.start;
    if (contains(skipped, address) || out.has(address) || (auto && !isGlobal(family, address))) continue;
    out.set(address, { address, device: '' });
  }
  const all = [...out.values()];
  return [
    ...all.filter((one) => contains(PUBLIC[family], one.address)),
    ...all.filter((one) => !contains(PUBLIC[family], one.address)),
  ];
}

function next(address: Bound): Bound {
  return typeof address === 'bigint' ? address + 1n : address + 1;
}

/** Sources that a packet can have at all. */
export const PEERS: Readonly<Record<Family, RangeSet>> = {
  4: subtract(
    EVERYTHING[4],
    fromPairs([
      [0, 2 ** 24],
      [127 * 2 ** 24, 128 * 2 ** 24],
      [224 * 2 ** 24, 2 ** 32],
    ]),
  ),
  6: subtract(EVERYTHING[6], union([0n, 2n], MULTICAST[6])),
};

/** Sources in private networks, for hosts that the internet cannot reach. */
export const PRIVATE_PEERS: Readonly<Record<Family, RangeSet>> = {
  4: union(PRIVATE[4], LINK_LOCAL[4]),
  6: union(PRIVATE[6], LINK_LOCAL[6]),
};

/** Whom the firewall in front of the host lets through to a port. */
export function edgePeers(settings: ExposureSettings, family: Family, proto: 'tcp' | 'udp', port: number): RangeSet {
  if (settings.edge === null) return PEERS[family];
  let out: RangeSet = EMPTY;
  for (const rule of settings.edge) {
    if (rule.proto !== 'any' && rule.proto !== proto) continue;
    if (rule.ports !== null && !rule.ports.some(({ first, last }) => port >= first && port <= last)) continue;
    if (rule.from === null) return PEERS[family];
    for (const text of rule.from) {
      const net = parseNetwork(text);
      if (net !== null && net.family === family) out = union(out, [net.start, net.end]);
    }
  }
  return out;
}

/** Where the edge's rules tell ports apart. */
export function edgePorts(settings: ExposureSettings): RangeSet {
  const pairs = (settings.edge ?? []).flatMap((rule) =>
    (rule.ports ?? []).map(({ first, last }) => [first, last + 1] as const),
  );
  return fromPairs(pairs);
}
