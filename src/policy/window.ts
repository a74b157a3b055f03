import { CronExpressionParser, type CronExpression } from 'cron-parser';
import type { MaintenanceWindow } from './policy';
import { instantOfWall, wallOfInstant } from './wall-clock';

/** A maintenance window at one moment. It stays as it is until the earlier of the two times. */
export interface WindowState {
  readonly open: boolean;
  /** Unix time of the next start; of an open window, of the one after. */
  readonly nextStartSeconds: number;
  /** Unix time at which an open window closes; `null` while it is closed, or where its starts overlap without an end in sight. */
  readonly openUntilSeconds: number | null;
}

/** No clock change moves a start by more, so starts that far apart on the wall are in the same order in time. */
const clockChangeMs = 3 * 3_600_000;

/** Windows that overlap this often one after the other are taken for one without end. */
const maxOverlaps = 100;

/**
 * States found last. cron-parser takes milliseconds for a weekly window, and every scrape asks for every stack, but the
 * state changes only at the times that it names.
 */
const found = new WeakMap<
  MaintenanceWindow,
  { readonly state: WindowState; readonly fromMs: number; readonly toMs: number }
>();

/**
 * Whether a window is open and when it opens next. It opens whenever the cron expression matches the wall clock of the
 * window's time zone, and stays open for the duration, whatever the clock does meanwhile. Where clocks are put back, a
 * start that they show twice counts once, the first time; where they are put forward, a start that they skip comes as
 * much later. Windows that overlap are one.
 */
export function windowState(window: MaintenanceWindow, nowMs: number): WindowState {
  const known = found.get(window);
  if (known !== undefined && nowMs >= known.fromMs && nowMs < known.toMs) return known.state;
  const state = findState(window, nowMs);
  const toMs = Math.min(state.nextStartSeconds, state.openUntilSeconds ?? Infinity) * 1000;
  found.set(window, { state, fromMs: nowMs, toMs });
  return state;
}

function findState(window: MaintenanceWindow, nowMs: number): WindowState {
  const durationMs = window.durationSeconds * 1000;
  const lastStart = lastStartUpTo(window, nowMs);
  const upcoming = startsAfter(window, nowMs);
  const next = upcoming.next().value;
  const open = lastStart !== null && nowMs < lastStart + durationMs;
  const nextStartSeconds = next / 1000;
  if (!open) return { open, nextStartSeconds, openUntilSeconds: null };

  let end = lastStart + durationMs;
  let start = next;
  for (let overlaps = 0; start <= end; overlaps += 1) {
    if (overlaps === maxOverlaps) return { open, nextStartSeconds, openUntilSeconds: null };
    end = start + durationMs;
    start = upcoming.next().value;
  }
  return { open, nextStartSeconds, openUntilSeconds: end / 1000 };
}

/** The latest start at or before a moment; `null` where there is none in the years that cron-parser looks back. */
function lastStartUpTo(window: MaintenanceWindow, nowMs: number): number | null {
  const wallNow = wallOfInstant(nowMs, window.timezone);
  const matches = cronFrom(window, wallNow + clockChangeMs + 1);
  let latest: number | null = null;
  for (;;) {
    const wall = matches.prev().getTime();
    if (latest !== null && wall < wallNow - clockChangeMs) return latest;
    const start = instantOfWall(wall, window.timezone);
    if (start <= nowMs) latest = Math.max(latest ?? start, start);
  }
}

/** The starts after a moment, in order, each once. */
function* startsAfter(window: MaintenanceWindow, nowMs: number): Generator<number, never> {
  const matches = cronFrom(window, wallOfInstant(nowMs, window.timezone) - clockChangeMs);
  let last = nowMs;
  let ahead: number[] = [];
  for (;;) {
    const wall = matches.next().getTime();
    const start = instantOfWall(wall, window.timezone);
    // A start that was moved back by a clock change can come after one that the wall shows later.
    const settled = ahead.filter((other) => other < start - clockChangeMs);
    ahead = ahead.filter((other) => other >= start - clockChangeMs);
    for (const one of settled.sort((a, b) => a - b)) {
      if (one > last) yield one;
      last = Math.max(last, one);
    }
    ahead.push(start);
  }
}

/** The expression over the wall's own time line, which has no clock changes; `instantOfWall` puts them in. */
function cronFrom(window: MaintenanceWindow, wallMs: number): CronExpression {
  return CronExpressionParser.parse(window.cron, { tz: 'UTC', currentDate: new Date(wallMs) });
}
