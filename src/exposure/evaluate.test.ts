import type { ExposureSettings } from '../inventory/host';
import { type SimpleHost, inputChain, nft, sectionsOf } from '../../test/exposure/simple-host';
import { evaluateExposure } from './evaluate';
import { parseExposureFacts } from './facts';
import { SECTION } from './section-names';
import type { ExposureVerdict } from './verdict';

const AUTO: ExposureSettings & { dialledAddress: string | null } = {
  mode: 'evaluate',
  public: 'auto',
  edge: null,
  ignore: [],
  dialledAddress: null,
};
const PUBLIC = { ...AUTO, public: true };
const GLOBAL = { eth0: ['8.8.4.4/24', '2a00:1450::10/64'] };

function judge(host: SimpleHost, settings: Partial<typeof AUTO> = PUBLIC): ExposureVerdict {
  return evaluateExposure(parseExposureFacts(sectionsOf(host)), { ...PUBLIC, ...settings });
}

function ports(verdict: ExposureVerdict): readonly string[] {
  return verdict.ports.map((port) => `${port.proto}/${port.port} ${port.family} ${port.openTo}`);
}

describe('the verdict', () => {
  it('is exposed, proven, where a rule lets anybody in, and names the rule', () => {
    const verdict = judge({
      listeners: ['tcp 0.0.0.0:443', 'tcp 0.0.0.0:22'],
      nft: inputChain('drop', [nft.tcp(443), nft.accept]),
    });
    expect(verdict).toMatchObject({ verdict: 'exposed', basis: 'proven', because: 'open to anywhere: tcp/443' });
    expect(verdict.ports).toEqual([
      {
        proto: 'tcp',
        port: 22,
        family: 'ipv4',
        openTo: 'none',
        because: 'open to nobody: dropped by the policy of table inet f, chain in',
        ignored: false,
      },
      {
        proto: 'tcp',
        port: 443,
        family: 'ipv4',
        openTo: 'anywhere',
        because: 'open to anywhere: accepted by table inet f, chain in, rule 2',
        ignored: false,
      },
    ]);
  });

  it('says where a port is open without any firewall', () => {
    expect(judge({ listeners: ['tcp [::]:80'] }).ports.map((port) => port.because)).toEqual([
      'open to anywhere: no firewall rule stops it',
      'open to anywhere: no firewall rule stops it',
    ]);
  });

  it('is not exposed where only some networks get in, and names them', () => {
    const office = { prefix: { addr: '198.51.100.0', len: 24 } };
    const verdict = judge({ listeners: ['tcp 0.0.0.0:22'], nft: inputChain('drop', [nft.from(office), nft.accept]) });
    expect(verdict).toMatchObject({
      verdict: 'not_exposed',
      basis: 'proven',
      because: 'no port is open to anywhere; tcp/22 to some networks',
    });
    expect(verdict.ports[0]).toMatchObject({
      openTo: 'some',
      because:
        'open to 198.51.100.0/24 only: accepted by table inet f, chain in, rule 2; others: dropped by the policy of table inet f, chain in',
    });
  });

  it('says when only private networks get in', () => {
    const verdict = judge({
      listeners: ['tcp 0.0.0.0:22'],
      nft: inputChain('drop', [nft.from({ prefix: { addr: '10.0.0.0', len: 8 } }), nft.accept]),
    });
    expect(verdict.ports[0]?.because).toMatch(
      /^open to private networks only \(10\.0\.0\.0\/8\): accepted by table inet f, chain in, rule 2/,
    );
  });

  it('is unknown, assumed, where the rules could not be read, for every port', () => {
    const verdict = judge({ listeners: ['tcp 0.0.0.0:22', 'tcp 127.0.0.1:25'], denied: [SECTION.nftJson] });
    expect(verdict).toMatchObject({ verdict: 'unknown', basis: 'assumed' });
    expect(verdict.because).toContain(
      'the nftables ruleset (nft list ruleset) could not be read (it needs root or sudo)',
    );
    expect(verdict.ports.every((port) => port.openTo === 'unknown')).toBe(true);
  });

  it('is unknown where the sockets or the addresses could not be read', () => {
    expect(judge({ denied: [SECTION.tcp6] }).verdict).toBe('unknown');
    expect(judge({ denied: [SECTION.addresses] }).verdict).toBe('unknown');
  });

  it('is unknown where a rule is not understood', () => {
    const strange = { match: { op: '==', left: { 'new thing': { key: 'x' } }, right: 1 } };
    const verdict = judge({ listeners: ['tcp 0.0.0.0:22'], nft: inputChain('drop', [strange, nft.accept]) });
    expect(verdict).toMatchObject({ verdict: 'unknown', basis: 'assumed' });
    expect(judge({ listeners: ['tcp 0.0.0.0:22'], nft: inputChain('drop', [{ 'new statement': null }]) }).verdict).toBe(
      'unknown',
    );
  });

  it('knows sockets that are bound to what nobody outside reaches', () => {
    const verdict = judge({ listeners: ['tcp 127.0.0.1:25', 'tcp [fe80::10%eth0]:9100'] });
    expect(verdict.verdict).toBe('not_exposed');
    expect(verdict.ports.map((port) => port.because)).toEqual([
      'open to nobody: listens on 127.0.0.1, which no packet from the internet is for',
      'open to nobody: listens on fe80::10%eth0, which no packet from the internet is for',
    ]);
  });

  it('knows a socket that is bound to an interface', () => {
    const addresses = { eth0: ['203.0.113.10/24'], wg0: ['10.8.0.1/24'] };
    expect(ports(judge({ listeners: ['tcp 0.0.0.0%wg0:22', 'tcp 0.0.0.0%eth0:80'], addresses }))).toEqual([
      'tcp/22 ipv4 none',
      'tcp/80 ipv4 anywhere',
    ]);
  });

  it('without ss is only certain where a socket could not be bound to another interface', () => {
    const one = sectionsOf({ listeners: ['tcp 0.0.0.0:22'] });
    one.delete(SECTION.ss);
    expect(evaluateExposure(parseExposureFacts(one), PUBLIC).verdict).toBe('exposed');
    const two = sectionsOf({
      listeners: ['tcp 0.0.0.0:22'],
      addresses: { eth0: ['203.0.113.10/24'], wg0: ['10.8.0.1/24'] },
    });
    two.delete(SECTION.ss);
    expect(evaluateExposure(parseExposureFacts(two), PUBLIC).verdict).toBe('unknown');
  });
});

