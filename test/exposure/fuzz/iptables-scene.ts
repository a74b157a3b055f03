import type { Random } from './random';
import { CONTAINER4, CONTAINER6, HOST4, type Scene, type SceneListener, network4, network6, port } from './scene';

type Partial = Pick<Scene, 'loads' | 'ports' | 'peerPorts' | 'fickle'>;

interface Draft {
  readonly random: Random;
  readonly listeners: readonly SceneListener[];
  readonly family: 4 | 6;
  readonly ports: Set<number>;
  readonly peerPorts: Set<number>;
  readonly sets: readonly string[];
  fickle: boolean;
}

/** Random iptables rules for both families, in either variant. */
export function iptablesScene(random: Random, listeners: readonly SceneListener[]): Partial {
  const ports = new Set<number>();
  const peerPorts = new Set<number>();
  const loads: { argv: readonly string[]; input: string }[] = [];
  let fickle = false;
  const variant = random.chance(0.3) ? '-legacy' : '';
  const sets = random.chance(0.5) ? ipsets(random, listeners, `_${random.integer(0, 99_999)}`) : null;
  if (sets !== null) loads.push({ argv: ['ipset', 'restore'], input: sets.text });
  for (const family of [4, 6] as const) {
    if (random.chance(0.1)) continue;
    const draft: Draft = {
      random,
      listeners,
      family,
      ports,
      peerPorts,
      sets: sets?.names[family] ?? [],
      fickle: false,
    };
    const argv = [`${family === 4 ? 'iptables' : 'ip6tables'}${variant}-restore`];
    loads.push({ argv, input: tables(draft).join('\n') });
    fickle ||= draft.fickle;
  }
  return { loads, ports: [...ports], peerPorts: [...peerPorts], fickle };
}

/** Sets of every kind that rules refer to; names differ from scene to scene, as the kernel lets go of old ones late. */
function ipsets(
  random: Random,
  listeners: readonly SceneListener[],
  suffix: string,
): { text: string; names: Record<4 | 6, readonly string[]> } {
  const lines = [
    `create n4${suffix} hash:net family inet`,
    `create p4${suffix} hash:net,port family inet`,
    `create n6${suffix} hash:net family inet6`,
    `create b${suffix} bitmap:port range 0-65535`,
    `create l4${suffix} list:set`,
    `create a4${suffix} hash:ip family inet`,
  ];
  for (let i = random.integer(1, 3); i > 0; i -= 1) {
    lines.push(`add n4${suffix} ${network4(random)}${random.chance(0.15) ? ' nomatch' : ''}`);
    const proto = random.pick(['tcp', 'udp']);
    lines.push(`add p4${suffix} ${network4(random)},${proto}:${port(random, listeners)}`);
    lines.push(`add n6${suffix} ${network6(random)}`);
    lines.push(`add b${suffix} ${port(random, listeners)}`);
    lines.push(`add a4${suffix} ${random.pick(['91.2.3.4', '8.8.8.8', '198.51.100.7'])}`);
  }
  lines.push(`add l4${suffix} ${random.pick(['n4', 'a4'])}${suffix}`);
  const named = (list: readonly string[]): readonly string[] => list.map((item) => item.replace(' ', `${suffix} `));
  return {
    text: `${[...new Set(lines)].join('\n')}\n`,
    names: { 4: named(['n4 src', 'p4 src,dst', 'b dst', 'l4 src', 'a4 src']), 6: named(['n6 src', 'b dst']) },
  };
}

function tables(draft: Draft): readonly string[] {
  const { random } = draft;
  const out: string[] = [];
  if (random.chance(0.2)) out.push(table(draft, 'raw', ['PREROUTING', 'OUTPUT']));
  if (random.chance(0.3)) out.push(table(draft, 'mangle', ['PREROUTING', 'INPUT', 'FORWARD']));
  if (random.chance(0.3)) out.push(table(draft, 'nat', ['PREROUTING']));
  out.push(table(draft, 'filter', ['INPUT', 'FORWARD', 'OUTPUT']));
  if (random.chance(0.05)) out.push(table(draft, 'security', ['INPUT']));
  return out;
}

