import { parseRoutes, parseRules } from './routes';

const JSON4 = JSON.stringify([
  { dst: 'default', gateway: '203.0.113.1', dev: 'eth0', flags: [] },
  { dst: '10.0.0.0/24', dev: 'eth1', protocol: 'kernel', scope: 'link', flags: [] },
  { type: 'local', dst: '203.0.113.10', dev: 'eth0', table: 'local', flags: [] },
  { type: 'unreachable', dst: '192.0.2.0/24', table: '100', metric: 20, flags: [] },
  {
    dst: '198.51.100.0/24',
    flags: [],
    nexthops: [
      { dev: 'eth0', weight: 1 },
      { dev: 'eth1', weight: 1 },
    ],
  },
]);

const TEXT4 = `default via 203.0.113.1 dev eth0
10.0.0.0/24 dev eth1 proto kernel scope link src 10.0.0.10
local 203.0.113.10 dev eth0 table local proto kernel scope host src 203.0.113.10
unreachable 192.0.2.0/24 table 100 metric 20
198.51.100.0/24
\tnexthop via 203.0.113.1 dev eth0 weight 1
\tnexthop via 10.0.0.1 dev eth1 weight 1
`;

describe('routes', () => {
  it('are read the same from JSON and from text', () => {
    const json = parseRoutes(JSON4, 4);
    expect(json).toEqual(parseRoutes(TEXT4, 4));
    expect(
      json.known &&
        json.value.map((route) => [route.type, route.table, route.prefixLength, route.metric, route.devices]),
    ).toEqual([
      ['unicast', 'main', 0, 0, ['eth0']],
      ['unicast', 'main', 24, 0, ['eth1']],
      ['local', 'local', 32, 0, ['eth0']],
      ['unreachable', '100', 24, 20, []],
      ['unicast', 'main', 24, 0, ['eth0', 'eth1']],
    ]);
  });

  it('of the other family are left out', () => {
    const both = JSON.stringify([
      { dst: 'default', dev: 'eth0' },
      { dst: '2001:db8::/64', dev: 'eth0' },
      { dst: '10.0.0.0/8', dev: 'eth0' },
    ]);
    const found = parseRoutes(both, 6);
    expect(found.known && found.value.map((route) => [route.to.family, route.prefixLength])).toEqual([
      [6, 0],
      [6, 64],
    ]);
  });

  it('are not known when they are something else', () => {
    for (const text of ['[1]', '[{"dst":"nonsense"}]', '{}', '[', 'nonsense dev eth0'])
      expect(parseRoutes(text, 4).known).toBe(false);
  });
});

describe('rules of policy routing', () => {
  const json = JSON.stringify([
    { priority: 32765, not: null, src: 'all', fwmark: '0xca6c', table: '51820' },
    { priority: 0, src: 'all', table: 'local' },
    { priority: 100, src: '203.0.113.0', srclen: 24, iif: 'eth0', table: 'main', suppress_prefixlen: '0' },
    { priority: 200, src: 'all', dst: '192.0.2.0', dstlen: 24, action: 'prohibit' },
    { priority: 1000, src: 'all', l3mdev: null, table: '[l3mdev-table]' },
    { priority: 300, src: 'all', dport: 25, table: '7' },
  ]);
  const text = `0:\tfrom all lookup local
100:\tfrom 203.0.113.0/24 iif eth0 lookup main suppress_prefixlength 0
200:\tfrom all to 192.0.2.0/24 prohibit
300:\tfrom all dport 25 lookup 7
32765:\tnot from all fwmark 0xca6c lookup 51820
`;

  it('are sorted, and read from JSON and from text', () => {
    const found = parseRules(json, 4);
    expect(
      found.known && found.value.map((rule) => [rule.priority, rule.action, rule.table, rule.conditional]),
    ).toEqual([
      [0, 'lookup', 'local', false],
      [100, 'lookup', 'main', false],
      [200, 'drop', 'main', false],
      [300, 'lookup', '7', true],
      [1000, 'lookup', '[l3mdev-table]', false],
      [32765, 'lookup', '51820', false],
    ]);
    const same = parseRules(text, 4);
    expect(same.known && same.value).toEqual(found.known && found.value.filter((rule) => !rule.l3mdev));
  });

  it('keep what they select', () => {
    const found = parseRules(json, 4);
    const [, second, third, , , last] = found.known ? found.value : [];
    expect(second).toMatchObject({
      from: { start: 0xcb007100, end: 0xcb007200 },
      iif: 'eth0',
      suppressPrefixLength: 0,
    });
    expect(third).toMatchObject({ to: { start: 0xc0000200, end: 0xc0000300 } });
    expect(last).toMatchObject({ not: true, fwmark: { value: 0xca6c, mask: 0xffffffff } });
  });
});
