import { type Test, split } from './match';
import { type Flow, because, merge } from './packet';
import { type RuleIndex, indexRules } from './rule-index';
import type { Run } from './run';

/** A chain of rules, from whichever front end, ready to be run. */
export interface Chain {
  /** For people: "table inet filter, chain input". */
  readonly label: string;
  rules: readonly Rule[];
  /** Made when the chain is first run. */
  index?: RuleIndex<Rule>;
}

export interface Rule {
  /** For people: "table inet filter, chain input, rule 7". */
  readonly label: string;
  /** Empty for a rule that decides nothing (counters, logs). */
  readonly steps: readonly Step[];
}

export type Step = TestStep | { readonly kind: 'act'; readonly act: Act };

export interface TestStep {
  readonly kind: 'test';
  readonly test: Test;
  /** Asks for the peer's address, which costs more than what is known; asked last. */
  readonly late?: boolean;
  /** Only packets for one of these ports can match. */
  readonly ports?: readonly number[];
}

export type Act = (flow: Flow, run: Run, rule: Rule) => readonly Branch[];

/** Where a flow goes after a step: to the rule's next step, to the next rule, or out. */
export type Branch =
  | { readonly go: 'on' | 'next' | 'accept' | 'drop' | 'return' | 'lost'; readonly flow: Flow; readonly text?: string }
  | { readonly go: 'jump' | 'goto'; readonly flow: Flow; readonly chain: Chain };

/** A base chain of one hook. */
export interface BaseChain {
  readonly chain: Chain;
  readonly hook: string;
  readonly priority: number;
  readonly type: string;
  readonly policy: 'accept' | 'drop';
  /** nftables family, or `ip` and `ip6` for iptables. */
  readonly family: string;
  /** Interfaces of an ingress or egress chain; null: not known; undefined: the hook has none. */
  readonly devices: readonly string[] | null | undefined;
  /** Null: it is not known whether its table is dormant. */
  readonly active: true | null;
  /** Has rules that change a packet's state, so that the order among equal priorities matters. */
  readonly effects: boolean;
}

/** The kernel allows 16 levels (nft) or as many as there are chains (x_tables, which has no cycles). */
const MAX_DEPTH = 64;
/** More states than any sane ruleset makes out of one packet. */
const MAX_FLOWS = 128;

interface Ends {
  readonly accepted: Flow[];
}

/** Runs a base chain; gives the flows that pass. What is dropped is noted in the run. */
export function runBase(base: BaseChain, flows: readonly Flow[], run: Run): readonly Flow[] {
  run.budget.spend(1);
  const ends: Ends = { accepted: [] };
  const fallen = runChain(base.chain, flows, run, ends, 0);
  const passed = [...ends.accepted];
  for (const flow of fallen) {
    if (base.policy === 'drop') run.stop(flow, `dropped by the policy of ${base.chain.label}`);
    else passed.push(base.chain.rules.length > 0 ? because(flow, 'policy', `the policy of ${base.chain.label}`) : flow);
  }
  return merge(passed, run.algebra);
}

/** Runs a chain; what reaches its end or returns is the result, what is accepted goes to `ends`. */
function runChain(chain: Chain, flows: readonly Flow[], run: Run, ends: Ends, depth: number): readonly Flow[] {
  if (depth > MAX_DEPTH) {
    for (const flow of flows) run.lose(flow, `too many jumps at ${chain.label}`);
    return [];
  }
  run.budget.spend(1);
  chain.index ??= indexRules(chain.rules);
  const rules = run.rewritesPorts ? chain.index.all : chain.index.rulesFor(flows);
  const returned: Flow[] = [];
  let current = flows;
  for (const rule of rules) {
    const only = current.length === 1 ? current[0] : undefined;
    const next: Flow[] = [];
    if (only !== undefined) {
      if (runRule(rule, 0, only, run, { next, returned, accepted: ends.accepted }, depth)) continue;
    } else {
      for (const flow of current) {
        if (runRule(rule, 0, flow, run, { next, returned, accepted: ends.accepted }, depth)) next.push(flow);
      }
    }
    current = bounded(next.length < 2 ? next : merge(next, run.algebra), run, chain.label);
    if (current.length === 0) break;
  }
  return returned.length === 0 ? current : merge([...current, ...returned], run.algebra);
}

