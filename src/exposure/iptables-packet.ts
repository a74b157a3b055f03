import { multiport, ports } from './iptables-ports';
import { type MatchCompiler, addressTest, allOf } from './iptables-tests';
import { type Option, addressSpan, has, markOf, numberRange, optionNamed } from './iptables-words';
import { fibRoute } from './nft-lookups';
import type { IptablesScope } from './iptables-scope';
import { type Match, type Test, invert, peersIn, whether } from './match';
import { SYMBOLS, symbol } from './nft-symbols';
import { EMPTY, type RangeSet, contains, intersect, subtract, union } from './ranges';
import { EVERYTHING, MULTICAST } from './address-space';
import type { Run } from './run';
import type { Flow } from './packet';

/** A property that the peer chooses; an ordinary client's lies between `low` and `high`. */
function chosen(low: number, high: number, names: readonly string[]): MatchCompiler {
  return (options) => {
    const tests: Test[] = [];
    for (const option of options) {
      const range = wanted(option, names);
      if (range === null) return null;
      tests.push((_flow, run) => {
        run.choiceSeen = true;
        if (run.mode === 'free') return 'maybe';
        const inside = low >= range[0] && high <= range[1];
        const outside = high < range[0] || low > range[1];
        return inside || outside ? whether(inside !== option.not) : 'maybe';
      });
    }
    return allOf(tests);
  };
}

function wanted(option: Option, names: readonly string[]): readonly [number, number] | null {
  if (!names.includes(option.name)) return null;
  const text = option.values[0] ?? '';
  if (option.name.endsWith('-lt')) return [0, Number(text) - 1];
  if (option.name.endsWith('-gt')) return [Number(text) + 1, 2 ** 32];
  const range = numberRange(text.split('/')[0] ?? '');
  return range;
}

/** A header that ordinary packets do not have. */
function absent(): Test {
  return (_flow, run) => run.choice(false);
}

function iprange(options: readonly Option[], scope: IptablesScope): Test | null {
  const tests: Test[] = [];
  for (const option of options) {
    const set = addressSpan(option.values[0] ?? '', scope.family);
    if (set === null || (option.name !== '--src-range' && option.name !== '--dst-range')) return null;
    tests.push(addressTest(option.name === '--src-range' ? 'saddr' : 'daddr', set, option.not, scope));
  }
  return allOf(tests);
}

/** `--dst-type LOCAL`, by the local table (net/netfilter/xt_addrtype.c). */
function addrtype(options: readonly Option[]): Test | null {
  const tests: Test[] = [];
  const limit = has(options, '--limit-iface-in') ? 'iif' : has(options, '--limit-iface-out') ? 'oif' : null;
  for (const option of options) {
    if (option.name.startsWith('--limit-iface')) continue;
    const side = option.name === '--src-type' ? 'saddr' : option.name === '--dst-type' ? 'daddr' : null;
    if (side === null) return null;
    const types = (option.values[0] ?? '').toLowerCase().split(',');
    tests.push((flow, run) => {
      const match = typeMatch(flow, run, side, types, limit === null ? '' : flow.packet[limit]);
      return option.not ? invert(match, flow.packet.family, run) : match;
    });
  }
  return allOf(tests);
}

function typeMatch(
  { packet }: Flow,
  run: Run,
  side: 'saddr' | 'daddr',
  types: readonly string[],
  device: string | null,
): Match {
  const routing = run.environment.routing[packet.family];
  if (!routing.known || device === null) return 'maybe';
  const on = device === '' ? null : device;
  let set: RangeSet = EMPTY;
  if (packet.family === 6) set = types6(types, (type) => routing.addressType(type, on));
  else for (const type of types) set = union(set, routing.addressType(type, on));
  const address = packet[side];
  return address === null ? peersIn(set, false, packet.family) : whether(contains(set, address));
}

/**
 * For IPv6, MULTICAST and UNICAST speak of the address as such, its own included, and all of them must hold; of the
 * others one is enough (net/netfilter/xt_addrtype.c, match_type6).
 */
