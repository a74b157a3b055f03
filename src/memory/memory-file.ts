import { readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import type { Logger } from '../logging/logger';
import type { RestartMemory } from '../restart/restart';
import { lockMemory, type MemoryLock } from './memory-lock';
import {
  forgetAfterMs,
  formatHost,
  formatMemory,
  parseMemory,
  withoutForgotten,
  type StoredEntry,
} from './memory-text';

/** What is kept of hosts across restarts of the exporter. */
export interface Memory {
  /** What is remembered of a host, or null. */
  get(host: string): RestartMemory | null;
  /** Remembers; resolves once it is safe on disk, or could not be written (which is logged and counted). */
  set(host: string, memory: RestartMemory): Promise<void>;
  close(): Promise<void>;
}

const dayMs = 24 * 3600 * 1000;

/** Writes take this part of the time at most: while a large fleet changes all the time, many changes share one. */
const writingShare = 1 / 10;
/** A change waits no longer than this for others to share its write, in milliseconds. */
const maxPauseMs = 250;

interface Entry {
  readonly stored: StoredEntry;
  /** As it is written; made when it is first written, for most hosts change rarely and all of them are written each time. */
  text: string | null;
  /** The write that takes it to the disk; null once that has ended. */
  saving: Promise<void> | null;
  /** When it was set or loaded; the clock that tells `seenAtMs` may be set. */
  readonly heldSinceMonotonicMs: number;
}

export interface MemoryFileOptions {
  readonly log: Logger;
  readonly nowMs: () => number;
  /** Milliseconds that never go back. */
  readonly monotonicMs?: () => number;
  /** Called for every write that failed. */
  readonly onSaveFailure?: () => void;
}

/**
 * Opens the state file and locks it. A file that is missing is begun anew; one
 * that is cut off, not ours or written by a newer exporter is set aside under
 * another name with a warning. Throws LockedError when another exporter has it,
 * and the system's error when its folder can't be used.
 */
export async function openMemoryFile(path: string, options: MemoryFileOptions): Promise<Memory> {
  const lock = await lockMemory(path);
  try {
    await removeLeftovers(path);
    return new MemoryFile(path, await loadHosts(path, options), lock, options);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

class MemoryFile implements Memory {
  private readonly entries = new Map<string, Entry>();
  private readonly monotonicMs: () => number;
  private writing: Promise<void> | null = null;
  private nextWrite: Promise<void> | null = null;
  /** The last write failed: what is on disk is behind. */
  private isBehind = false;
  /** On the monotonic clock of the process; the next write does not begin before. */
  private restUntilMs = 0;
  private isClosing = false;
  /** The write under way has not yet taken what it will write. */
  private isGathering = false;

  constructor(
    private readonly path: string,
    hosts: ReadonlyMap<string, StoredEntry>,
    private readonly lock: MemoryLock,
    private readonly options: MemoryFileOptions,
  ) {
    this.monotonicMs = options.monotonicMs ?? (() => performance.now());
    for (const [host, stored] of hosts) this.hold(host, stored);
  }

  get(host: string): RestartMemory | null {
    return this.entries.get(host)?.stored ?? null;
  }

  set(host: string, memory: RestartMemory): Promise<void> {
    const before = this.entries.get(host)?.stored;
    const { boot, sinceSeconds, evidence, survivedRestart } = memory;
    const { id, atSeconds, earliestAtSeconds, latestAtSeconds } = boot;
    const seenAtMs = this.options.nowMs();
    const underWay = this.entries.get(host)?.saving ?? null;
    const entry = this.hold(host, {
      boot: { id, atSeconds, earliestAtSeconds, latestAtSeconds },
      ...{ sinceSeconds, evidence, survivedRestart, seenAtMs },
    });
    const isKept = before !== undefined && !isNews(before, memory) && !isOtherDay(before.seenAtMs, seenAtMs);
    // The same may have been set a moment ago, and be on its way to the disk.
    entry.saving = isKept && !this.isBehind ? underWay : this.save();
    if (entry.saving === null) return Promise.resolve();
    const saving = entry.saving.finally(() => {
      if (entry.saving === saving) entry.saving = null;
    });
    entry.saving = saving;
    return saving;
  }

  async close(): Promise<void> {
    this.isClosing = true;
    await this.save();
    await this.lock.release();
  }

  private hold(host: string, stored: StoredEntry): Entry {
    const entry: Entry = { stored, text: null, saving: null, heldSinceMonotonicMs: this.monotonicMs() };
    this.entries.set(host, entry);
    return entry;
  }

  /** Joins the write that has not begun yet, so that a sweep of many hosts costs a few writes and not one each. */
  private save(): Promise<void> {
    if (this.writing !== null && this.isGathering) return this.writing;
    if (this.writing === null) {
      this.writing = this.write().finally(() => {
        this.writing = null;
      });
      return this.writing;
    }
    if (this.nextWrite === null) {
      this.nextWrite = this.writing.then(() => {
        this.nextWrite = null;
        return this.save();
      });
    }
    return this.nextWrite;
  }

  private async write(): Promise<void> {
    // Whatever else is being set meanwhile goes along.
    this.isGathering = true;
    await this.pause();
    this.isGathering = false;
    const begunMs = performance.now();
    const oldestMonotonicMs = this.monotonicMs() - forgetAfterMs;
    const hosts: string[] = [];
    for (const [host, entry] of this.entries) {
      if (entry.heldSinceMonotonicMs < oldestMonotonicMs) this.entries.delete(host);
      else hosts.push((entry.text ??= formatHost(host, entry.stored)));
    }
    const text = formatMemory(hosts);
    try {
      // The library takes a short write, as of a disk that fills up, for a whole one, and puts it in place.
      const tmpfileCreated = (file: string): Promise<void> => writeFile(file, text);
      await writeFileAtomic(this.path, '', { mode: 0o600, tmpfileCreated });
      this.isBehind = false;
    } catch (error) {
      this.isBehind = true;
      this.options.onSaveFailure?.();
      this.options.log.error('The state file could not be written', { file: this.path, error: String(error) });
    }
    const endedMs = performance.now();
    this.restUntilMs = endedMs + Math.min(maxPauseMs, (endedMs - begunMs) * (1 / writingShare - 1));
  }

  private async pause(): Promise<void> {
    const restMs = this.isClosing ? 0 : this.restUntilMs - performance.now();
    if (restMs < 1) await new Promise((resolve) => setImmediate(resolve));
    else await new Promise((resolve) => setTimeout(resolve, restMs));
  }
}

function isNews(before: RestartMemory, now: RestartMemory): boolean {
  return (
    before.boot.id !== now.boot.id ||
    before.sinceSeconds !== now.sinceSeconds ||
    before.evidence !== now.evidence ||
    before.survivedRestart !== now.survivedRestart ||
    isApart(before.boot.atSeconds, now.boot.atSeconds) ||
    isApart(before.boot.earliestAtSeconds, now.boot.earliestAtSeconds) ||
    isApart(before.boot.latestAtSeconds, now.boot.latestAtSeconds)
  );
}

/** Boot times that are computed from rounded clocks differ by up to a second at each probe: that is no news. */
function isApart(before: number | null, now: number | null): boolean {
  return Math.abs((before ?? 0) - (now ?? 0)) > 1;
}

/** Once a day it is told that the host was seen, so that it is not forgotten while nothing else changes. */
function isOtherDay(beforeMs: number, nowMs: number): boolean {
  return Math.floor(beforeMs / dayMs) !== Math.floor(nowMs / dayMs);
}

async function loadHosts(path: string, options: MemoryFileOptions): Promise<Map<string, StoredEntry>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    options.log.info('There is no state file yet; it is begun anew', { file: path });
    return new Map();
  }
  const parsed = parseMemory(text);
  if ('fault' in parsed) {
    const aside = `${path}.set-aside-${new Date(options.nowMs()).toISOString().replace(/[:.]/g, '-')}`;
    await rename(path, aside);
    options.log.warn('The state file could not be used; it is set aside and begun anew', {
      file: path,
      aside,
      fault: parsed.fault,
    });
    return new Map();
  }
  if (parsed.dropped > 0) {
    options.log.warn('Some hosts of the state file could not be read', { file: path, hosts: parsed.dropped });
  }
  return withoutForgotten(parsed.hosts, options.nowMs());
}

/** An exporter that was killed while it wrote left a file behind: its name is that of the state file, a dot and a number. */
async function removeLeftovers(path: string): Promise<void> {
  const start = `${basename(path)}.`;
  for (const name of await readdir(dirname(path))) {
    const isLeftover = name.startsWith(start) && /^[0-9]{1,10}$/.test(name.slice(start.length));
    if (isLeftover) await unlink(join(dirname(path), name)).catch(() => undefined);
  }
}

/** A memory that lasts as long as the process, for commands that probe once. */
export function createVolatileMemory(): Memory {
  const entries = new Map<string, RestartMemory>();
  return {
    get: (host) => entries.get(host) ?? null,
    set(host, memory) {
      entries.set(host, memory);
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
}
