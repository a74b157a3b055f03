import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { transpile, transpiledEnv } from '../../test/fixture/transpiled';
import type { ProbeSchedule } from '../config/config';
import { retryFactor, stableFraction } from './jitter';
import { createTimetable, periodSeconds } from './timetable';

const minute = 60_000;
const every5Minutes: ProbeSchedule = { kind: 'cron', expression: '*/5 * * * *' };
const interval: ProbeSchedule = { kind: 'interval', seconds: 300 };

/** 2026-11-22 00:00:00 UTC, which every five minutes hit. */
const startMs = Date.UTC(2026, 10, 22);

const hosts = Array.from({ length: 10_000 }, (_, at) => `web-${at}`);

describe('stableFraction', () => {
  test('is the same at every start and on every machine', () => {
    expect(stableFraction('web-1')).toBe(0.767_358_480_595_227_4);
  });

  test('lies in [0, 1) and spreads names evenly', () => {
    const tenths = new Array<number>(10).fill(0);
    for (const name of hosts) {
      const fraction = stableFraction(name);
      expect(fraction).toBeGreaterThanOrEqual(0);
      expect(fraction).toBeLessThan(1);
      tenths[Math.floor(fraction * 10)] = (tenths[Math.floor(fraction * 10)] ?? 0) + 1;
    }
    // 1000 each, give or take five standard deviations.
    for (const count of tenths) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});

describe('retryFactor', () => {
  test('lies in [0.8, 1.2), stable for a name and an attempt, and differs among them', () => {
    const factors = hosts.slice(0, 100).map((name) => retryFactor(name, 3));
    expect(factors.every((factor) => factor >= 0.8 && factor < 1.2)).toBe(true);
    expect(new Set(factors).size).toBe(100);
    expect(retryFactor('web-1', 3)).toBe(factors[1]);
    expect(retryFactor('web-1', 4)).not.toBe(factors[1]);
  });
});

describe.each([
  ['cron', every5Minutes],
  ['interval', interval],
])('a timetable by %s, every five minutes', (_name, schedule) => {
  test('gives each host one place a period, always the same', () => {
    const timetable = createTimetable(schedule);
    for (const name of hosts.slice(0, 50)) {
      const first = timetable.next(name, startMs);
      expect(first).toBeGreaterThan(startMs);
      expect(first).toBeLessThanOrEqual(startMs + 5 * minute);
      const second = timetable.next(name, first);
      expect(second - first).toBeCloseTo(5 * minute, 3);
      expect(createTimetable(schedule).next(name, startMs)).toBe(first);
    }
  });

  test('spreads the hosts evenly over the period', () => {
    const timetable = createTimetable(schedule);
    const perSecond = new Array<number>(300).fill(0);
    for (const name of hosts) {
      const second = Math.floor((timetable.next(name, startMs) - startMs) / 1000) % 300;
      perSecond[second] = (perSecond[second] ?? 0) + 1;
    }
    // 33 a second on average; the busiest of 300 has no more than twice that.
    expect(Math.max(...perSecond)).toBeLessThan(70);
    expect(Math.min(...perSecond)).toBeGreaterThan(5);
  });

  test('never answers now or before, whatever the time', () => {
    const timetable = createTimetable(schedule);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000_000 }), fc.constantFrom(...hosts), (nowMs, name) => {
        const next = timetable.next(name, nowMs);
        expect(next).toBeGreaterThan(nowMs);
        expect(next).toBeLessThanOrEqual(nowMs + 10 * minute);
        expect(timetable.next(name, next)).toBeGreaterThan(next);
      }),
    );
  });

  test('answers for ten thousand hosts in a blink, as after a reload', () => {
    const timetable = createTimetable(schedule);
    const begun = performance.now();
    for (const name of hosts) timetable.next(name, startMs + 2.5 * minute);
    expect(performance.now() - begun).toBeLessThan(1000);
  });

  test('has a period of 300 s', () => {
    expect(periodSeconds(schedule, startMs)).toBe(300);
    expect(periodSeconds(schedule, startMs + 1)).toBe(300);
  });
});

test('a timetable without a schedule has no next probe, and no period', () => {
  const timetable = createTimetable({ kind: 'never' });
  expect(timetable.next('web-1', startMs)).toBe(Infinity);
  expect(timetable.isKept).toBe(false);
  expect(periodSeconds({ kind: 'never' }, startMs)).toBe(Infinity);
});

