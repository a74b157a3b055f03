import type { NftRuleset, NftTable } from './nft-json';

/** What the text of `nft list ruleset` shows and the JSON of older versions does not. */
export interface NftOutline {
  /** `family name` of the tables that are dormant. */
  readonly dormant: ReadonlySet<string>;
  readonly tables: ReadonlySet<string>;
  /** Interfaces of ingress and egress chains, by `family table chain`. */
  readonly devices: ReadonlyMap<string, readonly string[]>;
}

const MAX_LINES = 2_000_000;

/** Reads the headers of tables and chains; nft indents by tabs and puts each header on a line of its own. */
export function parseNftText(text: string): NftOutline {
  const dormant = new Set<string>();
  const tables = new Set<string>();
  const devices = new Map<string, readonly string[]>();
  let table = '';
  let chain = '';
  for (const line of text.split('\n', MAX_LINES)) {
    if (line.startsWith('table ')) {
      table = line.slice('table '.length).split(' {')[0] ?? '';
      tables.add(table);
    } else if (
      line.startsWith('\tflags ') &&
      line
        .slice('\tflags '.length)
        .split(/[ ,;]+/)
        .includes('dormant')
    ) {
      dormant.add(table);
    } else if (line.startsWith('\tchain ')) {
      chain = line.slice('\tchain '.length).split(' {')[0] ?? '';
    } else if (line.startsWith('\t\ttype ')) {
      const names = devicesOf(line);
      if (names.length > 0) devices.set(`${table} ${chain}`, names);
    }
  }
  return { dormant, tables, devices };
}

/** `type filter hook ingress device "eth0" priority 0;` or `… devices = { "eth0", "eth1" } priority 0;`. */
function devicesOf(line: string): readonly string[] {
  const end = line.indexOf(' priority ');
  const head = end < 0 ? line : line.slice(0, end);
  const many = head.indexOf(' devices = {');
  const list = many >= 0 ? head.slice(many + ' devices = {'.length) : (head.split(' device ')[1] ?? '');
  return list
    .split(/[\s,{}"]+/)
    .filter((name) => name !== '')
    .slice(0, 1000);
}

/** The ruleset with what the text knows better. Without the text, what the JSON left open stays unknown. */
export function withOutline(ruleset: NftRuleset, outline: NftOutline): NftRuleset {
  return { tables: ruleset.tables.map((table) => outlined(table, outline)) };
}

function outlined(table: NftTable, outline: NftOutline): NftTable {
  const key = `${table.family} ${table.name}`;
  if (!outline.tables.has(key)) return table;
  return {
    ...table,
    dormant: outline.dormant.has(key),
    chains: table.chains.map((chain) => {
      if (chain.hook === null || chain.hook.devices !== null) return chain;
      return { ...chain, hook: { ...chain.hook, devices: outline.devices.get(`${key} ${chain.name}`) ?? null } };
    }),
  };
}
