/** The clocks and timers of the machine, passed in so that tests can hold them. */
export interface Time {
  /** Unix time in milliseconds; may be stepped. */
  nowMs(): number;
  /** Milliseconds from an arbitrary start that never go back. */
  monotonicMs(): number;
  /** Calls back once, after `delayMs`; answers how to call that off. */
  after(delayMs: number, callback: () => void): () => void;
}

/** setTimeout takes at most 2^31 - 1 ms and fires at once beyond that. */
const longestTimerMs = 2_147_483_647;

export const systemTime: Time = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(0, delayMs), longestTimerMs));
    return () => clearTimeout(timer);
  },
};
