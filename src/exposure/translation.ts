import { LINK_LOCAL } from './address-space';
import { formatEndpoint } from './addresses';
import type { Flow, Packet } from './packet';
import { type Bound, contains } from './ranges';
import type { Run } from './run';

/** The packet with a new destination, and the sentence about it. The connection remembers both. */
export function translated(
  flow: Flow,
  address: Bound,
  port: number | null,
  rule: string,
): { readonly flow: Flow; readonly text: string } {
  const { packet } = flow;
  const connection = { ...packet.connection, dnat: { address, port }, mapped: true };
  return {
    flow: { ...flow, packet: { ...packet, daddr: address, dport: port, connection } },
    text: `sent on to ${formatEndpoint(packet.family, address, port)} by ${rule}`,
  };
}

/** The first address of the interface that a packet came in by; null if it is not known. */
export function primaryAddress(packet: Packet, run: Run): Bound | null {
  const iface = packet.iif === null ? undefined : run.environment.interfaces.get(packet.iif);
  const own = (iface?.addresses ?? []).filter((address) => address.family === packet.family);
  // For IPv6 any of the interface's addresses may be taken; a global one, if it has one.
  const global = own.find((address) => !contains(LINK_LOCAL[packet.family], address.address));
  return (packet.family === 6 ? (global ?? own[0]) : own[0])?.address ?? null;
}
