import { clockStepSeconds, isSameBoot, type BootTime } from '../signal/boot-time';

/** What was known of a host's clock before. */
export interface ClockBefore {
  /** The host's clock minus the exporter's monotonic one, in seconds. */
  readonly offsetSeconds: number | null;
  readonly boot: BootTime;
}

/** What a probe tells of it: the host read its clock at some moment between the two. */
export interface ClockReading {
  readonly boot: BootTime;
  readonly begunMonotonicMs: number;
  readonly endedMonotonicMs: number;
}

/** The host may have told whole seconds. */
const resolutionSeconds = 1;

/** A clock that is off by more than this for no reason that is known has been stepped. */
const toleranceSeconds = 2;

/**
 * The host's clock against the exporter's monotonic one, in seconds. One reading
 * leaves a range, for a probe takes its time and a host may tell whole
 * seconds: what was known before stays as long as it fits, so that an age never
 * runs backwards. A step of the clock that shows in the time of the boot goes
 * into the age's beginning too, and leaves the age as it was.
 */
export function nextClockOffset(before: ClockBefore | null, reading: ClockReading): number | null {
  const { nowSeconds } = reading.boot;
  const expected = before === null ? null : expectedOffset(before, reading.boot);
  if (nowSeconds === null) return expected;
  const least = nowSeconds - reading.endedMonotonicMs / 1000;
  const most = nowSeconds + resolutionSeconds - reading.begunMonotonicMs / 1000;
  if (expected === null || expected < least - toleranceSeconds || expected > most + toleranceSeconds) return least;
  return Math.max(expected, least);
}

function expectedOffset(before: ClockBefore, boot: BootTime): number | null {
  if (before.offsetSeconds === null) return null;
  return before.offsetSeconds + (isSameBoot(before.boot, boot) ? clockStepSeconds(before.boot, boot) : 0);
}
