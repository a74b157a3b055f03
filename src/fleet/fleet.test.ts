import { hostOf } from '../../test/fixture/fake-fleet';
import { settle } from '../../test/fixture/fake-time';
import {
  bench,
  day,
  fails,
  gaps,
  many,
  minute,
  period,
  second,
  start,
  startWell,
  toNextProbe,
} from '../../test/fixture/fleet-bench';
import { createTimetable } from '../schedule/timetable';

describe('the schedule', () => {
  test('probes every host at the start, and then each once a period at its own place', async () => {
    const names = many(30);
    startWell(names);
    await bench.time.advance(4 * period);
    for (const name of names) {
      const [first, ...others] = bench.timesOf(name);
      expect(first).toBe(0);
      expect(others).toHaveLength(4);
      for (const gap of gaps(others)) expect(gap).toBeCloseTo(300, 3);
    }
    const places = new Set(names.map((name) => Math.floor((bench.timesOf(name)[1] ?? 0) / 10)));
    expect(places.size).toBeGreaterThan(10);
  });

  test('tells when each host is next', async () => {
    startWell(['web-1']);
    await bench.time.advance(1);
    expect(bench.status('web-1').nextProbeMs).toBe(bench.settings.timetable.next('web-1', bench.time.nowMs()));
    await toNextProbe('web-1');
    expect(bench.timesOf('web-1')).toHaveLength(2);
  });

  test('takes another timetable at once', async () => {
    startWell(['web-1']);
    await bench.time.advance(second);
    const settings = { ...bench.settings, timetable: createTimetable({ kind: 'interval', seconds: 10 }) };
    bench.fleet.setHosts([hostOf('web-1')], settings);
    await bench.time.advance(30 * second);
    expect(bench.timesOf('web-1')).toHaveLength(4);
  });

  test.each([-day, -3650 * day, 3650 * day, -2 * second])(
    'is kept when the wall clock of the exporter is set by %d ms: no host waits longer than its period',
    async (byMs) => {
      startWell(many(10));
      await bench.time.advance(20 * second);
      bench.time.step(byMs);
      await bench.time.advance(6 * period);
      for (const name of many(10)) {
        const pauses = gaps(bench.timesOf(name));
        expect(pauses.length).toBeGreaterThanOrEqual(6);
        expect(Math.max(...pauses)).toBeLessThanOrEqual(300.001);
      }
    },
  );

  test('serves no place twice when the wall clock goes back a little just before it', async () => {
    startWell(['web-1']);
    await bench.time.advance(1);
    const untilMs = (bench.status('web-1').nextProbeMs ?? NaN) - bench.time.nowMs();
    await bench.time.advance(untilMs - 100);
    bench.time.step(-400);
    await bench.time.advance(minute);
    expect(bench.timesOf('web-1')).toHaveLength(2);
  });

  test('tells how late a probe began, and how long it waited, by the clock that can not be set', async () => {
    start(['web-1', 'web-2'], { settings: { concurrency: 1 } });
    await settle();
    bench.time.step(3600 * second);
    await bench.time.advance(3 * second);
    bench.underWay[0]?.succeed();
    await settle();
    expect(bench.waits).toEqual([0, 3]);
    expect(bench.lateness).toEqual([0, 3]);
  });
});

