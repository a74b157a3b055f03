import type { Family } from './addresses';
import { compileLeft } from './nft-left';
import type { Left } from './left';
import { type FibTest, fibRoute, fibTest, fibType } from './nft-lookups';
import { rightOf, scalarOf } from './nft-right';
import type { TableScope } from './nft-table';
import { type Match, type Test, invert } from './match';
import type { Step } from './program';
import { fromPairs, listed } from './ranges';
import { asString, asStrings, isRecord } from './reading';
import { BREAK, type ValueSet, bitwise, compared, isIn, negated, settled } from './values';

/** `{"match": {"op": …, "left": …, "right": …}}`. */
export function matchStep(body: Record<string, unknown>, scope: TableScope): Step {
  const op = asString(body['op']) ?? '==';
  const { left: rawLeft, right } = body;
  if (isRecord(rawLeft) && isRecord(rawLeft['fib']))
    return { kind: 'test', test: fibComparison(fibTest(rawLeft['fib']), op, right), late: true };
  const lefts = scope.keyOf(rawLeft);
  const late = lefts.some((left) => left.peer === true);
  const left = lefts[0];
  const ports = left?.isPort === true && lefts.length === 1 && op === '==' ? fewPorts(right, left) : undefined;
  const cost = ports === undefined ? { late } : { late, ports };
  const index = scope.index(right, lefts, false);
  if (index !== null) {
    const test: Test = (flow, run) => signed(index.contains(flow, run), op, flow.packet.family, run);
    return { kind: 'test', test, ...cost };
  }
  if (lefts.length !== 1 || left === undefined) return { kind: 'test', test: concatenated(lefts, right, op), ...cost };
  return { kind: 'test', test: comparison(left, op, right, scope), ...cost };
}

/** The ports that a rule names, if they are few and all of them are understood. */
function fewPorts(right: unknown, left: Left): readonly number[] | undefined {
  if (typeof right === 'string' && right.startsWith('@')) return undefined;
  const set = rightOf(right, left);
  return set.partial || hasExpression(right) ? undefined : listed(set.ranges);
}

function signed(match: Match | 'broken', op: string, family: Family, run: Parameters<Test>[1]): Match {
  return op === '!=' || op === '!' ? negated(match, family, run) : settled(match);
}

function comparison(left: Left, op: string, right: unknown, scope: TableScope): Test {
  if (left.bits && (op === 'in' || op === '!')) return flagged(left, right, op, scope);
  const set = isRecord(right) && isRecord(right['&']) ? null : rightOf(right, left);
  if (set === null || hasExpression(right)) return expressionRight(left, op, right, scope);
  if (left.bits && left.symbols === 'tcpFlags') scope.usage.flagBits |= 0xff;
  if (op === '<' || op === '>' || op === '<=' || op === '>=') return ordered(left, op, right, scope);
  note(left, set, scope);
  // Bits that are not modelled may be set, too: an exact comparison is certain only where a named bit differs.
  if (left.symbols === 'status') return exactStatus(left, op, set);
  return (flow, run) => signed(isIn(left.read(flow, run), set, flow.packet.family, run), op, flow.packet.family, run);
}

function note(left: Left, set: ValueSet, scope: TableScope): void {
  if (left.uses === undefined) return;
  scope.usage.names(left.uses, set.ranges);
}

/** `ct state new,untracked`, `tcp flags syn`: any of the flags; `!`: none of them. */
function flagged(left: Left, right: unknown, op: string, scope: TableScope): Test {
  const bits = scalarOf(right, left);
  if (typeof bits !== 'number') return () => 'maybe';
  if (left.symbols === 'tcpFlags') scope.usage.flagBits |= bits;
  return (flow, run) => {
    const value = bitwise('&', left.read(flow, run), bits);
    if (value === BREAK) return 'no';
    if (typeof value !== 'number') return 'maybe';
    return (value !== 0) === (op === 'in') ? 'yes' : 'no';
  };
}

function exactStatus(left: Left, op: string, set: ValueSet): Test {
  return (flow, run) =>
    left.read(flow, run) === BREAK ? 'no' : set.ranges.length === 0 && op === '==' ? 'no' : 'maybe';
}

function ordered(left: Left, op: string, right: unknown, scope: TableScope): Test {
  const bound = scalarOf(right, left);
  if (bound === null) return () => 'maybe';
  const set = compared(op, bound, left.domain === 'ipv4' ? 4 : null);
  note(left, set, scope);
  return (flow, run) => settled(isIn(left.read(flow, run), set, flow.packet.family, run));
}

function hasExpression(right: unknown): boolean {
  if (!isRecord(right)) return false;
  return ['&', '^', '<<', '>>', 'meta', 'ct', 'payload', 'map', 'jhash', 'numgen', 'concat'].some(
    (key) => key in right,
  );
}

/** Newer kernels compare with what another expression yields. */
function expressionRight(left: Left, op: string, right: unknown, scope: TableScope): Test {
  const other = compileLeft(right, scope.context);
  for (const side of [left, other]) if (side.uses !== undefined) scope.usage.computes(side.uses);
  return (flow, run) => {
    const a = left.read(flow, run);
    const b = other.read(flow, run);
    if (a === BREAK || b === BREAK) return 'no';
    if (typeof b !== 'number' && typeof b !== 'bigint') return 'maybe';
    const set: ValueSet = {
      ranges: fromPairs([[b, typeof b === 'bigint' ? b + 1n : b + 1]]),
      names: [],
      partial: false,
    };
    if (op !== '==' && op !== '!=') return 'maybe';
    return signed(isIn(a, set, flow.packet.family, run), op, flow.packet.family, run);
  };
}

/** A concatenation compared with a single value, which nft also writes as a set of one. */
function concatenated(lefts: readonly Left[], right: unknown, op: string): Test {
  const parts = isRecord(right) && Array.isArray(right['concat']) ? (right['concat'] as unknown[]) : null;
  const sets =
    parts !== null && parts.length === lefts.length ? parts.map((part, i) => rightOf(part, lefts[i] as Left)) : null;
  return (flow, run) => {
    let match: Match = 'yes';
    for (const [i, left] of lefts.entries()) {
      const one = isIn(
        left.read(flow, run),
        sets?.[i] ?? { ranges: [], names: [], partial: true },
        flow.packet.family,
        run,
      );
      if (one === 'broken') return 'no';
      if (one === 'no') match = 'no';
      else if (match !== 'no' && one !== 'yes') match = 'maybe';
    }
    return signed(match, op, flow.packet.family, run);
  };
}

/** `fib saddr . iif oif missing`, `fib daddr type local`. */
function fibComparison(fib: FibTest, op: string, right: unknown): Test {
  const turned = op === '!=';
  if (fib.result === 'type') {
    const types = isRecord(right) && Array.isArray(right['set']) ? asStrings(right['set']) : asStrings(right);
    return (flow, run) => {
      const found: Match = types.length === 0 ? 'maybe' : fibType(fib, types, flow.packet, run);
      return turned ? invert(found, flow.packet.family, run) : found;
    };
  }
  if (fib.result !== 'oif' && fib.result !== 'oifname' && fib.result !== 'check') return () => 'maybe';
  const exists = typeof right === 'boolean' ? right : typeof right === 'number' && right < 2 ? right === 1 : null;
  const device = exists === null ? asString(right) : null;
  if (exists === null && device === null) return () => 'maybe';
  const wantsRoute = (exists ?? true) !== turned;
  return (flow, run) => {
    const found = fibRoute(fib, flow.packet, run, device);
    return wantsRoute ? found : invert(found, flow.packet.family, run);
  };
}