function bounded(flows: readonly Flow[], run: Run, label: string): readonly Flow[] {
  if (flows.length <= MAX_FLOWS) return flows;
  for (const flow of flows.slice(MAX_FLOWS)) run.lose(flow, `too many kinds of packets at ${label}`);
  return flows.slice(0, MAX_FLOWS);
}

interface RuleEnds {
  readonly next: Flow[];
  readonly returned: Flow[];
  readonly accepted: Flow[];
}

/** Runs a rule's steps from one on. True: the flow as a whole goes on to the next rule just as it was. */
function runRule(rule: Rule, from: number, start: Flow, run: Run, ends: RuleEnds, depth: number): boolean {
  let flow = start;
  for (let i = from; i < rule.steps.length; i += 1) {
    const step = rule.steps[i] as Step;
    run.budget.spend(1);
    if (step.kind === 'test') {
      const match = step.test(flow, run);
      if (match === 'yes') continue;
      if (match === 'no') {
        if (flow === start && from === 0) return true;
        ends.next.push(flow);
        return false;
      }
      const { taken, rest } = split(flow, match, run);
      if (taken === null && rest === start && from === 0) return true;
      if (rest !== null) ends.next.push(rest);
      if (taken === null) return false;
      flow = taken;
      continue;
    }
    const on: Flow[] = [];
    for (const branch of step.act(flow, run, rule)) follow(branch, rule, run, ends, on, depth);
    const [first, ...others] = on;
    for (const other of others) if (runRule(rule, i + 1, other, run, ends, depth)) ends.next.push(other);
    if (first === undefined) return false;
    flow = first;
  }
  ends.next.push(flow);
  return false;
}

function follow(branch: Branch, rule: Rule, run: Run, ends: RuleEnds, on: Flow[], depth: number): void {
  const { flow } = branch;
  switch (branch.go) {
    case 'on':
      on.push(flow);
      return;
    case 'next':
      ends.next.push(flow);
      return;
    case 'accept':
      ends.accepted.push(because(flow, branch.text === undefined ? 'rule' : 'nat', branch.text ?? rule.label));
      return;
    case 'drop':
      run.stop(flow, branch.text ?? `dropped by ${rule.label}`);
      return;
    case 'return':
      ends.returned.push(flow);
      return;
    case 'lost':
      run.lose(flow, branch.text ?? `${rule.label} is not understood`);
      return;
    case 'jump':
      ends.next.push(...runChain(branch.chain, [flow], run, ends, depth + 1));
      return;
    case 'goto':
      // goto leaves no way back: what falls out of the other chain leaves this one, too (nft(8), "goto").
      ends.returned.push(...runChain(branch.chain, [flow], run, ends, depth + 1));
      return;
  }
}

/** A step that always decides the same. */
export function verdict(go: 'accept' | 'drop' | 'return'): Step {
  return { kind: 'act', act: (flow) => [{ go, flow }] };
}

/** Puts the tests between two acts into the order of their cost; all of them must match, so the order decides nothing. */
export function orderSteps(steps: readonly Step[]): readonly Step[] {
  const out: Step[] = [];
  let tests: TestStep[] = [];
  const flush = (): void => {
    out.push(...tests.filter((step) => step.late !== true), ...tests.filter((step) => step.late === true));
    tests = [];
  };
  for (const step of steps) {
    if (step.kind === 'test') tests.push(step);
    else {
      flush();
      out.push(step);
    }
  }
  flush();
  return out;
}
