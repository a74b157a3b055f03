import { CronExpressionParser } from 'cron-parser';
import cron from 'node-cron';
import type { ProbeSchedule } from '../config/config';
import { stableFraction } from './jitter';

/** When a host is probed next. */
export interface Timetable {
  /** Unix time in milliseconds of the first probe of `name` that is after `nowMs`. */
  next(name: string, nowMs: number): number;
}

/** Spreads hosts over the period of the schedule, each at its own stable place in it. */
export function createTimetable(schedule: ProbeSchedule): Timetable {
  if (schedule.kind === 'cron') {
    if (!cron.validate(schedule.expression)) throw new RangeError(`not a cron expression: ${schedule.expression}`);
    return { next: (name, nowMs) => nextOfCron(schedule.expression, stableFraction(name), nowMs) };
  }
  const periodMs = schedule.seconds * 1000;
  return {
    next(name, nowMs) {
      const phaseMs = stableFraction(name) * periodMs;
      return (Math.floor((nowMs - phaseMs) / periodMs) + 1) * periodMs + phaseMs;
    },
  };
}

/** The time between two probes of a host, in seconds; of a cron expression, between the matches around now. */
export function periodSeconds(schedule: ProbeSchedule, nowMs: number): number {
  if (schedule.kind === 'interval') return schedule.seconds;
  const { beginMs, endMs } = periodAround(schedule.expression, nowMs);
  return (endMs - beginMs) / 1000;
}

/** The place of a host between the match before now and the one after; or else in the period that follows. */
function nextOfCron(expression: string, fraction: number, nowMs: number): number {
  const current = periodAround(expression, nowMs);
  const inThis = current.beginMs + fraction * (current.endMs - current.beginMs);
  if (inThis > nowMs) return inThis;
  const following = periodAround(expression, current.endMs);
  return following.beginMs + fraction * (following.endMs - following.beginMs);
}

/** The matches of an expression around a moment: at or before it, and after it. */
function periodAround(expression: string, nowMs: number): { beginMs: number; endMs: number } {
  const endMs = CronExpressionParser.parse(expression, { currentDate: new Date(nowMs) }).next().getTime();
  const beginMs = CronExpressionParser.parse(expression, { currentDate: new Date(endMs) }).prev().getTime();
  return { beginMs, endMs };
}
