import type { Time } from '../time/time';

/**
 * One thing that is to happen, at most one at a time. The delay is counted on
 * the clock that can't be set: whatever the wall clock does meanwhile, it
 * happens when that much time has passed.
 */
export class Appointment {
  private cancel: (() => void) | null = null;

  constructor(private readonly time: Time) {}

  get isMade(): boolean {
    return this.cancel !== null;
  }

  /** Calls back after `delayMs`, with the moment that was due on the monotonic clock, instead of what was planned before. */
  make(delayMs: number, callback: (dueMonotonicMs: number) => void): void {
    this.callOff();
    this.wait(this.time.monotonicMs() + delayMs, callback);
  }

  callOff(): void {
    this.cancel?.();
    this.cancel = null;
  }

  private wait(dueMonotonicMs: number, callback: (dueMonotonicMs: number) => void): void {
    this.cancel = this.time.after(dueMonotonicMs - this.time.monotonicMs(), () => {
      this.cancel = null;
      // Timers are whole milliseconds, and none can be longer than 25 days.
      if (dueMonotonicMs - this.time.monotonicMs() >= 1) this.wait(dueMonotonicMs, callback);
      else callback(dueMonotonicMs);
    });
  }
}
