import type { Interface } from './interfaces';
import { type Left, type LeftContext, plain } from './left';
import { SYMBOLS, symbol } from './nft-symbols';
import type { Flow, Packet } from './packet';
import type { Run } from './run';
import { BREAK, UNKNOWN, type Value } from './values';

type Reader = (packet: Packet, run: Run) => Value;

/** Properties of the packet that are not in it: `meta iifname`, `meta mark`, … (nft(8), "Meta expressions"). */
export function metaField(key: string, context: LeftContext): Left {
  const number = (read: Reader): Left => plain('number', 'none', reading(read));
  switch (key) {
    case 'nfproto':
      return plain(
        'number',
        'nfProtocol',
        reading(({ family }) => (family === 4 ? 2 : 10)),
      );
    case 'protocol':
      return plain(
        'number',
        'etherType',
        reading(({ family }) => (family === 4 ? 0x0800 : 0x86dd)),
      );
    case 'l4proto':
      return plain(
        'number',
        'protocol',
        reading(({ transport }) => transport),
      );
    case 'mark':
      return number(({ mark }) => mark ?? UNKNOWN);
    case 'iif':
    case 'iifname':
      return plain(
        'name',
        'none',
        reading(({ iif }) => iif ?? UNKNOWN),
      );
    case 'oif':
    case 'oifname':
      return plain(
        'name',
        'none',
        reading(({ oif }) => oif ?? UNKNOWN),
      );
    case 'iiftype':
      return plain(
        'number',
        'linkType',
        reading((packet, run) => linkType(of(packet.iif, run))),
      );
    case 'oiftype':
      return plain(
        'number',
        'linkType',
        reading((packet, run) => linkType(of(packet.oif, run))),
      );
    case 'iifgroup':
      return plain(
        'number',
        'group',
        reading((packet, run) => group(of(packet.iif, run))),
      );
    case 'oifgroup':
      return plain(
        'number',
        'group',
        reading((packet, run) => group(of(packet.oif, run))),
      );
    case 'iifkind':
      return plain(
        'name',
        'none',
        reading((packet, run) => of(packet.iif, run)?.kind ?? UNKNOWN),
      );
    case 'oifkind':
      return plain(
        'name',
        'none',
        reading((packet, run) => of(packet.oif, run)?.kind ?? UNKNOWN),
      );
    case 'sdif':
    case 'sdifname':
      return plain(
        'name',
        'none',
        reading((packet, run) => (of(packet.iif, run)?.kind === 'vrf' ? UNKNOWN : '')),
      );
    case 'ibrname':
    case 'obrname':
      return plain(
        'name',
        'none',
        reading((packet, run) => bridgeName(packet, run, context)),
      );
    case 'pkttype':
      return plain(
        'number',
        'packetType',
        reading((packet) => (packet.direction === 'original' ? 0 : UNKNOWN)),
      );
    case 'skuid':
      return number((packet, run) => (hasNoSocket(packet) ? BREAK : (ownerOf(packet, run) ?? UNKNOWN)));
    case 'skgid':
    case 'cgroup':
      // A new connection's packet has no socket yet, so the expression ends the rule (net/netfilter/nft_meta.c).
      return number((packet) => (hasNoSocket(packet) ? BREAK : UNKNOWN));
    case 'length':
      return number(({ transport }) => ({ kind: 'choice', low: transport === 6 ? 40 : 29, high: 600 }));
    case 'priority':
      return plain('number', 'priority', () =>
        unlessMangled('meta priority', context, { kind: 'choice', low: 0, high: 0 }),
      );
    case 'nftrace':
      return number(() => unlessMangled('meta nftrace', context, 0));
    case 'secpath':
    case 'ipsec':
      return number(() => ({ kind: 'choice', low: 0, high: 0 }));
    case 'random':
      context.usage.randomness = Math.max(context.usage.randomness, 16);
      return number((_packet, run) => randomNumber(run));
    case 'cpu':
      return number(() => ({ kind: 'choice', low: 0, high: 8191 }));
    default:
      // time, day, hour, rtclassid, …
      return plain('opaque', 'none', () => UNKNOWN);
  }
}

function hasNoSocket(packet: Packet): boolean {
  return packet.direction === 'original' && packet.tproxy === null && packet.tracking !== 'established';
}

/** The user whose socket sends an answer. What is passed on for others (no interface but the one it came in by) has none. */
export function ownerOf(packet: Packet, run: Run): number | null {
  if (packet.direction === 'original' || packet.iif !== '') return null;
  return run.environment.listeners.owner(packet.transport, packet.sport);
}

function reading(read: Reader): Left['read'] {
  return (flow: Flow, run: Run) => read(flow.packet, run);
}

function of(name: string | null, run: Run): Interface | null {
  return name === null ? null : (run.environment.interfaces.get(name) ?? null);
}

function unlessMangled(name: string, context: LeftContext, value: Value): Value {
  return context.usage.mangled.has(name) ? UNKNOWN : value;
}

function linkType(iface: Interface | null): Value {
  const type = iface?.linkType ?? null;
  const table: Readonly<Record<string, number>> = SYMBOLS.linkType;
  return type === null ? UNKNOWN : (table[type] ?? UNKNOWN);
}

function group(iface: Interface | null): Value {
  return iface?.group === null || iface?.group === undefined ? UNKNOWN : (symbol('group', iface.group) ?? UNKNOWN);
}

/** Tries spread evenly over the 32 bits: a peer repeats until the number suits it. */
function randomNumber(run: Run): Value {
  const step = Math.floor(2 ** 32 / 16);
  const drawn = (run.luck % 16) * step + step / 2;
  return { kind: 'choice', low: drawn, high: drawn };
}

function bridgeName(packet: Packet, run: Run, context: LeftContext): Value {
  if (context.family === 'bridge') return UNKNOWN;
  const iface = of(packet.iif, run);
  return iface === null || iface.kind === null || iface.kind === 'bridge' || iface.master !== null ? UNKNOWN : BREAK;
}