describe('without a schedule', () => {
  const never = { timetable: createTimetable({ kind: 'never' }) };

  test('a host is probed only when somebody asks: not at the start, nor when it comes or drops its connection', async () => {
    startWell(['web-1'], { settings: never });
    await bench.time.advance(2 * day);
    bench.fleet.setHosts([hostOf('web-1'), hostOf('web-2')], bench.settings);
    bench.fleet.noteDrop('web-1');
    await bench.time.advance(2 * day);
    expect(bench.begun).toEqual([]);
    expect(bench.status('web-1').nextProbeMs).toBeNull();
    const asked = bench.fleet.probe('web-1');
    await settle();
    expect((await asked)?.attempt?.failure).toBeNull();
    await bench.time.advance(2 * day);
    expect(bench.begun.map(({ name, atSeconds }) => [name, atSeconds])).toEqual([['web-1', (4 * day) / second]]);
    expect(bench.status('web-1').nextProbeMs).toBeNull();
    expect(bench.time.pending).toBe(0);
  });

  test('one that failed is not tried again by itself', async () => {
    start(['web-1'], { settings: never, answer: (asked) => asked.fail(fails('connect')) });
    const asked = bench.fleet.probe('web-1');
    await settle();
    expect((await asked)?.attempt?.failure?.reason).toBe('connect');
    await bench.time.advance(day);
    expect(bench.begun).toHaveLength(1);
    expect(bench.status('web-1').nextProbeMs).toBeNull();
  });

  test('a schedule that comes or goes by a reload is taken at once', async () => {
    startWell(many(3), { settings: never });
    await bench.time.advance(second);
    const hosts = many(3).map((name) => hostOf(name));
    bench.fleet.setHosts(hosts, { ...bench.settings, timetable: createTimetable({ kind: 'interval', seconds: 10 }) });
    await bench.time.advance(30 * second);
    for (const name of many(3)) expect(bench.timesOf(name)).toHaveLength(3);
    bench.fleet.setHosts(hosts, bench.settings);
    await bench.time.advance(day);
    for (const name of many(3)) expect(bench.timesOf(name)).toHaveLength(3);
    expect(bench.status('web-0').nextProbeMs).toBeNull();
  });
});

describe('one probe a host at a time', () => {
  test('whoever asks while it is probed joins: nothing is queued', async () => {
    start(['web-1']);
    await settle();
    const asked = [bench.fleet.probe('web-1'), bench.fleet.probe('web-1', { exposure: true })];
    await bench.time.advance(second);
    expect(bench.begun).toHaveLength(1);
    bench.probeOf('web-1').succeed();
    const answers = await Promise.all(asked);
    expect(answers.map((answer) => answer?.attempt?.failure)).toEqual([null, null]);
    await bench.time.advance(second);
    expect(bench.begun).toHaveLength(1);
  });

  test('the timetable joins too', async () => {
    start(['web-1'], { settings: { timeoutSeconds: 3600 } });
    await bench.time.advance(3 * period);
    expect(bench.begun).toHaveLength(1);
  });

  test('who asks for a host that waits for its turn brings it to the front', async () => {
    start(many(5), { settings: { concurrency: 1 } });
    await settle();
    const asked = bench.fleet.probe('web-4');
    bench.probeOf('web-0').succeed();
    await settle();
    expect(bench.underWay.map(({ host }) => host.name)).toEqual(['web-4']);
    bench.probeOf('web-4').succeed();
    expect((await asked)?.attempt).not.toBeNull();
  });

  test('who asks gets a failure as an answer, not as an error', async () => {
    start(['web-1']);
    await settle();
    const asked = bench.fleet.probe('web-1');
    bench.probeOf('web-1').fail(fails('auth'));
    expect((await asked)?.attempt?.failure).toEqual({ reason: 'auth', message: 'no: auth' });
  });

  test('a host that is not of the inventory is never probed', () => {
    start(['web-1']);
    expect(bench.fleet.probe('web-2')).toBeNull();
  });
});

