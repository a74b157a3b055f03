import type { Random } from './random';
import { type Draft, distinct, nftMatch } from './nft-rules';
import { CONTAINER4, CONTAINER6, HOST4, type Scene, type SceneListener, network4, network6, port } from './scene';

type Partial = Pick<Scene, 'loads' | 'ports' | 'peerPorts' | 'fickle'>;

/** A random nftables ruleset. */
export function nftScene(random: Random, listeners: readonly SceneListener[]): Partial {
  const tables: string[] = [];
  const ports = new Set<number>();
  const peerPorts = new Set<number>();
  let fickle = false;
  const families = random.weighted<readonly string[]>([
    [6, () => ['inet']],
    [2, () => ['ip', 'ip6']],
    [1, () => ['ip']],
    [1, () => ['inet', 'ip']],
  ]);
  for (const [i, family] of families.entries()) {
    const draft: Draft = { random, listeners, family, sets: new Map(), chains: [], ports, peerPorts, fickle: false };
    tables.push(table(draft, `t${i}`));
    fickle ||= draft.fickle;
  }
  const input = tables.join('\n');
  return { loads: [{ argv: ['nft', '-f', '-'], input }], ports: [...ports], peerPorts: [...peerPorts], fickle };
}

function table(draft: Draft, name: string): string {
  const { random } = draft;
  const body: string[] = [...sets(draft)];
  const regular = random.integer(0, 3);
  const chains: string[] = [];
  for (let i = regular; i > 0; i -= 1) {
    chains.unshift(chain(draft, `c${i}`, null, random.pick(['input', 'input', 'forward'])));
    draft.chains.push(`c${i}`);
  }
  if (random.chance(0.35))
    chains.push(
      chain(
        draft,
        'pre',
        `type filter hook prerouting priority ${random.pick(['raw', 'mangle', '-250', '-190', '-50', '0'])}; policy ${usually(random)};`,
        'prerouting',
      ),
    );
  if (random.chance(0.3)) chains.push(natChain(draft));
  chains.push(
    chain(
      draft,
      'in',
      `type filter hook input priority ${random.pick(['0', '0', 'filter', '-10', '50'])}; policy ${random.pick(['accept', 'drop'])};`,
      'input',
    ),
  );
  if (random.chance(0.2))
    chains.push(
      chain(
        draft,
        'in2',
        `type filter hook input priority ${random.pick(['0', '10', '-150'])}; policy ${usually(random)};`,
        'input',
      ),
    );
  if (random.chance(0.3))
    chains.push(
      chain(
        draft,
        'forw',
        `type filter hook forward priority 0; policy ${random.pick(['accept', 'drop'])};`,
        'forward',
      ),
    );
  if (random.chance(0.12))
    chains.push(
      chain(
        draft,
        'out',
        `type filter hook output priority ${random.pick(['0', 'raw'])}; policy ${usually(random)};`,
        'output',
      ),
    );
  if (draft.family === 'inet' && random.chance(0.07))
    chains.push(
      chain(
        draft,
        'ing',
        `type filter hook ingress device "eth0" priority ${random.pick(['0', '-500'])}; policy accept;`,
        'ingress',
      ),
    );
  if (random.chance(0.06)) body.unshift('flags dormant;');
  return `table ${draft.family} ${name} {\n${[...body, ...chains].join('\n')}\n}`;
}

function usually(random: Random): string {
  return random.chance(0.85) ? 'accept' : 'drop';
}

