import { inputChain, nft, sectionsOf } from '../../test/exposure/simple-host';
import { DEFAULT_BOUNDS, evaluateExposure } from './evaluate';
import { parseExposureFacts } from './facts';
import type { ExposureVerdict } from './verdict';

const settings = { mode: 'evaluate', public: true, edge: null, ignore: [], dialledAddress: null } as const;

/** What a busy machine may take; the figures of a quiet one are in the comments. */
const PATIENCE_MS = 20_000;

function timed(
  host: Parameters<typeof sectionsOf>[0],
  bounds = DEFAULT_BOUNDS,
): { verdict: ExposureVerdict; ms: number } {
  const sections = sectionsOf(host);
  const start = performance.now();
  const verdict = evaluateExposure(parseExposureFacts(sections), settings, bounds);
  return { verdict, ms: performance.now() - start };
}

function addresses(count: number): readonly string[] {
  return Array.from(
    { length: count },
    (_, i) => `${1 + (i % 200)}.${(i >> 4) & 255}.${(i * 7) & 255}.${(i * 13) & 255}`,
  );
}

const place = { family: 'inet', table: 'f' };

describe('large and hostile rulesets', () => {
  it('a set of 65,000 addresses is evaluated (0.1 s)', () => {
    const elem = [...new Set(addresses(70_000))].slice(0, 65_000);
    const [table, ...rest] = inputChain('drop', [nft.from('@s'), nft.drop], [nft.tcp(443), nft.accept]);
    const set = { set: { ...place, name: 's', type: 'ipv4_addr', elem } };
    const { verdict, ms } = timed({ listeners: ['tcp 0.0.0.0:443'], nft: [table, set, ...rest] });
    expect(verdict.verdict).toBe('exposed');
    expect(ms).toBeLessThan(PATIENCE_MS);
  });

  it('a verdict map of 20,000 ports and chains is evaluated (0.2 s)', () => {
    const elem = Array.from({ length: 20_000 }, (_, i) => [
      i + 1,
      i % 2 === 0 ? { drop: null } : { jump: { target: 'c' } },
    ]);
    const [table, ...rest] = inputChain('drop', [{ vmap: { key: nft.tcp(1).match.left, data: '@m' } }]);
    const extra = [
      { chain: { ...place, name: 'c' } },
      { map: { ...place, name: 'm', type: 'inet_service', map: 'verdict', elem } },
      { rule: { ...place, chain: 'c', expr: [nft.accept] } },
    ];
    const { verdict, ms } = timed({
      listeners: ['tcp 0.0.0.0:444', 'tcp 0.0.0.0:443'],
      nft: [table, ...extra, ...rest],
    });
    expect(verdict.ports.map((port) => port.openTo)).toEqual(['none', 'anywhere']);
    expect(ms).toBeLessThan(PATIENCE_MS);
  });

  it('5,000 iptables rules over 10,000 sockets are evaluated (0.3 s)', () => {
    const rules = addresses(5000).map(
      (address, i) => `-A INPUT -s ${address}/32 -p tcp -m tcp --dport ${(i * 13) % 65536} -j DROP`,
    );
    const legacy = [
      '*filter',
      ':INPUT DROP [0:0]',
      ...rules,
      '-A INPUT -p tcp -m tcp --dport 10000 -j ACCEPT',
      '-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT',
      'COMMIT',
      '',
    ].join('\n');
    const listeners = Array.from({ length: 10_000 }, (_, i) => `tcp 0.0.0.0:${1000 + i}`);
    const { verdict, ms } = timed({ listeners, legacy });
    expect(verdict.because).toBe('open to anywhere: tcp/10000');
    expect(verdict.ports.length).toBe(10_000);
    expect(ms).toBeLessThan(PATIENCE_MS);
  });

  it('chains that jump in circles are unknown', () => {
    const circle = [
      { chain: { ...place, name: 'a' } },
      { chain: { ...place, name: 'b' } },
      ...['a', 'b', 'a', 'b'].map((chain) => ({
        rule: { ...place, chain, expr: [{ jump: { target: chain === 'a' ? 'b' : 'a' } }] },
      })),
    ];
    const [table, ...rest] = inputChain('drop', [{ jump: { target: 'a' } }]);
    const { verdict, ms } = timed({ listeners: ['tcp 0.0.0.0:22'], nft: [table, ...circle, ...rest] });
    expect(verdict.verdict).toBe('unknown');
    expect(ms).toBeLessThan(PATIENCE_MS);
  });

  it('marks that double the states with every rule are bounded', () => {
    const bits = Array.from({ length: 32 }, (_, i) => [
      { limit: { rate: 1, burst: 1, per: 'second' } },
      { mangle: { key: { meta: { key: 'mark' } }, value: { '|': [{ meta: { key: 'mark' } }, 2 ** i] } } },
    ]);
    const { verdict, ms } = timed({
      listeners: ['tcp 0.0.0.0:22'],
      nft: inputChain('drop', ...bits, [nft.tcp(22), nft.accept]),
    });
    expect(verdict.verdict).not.toBe('not_exposed');
    expect(ms).toBeLessThan(PATIENCE_MS);
  });

  it('more work than the bounds allow is unknown, at the same step every time', () => {
    const rules = addresses(300).map((address) => [nft.from(address), nft.drop]);
    const host = { listeners: ['tcp 0.0.0.0:22'], nft: inputChain('drop', ...rules) };
    const tight = { ...DEFAULT_BOUNDS, operations: 500 };
    const { verdict } = timed(host, tight);
    expect(verdict).toMatchObject({ verdict: 'unknown', basis: 'assumed' });
    expect(verdict.because).toContain('too many to be evaluated within bounds');
    expect(timed(host, tight).verdict).toEqual(verdict);
    expect(timed(host).verdict.verdict).toBe('not_exposed');
  });

  it('JSON without end is unknown', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    const sections = sectionsOf({ listeners: ['tcp 0.0.0.0:22'] });
    for (const [name, section] of sections) {
      sections.set(name, {
        ...section,
        body: section.body.toString().startsWith('{') ? Buffer.from(`{"nftables":${deep}}`) : section.body,
      });
    }
    expect(evaluateExposure(parseExposureFacts(sections), settings).verdict).toBe('unknown');
  });

  it('nonsense in every section is unknown, and nothing is thrown', () => {
    for (const nonsense of [
      '',
      '\0\0\0',
      '[{}]',
      '{"nftables":[{"rule":{"expr":[1,null,{"match":3}]}}]}',
      'x'.repeat(10_000),
      '*filter\n:INPUT DROP\n-A NOWHERE -j DROP\nCOMMIT\n',
    ]) {
      const sections = sectionsOf({ listeners: ['tcp 0.0.0.0:22'] });
      for (const name of [...sections.keys()]) {
        const one = new Map(sections);
        one.set(name, { name, status: 0, body: Buffer.from(nonsense) });
        const { verdict } = evaluateExposure(parseExposureFacts(one), settings);
        expect([name, nonsense.slice(0, 40), verdict]).not.toEqual([name, nonsense.slice(0, 40), 'not_exposed']);
      }
    }
  });
});
