import { faultAt, type Fault } from '../fault';
import { splitWords } from './words';

/** One line of an ssh_config file that says something. */
export interface Line {
  /** In lower case. */
  readonly keyword: string;
  readonly words: readonly string[];
  /** All after the keyword, as it is written. */
  readonly rest: string;
  readonly file: string;
  readonly number: number;
}

/** Reads the lines of a file; a line that ssh could not read either is a fault. */
export function readLines(file: string, source: string): { readonly lines: Line[]; readonly faults: Fault[] } {
  const lines: Line[] = [];
  const faults: Fault[] = [];
  for (const [index, text] of source.split('\n').entries()) {
    const trimmed = text.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const number = index + 1;
    const say = (message: string): number => faults.push(faultAt(file, { line: number, col: 1 }, message));
    // One `=` may stand between a keyword and its arguments (strdelim in misc.c).
    const match = /^([A-Za-z0-9]+)(?:[ \t]*=[ \t]*|[ \t]+|(?=["']))(.*)$/s.exec(trimmed);
    const rest = match?.[2] ?? '';
    if (match === null || rest === '') {
      say(`\`${trimmed.slice(0, 80)}\` is no line of an ssh_config: write a keyword and its argument`);
      continue;
    }
    const words = splitWords(rest);
    if (words === null) say('a quote is not closed');
    else lines.push({ keyword: (match[1] ?? '').toLowerCase(), words, rest, file, number });
  }
  return { lines, faults };
}
