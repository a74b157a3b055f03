import { isPlainName, matchesPatternList } from '../../ssh/host-pattern';
import { right, wrong, type Reading } from '../reading';
import type { Line } from './lines';

/** For whom lines hold: what a `Host` or `Match` line says. */
export type Condition =
  | { readonly kind: 'host'; readonly patterns: readonly string[]; readonly line: Line }
  | { readonly kind: 'match'; readonly criteria: readonly Criterion[]; readonly line: Line };

interface Criterion {
  readonly name: string;
  readonly negated: boolean;
  readonly value: string;
}

/** What a condition is asked about. */
export interface Subject {
  /** What was asked for; in the final pass the name that it stands for. */
  readonly host: string;
  /** What was asked for. */
  readonly original: string;
  /** The name that it stands for, as far as is known. */
  readonly hostName: string;
  readonly user: string;
  readonly localUser: string;
  readonly isFinal: boolean;
}

/** Whether a condition holds; `unknown` is what is not evaluated here. `wantsFinal`: it asks for a second reading. */
export interface Verdict {
  readonly holds: boolean;
  readonly unknown: string | null;
  readonly wantsFinal: boolean;
}

/** Criteria that have no value. */
const bare = new Set(['all', 'canonical', 'final']);

/** Reads a `Host` line; patterns are words, without commas. */
export function readHostLine(line: Line): Reading<Condition> {
  if (line.words.length === 0) return wrong('`Host` needs a pattern');
  return right({ kind: 'host', patterns: line.words, line });
}

/** Reads a `Match` line. */
export function readMatchLine(line: Line): Reading<Condition> {
  // Between a criterion and its value may be an `=` as well.
  const words = line.words.flatMap((word, at) => (at > 0 && word === '=' ? [] : splitOnce(word)));
  const criteria: Criterion[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const negated = word.startsWith('!');
    const name = (negated ? word.slice(1) : word).toLowerCase();
    if (bare.has(name)) {
      criteria.push({ name, negated, value: '' });
      continue;
    }
    at += 1;
    const value = words[at];
    if (value === undefined) return wrong(`\`Match ${word}\` needs a value`);
    criteria.push({ name, negated, value });
  }
  return criteria.length === 0 ? wrong('`Match` needs a criterion') : right({ kind: 'match', criteria, line });
}

function splitOnce(word: string): string[] {
  const match = /^(!?[A-Za-z]+)=(.*)$/s.exec(word);
  if (match === null) return [word];
  return [match[1] ?? '', match[2] ?? ''].filter((part) => part !== '');
}

/** The names that alone a condition can hold for; `null` where it has patterns. */
export function plainHosts(condition: Condition): readonly string[] | null {
  return condition.kind === 'host' && condition.patterns.every(isPlainName) ? condition.patterns : null;
}

/** Whether a condition holds for someone. Nothing is run for it. */
export function judge(condition: Condition, subject: Subject): Verdict {
  if (condition.kind === 'host')
    return { holds: matchesPatternList(subject.host, condition.patterns), unknown: null, wantsFinal: false };
  let holds = true;
  let unknown: string | null = null;
  let wantsFinal = false;
  for (const criterion of condition.criteria) {
    if (criterion.name === 'final') wantsFinal = true;
    const fits = fitsCriterion(criterion, subject);
    if (fits === null) unknown ??= criterion.name;
    else if (fits === criterion.negated) holds = false;
  }
  return { holds: holds && unknown === null, unknown: holds ? unknown : null, wantsFinal };
}

/** `null`: not evaluated here. */
function fitsCriterion({ name, value }: Criterion, subject: Subject): boolean | null {
  switch (name) {
    case 'all':
      return true;
    case 'canonical':
    case 'final':
      return subject.isFinal;
    case 'host':
      return matchesList(subject.hostName.toLowerCase(), value.toLowerCase());
    case 'originalhost':
      return matchesList(subject.original, value.toLowerCase());
    case 'user':
      return matchesList(subject.user, value);
    case 'localuser':
      return matchesList(subject.localUser, value);
    default:
      return null;
  }
}

function matchesList(text: string, list: string): boolean {
  return matchesPatternList(text, list.split(','));
}