function table(draft: Draft, name: string, chains: readonly string[]): string {
  const { random } = draft;
  const users = Array.from({ length: random.integer(0, 2) }, (_, i) => `U${i}`);
  const lines = [`*${name}`];
  for (const chain of chains) {
    const droppable = (name === 'filter' && chain !== 'OUTPUT') || (name !== 'nat' && random.chance(0.05));
    lines.push(`:${chain} ${droppable && random.chance(0.5) ? 'DROP' : 'ACCEPT'} [0:0]`);
  }
  for (const user of users) lines.push(`:${user} - [0:0]`);
  for (const [i, chain] of users.entries()) {
    for (let n = random.integer(1, 3); n > 0; n -= 1)
      lines.push(`-A ${chain} ${rule(draft, name, 'USER', users.slice(i + 1))}`);
  }
  for (const chain of chains) {
    if (name === 'filter' && chain === 'INPUT' && random.chance(0.6))
      lines.push('-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT');
    if (chain === 'OUTPUT' && random.chance(0.8)) continue;
    for (let n = random.integer(0, 4); n > 0; n -= 1) lines.push(`-A ${chain} ${rule(draft, name, chain, users)}`);
  }
  lines.push('COMMIT', '');
  return lines.join('\n');
}

function rule(draft: Draft, table: string, chain: string, users: readonly string[]): string {
  const { random } = draft;
  const words: string[] = [];
  const count = random.weighted([
    [1, () => 0],
    [4, () => 1],
    [4, () => 2],
  ] as const);
  let protocol: string | null = null;
  const kinds = new Set<string>();
  for (let i = 0; i < count; i += 1) {
    const made = match(draft, table, chain, protocol);
    const kind = made.text.replace(/^! /, '').split(' ')[made.text.startsWith('-m') ? 1 : 0] ?? '';
    if (kinds.has(kind)) continue;
    kinds.add(kind);
    if (made.protocol !== null) protocol = made.protocol;
    words.push(made.text);
  }
  const natNeedsProtocol = table === 'nat' && protocol === null;
  if (natNeedsProtocol) {
    protocol = random.pick(['tcp', 'tcp', 'udp']);
    words.push(`-p ${protocol} -m ${protocol} --dport ${anyPort(draft)}`);
  }
  return `${words.join(' ')} ${target(draft, table, chain, users)}`.trim();
}

function anyPort(draft: Draft): number {
  const found = port(draft.random, draft.listeners);
  draft.ports.add(found);
  return found;
}

interface Made {
  readonly text: string;
  readonly protocol: string | null;
}

