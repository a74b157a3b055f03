import fc from 'fast-check';
import { defaultPolicy } from './defaults';
import { urgencyOf, type Need } from './urgency';

const day = 86_400;

function need(ageDays: number | null, exposure: Need['exposure'] = 'exposed'): Need {
  return { restart: 'required', ageSeconds: ageDays === null ? null : ageDays * day, exposure };
}

describe('urgencyOf', () => {
  test.each([
    [need(0), 'info'],
    [need(2.99), 'info'],
    [need(3), 'warning'],
    [need(13.99), 'warning'],
    [need(14), 'critical'],
    [need(1000), 'critical'],
    [need(3, 'not_exposed'), 'info'],
    [need(14, 'not_exposed'), 'warning'],
    [need(29.99, 'not_exposed'), 'warning'],
    [need(30, 'not_exposed'), 'critical'],
  ] as const)('%j is %s by the defaults', (given, expected) => {
    expect(urgencyOf(given, defaultPolicy)).toBe(expected);
  });

  test('a host that may be exposed counts as exposed', () => {
    expect(urgencyOf(need(3, 'unknown'), defaultPolicy)).toBe('warning');
  });

  test('no restart needed is no urgency, whatever the age says', () => {
    expect(urgencyOf({ restart: 'not_required', ageSeconds: null, exposure: 'exposed' }, defaultPolicy)).toBe('none');
    expect(urgencyOf({ restart: 'not_required', ageSeconds: 99 * day, exposure: 'exposed' }, defaultPolicy)).toBe(
      'none',
    );
  });

  test('what is not known is not "none"', () => {
    expect(urgencyOf({ restart: 'unknown', ageSeconds: null, exposure: 'not_exposed' }, defaultPolicy)).toBe('unknown');
  });

  test('0 means at once, also without an age or with one below 0', () => {
    const atOnce = { ...defaultPolicy, exposed: { warningAfterSeconds: 0, criticalAfterSeconds: 10 } };
    expect(urgencyOf(need(0), atOnce)).toBe('warning');
    expect(urgencyOf(need(null), atOnce)).toBe('warning');
    expect(urgencyOf(need(-1), atOnce)).toBe('warning');
    const critical = { ...defaultPolicy, exposed: { warningAfterSeconds: 0, criticalAfterSeconds: 0 } };
    expect(urgencyOf(need(0), critical)).toBe('critical');
  });

  test('a needed restart of unknown age is a notice', () => {
    expect(urgencyOf(need(null), defaultPolicy)).toBe('info');
  });

  test('urgency never falls as a restart grows older, and exposure never lowers it under ordered thresholds', () => {
    const rank = { none: 0, unknown: 0, info: 1, warning: 2, critical: 3 };
    const seconds = fc.integer({ min: 0, max: 100 * day });
    fc.assert(
      fc.property(seconds, seconds, (a, b) => {
        const [young, old] = a < b ? [a, b] : [b, a];
        const at = (ageSeconds: number, exposure: Need['exposure']): number =>
          rank[urgencyOf({ restart: 'required', ageSeconds, exposure }, defaultPolicy)];
        expect(at(young, 'exposed')).toBeLessThanOrEqual(at(old, 'exposed'));
        expect(at(young, 'not_exposed')).toBeLessThanOrEqual(at(young, 'exposed'));
      }),
    );
  });
});

describe('a host that restarts by itself', () => {
  const held = (days: number, inSeconds: number | null): string =>
    urgencyOf({ ...need(days, 'exposed'), restartsItselfInSeconds: inSeconds }, defaultPolicy);

  test.each([
    ['tonight', 6 * 3600],
    ['in a moment', 1],
    ['now, or a little late', -1799],
    ['almost a day from now', day - 1],
  ])('%s, does not escalate meanwhile', (_when, inSeconds) => {
    expect(held(14, inSeconds)).toBe('warning');
    expect(held(3, inSeconds)).toBe('info');
  });

  test.each([
    ['a day from now', day],
    ['half an hour ago, and did not', -1800],
    ['at no time that is known', null],
  ])('%s, escalates as ever', (_when, inSeconds) => {
    expect(held(14, inSeconds)).toBe('critical');
    expect(held(3, inSeconds)).toBe('warning');
  });

  test('is held back for a day at most, however often it is announced', () => {
    expect(held(14.9, 3600)).toBe('warning');
    expect(held(15, 3600)).toBe('critical');
    expect(held(3.9, 3600)).toBe('info');
    expect(held(4, 3600)).toBe('warning');
  });

  test('stays none or unknown where it is', () => {
    const soon = { ageSeconds: null, exposure: 'exposed', restartsItselfInSeconds: 60 } as const;
    expect(urgencyOf({ restart: 'not_required', ...soon }, defaultPolicy)).toBe('none');
    expect(urgencyOf({ restart: 'unknown', ...soon }, defaultPolicy)).toBe('unknown');
  });
});

describe('a host whose live patched kernel alone needs a restart', () => {
  test.each([
    [14, 'warning'],
    [1000, 'warning'],
    [3, 'warning'],
    [2, 'info'],
  ] as const)('after %d days is %s', (days, expected) => {
    expect(urgencyOf({ ...need(days), isLivepatched: true }, defaultPolicy)).toBe(expected);
  });
});
