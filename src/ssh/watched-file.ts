import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { errorCode, errorMessage } from './error-code';

/** What tells one state of a file from another, and whether it may be used at all. */
export interface FileStamp {
  readonly inode: number;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly changedMs: number;
  readonly mode: number;
  readonly ownerId: number;
}

/** A file could not be read; `message` is for people and says why in plain words. */
export class FileFault extends Error {}

/** How long a file is taken for unchanged before it is looked at again. */
const trustMs = 1000;

interface Kept<T> {
  readonly stamp: FileStamp;
  readonly outcome: { readonly value: T } | { readonly fault: FileFault };
}

/**
 * A file that is read when it is first needed and again whenever it has changed.
 * It is looked at once a second at most, however many probes ask. There is no
 * last good version: a file that can't be read is a fault until it can.
 */
export class WatchedFile<T> {
  readonly path: string;
  readonly #parse: (bytes: Buffer, stamp: FileStamp) => T;
  readonly #maxBytes: number;
  readonly #nowMs: () => number;
  #kept: Kept<T> | null = null;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #reading: Promise<Kept<T>> | null = null;

  /** `parse` may throw a FileFault for content that is of no use. */
  constructor(path: string, maxBytes: number, parse: (bytes: Buffer, stamp: FileStamp) => T, nowMs: () => number) {
    this.path = path;
    this.#maxBytes = maxBytes;
    this.#parse = parse;
    this.#nowMs = nowMs;
  }

  /** The file's present content. Throws a FileFault if it can't be read or is of no use. */
  async read(): Promise<T> {
    const fresh = this.#nowMs() - this.#lookedAtMs < trustMs ? this.#kept : null;
    const kept = fresh ?? (await (this.#reading ??= this.#look().finally(() => (this.#reading = null))));
    if ('fault' in kept.outcome) throw kept.outcome.fault;
    return kept.outcome.value;
  }

  async #look(): Promise<Kept<T>> {
    const at = this.#nowMs();
    try {
      const stamp = await stampOf(this.path);
      if (this.#kept === null || !sameStamp(this.#kept.stamp, stamp)) this.#kept = await this.#load();
    } catch (error) {
      this.#kept = { stamp: noStamp, outcome: { fault: asFileFault(error) } };
    }
    this.#lookedAtMs = at;
    return this.#kept;
  }

  async #load(): Promise<Kept<T>> {
    // Not to wait for ever where the path is a named pipe.
    const file = await open(this.path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = await file.stat();
      if (!stats.isFile()) throw new FileFault('it is not a regular file');
      if (stats.size > this.#maxBytes) throw new FileFault(`it is larger than ${this.#maxBytes} bytes`);
      const stamp = toStamp(stats);
      const bytes = await file.readFile();
      try {
        return { stamp, outcome: { value: this.#parse(bytes, stamp) } };
      } catch (error) {
        return { stamp, outcome: { fault: asFileFault(error) } };
      }
    } finally {
      await file.close();
    }
  }
}

const noStamp: FileStamp = { inode: -1, sizeBytes: -1, modifiedMs: -1, changedMs: -1, mode: -1, ownerId: -1 };

async function stampOf(path: string): Promise<FileStamp> {
  return toStamp(await stat(path));
}

function toStamp(stats: { ino: number; size: number; mtimeMs: number; ctimeMs: number; mode: number; uid: number }) {
  return {
    inode: stats.ino,
    sizeBytes: stats.size,
    modifiedMs: stats.mtimeMs,
    changedMs: stats.ctimeMs,
    mode: stats.mode,
    ownerId: stats.uid,
  } satisfies FileStamp;
}

function sameStamp(one: FileStamp, other: FileStamp): boolean {
  return (
    one.inode === other.inode &&
    one.sizeBytes === other.sizeBytes &&
    one.modifiedMs === other.modifiedMs &&
    one.changedMs === other.changedMs
  );
}

/** Any error of reading a file, in plain words. */
export function asFileFault(error: unknown): FileFault {
  if (error instanceof FileFault) return error;
  return new FileFault(faultWords[errorCode(error)] ?? errorMessage(error), { cause: error });
}

const faultWords: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of its path is not a directory',
  ELOOP: 'too many symbolic links',
  EMFILE: 'this process has too many files open',
  ENFILE: 'the system has too many files open',
};