function types6(types: readonly string[], look: (type: string) => RangeSet): RangeSet {
  let set: RangeSet = EVERYTHING[6];
  if (types.includes('multicast')) set = intersect(set, MULTICAST[6]);
  if (types.includes('unicast')) set = subtract(set, union(MULTICAST[6], [0n, 1n]));
  if (types.includes('unspec')) set = intersect(set, [0n, 1n]);
  const looked = types.filter((type) => type === 'local' || type === 'anycast' || type === 'unreachable');
  if (looked.length === 0) return set;
  return intersect(
    set,
    looked.reduce((all: RangeSet, type) => union(all, look(type)), EMPTY),
  );
}

/** Matches packets that pass the test, with --invert those that fail it (net/ipv4/netfilter/ipt_rpfilter.c). */
function rpfilter(options: readonly Option[]): Test {
  const loose = has(options, '--loose');
  const fib = {
    result: 'oif',
    side: 'saddr' as const,
    flags: [...(loose ? [] : ['iif']), ...(has(options, '--validmark') ? ['mark'] : [])],
  };
  const inverted = has(options, '--invert');
  return (flow, run) => {
    const found = fibRoute(fib, flow.packet, run, null);
    return inverted ? invert(found, flow.packet.family, run) : found;
  };
}

function devgroup(options: readonly Option[]): Test | null {
  const tests: Test[] = [];
  for (const option of options) {
    const text = option.values[0] ?? '';
    // Names of /etc/iproute2/group are saved as such; only `default` is the same everywhere.
    const wantedGroup = text === 'default' ? { value: 0, mask: 0xffffffff } : markOf(text);
    const side = option.name === '--src-group' ? 'iif' : option.name === '--dst-group' ? 'oif' : null;
    if (wantedGroup === null || side === null) return null;
    tests.push(({ packet }, run) => {
      const name = packet[side];
      const group = name === null ? null : (run.environment.interfaces.get(name)?.group ?? null);
      const value = group === null ? null : symbol('group', group);
      return value === null
        ? 'maybe'
        : whether(((value & wantedGroup.mask) >>> 0 === wantedGroup.value) !== option.not);
    });
  }
  return allOf(tests);
}

function pkttype(options: readonly Option[]): Test | null {
  const option = optionNamed(options, '--pkt-type');
  const table: Readonly<Record<string, number>> = SYMBOLS.packetType;
  const value = table[option?.values[0] ?? ''];
  if (option === null || value === undefined) return null;
  return ({ packet }) => (packet.direction === 'reply' ? 'maybe' : whether((value === 0) !== option.not));
}

/** Ports of a bridge: packets that did not cross one match only where everything asked is inverted (net/netfilter/xt_physdev.c). */
function physdev(options: readonly Option[]): Test {
  const allInverted = options.every((option) => option.not);
  return ({ packet }, run) => {
    const kind = packet.iif === null ? null : (run.environment.interfaces.get(packet.iif)?.kind ?? null);
    return kind === null || kind === 'bridge' ? 'maybe' : whether(allInverted);
  };
}

/** Nobody on the internet at large holds an IPsec association with the host. */
function policy(options: readonly Option[]): Test | null {
  const kind = optionNamed(options, '--pol')?.values[0];
  if (kind !== 'none' && kind !== 'ipsec') return null;
  return (_flow, run) => run.choice(kind === 'none');
}

export const PACKET_MATCHES: Readonly<Record<string, MatchCompiler>> = {
  tcp: ports(6),
  udp: ports(17),
  udplite: ports(136),
  multiport,
  iprange,
  addrtype,
  rpfilter,
  devgroup,
  pkttype,
  physdev,
  policy,
  comment: () => () => 'yes',
  ttl: chosen(33, 128, ['--ttl-eq', '--ttl-lt', '--ttl-gt']),
  hl: chosen(33, 128, ['--hl-eq', '--hl-lt', '--hl-gt']),
  length: chosen(40, 600, ['--length']),
  dscp: chosen(0, 0, ['--dscp']),
  tos: chosen(0, 0, ['--tos']),
  tcpmss: chosen(1200, 9000, ['--mss']),
  frag: absent,
  ah: () => () => 'no',
  esp: () => () => 'no',
  icmp: () => () => 'no',
  icmp6: () => () => 'no',
  sctp: () => () => 'no',
  dccp: () => () => 'no',
  rt: absent,
  hbh: absent,
  dst: absent,
  mh: absent,
  srh: absent,
};
