import fc from 'fast-check';
import { durationPattern, formatDuration, parseDuration } from './duration';

function seconds(text: string): number {
  const result = parseDuration(text);
  if (!result.ok) throw new Error(result.message);
  return result.seconds;
}

describe('parseDuration', () => {
  test.each([
    ['0', 0],
    ['0s', 0],
    ['500ms', 0.5],
    ['1ms', 0.001],
    ['10s', 10],
    ['5m', 300],
    ['1h30m', 5400],
    ['3d', 259_200],
    ['2w', 1_209_600],
    ['1y', 31_536_000],
    ['1y1w1d1h1m1s1ms', 32_230_861.001],
    ['0h5m', 300],
    ['007m', 420],
    ['292y', 292 * 31_536_000],
  ])('%s is %d seconds', (text, expected) => {
    expect(seconds(text)).toBe(expected);
  });

  test.each([
    ['', "a duration can't be empty: write one like `5m` or `1h30m`"],
    ['5', '`5` lacks a unit: `5s` is seconds, `5m` minutes, `5d` days'],
    ['1h30', '`1h30` lacks a unit: `30s` is seconds, `30m` minutes, `30d` days'],
    ['1.5h', '`1.5h` has a fraction: use a smaller unit, as in `1h30m` or `1500ms`'],
    ['-5m', '`-5m` is negative: a duration is 0 or longer'],
    ['5 m', '`5 m` has a space in it: write `5m`'],
    [' 5m', '` 5m` has a space in it: write `5m`'],
    ['5min', '`5min` has the unknown unit `min`: write `5m`'],
    ['5M', '`5M` has the unknown unit `M`: write `5m`'],
    ['5x', '`5x` has the unknown unit `x`: the units are y, w, d, h, m, s, ms'],
    ['30m1h', '`30m1h` must go from the largest unit to the smallest: y, w, d, h, m, s, ms'],
    ['1m1m', '`1m1m` gives the unit `m` twice'],
    ['soon', '`soon` is no duration: write one like `5m`, `3d` or `1h30m` (units y, w, d, h, m, s, ms)'],
    ['+5m', '`+5m` is no duration: write one like `5m`, `3d` or `1h30m` (units y, w, d, h, m, s, ms)'],
    ['٥m', '`٥m` is no duration: write one like `5m`, `3d` or `1h30m` (units y, w, d, h, m, s, ms)'],
    ['293y', '`293y` is longer than 292 years'],
    [`${'9'.repeat(400)}s`, `\`${'9'.repeat(400)}s\` is longer than 292 years`],
  ])('%j is refused: %s', (text, message) => {
    expect(parseDuration(text)).toEqual({ ok: false, message });
  });

  test('never throws, and agrees with the pattern of the JSON Schema', () => {
    const pattern = new RegExp(durationPattern);
    const parts = fc.array(fc.tuple(fc.nat(1000), fc.constantFrom('y', 'w', 'd', 'h', 'm', 's', 'ms', '', ' ', 'x')), {
      maxLength: 4,
    });
    const texts = fc.oneof(
      fc.string(),
      parts.map((list) => list.map(([n, unit]) => `${n}${unit}`).join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const result = parseDuration(text);
        const tooLong = !result.ok && result.message.endsWith('longer than 292 years');
        expect(result.ok || tooLong).toBe(pattern.test(text));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('formatDuration', () => {
  test.each([
    [0, '0s'],
    [0.5, '500ms'],
    [90, '1m30s'],
    [86_400 * 30, '30d'],
    [227_100, '2d15h5m'],
  ])('%d seconds are %s', (given, expected) => {
    expect(formatDuration(given)).toBe(expected);
  });

  test('parseDuration reads what it writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e12 }), (ms) => {
        expect(seconds(formatDuration(ms / 1000))).toBe(ms / 1000);
      }),
    );
  });
});