function sets(draft: Draft): readonly string[] {
  const { random, sets: names } = draft;
  const out: string[] = [];
  const add = (kind: string, name: string, text: string): void => {
    names.set(kind, [...(names.get(kind) ?? []), name]);
    out.push(`set ${name} { ${text} }`);
  };
  const many = (make: () => string): string =>
    [...new Set(Array.from({ length: random.integer(1, 4) }, make))].join(', ');
  if (draft.family !== 'ip6' && random.chance(0.5))
    add('ipv4', 's4', `type ipv4_addr; flags interval; auto-merge; elements = { ${many(() => network4(random))} };`);
  if (draft.family !== 'ip' && random.chance(0.4))
    add('ipv6', 's6', `type ipv6_addr; flags interval; auto-merge; elements = { ${many(() => network6(random))} };`);
  if (random.chance(0.3))
    add('port', 'sp', `type inet_service; elements = { ${many(() => String(port(random, draft.listeners)))} };`);
  if (random.chance(0.2))
    add('ifname', 'si', `type ifname; elements = { ${random.pick(['"eth0"', '"lo", "wg0"', '"eth0", "docker0"'])} };`);
  if (draft.family !== 'ip6' && random.chance(0.25)) {
    const net = distinct([network4(random)], true)[0] ?? '';
    add(
      'concat',
      'sc',
      `type ipv4_addr . inet_service; flags interval; elements = { ${net} . ${port(random, draft.listeners)}, 198.51.100.0/24 . 1-65535 };`,
    );
  }
  if (draft.family !== 'ip6' && random.chance(0.12)) {
    add('dynamic', 'sd', 'type ipv4_addr; flags dynamic,timeout; timeout 1m; size 1000;');
  }
  return out;
}

function chain(draft: Draft, name: string, head: string | null, hook: string): string {
  const { random } = draft;
  const rules: string[] = [];
  if (head !== null && hook === 'input' && random.chance(0.5))
    rules.push(
      random.pick([
        'ct state established,related accept',
        'ct state vmap { established : accept, related : accept, invalid : drop }',
        'iifname "lo" accept',
      ]),
    );
  for (let i = random.integer(head === null ? 1 : 0, 5); i > 0; i -= 1) rules.push(rule(draft, hook));
  return `chain ${name} {\n${head ?? ''}\n${rules.map((text) => `  ${text}`).join('\n')}\n}`;
}

function rule(draft: Draft, hook: string): string {
  const { random } = draft;
  const matches = Array.from(
    {
      length: random.weighted([
        [1, () => 0],
        [5, () => 1],
        [3, () => 2],
        [1, () => 3],
      ]),
    },
    () => nftMatch(draft, hook),
  );
  if (random.chance(0.15)) matches.push('counter');
  return `${matches.join(' ')} ${statement(draft, hook)}`.trim();
}

function statement(draft: Draft, hook: string): string {
  const { random, chains } = draft;
  const jumps = hook !== 'ingress' && hook !== 'output' && chains.length > 0 && random.chance(0.9);
  return random.weighted<string>([
    [8, () => 'accept'],
    [
      6,
      () =>
        hook === 'input' || hook === 'forward'
          ? random.pick(['drop', 'drop', 'reject', 'reject with icmpx type admin-prohibited'])
          : 'drop',
    ],
    [1, () => 'return'],
    [1, () => 'continue'],
    [jumps ? 3 : 0, () => `${random.pick(['jump', 'jump', 'goto'])} ${chains.shift() ?? 'c1'}`],
    [2, () => `meta mark set ${random.pick(['1', '2', '0x10', 'meta mark | 0x1', 'meta mark & 0xf0'])}`],
    [
      hook === 'input' || hook === 'forward' ? 0.8 : 0.3,
      () => (hook === 'ingress' ? 'accept' : `ct mark set ${random.pick(['1', 'meta mark', '2'])}`),
    ],
    [hook === 'prerouting' ? 1.5 : 0, () => 'notrack'],
    [1.5, () => verdictMap(draft)],
    [draft.sets.has('dynamic') && draft.family === 'ip' ? 1 : 0, () => dynamic(draft)],
    [0.5, () => 'counter'],
    [
      draft.family === 'ip6' ? 0 : 0.5,
      () => `meta mark set ip saddr map { ${random.pick(['0.0.0.0/1 : 1, 128.0.0.0/1 : 2', '198.51.100.0/24 : 1'])} }`,
    ],
  ]);
}