function match(draft: Draft, table: string, chain: string, protocol: string | null): Made {
  const { random, family } = draft;
  const plain = (text: string): Made => ({ text, protocol: null });
  const not = random.chance(0.15) ? '! ' : '';
  const input = chain !== 'OUTPUT' && chain !== 'USER' && chain !== 'POSTROUTING';
  return random.weighted<Made>([
    [6, () => plain(`${not}-s ${family === 4 ? network4(random) : network6(random)}`)],
    [protocol === null ? 8 : 0, () => withProtocol(draft)],
    [input ? 3 : 0, () => plain(`${not}-i ${random.pick(['eth0', 'lo', 'wg0', 'eth+', 'docker0'])}`)],
    [
      4,
      () =>
        plain(
          `-m conntrack ${random.pick(['', '! '])}--ctstate ${random.pick(['NEW', 'ESTABLISHED', 'RELATED,ESTABLISHED', 'NEW,ESTABLISHED', 'INVALID', 'UNTRACKED', 'NEW,UNTRACKED', 'DNAT'])}`,
        ),
    ],
    [1, () => plain(`-m state --state ${random.pick(['NEW', 'ESTABLISHED', 'NEW,RELATED,ESTABLISHED'])}`)],
    [
      1,
      () =>
        plain(`-d ${family === 4 ? random.pick([HOST4[0], HOST4[1], CONTAINER4, '203.0.113.0/24']) : '2001:db8::10'}`),
    ],
    [1, () => plain(`-m mark ${not}--mark ${random.pick(['1', '0x1/0x1', '0x2', '0x0/0xf0'])}`)],
    [0.7, () => plain(`-m connmark ${not}--mark ${random.pick(['1', '0x1/0x1'])}`)],
    [1, () => plain(`-m addrtype ${not}--dst-type ${random.pick(['LOCAL', 'UNICAST', 'BROADCAST'])}`)],
    [
      family === 4 ? 1 : 0,
      () =>
        plain(
          `-m iprange ${not}--src-range ${random.pick(['1.0.0.0-100.0.0.0', '90.0.0.0-99.255.255.255', '198.51.100.1-198.51.100.250'])}`,
        ),
    ],
    [draft.sets.length > 0 ? 3 : 0, () => plain(`-m set ${not}--match-set ${random.pick(draft.sets)}`)],
    [1, () => plain(fickle(draft))],
    [
      table === 'raw' || table === 'mangle' ? (chain === 'PREROUTING' ? 1 : 0) : 0,
      () => plain(`-m rpfilter ${random.pick(['', '--invert', '--loose', '--loose --invert'])}`),
    ],
    [
      0.6,
      () =>
        plain(
          random.pick([
            '-m devgroup --src-group 0',
            '-m pkttype --pkt-type unicast',
            '-m pkttype ! --pkt-type broadcast',
            '-m comment --comment "hello \\"world\\" -j DROP"',
            family === 4 ? '-m ttl --ttl-gt 1' : '-m hl --hl-gt 1',
            '-m length --length 20:1500',
            '-m helper --helper ftp',
            '-m physdev --physdev-in eth9',
            '-m physdev ! --physdev-in eth9',
          ]),
        ),
    ],
    [
      0.6,
      () =>
        plain(
          `-m conntrack ${random.pick(['--ctorigdstport ' + anyPort(draft), '--ctdir ORIGINAL', '--ctdir REPLY', family === 4 ? '--ctorigsrc 91.2.3.0/24' : '--ctdir ORIGINAL', '! --ctorigdstport ' + anyPort(draft)])}`,
        ),
    ],
    [
      chain === 'INPUT' ? 0.3 : 0,
      () =>
        plain(
          random
            .pick([
              '-m socket --nowildcard',
              '-m socket',
              '-m policy --dir in --pol none',
              '-m policy --dir in --pol ipsec --strict',
            ])
            .replace(' --strict', ''),
        ),
    ],
    [chain === 'OUTPUT' ? 1 : 0, () => plain(`-m owner ${not}--uid-owner ${random.pick(['0', '33', '0-10'])}`)],
  ]);
}

function withProtocol(draft: Draft): Made {
  const { random } = draft;
  const protocol = random.chance(0.75) ? 'tcp' : 'udp';
  const not = random.chance(0.15) ? '! ' : '';
  const head = `-p ${protocol}`;
  const text = random.weighted<string>([
    [
      5,
      () =>
        `${head} -m ${protocol} ${not}--dport ${random.pick([String(anyPort(draft)), '1:1023', '1024:65535', ':100'])}`,
    ],
    [
      2,
      () => `${head} -m multiport ${not}--dports ${[...new Set([anyPort(draft), anyPort(draft)])].join(',')},8000:9000`,
    ],
    [1, () => `${head} -m multiport --ports ${eitherPort(draft)}`],
    [1, () => head],
    [0.5, () => `! -p ${protocol}`],
    [
      protocol === 'tcp' ? 1.5 : 0,
      () =>
        `${head} -m tcp ${not}${random.pick(['--syn', '--tcp-flags SYN,ACK SYN', '--tcp-flags ALL SYN', '--tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE', '--tcp-flags SYN,RST SYN,RST', '--tcp-option 2'])}`,
    ],
    [protocol === 'tcp' ? 0.3 : 0, () => `${head} -m tcpmss --mss 500:9000`],
    [1, () => sport(draft, protocol)],
    [0.3, () => `${head} -m string --string "attack" --algo bm`],
  ]);
  return { text, protocol };
}

