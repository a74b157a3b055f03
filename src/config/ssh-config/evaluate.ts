import { judge, type Condition, type Subject } from './conditions';
import type { Line } from './lines';
import { rulesFor, type RuleBook } from './rules';
import { expandTokens } from './words';

/** Options that are added up; of all others the first counts (ssh_config(5)). */
const repeated = new Set(['identityfile', 'certificatefile']);

/** Of these two, whichever comes first rules the other out; but a `ProxyJump none` only rules out a ProxyJump. */
const ways = ['proxyjump', 'proxycommand'];

/** What is known of someone before the file is read: it goes before the file, as what ssh is told on its command line does. */
export interface Known {
  readonly host: string;
  readonly user: string | null;
  /** Whether the way to the host is settled already. */
  readonly hasWay: boolean;
  /** The user whose name counts where nobody says another. */
  readonly defaultUser: string;
  readonly localUser: string;
}

/** What a file says of a host: the lines that count, by keyword. */
export interface Settled {
  readonly options: ReadonlyMap<string, readonly Line[]>;
  /** The name that the host stands for. */
  readonly hostName: string;
  /** Conditions that were taken not to hold, since they are not evaluated here. */
  readonly unknown: readonly { readonly line: Line; readonly criterion: string }[];
}

/** Finds what a file says of a host, as ssh does: from top to bottom, and once more where `Match final` asks for it. */
export function evaluate(book: RuleBook, known: Known): Settled {
  const options = new Map<string, readonly Line[]>();
  const unknown = new Map<Condition, string>();
  let wantsFinal = false;
  const nameOf = (host: string): string => {
    const [line] = options.get('hostname') ?? [];
    const expanded = expandTokens(line?.words[0] ?? host, { h: known.host });
    return expanded.ok ? expanded.value : host;
  };
  const pass = (host: string, isFinal: boolean): void => {
    const verdicts = new Map<Condition, boolean>();
    const holds = (condition: Condition): boolean => {
      const before = verdicts.get(condition);
      if (before !== undefined) return before;
      const subject: Subject = {
        host,
        original: known.host,
        hostName: nameOf(host),
        user: known.user ?? options.get('user')?.[0]?.words[0] ?? known.defaultUser,
        localUser: known.localUser,
        isFinal,
      };
      const verdict = judge(condition, subject);
      verdicts.set(condition, verdict.holds);
      if (verdict.unknown !== null) unknown.set(condition, verdict.unknown);
      wantsFinal ||= verdict.wantsFinal;
      return verdict.holds;
    };
    for (const { conditions, lines } of rulesFor(book, [host])) {
      if (!conditions.every(holds)) continue;
      for (const line of lines) {
        // By then ssh has put in what the host stands for.
        if (!isFinal || line.keyword !== 'hostname') take(options, line, known.hasWay);
      }
    }
  };
  pass(known.host, false);
  if (wantsFinal) pass(nameOf(known.host).toLowerCase(), true);
  return {
    options,
    hostName: nameOf(known.host).toLowerCase(),
    unknown: [...unknown].map(([{ line }, criterion]) => ({ line, criterion })),
  };
}

function take(options: Map<string, readonly Line[]>, line: Line, hasWay: boolean): void {
  const { keyword } = line;
  if (ways.includes(keyword) && (hasWay || isRuledOut(options, keyword))) return;
  const before = options.get(keyword);
  if (before === undefined) options.set(keyword, [line]);
  else if (repeated.has(keyword) && !before.some((one) => one.words[0] === line.words[0]))
    options.set(keyword, [...before, line]);
}

function isRuledOut(options: ReadonlyMap<string, readonly Line[]>, way: string): boolean {
  const jump = options.get('proxyjump')?.[0];
  const isNone = jump?.words[0]?.toLowerCase() === 'none';
  return options.has('proxycommand') || (jump !== undefined && (way === 'proxyjump' || !isNone));
}
