import fc from 'fast-check';
import type { MaintenanceWindow } from './policy';
import { windowState } from './window';
import { wallOfInstant } from './wall-clock';

const hour = 3600;
const minute = 60;

function window(cron: string, durationSeconds: number, timezone = 'UTC'): MaintenanceWindow {
  return { cron, durationSeconds, timezone };
}

/** The state at a time, with its times as text: easier to compare with a calendar than seconds. */
function at(given: MaintenanceWindow, time: string): { open: boolean; next: string; until: string | null } {
  const { open, nextStartSeconds, openUntilSeconds } = windowState(given, Date.parse(time));
  const text = (seconds: number): string => new Date(seconds * 1000).toISOString().replace(':00.000Z', 'Z');
  return { open, next: text(nextStartSeconds), until: openUntilSeconds === null ? null : text(openUntilSeconds) };
}

describe('windowState', () => {
  const sundays = window('0 2 * * 0', 3 * hour);

  test('opens at the start, is open within and closed at the very end', () => {
    const closedBefore = { open: false, next: '2026-11-22T02:00Z', until: null };
    const open = { open: true, next: '2026-11-29T02:00Z', until: '2026-11-22T05:00Z' };
    expect(at(sundays, '2026-11-22T01:59:59.999Z')).toEqual(closedBefore);
    expect(at(sundays, '2026-11-22T02:00:00Z')).toEqual(open);
    expect(at(sundays, '2026-11-22T02:00:00.001Z')).toEqual(open);
    expect(at(sundays, '2026-11-22T04:59:59.999Z')).toEqual(open);
    expect(at(sundays, '2026-11-22T05:00:00Z')).toEqual({ open: false, next: '2026-11-29T02:00Z', until: null });
  });

  test('crosses midnight', () => {
    const nightly = window('0 23 * * *', 4 * hour);
    expect(at(nightly, '2026-11-22T23:30Z')).toEqual({
      open: true,
      next: '2026-11-23T23:00Z',
      until: '2026-11-23T03:00Z',
    });
    expect(at(nightly, '2026-11-23T02:59Z')).toEqual({
      open: true,
      next: '2026-11-23T23:00Z',
      until: '2026-11-23T03:00Z',
    });
    expect(at(nightly, '2026-11-23T03:00Z')).toEqual({ open: false, next: '2026-11-23T23:00Z', until: null });
  });

  test('a window that is longer than its period is open without end', () => {
    const always = window('0 2 * * *', 25 * hour);
    expect(at(always, '2026-11-22T12:00Z')).toEqual({ open: true, next: '2026-11-23T02:00Z', until: null });
    // The next one opens at the very moment at which this one closes.
    expect(at(window('0 2 * * *', 24 * hour), '2026-11-22T12:00Z').until).toBeNull();
  });

  test('starts that overlap for a while are one window', () => {
    const evening = window('0 20,21,22 * * *', 90 * minute);
    expect(at(evening, '2026-11-22T20:10Z')).toEqual({
      open: true,
      next: '2026-11-22T21:00Z',
      until: '2026-11-22T23:30Z',
    });
  });

  test('the time zone decides, summer and winter', () => {
    const london = window('0 2 * * 0', 3 * hour, 'Europe/London');
    expect(at(london, '2026-07-01T00:00Z').next).toBe('2026-07-05T01:00Z');
    expect(at(london, '2026-12-01T00:00Z').next).toBe('2026-12-06T02:00Z');
    expect(at(window('30 5 * * *', hour, 'Asia/Kolkata'), '2026-07-01T00:30Z').open).toBe(true);
  });

  describe('clocks put forward (Europe/London, 29 March 2026, 01:00 becomes 02:00)', () => {
    const skipped = window('30 1 * * *', 2 * hour, 'Europe/London');

    test('a start that is skipped comes an hour later on the wall, and lasts as long', () => {
      expect(at(skipped, '2026-03-29T00:59Z')).toEqual({ open: false, next: '2026-03-29T01:30Z', until: null });
      expect(at(skipped, '2026-03-29T01:29Z').open).toBe(false);
      expect(at(skipped, '2026-03-29T01:30Z')).toEqual({
        open: true,
        next: '2026-03-30T00:30Z',
        until: '2026-03-29T03:30Z',
      });
      expect(at(skipped, '2026-03-29T03:29Z').open).toBe(true);
      expect(at(skipped, '2026-03-29T03:30Z').open).toBe(false);
    });

    test('a window that is open meanwhile lasts as long as ever', () => {
      const across = window('30 0 * * *', 2 * hour, 'Europe/London');
      expect(at(across, '2026-03-29T01:00Z')).toEqual({
        open: true,
        next: '2026-03-29T23:30Z',
        until: '2026-03-29T02:30Z',
      });
    });
  });

  describe('clocks put back (Europe/London, 25 October 2026, 02:00 becomes 01:00)', () => {
    const doubled = window('30 1 * * *', 20 * minute, 'Europe/London');

    test('a start that the clock shows twice counts once, the first time', () => {
      expect(at(doubled, '2026-10-25T00:29Z')).toEqual({ open: false, next: '2026-10-25T00:30Z', until: null });
      expect(at(doubled, '2026-10-25T00:30Z')).toEqual({
        open: true,
        next: '2026-10-26T01:30Z',
        until: '2026-10-25T00:50Z',
      });
      expect(at(doubled, '2026-10-25T00:50Z')).toEqual({ open: false, next: '2026-10-26T01:30Z', until: null });
      // The second 01:30 on the wall.
      expect(at(doubled, '2026-10-25T01:35Z')).toEqual({ open: false, next: '2026-10-26T01:30Z', until: null });
    });

    test('a window that is open meanwhile lasts as long as ever', () => {
      const across = window('0 1 * * *', 2 * hour, 'Europe/London');
      expect(at(across, '2026-10-25T01:30Z')).toEqual({
        open: true,
        next: '2026-10-26T01:00Z',
        until: '2026-10-25T02:00Z',
      });
    });
  });

  test('a zone whose clocks change by half an hour loses no window', () => {
    // Lord Howe Island, 4 October 2026: 02:00 becomes 02:30.
    const given = window('15 2 * * *', hour, 'Australia/Lord_Howe');
    expect(at(given, '2026-10-03T12:00Z').next).toBe('2026-10-03T15:45Z');
    expect(at(given, '2026-10-03T16:00Z').open).toBe(true);
  });

  test('a zone that puts its clocks forward at midnight loses no window', () => {
    // São Paulo, 4 November 2018: 00:00 became 01:00.
    expect(at(window('0 0 * * *', hour, 'America/Sao_Paulo'), '2018-11-03T12:00Z').next).toBe('2018-11-04T03:00Z');
  });

  test('a window on a rare day', () => {
    expect(at(window('0 0 29 2 *', hour), '2026-01-01T00:00Z')).toEqual({
      open: false,
      next: '2028-02-29T00:00Z',
      until: null,
    });
  });

  test('agrees with a clock looked at minute by minute, around every clock change of a year', () => {
    const zones = ['Europe/London', 'America/New_York', 'Australia/Lord_Howe', 'Africa/Cairo', 'UTC', 'Asia/Kathmandu'];
    const changes = [
      '2026-03-08',
      '2026-03-29',
      '2026-04-05',
      '2026-04-24',
      '2026-10-04',
      '2026-10-25',
      '2026-10-30',
      '2026-11-01',
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.constantFrom(...changes),
        fc.integer({ min: 0, max: 23 }),
        fc.constantFrom(0, 15, 30, 45),
        fc.integer({ min: 1, max: 5 * 60 }),
        fc.integer({ min: -2 * 60, max: 30 * 60 }),
        (timezone, day, hours, minutes, durationMinutes, offsetMinutes) => {
          const given = window(`${minutes} ${hours} * * *`, durationMinutes * minute, timezone);
          const nowMs = Date.parse(`${day}T00:00Z`) + offsetMinutes * 60_000;
          expect(windowState(given, nowMs).open).toBe(openByLooking(timezone, hours, minutes, durationMinutes, nowMs));
        },
      ),
      { numRuns: 100 },
    );
  });

  test('what was found for one time is not told of another', () => {
    expect(at(sundays, '2026-11-22T03:00Z').open).toBe(true);
    expect(at(sundays, '2026-11-22T01:00Z').open).toBe(false);
    expect(at(sundays, '2026-11-22T03:00Z').open).toBe(true);
    expect(at(sundays, '2026-11-25T03:00Z')).toEqual({ open: false, next: '2026-11-29T02:00Z', until: null });
  });

  test('the state holds until the time it gives, and changes then', () => {
    const zone = 'Europe/London';
    fc.assert(
      fc.property(
        fc.constantFrom('30 1 * * *', '0 2 * * 0', '0 20,21,22 * * *', '*/30 1-3 * * *'),
        fc.integer({ min: 10, max: 300 }),
        fc.integer({ min: Date.parse('2026-03-20') / 60_000, max: Date.parse('2026-11-02') / 60_000 }),
        (cron, durationMinutes, nowMinutes) => {
          const given = window(cron, durationMinutes * minute, zone);
          const nowMs = nowMinutes * 60_000;
          const state = windowState(given, nowMs);
          const changeMs = (state.openUntilSeconds ?? state.nextStartSeconds) * 1000;
          expect(changeMs).toBeGreaterThan(nowMs);
          expect(windowState(given, changeMs - 1).open).toBe(state.open);
          expect(windowState(given, changeMs).open).toBe(!state.open);
          expect(state.nextStartSeconds * 1000).toBeGreaterThan(nowMs);
          expect(windowState(given, state.nextStartSeconds * 1000).open).toBe(true);
        },
      ),
      { numRuns: 100 },
    );
  });
});

