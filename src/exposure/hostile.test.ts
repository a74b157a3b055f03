import { inputChain, nft, sectionsOf, type SimpleHost } from '../../test/exposure/simple-host';
import { DEFAULT_BOUNDS, evaluateExposure, evaluateWithin, examineExposure } from './evaluate';
import { parseExposureFacts } from './facts';
import { offLoopBounds } from './evaluate-off-loop';
import { SECTION } from './section-names';
import type { ExposureVerdict } from './verdict';

const settings = { mode: 'evaluate', public: true, edge: null, ignore: [], dialledAddress: null } as const;

/** What a busy machine may take for what a quiet one does in a second at most. */
const PATIENCE_MS = 20_000;

/** As many steps as are made on the event loop; what needs more goes to a worker, which has a limit of time and memory. */
const inline = { ...DEFAULT_BOUNDS, operations: offLoopBounds.inlineOperations };

function evaluated(host: SimpleHost, bounds = inline): ExposureVerdict {
  const sections = sectionsOf({ listeners: ['tcp 0.0.0.0:22'], ...host });
  const start = performance.now();
  const facts = parseExposureFacts(sections);
  // Throws where evaluateExposure would turn a fault into "unknown".
  examineExposure(facts, settings, bounds);
  const verdict = evaluateExposure(facts, settings, bounds);
  expect(performance.now() - start).toBeLessThan(PATIENCE_MS);
  return verdict;
}

const place = { family: 'inet', table: 'f' };

