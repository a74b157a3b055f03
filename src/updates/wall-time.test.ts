import fc from 'fast-check';
import { lastTime, nextTime, parseDays, parseTimeOfDay } from './wall-time';

const hour = 3600;
const day = 24 * hour;
/** 2026-11-22, a Sunday, at midnight UTC. */
const sunday = Date.UTC(2026, 10, 22) / 1000;

describe('parseTimeOfDay', () => {
  test.each([
    ['02:00', 2 * hour],
    ['2:00', 2 * hour],
    ['03:30', 3.5 * hour],
    ['23:59:59', day - 1],
    ['00:00', 0],
    ['2am', 2 * hour],
    ['12am', 0],
    ['12pm', 12 * hour],
    ['3:04PM', 15 * hour + 240],
    [' 5:00 ', 5 * hour],
  ])('%j is %d seconds after midnight', (text, seconds) => {
    expect(parseTimeOfDay(text)).toBe(seconds);
  });

  test.each(['now', '', '2', '24:00', '13pm', '0am', '12:60', '+5', '*-*-* 03:30', '03:30 UTC', '1e1:00', '٣:٠٠'])(
    '%j is none',
    (text) => {
      expect(parseTimeOfDay(text)).toBeNull();
    },
  );
});

describe('parseDays', () => {
  test('takes names, short or long, and numbers', () => {
    expect(parseDays(['mon', 'Tuesday', 'WE', ' 0 '])).toEqual(new Set([1, 2, 3, 0]));
  });

  test.each([[['Mon..Fri']], [['7']], [['x']], [['']], [['mon', '*']]])('%j are none', (words) => {
    expect(parseDays(words)).toBeNull();
  });
});

describe('the next and the last time', () => {
  const at2 = { secondOfDay: 2 * hour, zoneSeconds: 0 };

  test.each([
    ['before it, today', sunday + hour, sunday + 2 * hour, sunday - day + 2 * hour],
    ['at it, now, and the last is yesterday', sunday + 2 * hour, sunday + 2 * hour, sunday - day + 2 * hour],
    ['after it, tomorrow', sunday + 3 * hour, sunday + day + 2 * hour, sunday + 2 * hour],
  ])('%s', (_what, from, next, last) => {
    expect(nextTime(at2, from)).toBe(next);
    expect(lastTime(at2, from)).toBe(last);
  });

  test('in a time zone: two in the morning ten hours east is four in the afternoon before', () => {
    const east = { secondOfDay: 2 * hour, zoneSeconds: 10 * hour };
    expect(nextTime(east, sunday)).toBe(sunday + 16 * hour);
    const west = { secondOfDay: 23 * hour, zoneSeconds: -5 * hour };
    expect(nextTime(west, sunday)).toBe(sunday + 4 * hour);
  });

  test('on some days only', () => {
    const wednesdays = { ...at2, days: new Set([3]) };
    expect(nextTime(wednesdays, sunday)).toBe(sunday + 3 * day + 2 * hour);
    expect(lastTime(wednesdays, sunday)).toBe(sunday - 4 * day + 2 * hour);
    expect(nextTime({ ...at2, days: new Set() }, sunday)).toBeNull();
  });

  test('are a day apart around any moment, whatever the zone', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 4_000_000_000 }),
        fc.integer({ min: 0, max: day - 1 }),
        fc.integer({ min: -12 * 4, max: 14 * 4 }),
        (from, secondOfDay, quarters) => {
          const recurrence = { secondOfDay, zoneSeconds: quarters * 900 };
          const next = nextTime(recurrence, from) ?? NaN;
          const last = lastTime(recurrence, from) ?? NaN;
          expect(next).toBeGreaterThanOrEqual(from);
          expect(last).toBeLessThan(from);
          expect(next - last).toBe(day);
          expect((((next + recurrence.zoneSeconds) % day) + day) % day).toBe(secondOfDay);
        },
      ),
    );
  });
});
