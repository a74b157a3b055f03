import { type Left, plain } from './left';
import { isAny } from './listeners';
import { type Match, peersIn } from './match';
import type { Packet } from './packet';
import { EMPTY, contains, union } from './ranges';
import { asString, asStrings } from './reading';
import type { Query } from './routing';
import type { Run } from './run';
import { vrfOf } from './environment';
import { BREAK, UNKNOWN, type Value } from './values';

/** `fib …` yields no value that could be compared piece by piece; the comparison is made here instead. */
export interface FibTest {
  readonly result: string;
  readonly side: 'saddr' | 'daddr';
  readonly flags: readonly string[];
}

/** A `fib` expression that is used otherwise than in a comparison. */
export function fibField(body: Record<string, unknown>): Left {
  return plain(asString(body['result']) === 'oifname' ? 'name' : 'opaque', 'none', () => UNKNOWN);
}

export function fibTest(body: Record<string, unknown>): FibTest {
  const flags = asStrings(body['flags']);
  return { result: asString(body['result']) ?? '', side: flags.includes('saddr') ? 'saddr' : 'daddr', flags };
}

/** Whether the address's type is one of those named (`fib saddr type local`). */
export function fibType(test: FibTest, types: readonly string[], packet: Packet, run: Run): Match {
  const routing = run.environment.routing[packet.family];
  if (!routing.known) return 'maybe';
  const device = test.flags.includes('iif') ? packet.iif : test.flags.includes('oif') ? packet.oif : '';
  if (device === null) return 'maybe';
  let may = EMPTY;
  for (const type of types) may = union(may, routing.addressType(type, device === '' ? null : device));
  const address = packet[test.side];
  if (address !== null) return contains(may, address) ? 'yes' : 'no';
  return peersIn(may, false, packet.family);
}

/**
 * Peers to which a route leads (`fib saddr . iif oif`): with `iif` only routes through the interface that the packet came
 * in by count (net/ipv4/netfilter/nft_fib_ipv4.c). A local address has no such route.
 */
export function fibRoute(test: FibTest, packet: Packet, run: Run, device: string | null): Match {
  const routing = run.environment.routing[packet.family];
  const wanted = device ?? (test.flags.includes('iif') ? packet.iif : test.flags.includes('oif') ? packet.oif : '');
  if (!routing.known || wanted === null) return 'maybe';
  const query: Query = {
    ...{
      from: test.side === 'saddr' ? packet.daddr : packet.saddr,
      iif: 'lo',
      vrfTable: vrfOf(run.environment, packet.iif)?.vrfTable ?? null,
    },
    mark: test.flags.includes('mark') ? packet.mark : 0,
  };
  const found = routing.where(query, (outcome) => {
    if (outcome.kind === 'local') return wanted === 'lo';
    return outcome.kind === 'unicast' && (wanted === '' || outcome.devices.includes(wanted));
  });
  const address = packet[test.side];
  if (address === null) return { sure: found.sure, may: found.may };
  if (contains(found.sure, address)) return 'yes';
  return contains(found.may, address) ? 'maybe' : 'no';
}

/** `socket wildcard`, `socket transparent`, …: properties of the socket that would take the packet as it is now. */
export function socketField(key: string): Left {
  return plain('number', 'none', ({ packet }, run) => socketValue(key, packet, run));
}

const ACK = 0x10;

function socketValue(key: string, packet: Packet, run: Run): Value {
  const { listeners } = run.environment;
  if (packet.direction === 'reply' || packet.tproxy !== null) return UNKNOWN;
  // A connection that is being opened has a small socket of its own, which only tells whether it is transparent.
  if ((packet.flags & ACK) !== 0) return key === 'wildcard' || key === 'mark' ? BREAK : UNKNOWN;
  if (packet.daddr === null || packet.dport === null) return UNKNOWN;
  const arrival = {
    family: packet.family,
    transport: packet.transport,
    address: packet.daddr,
    port: packet.dport,
    iif: packet.iif,
    slave: null,
  };
  const answers = listeners
    .at(packet.transport, packet.dport)
    .map((listener) => ({ listener, takes: listeners.takes(listener, arrival) }));
  const taking = answers.filter(({ takes }) => takes !== 'no');
  if (taking.length === 0) return BREAK;
  if (taking.some(({ takes }) => takes === 'maybe') || key !== 'wildcard') return UNKNOWN;
  // The most specific socket wins; with both kinds at one port it is the one bound to the address.
  return taking.every(({ listener }) => isAny(listener)) ? 1 : 0;
}
