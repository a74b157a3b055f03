import type { Family } from './addresses';
import type { Environment, Usage } from './environment';
import type { ExposureFacts } from './facts';
import { IpSets } from './ipset-match';
import { compileIptables, filledSets } from './iptables-program';
import type { IptablesSave, IptablesTable } from './iptables-save';
import type { NftRuleset, NftTable } from './nft-json';
import { compileNft } from './nft-program';
import type { BaseChain } from './program';
import { isRecord } from './reading';

/** A host's whole firewall, ready to be run, and for each family what of it is not known. */
export interface Firewall {
  readonly bases: readonly BaseChain[];
  readonly doubts: Readonly<Record<Family, readonly string[]>>;
}

/**
 * Puts the sources together. Tables of iptables-nft show up in nft's JSON with their matches reduced to bare names (`xt`):
 * their rules are taken from iptables-save. Everything else comes from the JSON; x_tables are a world of their own.
 */
export function assemble(facts: ExposureFacts, environment: Pick<Environment, 'interfaces'>, usage: Usage): Firewall {
  const doubts: Record<Family, string[]> = { 4: [], 6: [] };
  const saves: IptablesSave[] = [];
  for (const family of [4, 6] as const) {
    for (const source of [facts.iptables[family], facts.legacy[family]]) if (source.known) saves.push(source.value);
    const legacy = facts.legacy[family];
    if (!legacy.known) doubts[family].push(legacy.why);
  }
  const sets = new IpSets(facts.ipsets, filledSets(saves));
  const bases: BaseChain[] = [];
  const replaced = new Map<string, IptablesTable>();
  if (facts.nft.known) {
    for (const family of [4, 6] as const) replacements(facts.nft.value, facts, family, replaced);
    bases.push(...compileNft(facts.nft.value, new Set(replaced.keys()), environment, usage));
  } else {
    for (const family of [4, 6] as const) doubts[family].push(facts.nft.why);
  }
  for (const family of [4, 6] as const) {
    const prefix = family === 4 ? 'ip' : 'ip6';
    const own = facts.iptables[family];
    if (own.known)
      bases.push(
        ...compileIptables(own.value, (table) => replaced.has(`${prefix} ${table}`), family, environment, usage, sets),
      );
    const legacy = facts.legacy[family];
    if (legacy.known)
      bases.push(
        ...compileIptables({ ...legacy.value, nfTables: false }, () => true, family, environment, usage, sets),
      );
  }
  return { bases, doubts };
}

/** Finds the tables whose rules are better read from iptables-save: those with an `xt` in them, listed there rule for rule. */
function replacements(
  ruleset: NftRuleset,
  facts: ExposureFacts,
  family: Family,
  out: Map<string, IptablesTable>,
): void {
  const save = facts.iptables[family];
  if (!save.known || !save.value.nfTables) return;
  const prefix = family === 4 ? 'ip' : 'ip6';
  for (const table of ruleset.tables) {
    if (
      table.family !== prefix ||
      table.dormant !== false ||
      save.value.incompatible.includes(table.name) ||
      !hasXt(table)
    )
      continue;
    const saved = save.value.tables.find((candidate) => candidate.name === table.name);
    if (saved !== undefined && sameShape(table, saved)) out.set(`${prefix} ${table.name}`, saved);
  }
}

function hasXt(table: NftTable): boolean {
  return table.chains.some((chain) =>
    chain.rules.some((rule) => rule.some((statement) => isRecord(statement) && 'xt' in statement)),
  );
}

/** The same chains with as many rules each; otherwise one of the two listings leaves something out. */
function sameShape(table: NftTable, saved: IptablesTable): boolean {
  const counts = new Map(saved.chains.map((chain) => [chain.name, chain.rules.length] as const));
  return table.chains.every((chain) => {
    const count = counts.get(chain.name);
    // iptables-save leaves out empty built-in chains that were never made, but never a chain that exists.
    return (
      count === chain.rules.length ||
      (count === undefined && chain.hook !== null && chain.rules.length === 0 && chain.hook.policy === 'accept')
    );
  });
}