describe('the bounds', () => {
  test('no more probes are under way than the concurrency says', async () => {
    start(many(100), { settings: { concurrency: 7 } });
    for (let turn = 0; turn < 100; turn++) {
      await settle();
      expect(bench.fleet.probesInFlight).toBe(bench.underWay.length);
      bench.underWay[0]?.succeed();
    }
    expect(bench.peak).toBe(7);
    expect(new Set(bench.begun.map(({ name }) => name)).size).toBe(100);
  });

  test('a probe ends at its deadline, with the reason timeout', async () => {
    start(['web-1']);
    await bench.time.advance(9.9 * second);
    expect(bench.status('web-1').attempt).toBeNull();
    await bench.time.advance(0.2 * second);
    expect(bench.status('web-1')).toMatchObject({
      attempt: { durationSeconds: 10, failure: { reason: 'timeout', message: 'not done after 10 s' } },
      failures: { timeout: 1 },
    });
  });

  test('the deadline is for a probe and its second part together', async () => {
    start(['web-1']);
    await settle();
    bench.probeOf('web-1').succeed({}, 'a');
    await toNextProbe('web-1');
    expect(bench.begun).toHaveLength(2);
    await bench.time.advance(6 * second);
    bench.probeOf('web-1').succeed({}, 'b');
    await bench.time.advance(3.9 * second);
    expect(bench.begun).toHaveLength(3);
    expect(bench.status('web-1').failures).toEqual({});
    await bench.time.advance(0.2 * second);
    expect(bench.status('web-1').failures).toEqual({ timeout: 1 });
  });

  test('hosts that time out never delay those that answer', async () => {
    const dead = Array.from({ length: 60 }, (_, at) => `dead-${at}`);
    const alive = many(60);
    start([...dead, ...alive], {
      settings: { concurrency: 8 },
      answer: (asked) => asked.host.name.startsWith('web-') && asked.succeed(),
    });
    // The first round is another matter: nothing is known of any host then.
    await bench.time.advance(2 * period);
    bench.waits.length = 0;
    const before = alive.map((name) => bench.timesOf(name).length);
    await bench.time.advance(6 * period);
    alive.forEach((name, at) => {
      const times = bench.timesOf(name).slice(before[at]);
      expect(times).toHaveLength(6);
      for (const gap of gaps(times)) expect(gap).toBeCloseTo(300, 3);
    });
    // The others went on being tried.
    expect(Math.min(...dead.map((name) => bench.timesOf(name).length))).toBeGreaterThan(3);
  });
});

describe('stop', () => {
  test('lets what is in flight end, plans nothing more and leaves no timer', async () => {
    start(many(3));
    await settle();
    let isStopped = false;
    const stopped = bench.fleet.stop(15 * second).then(() => (isStopped = true));
    await bench.time.advance(second);
    expect(isStopped).toBe(false);
    for (const asked of [...bench.underWay]) asked.succeed();
    await stopped;
    expect(bench.fleet.statuses().every(({ attempt }) => attempt?.failure === null)).toBe(true);
    expect(bench.time.pending).toBe(0);
    await bench.time.advance(3 * period);
    expect(bench.begun).toHaveLength(3);
  });

  test('breaks off at its bound what does not end, without counting it as a failure', async () => {
    start(many(3), { settings: { timeoutSeconds: 60 } });
    await settle();
    const signals = bench.underWay.map(({ signal }) => signal);
    const stopped = bench.fleet.stop(5 * second);
    await bench.time.advance(4.9 * second);
    expect(signals.some(({ aborted }) => aborted)).toBe(false);
    await bench.time.advance(0.2 * second);
    expect(signals.every(({ aborted }) => aborted)).toBe(true);
    await stopped;
    expect(bench.fleet.statuses().map(({ failures }) => failures)).toEqual([{}, {}, {}]);
    expect(bench.time.pending).toBe(0);
  });

  test('does not begin what waits for its turn', async () => {
    start(many(50), { settings: { concurrency: 2 } });
    await settle();
    const stopped = bench.fleet.stop(5 * second);
    await bench.time.advance(6 * second);
    await stopped;
    expect(bench.begun).toHaveLength(2);
    expect([bench.fleet.probesInFlight, bench.fleet.probesQueued]).toEqual([0, 0]);
  });

  test('ends also when a probe does not', async () => {
    start(['web-1'], { ignoresAbort: true });
    await settle();
    let isStopped = false;
    void bench.fleet.stop(5 * second).then(() => (isStopped = true));
    await bench.time.advance(8 * second);
    expect(isStopped).toBe(true);
  });

  test('answers who asks afterwards with what is known, without a probe', async () => {
    startWell(['web-1']);
    await settle();
    await bench.fleet.stop(0);
    expect((await bench.fleet.probe('web-1'))?.known).not.toBeNull();
    bench.fleet.noteDrop('web-1');
    await bench.time.advance(period);
    expect(bench.begun).toHaveLength(1);
  });
});
