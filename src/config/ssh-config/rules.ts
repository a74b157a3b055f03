import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { matchesPattern } from '../../ssh/host-pattern';
import { faultAt, type Fault } from '../fault';
import type { FileMemory } from '../file-memory';
import { homeFolder } from '../own-account';
import { plainHosts, readHostLine, readMatchLine, type Condition } from './conditions';
import { readLines, type Line } from './lines';

/** Lines that hold under the same conditions. */
export interface Rule {
  /** All of them must hold: a file can be included under a condition. */
  readonly conditions: readonly Condition[];
  readonly lines: Line[];
}

/** An ssh_config file with all that it includes, as one list. */
export interface RuleBook {
  readonly rules: readonly Rule[];
  /** Where in the list a name can matter that stands in some `Host` line without patterns. */
  readonly byName: ReadonlyMap<string, readonly number[]>;
  /** Where in the list any name can matter. */
  readonly forAny: readonly number[];
  readonly faults: readonly Fault[];
  /** What was read, and the folders where more may appear, to be watched. */
  readonly watched: readonly string[];
}

/** As in OpenSSH (READCONF_MAX_DEPTH). */
const maxDepth = 16;
const maxIncluded = 1000;

/** Reads a file and what it includes. */
export function readRuleBook(file: string, memory: FileMemory, home = homeFolder()): RuleBook {
  const reading = new RuleReading(memory, home);
  reading.read(file, [], 0, null);
  const byName = new Map<string, number[]>();
  const forAny: number[] = [];
  for (const [at, { conditions }] of reading.rules.entries()) {
    const names = conditions.map(plainHosts).find((hosts) => hosts !== null) ?? null;
    if (names === null) forAny.push(at);
    for (const name of new Set(names)) byName.set(name, [...(byName.get(name) ?? []), at]);
  }
  return { rules: reading.rules, byName, forAny, faults: reading.faults, watched: [...reading.watched] };
}

/** The rules that can matter for one of some names, in their order. */
export function rulesFor(book: RuleBook, names: readonly string[]): readonly Rule[] {
  const places = new Set([...book.forAny, ...names.flatMap((name) => book.byName.get(name) ?? [])]);
  return [...places].sort((one, other) => one - other).flatMap((at) => book.rules[at] ?? []);
}

class RuleReading {
  readonly rules: Rule[] = [];
  readonly faults: Fault[] = [];
  readonly watched = new Set<string>();
  #files = 0;

  constructor(
    private readonly memory: FileMemory,
    private readonly home: string,
  ) {}

  read(file: string, outer: readonly Condition[], depth: number, from: Line | null): void {
    this.watched.add(file);
    const read = this.memory.read(file, 'ssh_config', (source) => readLines(file, source));
    if (!read.ok) {
      // One that is named by the configuration itself is checked there; one that is included may be missing, as with ssh.
      if (from !== null && statSync(file, { throwIfNoEntry: false }) !== undefined)
        this.#say(from, `${file} ${read.message}`);
      return;
    }
    this.faults.push(...read.value.faults);
    let rule: Rule = { conditions: outer, lines: [] };
    this.rules.push(rule);
    for (const line of read.value.lines) {
      if (line.keyword === 'host' || line.keyword === 'match') {
        const condition = line.keyword === 'host' ? readHostLine(line) : readMatchLine(line);
        if (!condition.ok) this.#say(line, condition.message);
        rule = { conditions: condition.ok ? [...outer, condition.value] : outer, lines: [] };
        if (condition.ok) this.rules.push(rule);
      } else if (line.keyword === 'include') {
        for (const word of line.words) this.#include(word, rule.conditions, depth, line);
        rule = { conditions: rule.conditions, lines: [] };
        this.rules.push(rule);
      } else {
        rule.lines.push(line);
      }
    }
  }

  #include(written: string, conditions: readonly Condition[], depth: number, line: Line): void {
    if (depth >= maxDepth) {
      this.#say(line, `more than ${maxDepth} files include each other`);
      return;
    }
    for (const file of this.#expand(this.#absolute(written))) {
      this.#files += 1;
      if (this.#files > maxIncluded) {
        if (this.#files === maxIncluded + 1) this.#say(line, `more than ${maxIncluded} files are included`);
        return;
      }
      this.read(file, conditions, depth + 1, line);
    }
  }

  /** From `~/.ssh`, as ssh has it for a file that it is given. */
  #absolute(written: string): string {
    if (written === '~' || written.startsWith('~/')) return join(this.home, written.slice(1));
    return written.startsWith('/') ? written : join(this.home, '.ssh', written);
  }

  /** The files that a path with `*` and `?` stands for, in order of name (glob(7)). */
  #expand(path: string): readonly string[] {
    let found = ['/'];
    for (const part of path.split('/').filter((one) => one !== '')) {
      const isPattern = /[*?]/.test(part);
      if (!isPattern) {
        found = found.map((folder) => join(folder, part));
        continue;
      }
      for (const folder of found) this.watched.add(join(folder, '*'));
      found = found.flatMap((folder) =>
        namesIn(folder)
          .filter((name) => (part.startsWith('.') || !name.startsWith('.')) && matchesPattern(name, part))
          .map((name) => join(folder, name)),
      );
    }
    return found;
  }

  #say({ file, number }: Line, message: string): void {
    this.faults.push(faultAt(file, { line: number, col: 1 }, message));
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
