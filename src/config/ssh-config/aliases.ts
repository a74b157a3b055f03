import type { SshOverrides } from '../../inventory/entry';
import { faultAt, type Fault } from '../fault';
import type { FileMemory } from '../file-memory';
import type { AliasAnswer, Aliases } from '../resolve-route';
import { evaluate } from './evaluate';
import type { Line } from './lines';
import { readRuleBook, type RuleBook } from './rules';
import { settingsOf, thisLocal, type Local, type NamedKind } from './settings';

/** A file that a line of an ssh_config names. */
export interface NamedLine {
  readonly kind: NamedKind;
  readonly path: string;
  readonly file: string;
  readonly line: number;
}

/** What ssh_config files say of hosts. Each is read once, with all that it includes. */
export class SshConfigAliases implements Aliases {
  readonly #memory: FileMemory;
  readonly #defaultUser: string;
  readonly #local: Local;
  readonly #books = new Map<string, RuleBook>();
  readonly #warnings = new Map<string, Fault>();
  readonly #named = new Map<string, NamedLine>();

  /** `defaultUser` is who logs in where nobody says another. */
  constructor(memory: FileMemory, defaultUser: string, local: Local = thisLocal()) {
    this.#memory = memory;
    this.#defaultUser = defaultUser;
    this.#local = local;
  }

  /** What is wrong with the files, whichever hosts they are for. */
  get faults(): readonly Fault[] {
    return [...this.#books.values()].flatMap(({ faults }) => faults);
  }

  /** What in the files is not obeyed, each line once. */
  get warnings(): readonly Fault[] {
    return [...this.#warnings.values()];
  }

  /** The files that are named for hosts, each once. */
  get named(): Iterable<NamedLine> {
    return this.#named.values();
  }

  /** All that was read, to be watched. */
  get watched(): readonly string[] {
    return [...this.#books.values()].flatMap(({ watched }) => watched);
  }

  lookUp(configFile: string, alias: string, said: SshOverrides): AliasAnswer {
    const local = this.#local;
    const settled = evaluate(this.#book(configFile), {
      host: alias,
      user: said.user ?? null,
      hasWay: said.proxyJump !== undefined || (said.proxy ?? null) !== null,
      defaultUser: this.#defaultUser,
      localUser: local.user,
    });
    const warn = (line: Line, message: string): void => this.#warn(line, message);
    const named = ({ file, number }: Line, kind: NamedKind, path: string): void =>
      void this.#named.set(`${kind} ${path}`, { kind, path, file, line: number });
    return settingsOf(settled, { alias, said, defaultUser: this.#defaultUser, local, warn, named });
  }

  #warn({ file, number }: Line, message: string): void {
    const key = `${file}:${number}`;
    if (!this.#warnings.has(key)) this.#warnings.set(key, faultAt(file, { line: number, col: 1 }, message));
  }

  #book(file: string): RuleBook {
    const known = this.#books.get(file);
    if (known !== undefined) return known;
    const book = readRuleBook(file, this.#memory, this.#local.home);
    this.#books.set(file, book);
    return book;
  }
}
