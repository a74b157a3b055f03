import type { Random } from './random';
import { CONTAINER4, HOST4, HOST6, type SceneListener, network4, network6, port } from './scene';

/** What a ruleset under construction has to refer to, and what it has used. */
export interface Draft {
  readonly random: Random;
  readonly listeners: readonly SceneListener[];
  /** nftables family of the table at hand: ip, ip6 or inet. */
  readonly family: string;
  /** Named sets, by kind. */
  readonly sets: Map<string, string[]>;
  readonly chains: string[];
  readonly ports: Set<number>;
  readonly peerPorts: Set<number>;
  fickle: boolean;
}

function sees4(draft: Draft): boolean {
  return draft.family !== 'ip6';
}

function sees6(draft: Draft): boolean {
  return draft.family !== 'ip';
}

function anyPort(draft: Draft): number {
  const found = port(draft.random, draft.listeners);
  draft.ports.add(found);
  return found;
}

function set(draft: Draft, kind: string): string | null {
  const names = draft.sets.get(kind) ?? [];
  return names.length === 0 ? null : `@${draft.random.pick(names)}`;
}

/** One match, or several that belong together. */
export function nftMatch(draft: Draft, hook: string): string {
  const { random } = draft;
  const negation = random.chance(0.15) ? '!= ' : '';
  return random.weighted<string>([
    [10, () => source(draft)],
    [8, () => `tcp dport ${negation}${portList(draft)}`],
    [3, () => `udp dport ${negation}${portList(draft)}`],
    [2, () => `meta l4proto { tcp, udp } th dport ${negation}${portList(draft)}`],
    [
      2,
      () =>
        random.pick([
          'meta l4proto tcp',
          'meta l4proto udp',
          'meta l4proto != tcp',
          'ip protocol tcp',
          'meta nfproto ipv4',
          'meta nfproto ipv6',
          'meta protocol ip',
        ]),
    ],
    [4, () => incoming(draft, hook)],
    [5, () => tracking(draft, hook)],
    [3, () => mark(draft)],
    [2, () => destination(draft)],
    [
      1.5,
      () =>
        random.pick([
          'fib daddr type local',
          'fib daddr . iif type local',
          'fib saddr type != local',
          'fib daddr type { local, broadcast }',
          'fib saddr type unicast',
        ]),
    ],
    [
      1,
      () =>
        hook === 'prerouting' || hook === 'input'
          ? random.pick([
              'fib saddr . iif oif exists',
              'fib saddr . iif oif missing',
              'fib saddr oif exists',
              'fib saddr . mark . iif oif exists',
            ])
          : 'meta l4proto tcp',
    ],
    [2, () => flags(draft)],
    [1, () => sourcePort(draft)],
    [
      1,
      () =>
        random.pick([
          'meta pkttype host',
          'meta pkttype != host',
          'meta iiftype ether',
          'meta iiftype loopback',
          'meta iifgroup 0',
          'meta iifgroup != 0',
          'meta oifgroup 0',
        ]),
    ],
    [1, () => concatenation(draft)],
    [0.7, () => fickle(draft, hook)],
    [0.7, () => (hook === 'input' ? random.pick(['socket wildcard 1', 'socket wildcard 0']) : 'meta l4proto tcp')],
    [0.7, () => `@th,16,16 ${anyPort(draft)}`],
    [
      0.5,
      () =>
        random.pick([
          'meta length 1-2000',
          'ip ttl > 1',
          'ip6 hoplimit > 1',
          'meta skuid 0',
          'tcp option maxseg size 500-9000',
          'ip dscp 0',
          'meta priority 0',
          'meta cpu >= 0',
          'rt ipsec missing',
          'exthdr frag exists',
        ]),
    ],
  ]);
}

function source(draft: Draft): string {
  const { random } = draft;
  const not = random.chance(0.2) ? '!= ' : '';
  const four = sees4(draft) && (!sees6(draft) || random.chance(0.65));
  const [word, kind] = four ? (['ip saddr', 'ipv4'] as const) : (['ip6 saddr', 'ipv6'] as const);
  const named = set(draft, kind);
  const network = (): string => (four ? network4(random) : network6(random));
  return random.weighted<string>([
    [4, () => `${word} ${not}${network()}`],
    [named === null ? 0 : 3, () => `${word} ${not}${named}`],
    [2, () => `${word} ${not}{ ${distinct([network(), network()], four).join(', ')} }`],
    [four ? 0.7 : 0, () => `${word} ${not}11.0.0.0-${random.pick(['150.0.0.0', '99.255.255.255', '223.255.255.255'])}`],
    [four ? 0.4 : 0, () => `${word} & 255.0.0.0 ${not === '' ? '==' : '!='} ${random.pick(['8.0.0.0', '91.0.0.0'])}`],
    [
      four ? 0.3 : 0,
      () => `${word} ${random.pick(['<', '>', '<=', '>='])} ${random.pick(['100.0.0.0', '10.0.0.0', '200.0.0.0'])}`,
    ],
  ]);
}

/** Networks that do not overlap, as sets without auto-merge want them. */
export function distinct(networks: readonly string[], four: boolean): readonly string[] {
  const wide = networks.find((network) => network.includes(four ? '/1' : '/3') || network.endsWith('/2'));
  return wide === undefined && networks[0] !== networks[1] ? [networks[0] ?? ''] : [wide ?? networks[0] ?? ''];
}