describe('a hostile ruleset', () => {
  it('whose paths double with every chain is unknown', () => {
    const names = Array.from({ length: 40 }, (_, i) => `c${i}`);
    const chains = names.flatMap((name, i) => {
      const to = names[i + 1];
      const jumps =
        to === undefined
          ? []
          : [1, 2].map(() => ({ rule: { ...place, chain: name, expr: [{ jump: { target: to } }] } }));
      return [{ chain: { ...place, name } }, ...jumps];
    });
    const ordered = [...chains.filter((item) => 'chain' in item), ...chains.filter((item) => 'rule' in item)];
    const [table, ...rest] = inputChain('drop', [{ jump: { target: 'c0' } }]);
    const host = { listeners: ['tcp 0.0.0.0:22'], nft: [table, ...ordered, ...rest] };
    expect(evaluated(host)).toMatchObject({ verdict: 'unknown', basis: 'assumed' });
    const facts = parseExposureFacts(sectionsOf(host));
    expect(evaluateWithin(facts, settings, inline).isCutShort).toBe(true);
  });

  it('with 1,500 base chains on one hook ends', () => {
    const chains = Array.from({ length: 1500 }, (_, i) => ({
      chain: { ...place, name: `b${i}`, type: 'filter', hook: 'prerouting', prio: i - 700, policy: 'accept' },
    }));
    const listeners = Array.from({ length: 400 }, (_, i) => `tcp 203.0.113.${i % 200}:${1 + i}`);
    const [table, ...rest] = inputChain('drop', [nft.tcp('22'), nft.accept]);
    expect(evaluated({ listeners, nft: [table, ...chains, ...rest] }).verdict).not.toBe('not_exposed');
  });

  it('with a rule of 20,000 statements ends', () => {
    const marks = Array.from({ length: 20_000 }, () => ({
      set: { op: 'add', elem: { payload: { protocol: 'ip', field: 'saddr' } }, set: '@s' },
    }));
    const host = { nft: inputChain('drop', [...marks, nft.accept]) };
    expect(evaluated(host).verdict).not.toBe('not_exposed');
  });

  it('that nests expressions ends', () => {
    let value: unknown = { meta: { key: 'mark' } };
    for (let i = 0; i < 45; i += 1) value = { '|': [value, 2 ** (i % 31)] };
    const host = { nft: inputChain('drop', [{ match: { op: '==', left: value, right: 1 } }, nft.accept]) };
    expect(evaluated(host).verdict).toBe('unknown');
  });

  it.each(['[', '{"x":', '{"set":', '{"&":[', '{"concat":['])('that nests %s without end is unknown', (opening) => {
    for (const depth of [200, 20_000, 200_000]) {
      const closing = [...opening]
        .reverse()
        .map((c) => ({ '[': ']', '{': '}' })[c] ?? '')
        .join('');
      const deep = `${opening.repeat(depth)}1${closing.repeat(depth)}`;
      for (const rule of [
        `{"match":{"op":"==","left":${deep},"right":1}},{"drop":null}`,
        `{"vmap":{"key":${deep},"data":"@m"}}`,
        `{"set":{"op":"add","elem":${deep},"set":"@s"}}`,
      ]) {
        const sections = sectionsOf({
          listeners: ['tcp 0.0.0.0:22'],
          nft: inputChain('drop', [nft.tcp(22), nft.accept]),
        });
        const json = sections.get(SECTION.nftJson)?.body.toString() ?? '';
        const spoiled = json.replace('"expr":[', `"expr":[${rule},`);
        sections.set(SECTION.nftJson, { name: SECTION.nftJson, status: 0, body: Buffer.from(spoiled) });
        const verdict = evaluateExposure(parseExposureFacts(sections), settings, inline);
        expect([depth, rule.slice(0, 30), verdict.verdict]).not.toEqual([depth, rule.slice(0, 30), 'not_exposed']);
      }
    }
  });

  const numbers = [1.5, -1, -1e9, 1e9, 2 ** 31, 2 ** 53, 1e308, null, true, [], {}, '', 'x', '1e9', '__proto__'];

  it.each(numbers)('with %j for a number is not "not exposed" for it, and no fault', (number) => {
    const rules: readonly (readonly unknown[])[] = [
      [nft.tcp(number), nft.drop],
      [nft.tcp({ range: [number, 22] }), nft.drop],
      [nft.from({ prefix: { addr: '0.0.0.0', len: number } }), nft.drop],
      [nft.from(number), nft.drop],
      [{ match: { op: '==', left: { payload: { protocol: 'ip6', field: 'saddr' } }, right: number } }, nft.drop],
      ...['&', '|', '^', '<<', '>>'].map((op) => [
        { match: { op: '==', left: { [op]: [{ meta: { key: 'mark' } }, number] }, right: 3 } },
        nft.drop,
      ]),
      [
        { match: { op: '==', left: { '>>': [{ payload: { protocol: 'ip6', field: 'daddr' } }, number] }, right: 3 } },
        nft.drop,
      ],
      [{ mangle: { key: { meta: { key: 'mark' } }, value: number } }],
      [
        {
          vmap: {
            key: { numgen: { mode: 'random', mod: number, offset: number } },
            data: { set: [[number, nft.drop]] },
          },
        },
      ],
      [{ limit: number }, nft.drop],
      [{ quota: { val: number, used: number } }, nft.drop],
      [{ 'ct count': { val: number } }, nft.drop],
      [{ jump: { target: number } }],
      [{ redirect: { port: number } }],
      [{ dnat: { family: 'ip', addr: number, port: number } }],
      [{ tproxy: { addr: number, port: number } }],
      [{ xt: { type: number, name: number } }],
    ];
    for (const rule of rules) {
      const { verdict, because } = evaluated({ nft: inputChain('drop', rule, [nft.tcp(22), nft.accept]) });
      expect(because).not.toContain('the evaluation failed');
      const text = JSON.stringify(rule);
      // A range may hold port 22, and another port or address has nobody who listens. The rest surely shuts nobody out.
      if (/range|redirect|dnat|tproxy/.test(text)) continue;
      expect([text, verdict]).not.toEqual([text, 'not_exposed']);
    }
  });

  it('with names of JavaScript is none of its objects', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'valueOf']) {
      const [table, ...rest] = inputChain('drop', [{ jump: { target: name } }]);
      const chain = { chain: { ...place, name } };
      const rule = { rule: { ...place, chain: name, expr: [nft.tcp(22), nft.accept] } };
      expect(evaluated({ nft: [table, chain, rule, ...rest] }).verdict).toBe('exposed');
      const iptables = `*filter\n:INPUT DROP [0:0]\n:${name} - [0:0]\n-A INPUT -m ${name} -j ${name}\n-A INPUT -m conntrack --ctstate ${name} -j ACCEPT\nCOMMIT\n*${name}\n:${name} DROP [0:0]\nCOMMIT\n`;
      expect(evaluated({ legacy: iptables }).verdict).not.toBe('exposed');
    }
  });

  it('with a line of two megabytes ends', () => {
    const long = ` -m comment --comment ${'x '.repeat(1_000_000)}`;
    const text = (rule: string): string => `*filter\n:INPUT DROP [0:0]\n${rule}\nCOMMIT\n`;
    expect(evaluated({ legacy: text(`-A INPUT${long} -j ACCEPT`) }).verdict).toBeDefined();
    expect(
      evaluated({ legacy: text(`-A INPUT -m multiport --dports ${'1,'.repeat(1_000_000)}22 -j ACCEPT`) }).verdict,
    ).toBeDefined();
    expect(evaluated({ legacy: text(`-A INPUT --comment "${'\\"'.repeat(1_000_000)}`) }).verdict).toBe('unknown');
    expect(evaluated({ legacy: `*filter\n:${'x'.repeat(2_000_000)} DROP\n` }).verdict).toBe('unknown');
  });

  it('with sets of exceptions and lists of lists ends', () => {
    const nets = Array.from({ length: 20_000 }, (_, i) => `${1 + (i % 200)}.${(i * 7) & 255}.${i >> 8}.0/24`);
    const ipset = `create s hash:net\n${nets.map((net, i) => `add s ${net}${i % 2 === 0 ? ' nomatch' : ''}\n`).join('')}create l list:set\nadd l s\nadd l l\n`;
    const rule = (name: string): string =>
      `*filter\n:INPUT DROP [0:0]\n-A INPUT -m set --match-set ${name} src -j ACCEPT\nCOMMIT\n`;
    expect(evaluated({ ipset, legacy: rule('s') }, DEFAULT_BOUNDS).verdict).toBe('not_exposed');
    // The kernel puts no list into a list: what is in such a one is not known.
    expect(evaluated({ ipset, legacy: rule('l') }, DEFAULT_BOUNDS).verdict).toBe('unknown');
    const parts = `create s hash:ip,port\n${nets.map((net) => `add s ${net.slice(0, -3)},tcp:22\n`).join('')}`;
    const both = '*filter\n:INPUT DROP [0:0]\n-A INPUT -m set --match-set s src,dst -j ACCEPT\nCOMMIT\n';
    expect(evaluated({ ipset: parts, legacy: both }, DEFAULT_BOUNDS).ports.map(({ openTo }) => openTo)).toEqual([
      'some',
    ]);
  });

  it('whose texts are no UTF-8 is never "not exposed" for it', () => {
    const sections = sectionsOf({ listeners: ['tcp 0.0.0.0:22'], nft: inputChain('drop', [nft.tcp(22), nft.accept]) });
    for (const name of sections.keys()) {
      const spoiled = new Map(sections);
      spoiled.set(name, { name, status: 0, body: Buffer.alloc(10_000, 0xff) });
      const facts = parseExposureFacts(spoiled);
      examineExposure(facts, settings, inline);
      expect([name, evaluateExposure(facts, settings).verdict]).not.toEqual([name, 'not_exposed']);
    }
  });

  it('has its names made fit for a terminal, and short', () => {
    const name = `\u001b[2Jx${'y'.repeat(100_000)}\n`;
    const [table, ...rest] = inputChain('drop', [{ jump: { target: name } }]);
    const rule = { rule: { ...place, chain: name, expr: [nft.tcp(22), nft.accept] } };
    const { ports, because } = evaluated({ nft: [table, { chain: { ...place, name } }, rule, ...rest] });
    expect(ports[0]?.because).toMatch(/^open to anywhere: accepted by [^\u0000-\u001f]{20,}…$/);
    expect(ports[0]?.because.length).toBeLessThanOrEqual(400);
    expect(because.length).toBeLessThanOrEqual(400);
  });
});
