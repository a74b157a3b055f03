import fc from 'fast-check';
import { bootedAt, bootId, now } from '../../test/fixture/said';
import type { BootTime } from '../signal/boot-time';
import { nextClockOffset } from './host-clock';

function boot(nowSeconds: number | null, movedSeconds = 0): BootTime {
  const atSeconds = bootedAt + movedSeconds;
  return { id: bootId, atSeconds, earliestAtSeconds: bootedAt, latestAtSeconds: atSeconds, nowSeconds };
}

/** A reading of a host whose clock runs right, `atSeconds` after the start, by a probe of some length. */
function reading(
  atSeconds: number,
  options: { tells?: (clock: number) => number; tookMs?: number; step?: number } = {},
) {
  const { tells = (clock: number) => clock, tookMs = 0, step = 0 } = options;
  const begunMonotonicMs = atSeconds * 1000;
  return {
    boot: boot(tells(now + step + atSeconds), step),
    begunMonotonicMs,
    endedMonotonicMs: begunMonotonicMs + tookMs,
  };
}

describe('nextClockOffset', () => {
  test('is the difference of the two clocks', () => {
    expect(nextClockOffset(null, reading(100))).toBe(now);
  });

  test('stays what it was without a clock, or where there never was one', () => {
    const silent = { boot: boot(null), begunMonotonicMs: 0, endedMonotonicMs: 0 };
    expect(nextClockOffset({ offsetSeconds: now, boot: boot(now) }, silent)).toBe(now);
    expect(nextClockOffset(null, silent)).toBeNull();
    expect(nextClockOffset({ offsetSeconds: null, boot: boot(null) }, reading(100))).toBe(now);
  });

  test('does not go back for a probe that took long after the clock was read', () => {
    const before = { offsetSeconds: now, boot: boot(now) };
    expect(nextClockOffset(before, reading(100, { tookMs: 9000 }))).toBe(now);
  });

  test('never goes back with a clock that tells whole seconds, and is never more than a second and a probe behind', () => {
    const probe = fc.record({
      pause: fc.double({ min: 0.1, max: 400, noNaN: true }),
      tookMs: fc.integer({ min: 0, max: 9000 }),
    });
    fc.assert(
      fc.property(fc.array(probe, { minLength: 2, maxLength: 40 }), (probes) => {
        let before: { offsetSeconds: number | null; boot: BootTime } | null = null;
        let atSeconds = 0;
        for (const { pause, tookMs } of probes) {
          atSeconds += pause + tookMs / 1000;
          const next = reading(atSeconds, { tells: Math.floor, tookMs });
          const offsetSeconds: number | null = nextClockOffset(before, next);
          expect(offsetSeconds).toBeGreaterThanOrEqual((before?.offsetSeconds ?? -Infinity) - 1e-6);
          expect(offsetSeconds).toBeLessThanOrEqual(now + 1e-6);
          expect(offsetSeconds).toBeGreaterThanOrEqual(now - 1 - tookMs / 1000 - 1e-6);
          before = { offsetSeconds, boot: next.boot };
        }
      }),
    );
  });

  test.each([2, 3, 30, 3600, 1e9, -2, -3, -30, -3600, -1e9])('goes with a clock that was stepped by %d s', (step) => {
    const before = { offsetSeconds: now, boot: boot(now) };
    expect(nextClockOffset(before, reading(100, { step }))).toBeCloseTo(now + step, 6);
  });

  test('goes with a step that the time of the boot does not show', () => {
    const before = { offsetSeconds: now, boot: boot(now) };
    const stepped = { ...reading(100), boot: { ...boot(now + 100 - 3600), atSeconds: null } };
    expect(nextClockOffset(before, stepped)).toBe(now - 3600);
  });

  test('begins anew with another boot whose clock is another', () => {
    const before = { offsetSeconds: now, boot: boot(now) };
    const other = { ...reading(100), boot: { ...boot(now + 500, 500), id: 'other' } };
    expect(nextClockOffset(before, other)).toBe(now + 400);
  });
});
