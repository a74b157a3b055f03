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

/** The place of a host between the match before now and the one after; or else in the period that follows. */
function nextOfCron(expression: string, fraction: number, nowMs: number): number {
  const ticks = CronExpressionParser.parse(expression, { currentDate: new Date(nowMs) });
  const begin = ticks.prev().getTime();
  const end = CronExpressionParser.parse(expression, { currentDate: new Date(nowMs) }).next().getTime();
  const inThis = begin + fraction * (end - begin);
  if (inThis > nowMs) return inThis;
  const after = CronExpressionParser.parse(expression, { currentDate: new Date(end) }).next().getTime();
  return end + fraction * (after - end);
}
