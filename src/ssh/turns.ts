import type { ProbeProgress } from './progress';

/** Gives a turn back; calling it again does nothing. */
export type EndTurn = () => void;

/**
 * Lets a bounded number at a time do something, in the order they asked.
 */
export class Turns {
  readonly #limit: number;
  readonly #waiting = new Set<() => void>();
  #taken = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many are at it now. */
  get taken(): number {
    return this.#taken;
  }

  /** Waits for a turn, no longer than the probe's deadline. */
  async take(progress: ProbeProgress): Promise<EndTurn> {
    if (this.#taken < this.#limit) return this.#begin();
    await progress.step<undefined>((settle) => {
      const wake = (): void => settle.done(undefined);
      this.#waiting.add(wake);
      return () => this.#waiting.delete(wake);
    });
    return this.#handedOver();
  }

  #begin(): EndTurn {
    this.#taken += 1;
    return this.#handedOver();
  }

  /** A turn that ends is handed to the first who waits, so that nobody overtakes. */
  #handedOver(): EndTurn {
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      const [next] = this.#waiting;
      if (next === undefined) {
        this.#taken -= 1;
        return;
      }
      this.#waiting.delete(next);
      next();
    };
  }
}
