import { notExposed } from '../../test/fixture/fake-fleet';
import { settle } from '../../test/fixture/fake-time';
import { bench, fails, gaps, minute, period, second, start, startWell } from '../../test/fixture/fleet-bench';
import { now, otherBootId, type Said } from '../../test/fixture/said';
import { type FailureReason } from '../failure';
import { type Logger, type LogFields } from '../logging/logger';
import { createTimetable } from '../schedule/timetable';

describe('a host that fails', () => {
  test('is tried again inside its period, at pauses that double', async () => {
    start(['web-1'], {
      answer: (asked) => asked.fail(fails('dns')),
      settings: { timetable: createTimetable({ kind: 'interval', seconds: 3600 }) },
    });
    await bench.time.advance(100 * second);
    const pauses = gaps(bench.timesOf('web-1'));
    [1, 2, 4, 8, 16, 32].forEach((exact, at) => {
      expect(pauses[at]).toBeGreaterThanOrEqual(0.8 * exact);
      expect(pauses[at]).toBeLessThan(1.2 * exact);
    });
    expect(bench.status('web-1').failuresInRow).toBe(bench.timesOf('web-1').length);
  });

  test.each(['auth', 'host_key'] as const)(
    'by %s is left alone until its next time: only a person can change that',
    async (reason) => {
      start(['web-1'], { answer: (asked) => asked.fail(fails(reason)) });
      await bench.time.advance(4 * period);
      expect(bench.timesOf('web-1')).toHaveLength(5);
      expect(bench.status('web-1').failures).toEqual({ [reason]: 5 });
    },
  );

  test('goes back to its own place once it is well again', async () => {
    let isDown = true;
    start(['web-1'], { answer: (asked) => (isDown ? asked.fail(fails('connect')) : asked.succeed()) });
    await bench.time.advance(10 * second);
    isDown = false;
    await bench.time.advance(6 * period);
    for (const gap of gaps(bench.timesOf('web-1').slice(-5))) expect(gap).toBeCloseTo(300, 3);
    expect(bench.status('web-1').failuresInRow).toBe(0);
  });

  test('by a fault of the exporter is told as such, with the place of the fault in the log', async () => {
    const lines: { level: string; fields: LogFields }[] = [];
    const write =
      (level: string) =>
      (_message: string, fields: LogFields = {}): void => {
        lines.push({ level, fields });
      };
    const log: Logger = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
    start(['web-1'], { log, answer: (asked) => asked.fail(new TypeError('x is not a function')) });
    await settle();
    expect(bench.status('web-1').attempt?.failure).toEqual({ reason: 'internal', message: 'x is not a function' });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level: 'error', fields: { host: 'web-1', reason: 'internal' } });
    expect(String(lines[0]?.fields['stack'])).toContain('fleet-failures.test.ts');
  });

  test('is told once for each reason, not for each try', async () => {
    const warned: unknown[] = [];
    const log: Logger = {
      debug() {},
      info() {},
      error() {},
      warn: (_message, fields) => warned.push(fields?.['reason']),
    };
    let reason: FailureReason = 'connect';
    start(['web-1'], { log, answer: (asked) => asked.fail(fails(reason)) });
    await bench.time.advance(minute);
    reason = 'auth';
    await bench.time.advance(3 * period);
    expect(warned).toEqual(['connect', 'auth']);
  });

  test('because its exposure could not be evaluated is a fault of the exporter, and the next probe tries again', async () => {
    let isBroken = true;
    startWell(['web-1'], {
      exposure: () => (isBroken ? Promise.reject(new Error('no worker')) : Promise.resolve(notExposed)),
    });
    await settle();
    expect(bench.status('web-1').failures).toEqual({ internal: 1 });
    isBroken = false;
    await bench.time.advance(3 * second);
    expect(bench.status('web-1')).toMatchObject({ failuresInRow: 0, known: { exposure: notExposed } });
  });
});

describe('a host that restarts', () => {
  test('is tried every few seconds, and shows within them that it is back', async () => {
    let said: Said | null = { now };
    start(['web-1'], { answer: (asked) => (said === null ? asked.fail(fails('connect')) : asked.succeed(said)) });
    await bench.time.advance(second);
    said = null;
    await bench.time.advance(period);
    expect(bench.status('web-1').restartingSinceMonotonicMs).not.toBeNull();
    await bench.time.advance(40 * second);
    expect(Math.max(...gaps(bench.timesOf('web-1').slice(-8)))).toBeLessThanOrEqual(3.6);
    said = { now: now + 400, bootId: otherBootId, bootedAt: now + 390 };
    await bench.time.advance(4 * second);
    expect(bench.status('web-1')).toMatchObject({
      restartsSeen: 1,
      restartingSinceMonotonicMs: null,
      failuresInRow: 0,
    });
  });

  test('that refuses logins while it boots shows soon after, and is not asked all the time', async () => {
    let fault: 'connect' | 'auth' | null = null;
    start(['web-1'], {
      settings: { timetable: createTimetable({ kind: 'interval', seconds: 3600 }) },
      answer: (asked) =>
        fault === null
          ? asked.succeed({ now: now + 100, bootId: otherBootId, bootedAt: now + 60 })
          : asked.fail(fails(fault)),
    });
    await bench.time.advance(second);
    fault = 'connect';
    bench.fleet.noteDrop('web-1');
    await bench.time.advance(20 * second);
    fault = 'auth';
    const before = bench.timesOf('web-1').length;
    await bench.time.advance(60 * second);
    expect(bench.timesOf('web-1').length - before).toBeLessThanOrEqual(9);
    expect(bench.status('web-1').restartingSinceMonotonicMs).not.toBeNull();
    fault = null;
    await bench.time.advance(12 * second);
    expect(bench.status('web-1')).toMatchObject({ restartingSinceMonotonicMs: null, failuresInRow: 0 });
  });

  test('that goes on to refuse logins is left alone in the end', async () => {
    let fault: 'connect' | 'auth' | null = null;
    start(['web-1'], {
      settings: { timetable: createTimetable({ kind: 'interval', seconds: 3600 }) },
      answer: (asked) => (fault === null ? asked.succeed() : asked.fail(fails(fault))),
    });
    await bench.time.advance(second);
    bench.fleet.noteDrop('web-1');
    fault = 'auth';
    await bench.time.advance(40 * minute);
    expect(bench.timesOf('web-1').length).toBeLessThanOrEqual(25);
    expect(bench.status('web-1').restartingSinceMonotonicMs).toBeNull();
  });

  test('is probed at once when it drops the connection that was kept to it', async () => {
    startWell(['web-1']);
    await bench.time.advance(second);
    bench.fleet.noteDrop('web-1');
    expect(bench.status('web-1').restartingSinceMonotonicMs).not.toBeNull();
    await bench.time.advance(0.6 * second);
    expect(bench.timesOf('web-1')).toHaveLength(2);
    expect(bench.status('web-1').restartingSinceMonotonicMs).toBeNull();
    bench.fleet.noteDrop('nobody');
  });

  test('is not tried so often for ever', async () => {
    let isDown = false;
    start(['web-1'], { answer: (asked) => (isDown ? asked.fail(fails('connect')) : asked.succeed()) });
    await bench.time.advance(second);
    isDown = true;
    await bench.time.advance(30 * minute);
    expect(Math.min(...gaps(bench.timesOf('web-1').slice(-5)))).toBeGreaterThan(40);
  });
});