describe('a timetable by cron', () => {
  test('takes each host once between two matches that are unevenly apart', () => {
    const timetable = createTimetable({ kind: 'cron', expression: '0,10,50 * * * *' });
    for (const name of hosts.slice(0, 20)) {
      const places: number[] = [];
      for (let at = timetable.next(name, startMs - 1); at < startMs + 60 * minute; at = timetable.next(name, at))
        places.push(at);
      expect(places.map((at) => [0, 10, 50].filter((match) => at >= startMs + match * minute).length)).toEqual([
        1, 2, 3,
      ]);
    }
  });

  test('takes six fields, seconds first', () => {
    const timetable = createTimetable({ kind: 'cron', expression: '*/10 * * * * *' });
    expect(timetable.next('web-1', startMs) - startMs).toBeLessThanOrEqual(10_000);
    expect(periodSeconds({ kind: 'cron', expression: '*/10 * * * * *' }, startMs)).toBe(10);
  });

  test('refuses what is no cron expression', () => {
    expect(() => createTimetable({ kind: 'cron', expression: 'every day' })).toThrow(RangeError);
  });

  test('is not confused by a clock that goes back', () => {
    const timetable = createTimetable(every5Minutes);
    const later = timetable.next('web-1', startMs + 60 * minute);
    expect(timetable.next('web-1', startMs)).toBe(createTimetable(every5Minutes).next('web-1', startMs));
    expect(timetable.next('web-1', startMs + 60 * minute)).toBe(later);
  });
});

describe('a timetable by cron where clocks change', () => {
  // The time zone of a process is fixed when it begins: each case has one of its own.
  const folder = mkdtempSync(join(tmpdir(), 'timetable-'));
  beforeAll(() => transpile(['schedule/timetable.ts', 'schedule/jitter.ts'], folder));
  afterAll(() => rmSync(folder, { recursive: true }));

  interface Walk {
    readonly longestGapMinutes: number;
    readonly shortestGapMinutes: number;
    readonly places: number;
  }

  /** Goes from place to place of some hosts through two days around a change. */
  function walk(expression: string, aroundMs: number, timezone: string): Walk {
    const script = `
      const { createTimetable } = require('./schedule/timetable.js');
      const timetable = createTimetable({ kind: 'cron', expression: '${expression}' });
      const gaps = [];
      for (let host = 0; host < 20; host++) {
        let at = timetable.next('web-' + host, ${aroundMs} - 86400000);
        while (at < ${aroundMs} + 86400000) {
          const next = timetable.next('web-' + host, at);
          if (!(next > at)) throw new Error('stuck at ' + at);
          gaps.push((next - at) / 60000);
          at = next;
        }
      }
      console.log(JSON.stringify({ longestGapMinutes: Math.max(...gaps), shortestGapMinutes: Math.min(...gaps), places: gaps.length / 20 }));
    `;
    const env = { ...process.env, ...transpiledEnv, TZ: timezone };
    return JSON.parse(execFileSync(process.execPath, ['-e', script], { cwd: folder, env, encoding: 'utf8' })) as Walk;
  }

  const forward = Date.UTC(2026, 2, 29, 1);
  const back = Date.UTC(2026, 9, 25, 1);

  test.each([
    ['forward', forward],
    ['back', back],
  ])('%s: every five minutes stays every five minutes', (_name, aroundMs) => {
    const { longestGapMinutes, shortestGapMinutes, places } = walk('*/5 * * * *', aroundMs, 'Europe/Berlin');
    expect(places).toBeGreaterThanOrEqual(570);
    expect(places).toBeLessThanOrEqual(577);
    expect(longestGapMinutes).toBeLessThanOrEqual(10);
    expect(shortestGapMinutes).toBeGreaterThanOrEqual(0.1);
  });

  test.each([
    ['forward', forward],
    ['back', back],
  ])('%s: hourly leaves no host out for more than two hours', (_name, aroundMs) => {
    const { longestGapMinutes, places } = walk('0 * * * *', aroundMs, 'Europe/Berlin');
    expect(places).toBeGreaterThanOrEqual(46);
    expect(places).toBeLessThanOrEqual(50);
    expect(longestGapMinutes).toBeLessThanOrEqual(130);
  });

  test.each([
    ['forward', forward],
    ['back', back],
  ])('%s: daily at a time that is skipped or comes twice stays about daily', (_name, aroundMs) => {
    const { longestGapMinutes, shortestGapMinutes } = walk('30 2 * * *', aroundMs, 'Europe/Berlin');
    expect(longestGapMinutes).toBeLessThanOrEqual(27 * 60);
    expect(shortestGapMinutes).toBeGreaterThanOrEqual(22 * 60);
  });
});