function portList(draft: Draft): string {
  const { random } = draft;
  const named = set(draft, 'port');
  return random.weighted<string>([
    [5, () => String(anyPort(draft))],
    [2, () => `{ ${[...new Set([anyPort(draft), anyPort(draft), anyPort(draft)])].join(', ')} }`],
    [1.5, () => random.pick(['1-1023', '1024-65535', '20-90', '8000-9000', '0-65535'])],
    [named === null ? 0 : 2, () => named ?? ''],
  ]);
}

function incoming(draft: Draft, hook: string): string {
  const { random } = draft;
  if (hook === 'output' || hook === 'postrouting')
    return `oifname ${random.pick(['"eth0"', '"lo"', '"docker0"', '!= "eth0"', '"eth*"'])}`;
  if (hook === 'forward' && random.chance(0.5))
    return `oifname ${random.pick(['"docker0"', '"eth0"', '!= "docker0"'])}`;
  const named = set(draft, 'ifname');
  return random.weighted<string>([
    [
      3,
      () =>
        `iifname ${random.pick(['"eth0"', '"lo"', '"wg0"', '"eth*"', '!= "eth0"', '!= "lo"', '{ "eth0", "wg0" }', '{ "lo", "wg0" }', '!= { "lo", "wg0" }'])}`,
    ],
    [1, () => `iif ${random.pick(['"eth0"', '"lo"', '!= "lo"'])}`],
    [named === null ? 0 : 1, () => `iifname ${named}`],
  ]);
}

function tracking(draft: Draft, hook: string): string {
  const { random } = draft;
  if (hook === 'ingress') return 'meta l4proto tcp';
  return random.weighted<string>([
    [
      4,
      () =>
        `ct state ${random.pick(['new', 'established', 'established,related', 'new,established', 'invalid', 'untracked', '{ new, untracked }', '!= established', 'established,related,new,untracked'])}`,
    ],
    [1, () => `ct mark ${random.pick(['1', '!= 1', '0', '& 0x1 == 0x1'])}`],
    [
      1,
      () =>
        random.pick([
          'ct status dnat',
          'ct direction original',
          'ct direction reply',
          'ct l3proto ipv4',
          'ct protocol tcp',
        ]),
    ],
    [1, () => `meta l4proto tcp ct original proto-dst ${anyPort(draft)}`],
    [0.5, () => `ct original ip saddr ${network4(random)}`],
    [0.5, () => `ct original ip daddr ${HOST4[0]}`],
    [0.3, () => `ct helper "ftp"`],
    [0.3, () => `ct zone 0`],
  ]);
}

function mark(draft: Draft): string {
  return `meta mark ${draft.random.pick(['1', '!= 1', '0', '2', '& 0x1 == 0x1', '& 0x10 == 0', '{ 1, 2 }', '1-15', '>= 1'])}`;
}

function destination(draft: Draft): string {
  const { random } = draft;
  if (sees4(draft) && random.chance(0.7))
    return `ip daddr ${random.pick([HOST4[0], HOST4[0], '!= 203.0.113.10', '203.0.113.0/24', HOST4[1], CONTAINER4, '{ 203.0.113.10, 10.0.0.10 }'])}`;
  return sees6(draft)
    ? `ip6 daddr ${random.pick([HOST6[0], '!= 2001:db8::10', '2001:db8::/32', HOST6[1]])}`
    : `ip daddr ${HOST4[0]}`;
}

function flags(draft: Draft): string {
  return draft.random.pick([
    ...[
      'tcp flags syn',
      'tcp flags == syn',
      'tcp flags & (fin|syn|rst|ack) == syn',
      'tcp flags & (fin|syn|rst|ack) != syn',
    ],
    ...[
      'tcp flags & (syn|ack) == syn',
      'tcp flags != syn',
      'tcp flags ack',
      'tcp flags & (ecn|cwr) == 0x0',
      'tcp flags { syn, ack }',
      'tcp flags ! syn',
    ],
  ]);
}

function sourcePort(draft: Draft): string {
  const { random } = draft;
  const chosen = random.pick([53, 20, 123, 999]);
  draft.peerPorts.add(chosen);
  return random.weighted<string>([
    [3, () => `${random.pick(['tcp', 'udp'])} sport ${chosen}`],
    [1, () => `tcp sport ${random.pick(['1024-65535', '1-1023'])}`],
    [1, () => `th sport != ${chosen}`],
  ]);
}

function concatenation(draft: Draft): string {
  const named = set(draft, 'concat');
  if (named !== null && sees4(draft)) return `ip saddr . tcp dport ${named}`;
  return `meta l4proto . th dport { tcp . ${anyPort(draft)}, udp . ${anyPort(draft)} }`;
}

function fickle(draft: Draft, hook: string): string {
  draft.fickle = true;
  return draft.random.pick([
    ...[
      'limit rate 1000/second',
      'limit rate over 1000/second',
      'quota until 100 mbytes',
      'quota over 100 mbytes',
      'numgen random mod 2 == 0',
    ],
    ...[
      'limit rate 2/minute burst 3 packets',
      hook === 'input' ? 'ct count over 100' : 'limit rate 500/second',
      'meta random > 2000000000',
    ],
  ]);
}
