import { ProbeFailure } from '../failure';

/** Gives up a step that is under way: closes what it opened, and says nothing more. */
export type GiveUp = () => void;

/** How one step ends. Only the first call counts. */
export interface Settle<T> {
  done(value: T): void;
  fail(failure: ProbeFailure): void;
}

/**
 * Where one probe is, under the one deadline of the whole of it. Each step runs
 * within `step`, so that the deadline ends it wherever it is and the failure can name it.
 */
export class ProbeProgress {
  readonly #signal: AbortSignal;
  readonly #nowMs: () => number;
  readonly #startedMs: number;
  #doing = 'before it began';

  /** `signal` ends the probe; `nowMs` is a monotonic clock in milliseconds. */
  constructor(signal: AbortSignal, nowMs: () => number) {
    this.#signal = signal;
    this.#nowMs = nowMs;
    this.#startedMs = nowMs();
  }

  /** Seconds since the probe began. */
  get elapsedSeconds(): number {
    return (this.#nowMs() - this.#startedMs) / 1000;
  }

  /** Names what is being done, such as `during key exchange with 203.0.113.10:22`. */
  enter(doing: string): void {
    this.#doing = doing;
  }

  /** What is being done, for messages. */
  get doing(): string {
    return this.#doing;
  }

  /** Throws if the deadline has passed. */
  check(): void {
    if (this.#signal.aborted) throw this.#expired();
  }

  /**
   * Runs one step. `start` begins it and returns how to give it up; that is called
   * when the deadline passes first, and then the step fails with `timeout`.
   */
  step<T>(start: (settle: Settle<T>) => GiveUp): Promise<T> {
    if (this.#signal.aborted) return Promise.reject(this.#expired());
    return new Promise<T>((resolve, reject) => {
      let giveUp: GiveUp | null = null;
      let settled = false;
      const end = (): boolean => {
        if (settled) return false;
        settled = true;
        this.#signal.removeEventListener('abort', onAbort);
        return true;
      };
      const onAbort = (): void => {
        if (!end()) return;
        giveUp?.();
        reject(this.#expired());
      };
      this.#signal.addEventListener('abort', onAbort);
      giveUp = start({
        done: (value) => {
          if (end()) resolve(value);
        },
        fail: (failure) => {
          if (end()) reject(failure);
        },
      });
    });
  }

  /** Waits for a promise that can't be given up; whatever becomes of it after the deadline is dropped. */
  wait<T>(promise: Promise<T>): Promise<T> {
    return this.step<T>((settle) => {
      promise.then(settle.done, (error: unknown) => {
        settle.fail(
          error instanceof ProbeFailure ? error : new ProbeFailure('internal', String(error), { cause: error }),
        );
      });
      return () => undefined;
    });
  }

  #expired(): ProbeFailure {
    const reason: unknown = this.#signal.reason;
    if (reason instanceof ProbeFailure) return reason;
    return new ProbeFailure('timeout', `timed out after ${this.elapsedSeconds.toFixed(1)} s ${this.#doing}`);
  }
}