function dynamic(draft: Draft): string {
  draft.fickle = true;
  return draft.random.pick([
    'add @sd { ip saddr }',
    'ip saddr @sd accept',
    'ip saddr @sd drop',
    'add @sd { ip saddr limit rate over 1000/second } drop',
    'update @sd { ip saddr } accept',
  ]);
}

function verdictMap(draft: Draft): string {
  const { random } = draft;
  const verdict = (): string => random.pick(['accept', 'drop', 'return', 'continue']);
  const p = (): number => {
    const found = port(random, draft.listeners);
    draft.ports.add(found);
    return found;
  };
  const two = [...new Set([p(), p()])];
  return random.weighted<string>([
    [3, () => `tcp dport vmap { ${two.map((one) => `${one} : ${verdict()}`).join(', ')} }`],
    [1, () => `tcp dport vmap { 1-1023 : ${verdict()}, 1024-65535 : ${verdict()} }`],
    [
      draft.family === 'ip6' ? 0 : 2,
      () => `ip saddr vmap { 0.0.0.0/1 : ${verdict()}, 198.51.100.0/24 : ${verdict()} }`,
    ],
    [1, () => `meta l4proto . th dport vmap { tcp . ${two[0]} : ${verdict()}, udp . ${two[0]} : ${verdict()} }`],
    [1, () => `ct state vmap { new : ${verdict()}, established : accept }`],
    [1, () => `meta l4proto vmap { tcp : ${verdict()}, udp : ${verdict()} }`],
    [1, () => `iifname vmap { "eth0" : ${verdict()}, "lo" : accept }`],
    [
      draft.family === 'ip6' ? 0 : 1,
      () => `ip saddr . tcp dport vmap { 91.2.3.4 . ${two[0]} : ${verdict()}, 8.8.8.8 . ${two[0]} : ${verdict()} }`,
    ],
  ]);
}

function natChain(draft: Draft): string {
  const { random, family } = draft;
  const rules: string[] = [];
  const p = (): number => {
    const found = port(random, draft.listeners);
    draft.ports.add(found);
    return found;
  };
  for (let i = random.integer(1, 3); i > 0; i -= 1) {
    const limited = random.chance(0.4) ? `${nftMatch(draft, 'prerouting')} ` : '';
    const to = p();
    rules.push(
      limited +
        random.weighted<string>([
          [3, () => `tcp dport ${p()} redirect to :${to}`],
          [1, () => `udp dport ${p()} redirect to :${to}`],
          [
            family === 'ip6' ? 0 : 3,
            () =>
              `tcp dport ${p()} dnat ${family === 'inet' ? 'ip ' : ''}to ${CONTAINER4}:${random.pick([80, 8080, 99])}`,
          ],
          [
            family === 'ip6' ? 0 : 1,
            () =>
              `tcp dport ${p()} dnat ${family === 'inet' ? 'ip ' : ''}to ${random.pick(['127.0.0.1', HOST4[1], HOST4[0]])}:${to}`,
          ],
          [
            family === 'ip6' ? 0 : 1,
            () => `udp dport ${p()} dnat ${family === 'inet' ? 'ip ' : ''}to ${CONTAINER4}:53`,
          ],
          [
            family === 'ip' ? 0 : 1,
            () => `tcp dport ${p()} dnat ${family === 'inet' ? 'ip6 ' : ''}to [${CONTAINER6}]:80`,
          ],
          [
            family === 'ip6' ? 0 : 1,
            () => `dnat ${family === 'inet' ? 'ip ' : ''}to tcp dport map { ${p()} : ${CONTAINER4} }`,
          ],
          [
            family === 'ip' ? 0.7 : 0,
            () => `dnat ip to ip daddr . tcp dport map { ${HOST4[0]} . ${p()} : ${CONTAINER4} . 80 }`,
          ],
          [0.7, () => `redirect to tcp dport map { ${p()} : ${to} }`],
          [0.5, () => 'accept'],
        ]),
    );
  }
  return `chain nat { type nat hook prerouting priority ${random.pick(['dstnat', '-110', '-90'])}; policy accept;\n${rules.map((text) => `  ${text}`).join('\n')}\n}`;
}
