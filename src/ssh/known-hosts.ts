import { createHmac } from 'node:crypto';
import { isHostKeyType, type HostKeyType, hostKeyTypes } from './host-key';
import { isPlainName, matchesPatternList } from './host-pattern';
import { parseKnownHostsLine, type KnownHostsLine } from './known-hosts-line';

/** The names under which the keys of one host may stand in a known_hosts file, in lower case. */
export interface HostNames {
  /** What ssh looks for: the bare name on port 22, else `[name]:port`. */
  readonly exact: readonly string[];
  /** The bare names of a host on another port. As in OpenSSH a key found under them is accepted, but another one is no mismatch. */
  readonly withoutPort: readonly string[];
}

/** A line of the file that could not be read; the others count all the same. */
export interface KnownHostsFault {
  readonly lineNumber: number;
  readonly message: string;
}

/** What a key presented by a host is, as far as the lines that hold this very key can tell. */
export type KeyVerdict = 'match' | 'revoked' | 'absent';

/** Everything a file holds for one host. */
export interface KnownKeys {
  /** The lines under the host's exact names. */
  readonly keys: readonly KnownHostsLine[];
  /** The lines under its bare names, where the port is not 22. */
  readonly keysWithoutPort: readonly KnownHostsLine[];
  /** Lines with `@cert-authority` that match; they are no keys of the host. */
  readonly authorities: readonly KnownHostsLine[];
}

/** Memoized look-ups are dropped beyond this many hosts. */
const maxMemoized = 100_000;

/** Hashed names are tried in slices of this many lines, so that a caller can let others run in between. */
const hashedSlice = 64;

/** The names to look up for a host: the address dialled and its name in the inventory. */
export function hostNames(host: { name: string; address: string; port: number }): HostNames {
  const bare = [...new Set([host.address.toLowerCase(), host.name.toLowerCase()])];
  if (host.port === 22) return { exact: bare, withoutPort: [] };
  return { exact: bare.map((name) => `[${name}]:${host.port}`), withoutPort: bare };
}

/** The line to add to a known_hosts file so that this key is accepted. */
export function knownHostsLine(names: HostNames, keyType: string, key: string): string {
  return `${names.exact[0] ?? ''} ${keyType} ${key}`;
}

/**
 * The keys of a known_hosts file, indexed for many hosts and many lines.
 *
 * A name hashed with its own salt can't be indexed: to list a host's keys every
 * hashed line has to be tried. To accept a key it is enough to try the lines that
 * hold this very key, which is one or two, so that is what `verify` does, once a host; `search` is for
 * the rare case where that finds nothing, and its answer is remembered.
 */
export class KnownHosts {
  readonly faults: readonly KnownHostsFault[];
  readonly lineCount: number;
  readonly #byName = new Map<string, KnownHostsLine[]>();
  readonly #patterned: KnownHostsLine[] = [];
  readonly #hashed: KnownHostsLine[] = [];
  readonly #hashedByKey = new Map<string, KnownHostsLine[]>();
  readonly #hashedTypes: readonly HostKeyType[];
  readonly #memo = new Map<string, KnownKeys>();
  readonly #verified = new Map<string, readonly KnownHostsLine[]>();
  readonly #types = new Map<string, readonly HostKeyType[]>();
  readonly #authorities: readonly KnownHostsLine[];
  readonly #authoritiesOf = new Map<string, readonly KnownHostsLine[]>();

  private constructor(lines: readonly KnownHostsLine[], faults: readonly KnownHostsFault[]) {
    this.faults = faults;
    this.lineCount = lines.length;
    for (const line of lines) this.#index(line);
    this.#authorities = lines.filter((line) => line.mark === 'cert-authority');
    this.#hashedTypes = typesOf(this.#hashed.filter((line) => line.mark === 'key'));
  }

  /** Reads a file's text; never throws, broken lines are in `faults`. */
  static parse(text: string): KnownHosts {
    const lines: KnownHostsLine[] = [];
    const faults: KnownHostsFault[] = [];
    text.split('\n').forEach((line, index) => {
      const parsed = parseKnownHostsLine(line, index + 1);
      if (parsed === null) return;
      if ('fault' in parsed) faults.push({ lineNumber: index + 1, message: parsed.fault });
      else lines.push(parsed);
    });
    return new KnownHosts(lines, faults);
  }

