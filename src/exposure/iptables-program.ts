import type { Family } from './addresses';
import type { Environment, Usage } from './environment';
import type { IpSets } from './ipset-match';
import { compileMatches } from './iptables-matches';
import type { IptablesChain, IptablesSave, IptablesTable } from './iptables-save';
import type { IptablesScope } from './iptables-scope';
import { recentSet } from './iptables-stateful';
import { compileTarget } from './iptables-targets';
import { parseRule } from './iptables-words';
import { joined } from './nft-effects';
import { type BaseChain, type Chain, type Rule, type Step, orderSteps } from './program';

/** Hooks of the built-in chains with their priorities (include/uapi/linux/netfilter_ipv4.h). */
const HOOKS: ReadonlyMap<string, string> = new Map([
  ['PREROUTING', 'prerouting'],
  ['INPUT', 'input'],
  ['FORWARD', 'forward'],
  ['OUTPUT', 'output'],
  ['POSTROUTING', 'postrouting'],
]);

const PRIORITIES: ReadonlyMap<string, number> = new Map([
  ['raw', -300],
  ['mangle', -150],
  ['nat', -100],
  ['filter', 0],
  ['security', 50],
]);

/** Makes the tables of one listing ready to be run. */
export function compileIptables(
  save: IptablesSave,
  only: (table: string) => boolean,
  family: Family,
  environment: Pick<Environment, 'interfaces'>,
  usage: Usage,
  sets: IpSets,
): readonly BaseChain[] {
  const tables = save.tables.filter((table) => only(table.name));
  const variant = save.nfTables ? '' : ' (iptables-legacy)';
  return tables.flatMap((table) =>
    compileTable(table, variant, { family, table: table.name, usage, environment, sets }),
  );
}

function compileTable(table: IptablesTable, variant: string, scope: IptablesScope): readonly BaseChain[] {
  const chains = new Map<string, Chain>();
  const family = scope.family === 4 ? 'ip' : 'ip6';
  for (const chain of table.chains) {
    chains.set(chain.name, { label: `table ${family} ${table.name}${variant}, chain ${chain.name}`, rules: [] });
  }
  const bases: BaseChain[] = [];
  const effects = table.chains.some((chain) => chain.rules.some(hasEffect));
  for (const chain of table.chains) {
    const made = chains.get(chain.name) as Chain;
    made.rules = chain.rules.map((words, i) => compileRule(words, `${made.label}, rule ${i + 1}`, scope, chains));
    const base = baseOf(chain, made, table.name, family, effects);
    if (base !== null) bases.push(base);
  }
  return bases;
}

function baseOf(chain: IptablesChain, made: Chain, table: string, family: string, effects: boolean): BaseChain | null {
  const hook = HOOKS.get(chain.name);
  const priority = PRIORITIES.get(table);
  if (chain.policy === null || hook === undefined || priority === undefined) return null;
  const policy = chain.policy === 'DROP' ? 'drop' : 'accept';
  const type = table === 'nat' ? 'nat' : 'filter';
  // Source translation comes last: nat INPUT and POSTROUTING run at priority 100.
  const late = table === 'nat' && (hook === 'input' || hook === 'postrouting');
  return {
    chain: made,
    hook,
    priority: late ? 100 : priority,
    type,
    policy,
    family,
    devices: undefined,
    active: true,
    effects,
  };
}

function compileRule(
  words: readonly string[],
  label: string,
  scope: IptablesScope,
  chains: ReadonlyMap<string, Chain>,
): Rule {
  const parsed = parseRule(words);
  const tests = compileMatches(parsed, scope);
  const target = compileTarget(parsed, scope, chains);
  if (TRACKERS.has(parsed.target ?? '') || parsed.matches.some(({ name }) => TRACKERS.has(name)))
    scope.usage.tracked.add(scope.family);
  const lists = parsed.matches
    .flatMap((match) => (match.name === 'recent' ? [recentSet(match.options, scope)] : []))
    .filter((key) => key !== null);
  if (target === null && lists.length === 0) return { label, steps: [] };
  const steps: Step[] = [...orderSteps(tests)];
  for (const key of lists) steps.push({ kind: 'act', act: (flow) => [{ go: 'on', flow: joined(flow, key) }] });
  if (target !== null) steps.push(target);
  return { label, steps };
}

/** Matches and targets for which the kernel begins to track connections. */
const TRACKERS = new Set([
  ...['conntrack', 'state', 'connmark', 'connbytes', 'connlabel', 'connlimit', 'helper'],
  ...['DNAT', 'SNAT', 'MASQUERADE', 'REDIRECT', 'NETMAP', 'CONNMARK', 'SYNPROXY'],
]);

const CHANGERS = new Set(['MARK', 'CONNMARK', 'CT', 'NOTRACK', 'SET', 'TPROXY']);

function hasEffect(words: readonly string[]): boolean {
  return words.some((word, i) => (word === '-j' && CHANGERS.has(words[i + 1] ?? '')) || word === 'recent');
}

/** Names of the ipsets that rules put packets' addresses into or take them out of. */
export function filledSets(saves: readonly IptablesSave[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const save of saves) {
    for (const table of save.tables) {
      for (const chain of table.chains) for (const words of chain.rules) noteFilled(words, names);
    }
  }
  return names;
}

function noteFilled(words: readonly string[], names: Set<string>): void {
  for (const [i, word] of words.entries()) {
    if (word === '--add-set' || word === '--del-set') names.add(words[i + 1] ?? '');
  }
}
