import { hostOf, notExposed } from '../../test/fixture/fake-fleet';
import { settle } from '../../test/fixture/fake-time';
import {
  bench,
  fails,
  gaps,
  minute,
  period,
  prepare,
  second,
  start,
  startWell,
  toNextProbe,
} from '../../test/fixture/fleet-bench';
import { bootedAt, now, otherBootId, type Said } from '../../test/fixture/said';
import { createVolatileMemory, type Memory } from '../memory/memory-file';
import { createTimetable } from '../schedule/timetable';
import { ageSeconds } from './status';

describe('what is known', () => {
  const flagged = (clock: number): Said => ({ now: clock, flag: {} });

  test('stays through failures, and the age grows', async () => {
    let isDown = false;
    start(['web-1'], { answer: (asked) => (isDown ? asked.fail(fails('timeout')) : asked.succeed(flagged(now))) });
    await bench.time.advance(second);
    isDown = true;
    await bench.time.advance(30 * minute);
    const { known } = bench.status('web-1');
    expect(known?.restart.verdict).toBe('required');
    expect(known === null ? null : ageSeconds(known, bench.time.monotonicMs())).toBeCloseTo(1801, 3);
  });

  test('the age never goes back, though hosts tell whole seconds and probes take their time', async () => {
    start(['web-1'], { settings: { timetable: createTimetable({ kind: 'interval', seconds: 7 }) } });
    let last = 0;
    for (let turn = 0; turn < 400; turn++) {
      const [asked] = bench.underWay;
      if (asked !== undefined && turn % 3 === 0) {
        asked.succeed({ now: Math.floor(bench.hostNow), uptime: bench.hostNow - bootedAt, flag: {} });
      }
      await bench.time.advance(330 + ((turn * 97) % 400));
      const { known } = bench.status('web-1');
      const age = known === null ? 0 : (ageSeconds(known, bench.time.monotonicMs()) ?? NaN);
      expect(age).toBeGreaterThanOrEqual(last);
      last = age;
    }
    expect(last).toBeGreaterThan(100);
  });

  test.each([3, 3600, 10 * 365 * 86_400, -3, -3600, -10 * 365 * 86_400])(
    'the age does not go back when the clock of the host is set by %d s',
    async (step) => {
      let stepped = 0;
      startWell(['web-1'], {
        answer: (asked) =>
          asked.succeed({
            now: (bench.hostNow + stepped).toFixed(6),
            bootedAt: bootedAt + stepped,
            uptime: bench.hostNow - bootedAt,
            flag: {},
          }),
      });
      await bench.time.advance(10 * minute);
      const ageNow = (): number => {
        const { known } = bench.status('web-1');
        return known === null ? NaN : (ageSeconds(known, bench.time.monotonicMs()) ?? NaN);
      };
      const before = ageNow();
      stepped = step;
      await bench.time.advance(10 * minute);
      expect(ageNow()).toBeCloseTo(before + 600, 3);
    },
  );

  test('is not published before it is remembered, so that no age can go back after a crash', async () => {
    const memory = createVolatileMemory();
    let saved: () => void = () => undefined;
    const slow: Memory = {
      ...memory,
      set: (host, entry) => memory.set(host, entry).then(() => new Promise((resolve) => (saved = resolve))),
    };
    startWell(['web-1'], { memory: slow });
    await settle();
    expect(memory.get('web-1')).not.toBeNull();
    expect(bench.status('web-1').known).toBeNull();
    expect(bench.told.every(({ status }) => status?.known === null)).toBe(true);
    saved();
    await settle();
    expect(bench.status('web-1').known).not.toBeNull();
  });

  test('of the last exporter goes on: the age is not begun anew', async () => {
    const memory = createVolatileMemory();
    startWell(['web-1'], { memory, answer: (asked) => asked.succeed(flagged(now)) });
    await settle();
    const stopped = bench.fleet.stop(0);
    await stopped;
    startWell(['web-1'], { memory, answer: (asked) => asked.succeed(flagged(now + 3600)) });
    await settle();
    const { known } = bench.status('web-1');
    expect(known === null ? null : ageSeconds(known, bench.time.monotonicMs())).toBeCloseTo(3600, 3);
  });
});