/** A port of either side: peers can choose theirs. */
function eitherPort(draft: Draft): number {
  const chosen = anyPort(draft);
  draft.peerPorts.add(chosen);
  return chosen;
}

function sport(draft: Draft, protocol: string): string {
  const chosen = draft.random.pick([53, 20, 123]);
  draft.peerPorts.add(chosen);
  return `-p ${protocol} -m ${protocol} --sport ${chosen}`;
}

function fickle(draft: Draft): string {
  const { random } = draft;
  draft.fickle = true;
  const name = random.pick(['R', 'S']);
  return random.pick([
    ...[
      '-m limit --limit 1000/second',
      '-m limit --limit 2/minute --limit-burst 2',
      '-m statistic --mode random --probability 0.5',
    ],
    ...[
      `-m recent --set --name ${name}`,
      `-m recent --rcheck --name ${name}`,
      `-m recent --update --seconds 60 --hitcount 9 --name ${name}`,
      `-m recent ! --rcheck --name ${name}`,
    ],
    ...[
      '-m hashlimit --hashlimit-upto 500/second --hashlimit-mode srcip --hashlimit-name h',
      '-m hashlimit --hashlimit-above 500/second --hashlimit-mode srcip --hashlimit-name g',
    ],
    ...['-m connlimit --connlimit-above 100', '-m connlimit --connlimit-upto 100', '-m quota --quota 100000000'],
  ]);
}

function target(draft: Draft, table: string, chain: string, users: readonly string[]): string {
  const { random, family } = draft;
  if (table === 'nat' && (chain === 'PREROUTING' || chain === 'USER')) {
    return random.weighted<string>([
      [3, () => `-j REDIRECT --to-ports ${anyPort(draft)}`],
      [
        3,
        () =>
          `-j DNAT --to-destination ${family === 4 ? `${CONTAINER4}:${random.pick([80, 8080, 99])}` : `[${CONTAINER6}]:80`}`,
      ],
      [
        family === 4 ? 1 : 0,
        () => `-j DNAT --to-destination ${random.pick(['127.0.0.1', HOST4[1], `${HOST4[0]}:${anyPort(draft)}`])}`,
      ],
      [1, () => '-j ACCEPT'],
      [1, () => '-j RETURN'],
      [users.length > 0 ? 2 : 0, () => `-j ${random.pick(users)}`],
    ]);
  }
  const rejects = table === 'filter' && chain !== 'PREROUTING';
  return random.weighted<string>([
    [7, () => '-j ACCEPT'],
    [5, () => (rejects ? random.pick(['-j DROP', '-j DROP', '-j REJECT']) : '-j DROP')],
    [1, () => '-j RETURN'],
    [users.length > 0 ? 3 : 0, () => `${random.pick(['-j', '-j', '-g'])} ${random.pick(users)}`],
    [
      table === 'mangle' ? 5 : 0,
      () =>
        `-j MARK ${random.pick(['--set-mark 1', '--set-xmark 0x1/0x1', '--or-mark 0x2', '--and-mark 0xf0', '--xor-mark 0x1'])}`,
    ],
    [
      table === 'mangle' ? 2 : 0,
      () => `-j CONNMARK ${random.pick(['--save-mark', '--restore-mark', '--set-mark 1', '--set-xmark 0x1/0x1'])}`,
    ],
    [table === 'raw' ? 3 : 0, () => random.pick(['-j CT --notrack', '-j NOTRACK'])],
    [draft.sets.length > 0 && family === 4 ? 0.4 : 0, () => setTarget(draft)],
  ]);
}

function setTarget(draft: Draft): string {
  draft.fickle = true;
  return `-j SET --add-set ${draft.sets.find((name) => name.startsWith('a4')) ?? 'a4 src'}`;
}
