import fc from 'fast-check';
import { parseNftJson } from './nft-json';
import { parseNftText, withOutline } from './nft-text';

const META = { metainfo: { version: '1.0.6', json_schema_version: 1 } };

function ruleset(...objects: readonly unknown[]): string {
  return JSON.stringify({ nftables: [META, ...objects] });
}

const TABLE = { table: { family: 'netdev', name: 't', handle: 1 } };

function chain(extra: object): unknown {
  return {
    chain: {
      family: 'netdev',
      table: 't',
      name: 'c',
      handle: 2,
      type: 'filter',
      hook: 'ingress',
      prio: -500,
      policy: 'drop',
      ...extra,
    },
  };
}

describe('nft -j list ruleset', () => {
  it('is read into tables, chains, rules and sets', () => {
    const found = parseNftJson(
      ruleset(
        { table: { family: 'inet', name: 'f', handle: 1 } },
        {
          chain: {
            family: 'inet',
            table: 'f',
            name: 'in',
            handle: 2,
            type: 'filter',
            hook: 'input',
            prio: 0,
            policy: 'drop',
          },
        },
        { chain: { family: 'inet', table: 'f', name: 'user', handle: 3 } },
        { set: { family: 'inet', table: 'f', name: 's', type: 'ipv4_addr', flags: ['interval'], elem: ['1.2.3.4'] } },
        { map: { family: 'inet', table: 'f', name: 'm', type: 'mark', map: 'verdict' } },
        { limit: { family: 'inet', table: 'f', name: 'l', rate: 1, per: 'second' } },
        { flowtable: { family: 'inet', table: 'f', name: 'ft' } },
        { rule: { family: 'inet', table: 'f', chain: 'in', handle: 4, expr: [{ accept: null }] } },
      ),
    );
    const [table] = found.known ? found.value.tables : [];
    expect(table).toMatchObject({ family: 'inet', name: 'f', dormant: false, objects: { 'limit l': { rate: 1 } } });
    expect(table?.chains.map(({ name, hook, rules }) => [name, hook?.hook, hook?.policy, rules.length])).toEqual([
      ['in', 'input', 'drop', 1],
      ['user', undefined, undefined, 0],
    ]);
    expect(table?.sets.map(({ name, isMap, elements }) => [name, isMap, elements.length])).toEqual([
      ['s', false, 1],
      ['m', true, 0],
    ]);
  });

  it.each([
    [undefined, false],
    ['dormant', true],
    [['dormant'], true],
    [['owner', 'persist'], false],
    // nft 1.0.6 says this of a dormant table.
    ['filter', null],
  ])('tells whether a table with flags %p is dormant: %p', (flags, wanted) => {
    const found = parseNftJson(
      ruleset({ table: { family: 'ip', name: 't', ...(flags === undefined ? {} : { flags }) } }),
    );
    expect(found.known && found.value.tables[0]?.dormant).toBe(wanted);
  });

  it('knows the devices of an ingress chain, where they are said', () => {
    const devices = (extra: object): unknown => {
      const found = parseNftJson(ruleset(TABLE, chain(extra)));
      return found.known ? found.value.tables[0]?.chains[0]?.hook?.devices : found;
    };
    expect(devices({ dev: 'eth0' })).toEqual(['eth0']);
    expect(devices({ dev: ['eth0', 'eth1'] })).toEqual(['eth0', 'eth1']);
    expect(devices({})).toBeNull();
  });

  it.each([
    ['no JSON', '{'],
    ['something else', '{"a":1}'],
    [
      'a rule of a chain that is not there',
      ruleset(TABLE, { rule: { family: 'netdev', table: 't', chain: 'x', expr: [] } }),
    ],
    ['a chain of a table that is not there', ruleset(chain({}))],
    ['a hook without a priority', ruleset(TABLE, chain({ prio: 'x' }))],
    ['nesting without end', `{"nftables":${'['.repeat(5000)}${']'.repeat(5000)}}`],
  ])('is not known with %s', (_name, text) => expect(parseNftJson(text).known).toBe(false));

  it('never throws', () => {
    fc.assert(fc.property(fc.json(), (text) => void parseNftJson(text)));
    fc.assert(
      fc.property(
        fc.jsonValue(),
        (value) => void parseNftJson(JSON.stringify({ nftables: [value, { rule: value }, { chain: value }] })),
      ),
    );
  });
});

describe('nft list ruleset', () => {
  const text = `table netdev t {
	chain c {
		type filter hook ingress device "eth0" priority -500; policy drop;
	}
}
table inet u {
	flags dormant
	chain d {
		type filter hook ingress devices = { "eth0", "eth1" } priority 0; policy accept;
		ip saddr 1.2.3.4 drop comment "chain x { type filter hook ingress device \\"lo\\""
	}
}
`;

  it('says which tables are dormant and which interfaces chains are on', () => {
    const outline = parseNftText(text);
    expect([...outline.tables]).toEqual(['netdev t', 'inet u']);
    expect([...outline.dormant]).toEqual(['inet u']);
    expect([...outline.devices]).toEqual([
      ['netdev t c', ['eth0']],
      ['inet u d', ['eth0', 'eth1']],
    ]);
  });

  it('fills in what the JSON of older versions leaves out', () => {
    const found = parseNftJson(
      ruleset(
        TABLE,
        chain({}),
        { table: { family: 'inet', name: 'u', flags: 'filter' } },
        { table: { family: 'ip', name: 'other', flags: 'filter' } },
      ),
    );
    const merged = found.known ? withOutline(found.value, parseNftText(text)).tables : [];
    expect(merged.map((table) => [table.name, table.dormant])).toEqual([
      ['t', false],
      ['u', true],
      ['other', null],
    ]);
    expect(merged[0]?.chains[0]?.hook?.devices).toEqual(['eth0']);
  });
});