describe('the exposure', () => {
  const wishes = (): boolean[] => bench.begun.map(({ wish }) => wish.exposure);

  test('that is too large to be taken hides nothing of the rest, and is asked for once more, and then after its interval', async () => {
    start(['web-1'], {
      settings: { exposureIntervalSeconds: 3600 },
      answer: (asked) =>
        asked.wish.exposure ? asked.fail(fails('output')) : asked.succeed({ now: bench.hostNow, flag: {} }),
      exposure: (_host, report) => {
        expect(report.withExposure).toBe(true);
        return Promise.resolve({ ...notExposed, verdict: 'unknown', basis: 'assumed' });
      },
    });
    await bench.time.advance(10 * minute);
    const { known, attempt } = bench.status('web-1');
    expect(attempt?.failure).toBeNull();
    expect(known?.restart.verdict).toBe('required');
    expect(known?.exposure?.verdict).toBe('unknown');
    expect(wishes()).toEqual([true, false, true, false, false]);
  });

  test('that could not be taken once stays as it was read before, and is read at the next probe', async () => {
    let isGarbled = false;
    start(['web-1'], {
      settings: { exposureIntervalSeconds: 60 },
      answer: (asked) => (isGarbled && asked.wish.exposure ? asked.fail(fails('output')) : asked.succeed({})),
      exposure: () => Promise.resolve(notExposed),
    });
    await bench.time.advance(second);
    isGarbled = true;
    await bench.time.advance(period);
    isGarbled = false;
    expect(bench.status('web-1').known?.exposure).toEqual(notExposed);
    await bench.time.advance(period);
    expect(wishes()).toEqual([true, true, false, true]);
  });

  test('that could not be taken once is not what it was before, where sockets or rules have changed', async () => {
    let isGarbled = false;
    const unknown = { ...notExposed, verdict: 'unknown', basis: 'assumed' } as const;
    start(['web-1'], {
      settings: { exposureIntervalSeconds: 3600 },
      answer: (asked) =>
        isGarbled && asked.wish.exposure ? asked.fail(fails('output')) : asked.succeed({}, isGarbled ? 'b' : 'a'),
      exposure: () => Promise.resolve(isGarbled ? unknown : notExposed),
    });
    await bench.time.advance(second);
    isGarbled = true;
    await bench.time.advance(period);
    expect(bench.status('web-1').known?.exposure).toEqual(unknown);
    isGarbled = false;
    await bench.time.advance(period);
    expect(bench.status('web-1').known?.exposure).toEqual(notExposed);
  });

  test('that fails for another reason is a failed probe', async () => {
    start(['web-1'], { answer: (asked) => asked.fail(fails('auth')) });
    await bench.time.advance(second);
    expect(wishes()).toEqual([true]);
    expect(bench.status('web-1').attempt?.failure?.reason).toBe('auth');
  });

  test('is read at first, and then at its own interval', async () => {
    startWell(['web-1'], { settings: { exposureIntervalSeconds: 1200 } });
    await bench.time.advance(9 * period);
    const times = bench.begun.filter(({ wish }) => wish.exposure).map(({ atSeconds }) => atSeconds);
    expect(times.length).toBe(3);
    expect(Math.min(...gaps(times))).toBeGreaterThanOrEqual(1200);
    expect(bench.status('web-1').known?.exposure).toEqual(notExposed);
  });

  test('is read at once when the fingerprint of sockets and rules changes', async () => {
    let fingerprint = 'a';
    start(['web-1'], { answer: (asked) => asked.succeed({}, fingerprint) });
    await bench.time.advance(period);
    fingerprint = 'b';
    await bench.time.advance(2 * period);
    expect(wishes()).toEqual([true, false, false, true, false]);
  });

  test('is read at once after a restart', async () => {
    let said: Said = {};
    start(['web-1'], { answer: (asked) => asked.succeed(said) });
    await bench.time.advance(period);
    said = { bootId: otherBootId };
    await bench.time.advance(period);
    expect(wishes()).toEqual([true, false, false, true]);
  });

  test('is read when somebody asks for it, also when a probe without it is under way', async () => {
    startWell(['web-1']);
    await settle();
    await bench.fleet.probe('web-1', { exposure: true });
    expect(wishes()).toEqual([true, true]);
    const stopped = bench.fleet.stop(0);
    await stopped;

    start(['web-1']);
    await settle();
    bench.probeOf('web-1').succeed();
    await toNextProbe('web-1');
    const asked = bench.fleet.probe('web-1', { exposure: true });
    bench.probeOf('web-1').succeed();
    await settle();
    bench.probeOf('web-1').succeed();
    await asked;
    expect(wishes()).toEqual([true, false, true]);
  });

  test('stays what it was while it is not read, and through failures', async () => {
    startWell(['web-1'], { settings: { exposureIntervalSeconds: 1e9 } });
    await bench.time.advance(3 * period);
    expect(wishes()).toEqual([true, false, false, false]);
    expect(bench.status('web-1').known?.exposure).toEqual(notExposed);
  });

  test('that is declared is never read, and evaluated from the declaration', async () => {
    const modes: string[] = [];
    prepare({
      answer: (asked) => asked.succeed(),
      exposure: (host) => {
        modes.push(host.exposure.mode);
        return Promise.resolve(notExposed);
      },
    });
    const exposure = { mode: 'internal', public: 'auto', edge: null, ignore: [] } as const;
    bench.fleet.setHosts([hostOf('web-1', { exposure })]);
    bench.fleet.start();
    await settle();
    await bench.fleet.probe('web-1', { exposure: true });
    expect(wishes()).toEqual([false, false]);
    expect(modes).toEqual(['internal', 'internal']);
  });

  test('sudo is asked for only where the settings allow it', async () => {
    prepare({ answer: (asked) => asked.succeed() });
    const { ssh } = hostOf('x');
    bench.fleet.setHosts([hostOf('web-1'), hostOf('web-2', { ssh: { ...ssh, sudo: 'never' } })]);
    bench.fleet.start();
    await settle();
    expect(bench.begun.map(({ wish }) => wish.sudo)).toEqual([true, false]);
  });
});
