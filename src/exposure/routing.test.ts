import { parseIpv4 } from './addresses';
import { publicShare } from './address-space';
import { known, notKnown } from './reading';
import { parseRoutes, parseRules } from './routes';
import { type Query, Routing } from './routing';

const PLAIN = '0: from all lookup local\n32766: from all lookup main\n32767: from all lookup default\n';
const query: Query = { from: null, iif: 'eth0', mark: 0, vrfTable: null };

function routing(routes: string, rules = PLAIN): Routing {
  // Every host has a local route; a list without any is taken for broken.
  return new Routing(4, parseRoutes(`${routes}local 127.0.0.1 dev lo table local\n`, 4), parseRules(rules, 4));
}

function outcomes(table: Routing, address: string, asked: Query = query): readonly string[] {
  return table
    .outcomes(parseIpv4(address) as number, asked)
    .map((outcome) => `${outcome.kind} ${outcome.devices.join(',')}`.trim());
}

describe('routing', () => {
  const host = routing(`default via 203.0.113.1 dev eth0
203.0.113.0/24 dev eth0
local 203.0.113.10 dev eth0 table local
broadcast 203.0.113.255 dev eth0 table local
local 127.0.0.0/8 dev lo table local
10.0.0.0/8 dev tun0
10.1.0.0/16 dev eth1
unreachable 10.1.2.0/24
`);

  it.each([
    ['8.8.8.8', 'unicast eth0'],
    ['203.0.113.10', 'local eth0'],
    ['203.0.113.255', 'broadcast eth0'],
    ['10.9.9.9', 'unicast tun0'],
    ['10.1.9.9', 'unicast eth1'],
    ['10.1.2.3', 'none'],
    ['127.0.0.5', 'local lo'],
  ])('takes the longest match for %s: %s', (address, wanted) => expect(outcomes(host, address)).toEqual([wanted]));

  it('gives the destinations of an outcome as a set', () => {
    const { sure, may } = host.where(
      query,
      (outcome) => outcome.kind === 'unicast' && outcome.devices.includes('eth0'),
    );
    expect(sure).toEqual(may);
    expect(publicShare(4, sure)).toBeGreaterThan(0.99);
  });

  it('prefers the lower metric of one prefix', () => {
    expect(outcomes(routing('default dev eth1 metric 200\ndefault dev eth0 metric 100\n'), '8.8.8.8')).toEqual([
      'unicast eth0',
    ]);
  });

  it('asks the rules in turn', () => {
    const rules =
      '0: from all lookup local\n10: from 203.0.113.10 lookup 100\n20: not from all fwmark 0x1 lookup 200\n30: from all lookup main\n';
    const table = routing(
      'default dev eth0\ndefault dev eth1 table 100\nthrow 8.0.0.0/8 table 100\n9.0.0.0/8 dev tun0 table 200\n',
      rules,
    );
    const from = parseIpv4('203.0.113.10');
    expect(outcomes(table, '1.1.1.1', { ...query, from })).toEqual(['unicast eth1']);
    expect(outcomes(table, '8.8.8.8', { ...query, from })).toEqual(['unicast eth0']);
    expect(outcomes(table, '9.9.9.9', { ...query, from: 1 })).toEqual(['unicast tun0']);
    expect(outcomes(table, '9.9.9.9', { ...query, from: 1, mark: 1 })).toEqual(['unicast eth0']);
    expect(outcomes(table, '9.9.9.9', { ...query, from: 1, mark: null })).toEqual(['unicast tun0', 'unicast eth0']);
  });

  it('passes over short prefixes where a rule says so', () => {
    const rules = '10: from all lookup main suppress_prefixlength 0\n20: from all lookup 51820\n';
    const table = routing('default dev eth0\n10.0.0.0/8 dev eth1\ndefault dev wg0 table 51820\n', rules);
    expect(outcomes(table, '8.8.8.8')).toEqual(['unicast wg0']);
    expect(outcomes(table, '10.0.0.1')).toEqual(['unicast eth1']);
  });

  it('is not known where a table could not be read', () => {
    const table = new Routing(4, notKnown('x'), known([]));
    expect(outcomes(table, '8.8.8.8')).toEqual(['unknown']);
    expect(table.where(query, () => true)).toEqual({ sure: [], may: [0, 2 ** 32] });
  });

  it('tells the types of addresses, with an interface only those on it', () => {
    const local = host.addressType('local', null);
    expect(local).toContain(0xcb00710a);
    expect(host.addressType('local', 'eth1')).toEqual([]);
    expect(host.addressType('local', 'eth0')).toEqual([0xcb00710a, 0xcb00710b]);
    expect(host.addressType('multicast', null)).toEqual([224 * 2 ** 24, 240 * 2 ** 24]);
    expect(publicShare(4, host.addressType('unicast', null))).toBeGreaterThan(0.99);
  });
});
