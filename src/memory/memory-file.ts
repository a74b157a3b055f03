import { readFile, rename } from 'node:fs/promises';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import type { Logger } from '../logging/logger';
import type { RestartMemory } from '../restart/restart';
import { lockMemory, type MemoryLock } from './memory-lock';

/** What is kept of hosts across restarts of the exporter. */
export interface Memory {
  /** What is remembered of a host, or null. */
  get(host: string): RestartMemory | null;
  /** Remembers; resolves once it is safe on disk, or could not be written (which is logged and counted). */
  set(host: string, memory: RestartMemory): Promise<void>;
  close(): Promise<void>;
}

const format = 'reboot-exporter-state';
const version = 1;

/** A host that was not seen for this long is forgotten at the next write. */
const forgetAfterMs = 90 * 24 * 3600 * 1000;

const entrySchema = z.object({
  bootId: z.string().nullable(),
  bootAtSeconds: z.number().nullable(),
  sinceSeconds: z.number().nullable(),
  evidence: z.enum(['birth', 'package', 'first_seen', 'modified']).nullable(),
  survivedRestart: z.boolean(),
  seenAtMs: z.number(),
});
type Entry = z.infer<typeof entrySchema>;

const fileSchema = z.object({ format: z.literal(format), version: z.number(), hosts: z.record(z.string(), z.unknown()) });

export interface MemoryFileOptions {
  readonly log: Logger;
  readonly nowMs: () => number;
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
    return new MemoryFile(path, await loadEntries(path, options), lock, options);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

class MemoryFile implements Memory {
  private writing: Promise<void> | null = null;
  private nextWrite: Promise<void> | null = null;

  constructor(
    private readonly path: string,
    private readonly entries: Map<string, Entry>,
    private readonly lock: MemoryLock,
    private readonly options: MemoryFileOptions,
  ) {}

  get(host: string): RestartMemory | null {
    return this.entries.get(host) ?? null;
  }

  set(host: string, memory: RestartMemory): Promise<void> {
    const before = this.entries.get(host);
    const { bootId, bootAtSeconds, sinceSeconds, evidence, survivedRestart } = memory;
    this.entries.set(host, {
      ...{ bootId, bootAtSeconds, sinceSeconds, evidence, survivedRestart },
      seenAtMs: this.options.nowMs(),
    });
    if (before !== undefined && !isNews(before, memory)) return Promise.resolve();
    return this.save();
  }

  async close(): Promise<void> {
    await this.save();
    await this.lock.release();
  }

  /** Joins the write that has not begun yet, so that a sweep of many hosts costs a few writes and not one each. */
  private save(): Promise<void> {
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
    // Whatever else is being set in this turn of the event loop goes along.
    await new Promise((resolve) => setImmediate(resolve));
    const oldest = this.options.nowMs() - forgetAfterMs;
    for (const [host, entry] of this.entries) {
      if (entry.seenAtMs < oldest) this.entries.delete(host);
    }
    const text = JSON.stringify({ format, version, hosts: Object.fromEntries(this.entries) });
    try {
      await writeFileAtomic(this.path, `${text}\n`, { mode: 0o600 });
    } catch (error) {
      this.options.onSaveFailure?.();
      this.options.log.error('The state file could not be written', { file: this.path, error: String(error) });
    }
  }
}

function isNews(before: Entry, now: RestartMemory): boolean {
  return (
    before.bootId !== now.bootId ||
    before.sinceSeconds !== now.sinceSeconds ||
    before.evidence !== now.evidence ||
    before.survivedRestart !== now.survivedRestart ||
    Math.abs((before.bootAtSeconds ?? 0) - (now.bootAtSeconds ?? 0)) > 1
  );
}

async function loadEntries(path: string, options: MemoryFileOptions): Promise<Map<string, Entry>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    options.log.info('There is no state file yet; it is begun anew', { file: path });
    return new Map();
  }
  const parsed = parseFile(text);
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
  return parsed.entries;
}

function parseFile(text: string): { entries: Map<string, Entry>; dropped: number } | { fault: string } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { fault: text.trim() === '' ? 'it is empty' : 'it is cut off or not JSON' };
  }
  const file = fileSchema.safeParse(json);
  if (!file.success) return { fault: 'it is not a state file of this program' };
  if (file.data.version > version) return { fault: `a newer exporter wrote it (version ${file.data.version})` };
  const entries = new Map<string, Entry>();
  let dropped = 0;
  for (const [host, value] of Object.entries(file.data.hosts)) {
    const entry = entrySchema.safeParse(value);
    if (entry.success) entries.set(host, entry.data);
    else dropped++;
  }
  return { entries, dropped };
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
