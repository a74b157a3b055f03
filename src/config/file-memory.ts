import { statSync } from 'node:fs';
import { readTextFile } from './text-file';
import { right, type Reading } from './reading';

interface Kept {
  readonly stamp: string;
  readonly value: unknown;
}

/** What was made of files, kept until a file changes: to read one of ten thousand hosts again takes half a second. */
export class FileMemory {
  readonly #kept = new Map<string, Kept>();
  #used = new Set<string>();

  /** Reads a file and gives what `parse` makes of its text; `kind` tells apart what different readers make of one file. */
  read<T>(path: string, kind: string, parse: (source: string) => T): Reading<T> {
    const key = `${kind} ${path}`;
    this.#used.add(key);
    const stamp = stampOf(path);
    const kept = this.#kept.get(key);
    // The same kind of reader made the value, so its type is the one asked for.
    if (stamp !== null && kept?.stamp === stamp) return right(kept.value as T);
    const source = readTextFile(path);
    if (!source.ok) return source;
    const value = parse(source.value);
    if (stamp !== null) this.#kept.set(key, { stamp, value });
    return right(value);
  }

  /** Lets go of files that were not read since the last call. */
  forgetUnused(): void {
    for (const key of this.#kept.keys()) {
      if (!this.#used.has(key)) this.#kept.delete(key);
    }
    this.#used = new Set();
  }
}

/** What changes whenever a file's content does; `null` where the file can't be looked at. */
export function stampOf(path: string): string | null {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(':');
  } catch {
    return null;
  }
}
