import type { z } from 'zod';
import { faultAt, type Fault } from './fault';
import { describeNothing } from './reading';
import { withoutParts } from './schema-prune';
import { didYouMean, orList } from './suggestion';
import type { YamlText } from './yaml-text';
import type { PathStep } from './yaml-value';

type Issue = z.core.$ZodIssue;

/** The outcome of checking a file against a schema: what of it is well-formed, with its types, and each fault at its place. */
export interface SchemaResult<T> {
  /** `null` when nothing usable is left once the faulty parts are taken out. */
  readonly value: T | null;
  /** The file that `value` was read from, without the faulty parts, so that its paths lead to the right places. */
  readonly text: YamlText;
  readonly faults: readonly Fault[];
}

/** Taking out a faulty part can show another, such as a mapping that lacks a key; more rounds than this never help. */
const maxRounds = 4;

/** Checks a file's data against a schema and puts every issue at the key or value that it is about. */
export function checkSchema<S extends z.ZodType>(text: YamlText, schema: S): SchemaResult<z.output<S>> {
  let faults: readonly Fault[] | null = null;
  let rest: YamlText = text;
  for (let round = 0; round < maxRounds; round += 1) {
    const result = schema.safeParse(rest.value, { error: describeRaw });
    if (result.success) return { value: result.data, text: rest, faults: faults ?? [] };
    const found = result.error.issues.flatMap((issue) => findings(rest, [], issue));
    faults ??= found.map(({ fault }) => fault);
    const without = withoutParts(
      rest,
      found.map(({ path }) => path),
    );
    if (without === null) break;
    rest = without;
  }
  return { value: null, text, faults: faults ?? [] };
}

/** A path as people write it: `hosts[3].ssh.port`. */
export function formatPath(path: readonly PathStep[]): string {
  return path.map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`)).join('');
}

interface Finding {
  readonly fault: Fault;
  /** The part that is faulty. */
  readonly path: readonly PathStep[];
}

function findings(text: YamlText, parent: readonly PathStep[], issue: Issue): Finding[] {
  const path = [...parent, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
  const at = (part: readonly PathStep[], where: 'key' | 'value', message: string): Finding => ({
    fault: faultAt(text.file, text.placeOf(part, where), message),
    path: part,
  });
  if (issue.code === 'unrecognized_keys') {
    const messages = issue.message.split('\n');
    return issue.keys.map((key, i) => at([...path, key], 'key', messages[i] ?? issue.message));
  }
  if (issue.code === 'invalid_union') {
    const branch = branchMeant(issue.errors);
    if (branch !== null) return branch.flatMap((inner) => findings(text, path, inner));
  }
  if (issue.code === 'invalid_key') {
    return issue.issues.map((inner) => at(path, 'key', `${formatPath(path.slice(0, -1))}: ${inner.message}`));
  }
  const prefix = path.length === 0 ? '' : `${formatPath(path)}: `;
  return [at(path, 'value', `${prefix}${withSource(text, path, issue)}`)];
}

/** Of a union's branches, the one whose outer shape fits what was written, so that its inner faults are worth telling. */
function branchMeant(branches: readonly (readonly Issue[])[]): readonly Issue[] | null {
  const fitting = branches.filter((issues) => !issues.some((issue) => issue.path.length === 0 && isShapeIssue(issue)));
  return fitting[0] ?? null;
}

function isShapeIssue(issue: Issue): boolean {
  return issue.code === 'invalid_type' || issue.code === 'invalid_value' || issue.code === 'invalid_union';
}

/** Text that YAML took for something else is the fault met most often; say how to write it. */
function withSource(text: YamlText, path: readonly PathStep[], issue: Issue): string {
  if (issue.code !== 'invalid_type' || issue.expected !== 'string') return issue.message;
  const source = text.sourceOf(path);
  return source === null || source === '' || !issue.message.startsWith('must')
    ? issue.message
    : `${issue.message}: write "${source}" in quotes`;
}

type RawIssue = z.core.$ZodRawIssue;

/** The words for what a schema refuses; fields that read their text themselves bring their own. */
function describeRaw(issue: RawIssue): string | undefined {
  if (issue.code === 'invalid_type') return describeType(issue.expected, issue.input);
  if (issue.code === 'invalid_value') return describeValue(issue.values, issue.input);
  if (issue.code === 'invalid_union') return describeUnion(issue.errors, issue.input);
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => describeUnknownKey(key, knownKeys(issue.inst))).join('\n');
  if (issue.code === 'too_small')
    return issue.origin === 'number' || issue.origin === 'int' ? `must be at least ${issue.minimum}` : "can't be empty";
  if (issue.code === 'too_big')
    return issue.origin === 'string'
      ? `must have at most ${issue.maximum} characters`
      : `must be at most ${issue.maximum}`;
  return undefined;
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: '`true` or `false`',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

function describeType(expected: string, input: unknown): string {
  const nothing = describeNothing(input);
  if (nothing !== null) return nothing;
  if (expected === 'int' && typeof input === 'number') return 'must be a whole number';
  const isNumber = expected === 'number' || expected === 'int';
  if (isNumber && typeof input === 'string' && /^\d+$/.test(input))
    return `must be a number: write ${input} without quotes`;
  return `must be ${typeNames[expected] ?? expected}, not ${nameOf(input)}`;
}

function nameOf(input: unknown): string {
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'object') return 'a mapping';
  return typeof input === 'string' ? 'text' : typeof input === 'number' ? 'a number' : `\`${String(input)}\``;
}

function describeValue(values: readonly unknown[], input: unknown): string {
  const nothing = describeNothing(input);
  if (nothing !== null) return nothing;
  const words = values.map(String);
  if (typeof input === 'object') return `must be ${orList(words)}, not ${nameOf(input)}`;
  const hint = didYouMean(String(input), words);
  return `unknown value \`${String(input)}\`${hint === '' ? `: must be ${orList(words)}` : hint}`;
}

function describeUnion(branches: readonly (readonly Issue[])[], input: unknown): string {
  const nothing = describeNothing(input);
  if (nothing !== null) return nothing;
  const words: string[] = [];
  const shapes: string[] = [];
  for (const issue of branches.flat()) {
    if (issue.code === 'invalid_value') words.push(...issue.values.map(String));
    if (issue.code === 'invalid_type' && issue.expected === 'boolean') words.push('true', 'false');
    else if (issue.code === 'invalid_type') shapes.push(typeNames[issue.expected] ?? issue.expected);
  }
  if (typeof input === 'string' && words.includes(input)) return `write ${input} without quotes`;
  const hint = typeof input === 'string' ? didYouMean(input, words) : '';
  if (hint !== '') return `unknown value \`${String(input)}\`${hint}`;
  const allowed = [...(words.length > 0 ? [orList(words)] : []), ...shapes].join(', or ');
  return typeof input === 'string'
    ? `unknown value \`${input}\`: must be ${allowed}`
    : `must be ${allowed}, not ${nameOf(input)}`;
}

function describeUnknownKey(key: string, known: readonly string[]): string {
  const hint = didYouMean(key, known);
  if (hint !== '') return `unknown key \`${key}\`${hint}`;
  return `unknown key \`${key}\`: the keys here are ${orList(known).replace(/ or (?=`[^`]*`$)/, ' and ')}`;
}

function knownKeys(schema: unknown): string[] {
  const def = (schema as { readonly _zod?: { readonly def?: { readonly shape?: object } } } | undefined)?._zod?.def;
  return Object.keys(def?.shape ?? {});
}