/** Whether a start lies within the duration before now, found by looking at the clock at each minute. */
function openByLooking(zone: string, hours: number, minutes: number, durationMinutes: number, nowMs: number): boolean {
  for (let back = 0; back < durationMinutes; back += 1) {
    if (isStart(zone, hours * 60 + minutes, nowMs - back * 60_000)) return true;
  }
  return false;
}

/** A start is the first time that the wall shows the time on its day, or where it was skipped, its time by the clock before. */
function isStart(zone: string, wanted: number, instantMs: number): boolean {
  const shown = minuteOfDay(wallOfInstant(instantMs, zone));
  const anHourAgo = wallOfInstant(instantMs - 3_600_000, zone);
  const halfAnHourAgo = wallOfInstant(instantMs - 1_800_000, zone);
  const here = wallOfInstant(instantMs, zone);
  const firstShown = shown === wanted && anHourAgo !== here && halfAnHourAgo !== here;
  return firstShown || skippedInto(zone, wanted, instantMs);
}

function skippedInto(zone: string, wanted: number, instantMs: number): boolean {
  const here = wallOfInstant(instantMs, zone);
  for (const forwardMs of [1_800_000, 3_600_000]) {
    const jumped = here - wallOfInstant(instantMs - forwardMs, zone) - forwardMs;
    const byTheOldClock = here - forwardMs;
    if (jumped === forwardMs && minuteOfDay(byTheOldClock) === wanted && !isShown(zone, byTheOldClock, instantMs))
      return true;
  }
  return false;
}

/** Whether the wall shows a time at any minute within three hours. */
function isShown(zone: string, wallMs: number, aroundMs: number): boolean {
  for (let offset = -180; offset <= 180; offset += 15) {
    if (wallOfInstant(aroundMs + offset * 60_000, zone) === wallMs) return true;
  }
  return false;
}

function minuteOfDay(wallMs: number): number {
  return Math.floor((((wallMs % 86_400_000) + 86_400_000) % 86_400_000) / 60_000);
}
