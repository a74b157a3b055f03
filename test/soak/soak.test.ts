import { ensureBuilt } from '../e2e/built-program';
import { slopeOf, courseOf, growthOf } from './memory-use';
import { runSoak } from './run';

jest.setTimeout(120_000);

describe('a short soak', () => {
  it('finds every host right but those of which the fleet says other than planned, and those it finds', async () => {
    ensureBuilt();
    const result = await runSoak({
      seed: 20261123,
      hosts: 24,
      seconds: 12,
      kills: 1,
      periodSeconds: 1,
      timeoutSeconds: 4,
      staleAfterSeconds: 30,
      scrapeEverySeconds: 0.5,
      slackSeconds: 30,
      lastLifeSeconds: 8,
      warmUpSeconds: 3600,
      betweenSnapshotsSeconds: 0,
      injected: ['value', 'since'],
      withSnapshots: false,
      say: () => undefined,
    });
    const of = (turn: number): RegExp => new RegExp(`host-(?:${[0, 6, 12, 18].map((at) => at + turn).join('|')}) `);
    const ofValue = result.faults.filter((fault) => of(0).test(fault));
    const ofSince = result.faults.filter((fault) => of(1).test(fault));
    expect(ofValue.join('\n')).toContain('is wrong: reboot_required is 1, not 0');
    expect(ofSince.join('\n')).toMatch(/is needed since \d+, not \d+/);
    expect(result.faults.filter((fault) => !ofValue.includes(fault) && !ofSince.includes(fault))).toEqual([]);
    expect(result.kills).toBe(1);
    expect(result.tally.judged).toBeGreaterThan(100);
    // Injected from the middle on: before, nobody had a fault.
    for (const fault of result.faults) expect(Number.parseFloat(fault)).toBeGreaterThanOrEqual(6);
  });
});

describe('the course of memory', () => {
  const samples = (perSample: number) =>
    Array.from({ length: 400 }, (_, at) => ({
      atMs: at * 5000,
      // A collector's sawtooth, over what is held.
      heapBytes: 50e6 + (at % 7) * 4e6 + at * perSample,
      residentBytes: 150e6 + at * perSample,
      externalBytes: 20e6,
    }));
  const bounds = { sinceMs: 0, warmUpMs: 180_000, undisturbedUntilMs: Infinity };

  it('is flat where only garbage comes and goes', () => {
    const course = courseOf(samples(0), bounds);
    expect(course).not.toBeNull();
    expect(course?.heap.megabytesPerHour).toBeCloseTo(0, -1);
    expect(course === null ? '' : growthOf(course, 0.1)).toBeNull();
  });

  it('is not where each scrape leaves something behind', () => {
    const course = courseOf(samples(60_000), bounds);
    expect(course?.resident.megabytesPerHour).toBeCloseTo(43.2, 1);
    expect(course === null ? '' : growthOf(course, 0.1)).toMatch(/heap grew from .* to .* MB/);
  });

  it('is the slope of a line, and none of too few points', () => {
    expect(
      slopeOf([
        [0, 1],
        [2, 5],
      ]),
    ).toBe(2);
    expect(slopeOf([[3, 7]])).toBe(0);
    expect(slopeOf([])).toBe(0);
  });
});
