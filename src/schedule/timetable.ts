import { CronExpressionParser, type CronExpression } from 'cron-parser';
import cron from 'node-cron';
import type { ProbeSchedule } from '../config/config';
import { stableFraction } from './jitter';

/** When a host is probed next. */
export interface Timetable {
  /** Unix time in milliseconds of the first probe of `name` that is after `nowMs`; Infinity where hosts are probed only when asked. */
  next(name: string, nowMs: number): number;
  /** Whether hosts are probed without being asked for. */
  readonly isKept: boolean;
}

/** Spreads hosts over the period of the schedule, each at its own stable place in it. */
export function createTimetable(schedule: ProbeSchedule): Timetable {
  if (schedule.kind === 'never') return { isKept: false, next: () => Infinity };
  if (schedule.kind === 'cron') {
    if (!cron.validate(schedule.expression)) throw new RangeError(`not a cron expression: ${schedule.expression}`);
    const periods = createPeriods(schedule.expression);
    return { isKept: true, next: (name, nowMs) => nextOfCron(periods, stableFraction(name), nowMs) };
  }
  const periodMs = schedule.seconds * 1000;
  return {
    isKept: true,
    next(name, nowMs) {
      const phaseMs = stableFraction(name) * periodMs;
      const nextMs = (Math.floor((nowMs - phaseMs) / periodMs) + 1) * periodMs + phaseMs;
      // Rounding may put the next place of a period on now itself.
      return nextMs > nowMs ? nextMs : nextMs + periodMs;
    },
  };
}

/** The time between two probes of a host, in seconds; of a cron expression, between the matches around now. Infinity where there is no schedule. */
export function periodSeconds(schedule: ProbeSchedule, nowMs: number): number {
  if (schedule.kind === 'never') return Infinity;
  if (schedule.kind === 'interval') return schedule.seconds;
  const { beginMs, endMs } = periodAround(schedule.expression, nowMs);
  return (endMs - beginMs) / 1000;
}

/** The place of a host between the match before now and the one after; or else in the period that follows. */
function nextOfCron(periods: (nowMs: number) => Period, fraction: number, nowMs: number): number {
  const current = periods(nowMs);
  const inThis = current.beginMs + fraction * (current.endMs - current.beginMs);
  if (inThis > nowMs) return inThis;
  const following = periods(current.endMs);
  return current.endMs + fraction * (following.endMs - current.endMs);
}

interface Period {
  /** Unix time in milliseconds, of a match each. */
  readonly beginMs: number;
  readonly endMs: number;
}

/** Keeps the last two periods: finding one takes a quarter of a millisecond, and every host asks for the same. */
function createPeriods(expression: string): (nowMs: number) => Period {
  let kept: Period[] = [];
  return (nowMs) => {
    const known = kept.find(({ beginMs, endMs }) => beginMs <= nowMs && nowMs < endMs);
    if (known !== undefined) return known;
    const found = periodAround(expression, nowMs);
    kept = [...kept.slice(-1), found];
    return found;
  };
}

/**
 * The matches of an expression around a moment: at or before it, and after it. Where clocks are put forward, cron-parser
 * finds other matches when it searches back than when it searches on: the ones on the way on are what counts.
 */
function periodAround(expression: string, nowMs: number): Period {
  let beginMs = parse(expression, nowMs + 1)
    .prev()
    .getTime();
  for (;;) {
    const endMs = parse(expression, beginMs).next().getTime();
    if (endMs > nowMs) return { beginMs, endMs };
    beginMs = endMs;
  }
}

function parse(expression: string, atMs: number): CronExpression {
  return CronExpressionParser.parse(expression, { currentDate: new Date(atMs) });
}
