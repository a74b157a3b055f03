import { formatAge } from './age';

describe('formatAge', () => {
  test.each([
    [0, '0s'],
    [0.9, '0s'],
    [1, '1s'],
    [59.999, '59s'],
    [60, '1m'],
    [61, '1m 1s'],
    [3599, '59m 59s'],
    [3600, '1h'],
    [3601, '1h'],
    [3660, '1h 1m'],
    [86_399, '23h 59m'],
    [86_400, '1d'],
    [86_460, '1d'],
    [90_000, '1d 1h'],
    [10 * 86_400 + 20 * 3600, '10d 20h'],
    [4000 * 86_400, '4000d'],
    [-5, '0s'],
  ])('%d s is %s', (seconds, expected) => {
    expect(formatAge(seconds)).toBe(expected);
  });
});
