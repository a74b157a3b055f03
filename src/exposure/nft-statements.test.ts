import { inputChain, nft, sectionsOf } from '../../test/exposure/simple-host';
import { evaluateExposure } from './evaluate';
import { parseExposureFacts } from './facts';

const settings = { mode: 'evaluate', public: true, edge: null, ignore: [], dialledAddress: null } as const;

/** Which of TCP and UDP over both families are open to anywhere, by a chain with this policy and rule. */
function open(policy: 'accept' | 'drop', ...rule: readonly unknown[]): readonly string[] {
  const listeners = ['tcp [::]:22', 'udp [::]:53'];
  const host = { listeners, nft: inputChain(policy, rule) };
  return evaluateExposure(parseExposureFacts(sectionsOf(host)), settings)
    .ports.filter(({ openTo }) => openTo === 'anywhere')
    .map(({ proto, family }) => `${proto} ${family}`);
}

const all = ['tcp ipv4', 'tcp ipv6', 'udp ipv4', 'udp ipv6'];

// Each was seen in a real kernel, too: npm run fuzz:exposure -- --curated
describe('what nft leaves out of a listing since a statement implies it', () => {
  it.each([
    ['icmp', ['tcp ipv6', 'udp ipv6']],
    ['icmpv6', ['tcp ipv4', 'udp ipv4']],
    ['icmpx', []],
    ['tcp reset', ['udp ipv4', 'udp ipv6']],
  ])('reject with %s', (type, expected) => expect(open('accept', { reject: { type } })).toEqual(expected));

  it('a plain reject is for all', () => expect(open('accept', { reject: null })).toEqual([]));

  it.each([
    [{ exthdr: { name: 'hbh' } }, ['tcp ipv6', 'udp ipv6']],
    [{ 'ip option': { name: 'rr' } }, ['tcp ipv4', 'udp ipv4']],
    [{ 'sctp chunk': { name: 'data' } }, all],
    [{ 'sctp chunk': { name: 'data', field: 'tsn' } }, []],
  ])('%j that is missing', (left, expected) => {
    expect(open('drop', { match: { op: '==', left, right: false } }, nft.accept)).toEqual(expected);
  });
});

describe('chains of type nat', () => {
  const place = { family: 'inet', table: 'n' };
  const nat = [
    { table: { family: 'inet', name: 'n' } },
    { chain: { ...place, name: 'pre', type: 'nat', hook: 'prerouting', prio: -100, policy: 'accept' } },
    { rule: { ...place, chain: 'pre', expr: [nft.tcp(22), nft.drop] } },
  ];
  const tracking = {
    rule: { ...place, chain: 'pre', expr: [{ match: { op: 'in', left: { ct: { key: 'state' } }, right: 'new' } }] },
  };

  it.each([
    // Without anything that asks for connections the kernel tracks none, as far as its rules tell.
    ['may see nothing', nat, 'unknown'],
    ['drop where connections are tracked', [...nat, tracking], 'none'],
  ])('%s', (_name, rules, expected) => {
    const host = { listeners: ['tcp 0.0.0.0:22'], nft: rules };
    const { ports } = evaluateExposure(parseExposureFacts(sectionsOf(host)), settings);
    expect(ports.map(({ openTo }) => openTo)).toEqual([expected]);
  });
});

describe('nat chains of one priority', () => {
  const chain = (table: string, statement: unknown): readonly unknown[] => [
    { table: { family: 'ip', name: table } },
    { chain: { family: 'ip', table, name: 'pre', type: 'nat', hook: 'prerouting', prio: -100, policy: 'accept' } },
    { rule: { family: 'ip', table, chain: 'pre', expr: [nft.tcp(8080), statement] } },
  ];
  const open80 = chain('a', { dnat: { addr: '203.0.113.10', port: 80 } });
  const nobody = ['b', 'c', 'd'].map((table) => chain(table, { redirect: { port: 9999 } }));

  // Which one is asked first goes by when each was made, the last one first: no listing tells.
  it.each([
    ['alone', open80, 'anywhere'],
    ['first of two', [...open80, ...(nobody[0] ?? [])], 'unknown'],
    ['last of two', [...(nobody[0] ?? []), ...open80], 'unknown'],
    ['between two', [...(nobody[0] ?? []), ...open80, ...(nobody[1] ?? [])], 'unknown'],
    ['among four', [...(nobody[0] ?? []), ...(nobody[1] ?? []), ...open80, ...(nobody[2] ?? [])], 'unknown'],
  ])('%s', (_name, rules, expected) => {
    const host = { listeners: ['tcp 0.0.0.0:80'], nft: rules };
    const { ports } = evaluateExposure(parseExposureFacts(sectionsOf(host)), settings);
    expect(ports.find(({ port }) => port === 8080)?.openTo).toBe(expected);
  });
});

describe('TCP options', () => {
  const option = (name: string, right: boolean): unknown => ({
    match: { op: '==', left: { 'tcp option': { name } }, right },
  });

  it('that every SYN has', () => {
    expect(open('drop', option('maxseg', true), nft.accept)).toEqual(['tcp ipv4', 'tcp ipv6']);
  });

  it('that no ordinary packet has: those of UDP have none either', () => {
    expect(open('drop', option('99', false), nft.accept)).toEqual(all);
  });

  it('that only a SYN has: later packets of a connection do without', () => {
    const tcp = ['tcp ipv4', 'tcp ipv6'];
    expect(open('accept', option('maxseg', false), nft.drop)).toEqual(tcp);
    expect(open('accept', option('timestamp', false), nft.drop)).toEqual(tcp);
    const [table, chain, , ...rest] = inputChain('accept', [option('maxseg', false), nft.drop]);
    const stateless = { listeners: ['tcp [::]:22'], nft: [table, chain, ...rest] };
    const { ports } = evaluateExposure(parseExposureFacts(sectionsOf(stateless)), settings);
    expect(ports.map(({ openTo }) => openTo)).toEqual(['unknown', 'unknown']);
  });
});
