import { failureReasons } from '../failure';
import { retryPauseMs } from './backoff';

describe('retryPauseMs', () => {
  test('doubles from a second up to a minute, give or take a fifth', () => {
    const pauses = Array.from({ length: 12 }, (_, at) => retryPauseMs('web-1', 'connect', at + 1, false) ?? NaN);
    const exact = [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60].map((seconds) => seconds * 1000);
    pauses.forEach((pause, at) => {
      expect(pause).toBeGreaterThanOrEqual(0.8 * (exact[at] ?? NaN));
      expect(pause).toBeLessThan(1.2 * (exact[at] ?? NaN));
    });
  });

  test('stays within seconds while a host restarts, so that its return shows soon', () => {
    for (const failures of [1, 2, 5, 100, 1_000_000]) {
      expect(retryPauseMs('web-1', 'connect', failures, true)).toBeLessThanOrEqual(3600);
    }
  });

  test('is finite after any number of failures', () => {
    expect(retryPauseMs('web-1', 'timeout', 1e9, false)).toBeLessThanOrEqual(72_000);
  });

  test.each(failureReasons)('%s: tried again inside the period unless only a person can change it', (reason) => {
    expect(retryPauseMs('web-1', reason, 1, false) === null).toBe(reason === 'auth' || reason === 'host_key');
    expect(retryPauseMs('web-1', reason, 1, true) === null).toBe(reason === 'host_key');
  });

  test('differs among hosts that failed together', () => {
    const pauses = new Set(Array.from({ length: 100 }, (_, at) => retryPauseMs(`web-${at}`, 'connect', 3, false)));
    expect(pauses.size).toBe(100);
  });
});
