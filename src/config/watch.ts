import { stampOf } from './file-memory';
import { expandPattern } from './file-pattern';

/** When a configuration is worth loading again. */
export interface Watch {
  /** Absolute paths, some with `*` in their last part: when one of them changes. */
  readonly files: readonly string[];
  /** After so many seconds although no file changed, as a service gives some of the hosts; `null`: never. */
  readonly refreshSeconds: number | null;
}

/** Looks after a configuration's files and tells when to load it again. */
export interface ConfigWatch {
  /** Begins to look after what a load said; to be called after each load, also one with faults. */
  follow(watch: Watch): void;
  stop(): void;
}

/** Why a configuration is to be loaded again: a file changed, or a service is due. */
export type DueReason = 'changed' | 'refresh';

/** What a watch is made of besides files; the defaults are the system's. */
export interface WatchOptions {
  readonly pollMs?: number;
  readonly nowMs?: () => number;
}

/**
 * Compares what the files' system data say every few seconds, rather than ask the kernel for events: those do not
 * come over network file systems, and when Kubernetes swaps the link of a mounted ConfigMap they come for the link alone.
 * `onDue` is called once; after that nothing happens until `follow` is called again. The timer keeps no process alive.
 */
export function createConfigWatch(onDue: (reason: DueReason) => void, options: WatchOptions = {}): ConfigWatch {
  const { pollMs = 5000, nowMs = () => performance.now() } = options;
  let timer: NodeJS.Timeout | null = null;
  const stop = (): void => {
    if (timer !== null) clearInterval(timer);
    timer = null;
  };
  return {
    follow(watch) {
      stop();
      const before = signatureOf(watch.files);
      const dueMs = watch.refreshSeconds === null ? Infinity : nowMs() + watch.refreshSeconds * 1000;
      const look = (): void => {
        const reason = signatureOf(watch.files) !== before ? 'changed' : nowMs() >= dueMs ? 'refresh' : null;
        if (reason === null) return;
        stop();
        onDue(reason);
      };
      timer = setInterval(look, Math.min(pollMs, (watch.refreshSeconds ?? Infinity) * 1000));
      timer.unref();
    },
    stop,
  };
}

/** A text that changes whenever one of the files does, comes or goes. */
export function signatureOf(paths: readonly string[]): string {
  const lines: string[] = [];
  for (const path of paths) {
    const expanded = expandPattern(path);
    if (!expanded.ok) lines.push(`${path} ?`);
    else for (const file of expanded.value) lines.push(`${file} ${stampOf(file) ?? '-'}`);
  }
  return lines.join('\n');
}
