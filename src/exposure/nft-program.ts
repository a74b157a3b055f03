import type { Environment } from './environment';
import { REWRITES } from './nft-effects';
import type { NftChain, NftRuleset, NftTable } from './nft-json';
import { compileStatement } from './nft-statements';
import { TableScope, familiesOf } from './nft-table';
import { setKey } from './nft-sets';
import { type BaseChain, type Chain, type Rule, type Step, orderSteps } from './program';
import { asString, isRecord } from './reading';
import type { Usage } from './environment';

/** Makes a ruleset ready to be run; `except` names tables (`family name`) whose rules are taken from iptables' own listing. */
export function compileNft(
  ruleset: NftRuleset,
  except: ReadonlySet<string>,
  environment: Pick<Environment, 'interfaces'>,
  usage: Usage,
): readonly BaseChain[] {
  const tables = ruleset.tables.filter(
    (table) => table.dormant !== true && !except.has(`${table.family} ${table.name}`),
  );
  for (const table of tables) survey(table, usage);
  return tables.flatMap((table) => compileTable(table, environment, usage));
}

function compileTable(
  table: NftTable,
  environment: Pick<Environment, 'interfaces'>,
  usage: Usage,
): readonly BaseChain[] {
  const scope = new TableScope(table, { usage, family: table.family, environment });
  for (const chain of table.chains) scope.chains.set(chain.name, { label: chainLabel(table, chain), rules: [] });
  const bases: BaseChain[] = [];
  for (const chain of table.chains) {
    const made = scope.chains.get(chain.name) as Chain;
    made.rules = chain.rules.map((expr, i) => compileRule(expr, `${made.label}, rule ${i + 1}`, scope));
    if (chain.hook === null) continue;
    const { hook, type, priority, policy, devices } = chain.hook;
    const onDevice = hook === 'ingress' || hook === 'egress';
    bases.push({
      ...{ chain: made, hook, type, priority, policy, family: table.family },
      devices: onDevice ? devices : undefined,
      active: table.dormant === null ? null : true,
      effects: table.chains.some((other) => other.rules.some(hasEffect)),
    });
  }
  return bases;
}

function chainLabel(table: NftTable, chain: NftChain): string {
  return `table ${table.family} ${table.name}, chain ${chain.name}`;
}

function compileRule(expr: readonly unknown[], label: string, scope: TableScope): Rule {
  const steps: Step[] = [];
  for (const statement of expr) {
    const step = compileStatement(statement, scope);
    if (step !== null) steps.push(step);
  }
  // Matches alone decide nothing; what they end with (a counter, a log) has been left out.
  return { label, steps: steps.some((step) => step.kind === 'act') ? orderSteps(steps) : [] };
}

/** Finds out what packets can change, before any rule that reads it is compiled. */
function survey(table: NftTable, usage: Usage): void {
  for (const chain of table.chains) {
    for (const rule of chain.rules) {
      for (const statement of rule) {
        surveyStatement(statement, table, usage);
        if (usage.tracked.size < 2 && asksForConnections(statement))
          for (const family of familiesOf(table.family)) usage.tracked.add(family);
      }
    }
  }
}

/** Statements and expressions for which the kernel begins to track connections. */
const TRACKERS = new Set([
  ...['ct', 'ct helper', 'ct timeout', 'ct expectation', 'ct count'],
  ...['dnat', 'snat', 'masquerade', 'redirect', 'synproxy'],
]);

/** Right sides and the elements of maps are values, and may be very many. */
const VALUES = new Set(['right', 'data']);

/** Deeper than any expression that nft writes. */
const MAX_NESTING = 64;

function asksForConnections(expr: unknown, depth = 0): boolean {
  if (depth > MAX_NESTING) return false;
  if (Array.isArray(expr)) return (expr as unknown[]).some((item) => asksForConnections(item, depth + 1));
  if (!isRecord(expr)) return false;
  return Object.entries(expr).some(
    ([key, value]) => TRACKERS.has(key) || (!VALUES.has(key) && asksForConnections(value, depth + 1)),
  );
}

function surveyStatement(statement: unknown, table: NftTable, usage: Usage): void {
  if (!isRecord(statement)) return;
  for (const kind of ['set', 'map', 'meter']) {
    const body = statement[kind];
    if (!isRecord(body)) continue;
    const name = (asString(body['set']) ?? asString(body['map']) ?? asString(body['name']) ?? '').replace(/^@/, '');
    usage.fillable.add(setKey(table.family, table.name, name));
  }
  const mangle = statement['mangle'];
  const key = isRecord(mangle) && isRecord(mangle['key']) ? mangle['key'] : null;
  if (key === null) return;
  const kind = Object.keys(key)[0] ?? '';
  const inner = isRecord(key[kind]) ? key[kind] : {};
  const field = asString(inner['key']) ?? asString(inner['field']) ?? '';
  const name = kind === 'payload' ? `${asString(inner['protocol']) ?? ''} ${field}` : `${kind} ${field}`;
  usage.mangled.add(name);
  if (REWRITES.has(name)) usage.redirects = true;
}

function hasEffect(rule: readonly unknown[]): boolean {
  return rule.some(
    (statement) =>
      isRecord(statement) &&
      ['mangle', 'notrack', 'set', 'map', 'meter', 'tproxy', 'xt'].some((kind) => kind in statement),
  );
}
