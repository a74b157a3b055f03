import { ProbeFailure } from '../failure';
import { errorMessage } from './error-code';

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
  readonly #steps = new Set<(failure: ProbeFailure) => void>();
  #doing: string | (() => string) = 'before it began';
  #over: ProbeFailure | null = null;

  /** `signal` ends the probe; `nowMs` is a monotonic clock in milliseconds. */
  constructor(signal: AbortSignal, nowMs: () => number) {
    this.#signal = signal;
    this.#nowMs = nowMs;
    this.#startedMs = nowMs();
    if (signal.aborted) this.#over = this.#expired();
    else signal.addEventListener('abort', this.#onAbort);
  }

  /** Seconds since the probe began. */
  get elapsedSeconds(): number {
    return (this.#nowMs() - this.#startedMs) / 1000;
  }

  /** What is being done, such as `during key exchange with 203.0.113.10:22`. */
  get doing(): string {
    return typeof this.#doing === 'string' ? this.#doing : this.#doing();
  }

  /** Why the probe was ended from outside; null while it was not. */
  get over(): ProbeFailure | null {
    return this.#over;
  }

  /** Names what is being done; a function, where others do it, is asked when it matters. */
  enter(doing: string | (() => string)): void {
    this.#doing = doing;
  }

  /** Ends the probe wherever it is. */
  abort(failure: ProbeFailure): void {
    if (this.#over !== null) return;
    this.#over = failure;
    for (const giveUp of [...this.#steps]) giveUp(failure);
  }

  /** Stops listening to the signal; the probe is finished. */
  finish(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
  }

  /**
   * Runs one step. `start` begins it and returns how to give it up; that is called
   * when the probe is ended first, and then the step fails with the reason of that.
   */
  step<T>(start: (settle: Settle<T>) => GiveUp): Promise<T> {
    if (this.#over !== null) return Promise.reject(this.#over);
    return new Promise<T>((resolve, reject) => {
      let giveUp: GiveUp | null = null;
      const end = (failure: ProbeFailure): void => {
        this.#steps.delete(end);
        giveUp?.();
        reject(failure);
      };
      this.#steps.add(end);
      giveUp = start({
        done: (value) => {
          if (this.#steps.delete(end)) resolve(value);
        },
        fail: (failure) => {
          if (this.#steps.delete(end)) reject(failure);
        },
      });
    });
  }

  /**
   * Does something that may not take longer than so many milliseconds. `late` says how it fails then; in the failure
   * the probe's own end goes first.
   */
  within<T>(
    limitMs: number,
    work: (part: ProbeProgress) => Promise<T>,
    late: (doing: string) => ProbeFailure,
  ): Promise<T> {
    const controller = new AbortController();
    const part = new ProbeProgress(controller.signal, this.#nowMs);
    this.enter(() => part.doing);
    return this.step<T>((settle) => {
      const timer = setTimeout(() => part.abort(late(part.doing)), limitMs);
      const end = (): void => {
        clearTimeout(timer);
        part.finish();
      };
      work(part)
        .then(settle.done, (error: unknown) => settle.fail(asFailure(error)))
        .finally(end);
      return () => part.abort(this.#over ?? late(part.doing));
    });
  }

  /** Waits for a promise that can't be given up; whatever becomes of it after the end is dropped. */
  wait<T>(promise: Promise<T>): Promise<T> {
    return this.step<T>((settle) => {
      promise.then(settle.done, (error: unknown) => settle.fail(asFailure(error)));
      return () => undefined;
    });
  }

  readonly #onAbort = (): void => this.abort(this.#expired());

  #expired(): ProbeFailure {
    const reason: unknown = this.#signal.reason;
    // Whoever set the deadline does not know at which step it would find the probe.
    if (reason instanceof ProbeFailure && reason.reason !== 'timeout') return reason;
    return new ProbeFailure('timeout', `timed out after ${this.elapsedSeconds.toFixed(1)} s ${this.doing}`);
  }
}

/** Any error as a failure; one that is none yet is a fault of the exporter. */
export function asFailure(error: unknown): ProbeFailure {
  if (error instanceof ProbeFailure) return error;
  return new ProbeFailure('internal', errorMessage(error), { cause: error });
}