describe('what the configuration says', () => {
  it('declared exposure is not evaluated', () => {
    expect(judge({ listeners: ['tcp 0.0.0.0:22'] }, { mode: 'internal' })).toMatchObject({
      verdict: 'not_exposed',
      basis: 'declared',
      ports: [],
    });
    expect(judge({}, { mode: 'exposed' })).toMatchObject({ verdict: 'exposed', basis: 'declared', ports: [] });
  });

  it.each([
    ['a global address', { addresses: GLOBAL }, {}, 'exposed', 'proven'],
    ['a private address alone', { addresses: { eth0: ['10.0.0.5/24'] } }, {}, 'not_exposed', 'no-public-address'],
    ['documentation addresses', {}, {}, 'not_exposed', 'no-public-address'],
    [
      'a private address, dialled by a global one',
      { addresses: { eth0: ['10.0.0.5/24'] } },
      { dialledAddress: '9.9.9.9' },
      'exposed',
      'proven',
    ],
    [
      'a private address, with a public one by cloud-init',
      { addresses: { eth0: ['10.0.0.5/24'] }, cloud: { 'public-ipv4': '3.5.7.9' } },
      {},
      'exposed',
      'proven',
    ],
    [
      'a private address, said to be public',
      { addresses: { eth0: ['10.0.0.5/24'] } },
      { public: true as const },
      'exposed',
      'proven',
    ],
    [
      'a global address, said not to be public',
      { addresses: GLOBAL },
      { public: false as const },
      'not_exposed',
      'no-public-address',
    ],
    ['addresses that could not be read', { denied: [SECTION.addresses] }, {}, 'unknown', 'assumed'],
  ] as const)('public, with %s', (_name, host, settings, verdict, basis) => {
    expect(judge({ listeners: ['tcp 0.0.0.0:22'], ...host }, { ...AUTO, ...settings })).toMatchObject({
      verdict,
      basis,
    });
  });

  it('lists who gets in from private networks where the internet does not', () => {
    const verdict = judge({ listeners: ['tcp 0.0.0.0:22'], addresses: { eth0: ['10.0.0.5/24'] } }, AUTO);
    expect(ports(verdict)).toEqual(['tcp/22 ipv4 some']);
    expect(verdict.ports[0]?.because).toMatch(/^open to private networks only/);
  });

  it('auto leaves out private addresses that nothing translates to, like a container bridge’s', () => {
    const addresses = { ...GLOBAL, docker0: ['172.17.0.1/16'] };
    const host: SimpleHost = { listeners: ['tcp 172.17.0.1:53'], addresses };
    expect(judge(host, AUTO).verdict).toBe('not_exposed');
    expect(judge(host, { ...AUTO, public: true }).verdict).toBe('exposed');
  });

  it.each([
    [
      'lets the port in from anywhere',
      [{ proto: 'tcp', ports: [{ first: 20, last: 30 }], from: null }],
      'exposed',
      'anywhere',
    ],
    [
      'lets everything in from an office',
      [{ proto: 'any', ports: null, from: ['198.51.100.0/24'] }],
      'not_exposed',
      'some',
    ],
    ['lets another port in', [{ proto: 'tcp', ports: [{ first: 443, last: 443 }], from: null }], 'not_exposed', 'none'],
    ['lets another protocol in', [{ proto: 'udp', ports: null, from: null }], 'not_exposed', 'none'],
    ['lets nothing in', [], 'not_exposed', 'none'],
    ['lets only IPv6 in', [{ proto: 'any', ports: null, from: ['::/0'] }], 'not_exposed', 'none'],
  ] as const)('an edge that %s', (_name, edge, verdict, openTo) => {
    const found = judge({ listeners: ['tcp 0.0.0.0:22'] }, { edge });
    expect([found.verdict, found.ports[0]?.openTo]).toEqual([verdict, openTo]);
  });

  it.each([
    [
      'lets only an office in',
      [{ proto: 'any', ports: null, from: ['198.51.100.0/24'] }],
      'not_exposed',
      'declared',
      'some',
    ],
    ['lets nothing in', [], 'not_exposed', 'declared', 'none'],
    // It may be sent on to a container, for all that is known.
    [
      'lets a port in that nobody listens on',
      [{ proto: 'tcp', ports: [{ first: 80, last: 80 }], from: null }],
      'unknown',
      'assumed',
      'none',
    ],
    [
      'lets the port in',
      [{ proto: 'tcp', ports: [{ first: 22, last: 22 }], from: null }],
      'unknown',
      'assumed',
      'unknown',
    ],
    [
      'lets a quarter of the internet in',
      [{ proto: 'any', ports: null, from: ['0.0.0.0/2'] }],
      'unknown',
      'assumed',
      'unknown',
    ],
  ] as const)('where the rules could not be read, an edge that %s', (_name, edge, verdict, basis, openTo) => {
    const found = judge({ listeners: ['tcp 0.0.0.0:22'], denied: [SECTION.nftJson] }, { edge });
    expect([found.verdict, found.basis, found.ports[0]?.openTo]).toEqual([verdict, basis, openTo]);
  });

  it('an edge cuts what the host lets in', () => {
    const half = { prefix: { addr: '128.0.0.0', len: 1 } };
    const host: SimpleHost = { listeners: ['tcp 0.0.0.0:22'], nft: inputChain('drop', [nft.from(half), nft.accept]) };
    const edge = [{ proto: 'any', ports: null, from: ['0.0.0.0/1', '198.51.100.0/24'] }] as const;
    expect(judge(host, { edge }).ports[0]).toMatchObject({
      openTo: 'some',
      because: expect.stringContaining('198.51.100.0/24') as string,
    });
  });

  it('ignored ports are shown and do not count', () => {
    const verdict = judge({ listeners: ['udp 0.0.0.0:68'] }, { ignore: [{ proto: 'udp', port: 68 }] });
    expect(verdict).toMatchObject({ verdict: 'not_exposed', basis: 'proven' });
    expect(verdict.ports).toMatchObject([{ proto: 'udp', port: 68, openTo: 'anywhere', ignored: true }]);
    expect(judge({ listeners: ['tcp 0.0.0.0:68'] }, { ignore: [{ proto: 'udp', port: 68 }] }).verdict).toBe('exposed');
  });
});