  /** Whether this key, a blob in base64, is one of the host's. A revoked key is never a match. */
  verify(names: HostNames, key: string): KeyVerdict {
    const all = [...names.exact, ...names.withoutPort];
    const lines = all.flatMap((name) => this.#readable(name)).filter((line) => line.key === key);
    const hashed = this.#hashedByKey.get(key);
    if (hashed !== undefined) lines.push(...this.#matchingHashed(hashed, all, `${memoKey(names)} ${key}`));
    if (lines.some((line) => line.mark === 'revoked')) return 'revoked';
    return lines.some((line) => line.mark === 'key') ? 'match' : 'absent';
  }

  /** The lines with `@cert-authority` for any of these names, of a host. A file has few, so that each is tried, once a host. */
  authorities(names: readonly string[]): readonly KnownHostsLine[] {
    if (this.#authorities.length === 0) return this.#authorities;
    const memo = names.join(',');
    const known = this.#authoritiesOf.get(memo);
    if (known !== undefined) return known;
    const found = this.#authorities.filter((line) => matchesAny(line, names));
    if (this.#authoritiesOf.size >= maxMemoized) this.#authoritiesOf.clear();
    this.#authoritiesOf.set(memo, found);
    return found;
  }

  /** Which of these lines are the host's; remembered where there are any, so that a host costs hashes but once. */
  #matchingHashed(lines: readonly KnownHostsLine[], names: readonly string[], memo: string): readonly KnownHostsLine[] {
    const known = this.#verified.get(memo);
    if (known !== undefined) return known;
    const found = lines.filter((line) => matchesAny(line, names));
    if (found.length === 0) return found;
    if (this.#verified.size >= maxMemoized) this.#verified.clear();
    this.#verified.set(memo, found);
    return found;
  }

  /**
   * The key types to ask the host for, best first: those that the file surely has for it, then those it may have
   * under hashed names. A server with several keys would else present one that the file lacks.
   */
  keyTypes(names: HostNames): readonly HostKeyType[] {
    const memo = memoKey(names);
    const known = this.#types.get(memo);
    if (known !== undefined) return known;
    const types = this.#findTypes(names);
    if (this.#types.size >= maxMemoized) this.#types.clear();
    this.#types.set(memo, types);
    return types;
  }

  #findTypes(names: HostNames): readonly HostKeyType[] {
    const remembered = this.remembered(names);
    if (remembered !== null) return typesOf([...remembered.keys, ...remembered.keysWithoutPort]);
    const plain = [...names.exact, ...names.withoutPort].flatMap((name) => this.#readable(name));
    const sure = typesOf(plain.filter((line) => line.mark === 'key'));
    return [...sure, ...this.#hashedTypes.filter((type) => !sure.includes(type))];
  }

  /** What an earlier `search` found, or null; no search is needed in a file without hashed names. */
  remembered(names: HostNames): KnownKeys | null {
    return this.#memo.get(memoKey(names)) ?? null;
  }

  /**
   * Finds everything the file holds for a host and remembers it. Yields after each slice of hashed lines:
   * ten thousand of them take some 50 ms.
   */
  *search(names: HostNames): Generator<undefined, KnownKeys, undefined> {
    const remembered = this.remembered(names);
    if (remembered !== null) return remembered;
    const exact = names.exact.flatMap((name) => this.#readable(name));
    const withoutPort = names.withoutPort.flatMap((name) => this.#readable(name));
    for (let at = 0; at < this.#hashed.length; at += hashedSlice) {
      for (const line of this.#hashed.slice(at, at + hashedSlice)) {
        if (matchesAny(line, names.exact)) exact.push(line);
        else if (matchesAny(line, names.withoutPort)) withoutPort.push(line);
      }
      yield undefined;
    }
    const found: KnownKeys = {
      keys: inOrder(exact.filter((line) => line.mark === 'key')),
      keysWithoutPort: inOrder(withoutPort.filter((line) => line.mark === 'key')),
      authorities: inOrder([...exact, ...withoutPort].filter((line) => line.mark === 'cert-authority')),
    };
    if (this.#memo.size >= maxMemoized) this.#memo.clear();
    this.#memo.set(memoKey(names), found);
    this.#types.delete(memoKey(names));
    return found;
  }

  /** The lines with readable names that match a name. */
  #readable(name: string): KnownHostsLine[] {
    const plain = this.#byName.get(name) ?? [];
    return [...plain, ...this.#patterned.filter((line) => matchesAny(line, [name]))];
  }

  #index(line: KnownHostsLine): void {
    if (line.names.hashed) {
      push(this.#hashedByKey, line.key, line);
      this.#hashed.push(line);
    } else if (line.names.patterns.every(isPlainName)) {
      for (const name of new Set(line.names.patterns)) push(this.#byName, name, line);
    } else {
      this.#patterned.push(line);
    }
  }
}

function matchesAny(line: KnownHostsLine, names: readonly string[]): boolean {
  const lineNames = line.names;
  if (!lineNames.hashed) return names.some((name) => matchesPatternList(name, lineNames.patterns));
  return names.some((name) => createHmac('sha1', lineNames.salt).update(name).digest().equals(lineNames.hash));
}

/** The types of these lines that can be verified, best first. */
function typesOf(lines: readonly KnownHostsLine[]): HostKeyType[] {
  const present = new Set(lines.map((line) => line.keyType).filter(isHostKeyType));
  return hostKeyTypes.filter((type) => present.has(type));
}

function inOrder(lines: readonly KnownHostsLine[]): readonly KnownHostsLine[] {
  return [...new Set(lines)].sort((one, other) => one.lineNumber - other.lineNumber);
}

function memoKey(names: HostNames): string {
  return names.exact.join(',');
}

function push(index: Map<string, KnownHostsLine[]>, key: string, line: KnownHostsLine): void {
  const lines = index.get(key);
  if (lines === undefined) index.set(key, [line]);
  else lines.push(line);
}