describe('ports without a socket', () => {
  const dnat = (port: unknown): readonly unknown[] => [
    { table: { family: 'ip', name: 'n' } },
    { chain: { family: 'ip', table: 'n', name: 'pre', type: 'nat', hook: 'prerouting', prio: -100, policy: 'accept' } },
    {
      rule: {
        family: 'ip',
        table: 'n',
        chain: 'pre',
        expr: [nft.tcp(port), { dnat: { addr: '172.17.0.2', port: 80 } }],
      },
    },
  ];
  const addresses = { eth0: ['203.0.113.10/24'], docker0: ['172.17.0.1/16'] };
  const forwarding = { 'net/ipv4/conf/eth0/forwarding': 1 };

  it('are listed when a rule sends them on', () => {
    const verdict = judge({ nft: dnat(8080), addresses, sysctls: forwarding });
    expect(ports(verdict)).toEqual(['tcp/8080 ipv4 anywhere']);
    expect(verdict.ports[0]?.because).toBe(
      'open to anywhere: sent on to 172.17.0.2:80 by table ip n, chain pre, rule 1; no firewall rule stops it',
    );
  });

  it('stand for a range when a whole range is sent on', () => {
    const verdict = judge({ nft: dnat({ range: [8000, 8100] }), addresses, sysctls: forwarding });
    expect(ports(verdict)).toEqual(['tcp/8000 ipv4 anywhere']);
    expect(verdict.ports[0]?.because).toContain('the same for ports up to 8100');
  });

  it('are closed where the host does not forward', () => {
    expect(judge({ nft: dnat(8080), addresses }).verdict).toBe('not_exposed');
  });
});
