import { FakeFleet, hostOf, notExposed, type FakeFleetOptions } from '../../test/fixture/fake-fleet';
import { settle } from '../../test/fixture/fake-time';
import { bootedAt, now, otherBootId, type Said } from '../../test/fixture/said';
import { ProbeFailure, type FailureReason } from '../failure';
import type { Logger, LogFields } from '../logging/logger';
import { createVolatileMemory, type Memory } from '../memory/memory-file';
import { createTimetable } from '../schedule/timetable';
import { ageSeconds } from './status';

const second = 1000;
const minute = 60 * second;
const period = 5 * minute;
const day = 24 * 60 * minute;

let bench: FakeFleet;
afterEach(async () => {
  const stopped = bench.fleet.stop(0);
  await bench.time.advance(minute);
  await stopped;
});

function start(names: readonly string[], options: FakeFleetOptions = {}): FakeFleet {
  bench = new FakeFleet(options);
  bench.fleet.setHosts(names.map((name) => hostOf(name)));
  bench.fleet.start();
  return bench;
}

/** A fleet whose probes succeed at once. */
function startWell(names: readonly string[], options: FakeFleetOptions = {}): FakeFleet {
  return start(names, { answer: (asked) => asked.succeed(), ...options });
}

/** Lets the time pass until the next scheduled probe of a host begins. */
async function toNextProbe(name: string): Promise<void> {
  await settle();
  const nextMs = bench.status(name).nextProbeMs;
  if (nextMs === null) throw new Error('no probe is planned');
  await bench.time.advance(Math.ceil(nextMs - bench.time.nowMs()) + 1);
}

function many(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `web-${at}`);
}

function fails(reason: FailureReason): ProbeFailure {
  return new ProbeFailure(reason, `no: ${reason}`);
}

function gaps(times: readonly number[]): number[] {
  return times.slice(1).map((time, at) => time - (times[at] ?? NaN));
}

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
    expect(String(lines[0]?.fields['stack'])).toContain('fleet.test.ts');
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

  test('is read at first, and then at its own interval', async () => {
    startWell(['web-1'], { settings: { exposureIntervalSeconds: 1200 } });
    await bench.time.advance(9 * period);
    const times = bench.begun.filter(({ wish }) => wish.exposure).map(({ atSeconds }) => atSeconds);
    expect(times.length).toBe(3);
    expect(Math.min(...gaps(times))).toBeGreaterThanOrEqual(1200);
    expect(bench.status('web-1').known?.exposure).toBe(notExposed);
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
    expect(bench.status('web-1').known?.exposure).toBe(notExposed);
  });

  test('that is declared is never read, and evaluated from the declaration', async () => {
    const modes: string[] = [];
    bench = new FakeFleet({
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
    bench = new FakeFleet({ answer: (asked) => asked.succeed() });
    const { ssh } = hostOf('x');
    bench.fleet.setHosts([hostOf('web-1'), hostOf('web-2', { ssh: { ...ssh, sudo: 'never' } })]);
    bench.fleet.start();
    await settle();
    expect(bench.begun.map(({ wish }) => wish.sudo)).toEqual([true, false]);
  });
});

describe('the inventory', () => {
  test('a host that leaves disappears whole, and its probe is broken off', async () => {
    start(['web-1', 'web-2']);
    await settle();
    const { signal } = bench.probeOf('web-1');
    bench.fleet.setHosts([hostOf('web-2')]);
    expect(signal.aborted).toBe(true);
    expect(bench.fleet.status('web-1')).toBeNull();
    expect(bench.told.at(-1)).toEqual({ name: 'web-1', status: null });
    await bench.time.advance(3 * period);
    expect(bench.told.filter(({ name, status }) => name === 'web-1' && status === null)).toHaveLength(1);
    expect(bench.told.at(-1)?.name).toBe('web-2');
    expect(bench.timesOf('web-1')).toHaveLength(1);
  });

  test('the answer of a host that has left is not told', async () => {
    start(['web-1'], { ignoresAbort: true });
    await settle();
    const asked = bench.probeOf('web-1');
    bench.fleet.setHosts([]);
    const told = bench.told.length;
    asked.succeed();
    await settle();
    expect(bench.told).toHaveLength(told);
    expect(bench.fleet.statuses()).toEqual([]);
  });

  test('a host that leaves while it waits for its turn is not probed any more', async () => {
    start(many(3), { settings: { concurrency: 1 } });
    await settle();
    bench.fleet.setHosts([hostOf('web-0')]);
    bench.probeOf('web-0').succeed();
    await bench.time.advance(second);
    expect(bench.begun.map(({ name }) => name)).toEqual(['web-0']);
    expect(bench.fleet.probesQueued).toBe(0);
  });

  test('a host that comes is probed at once', async () => {
    startWell(['web-1']);
    await bench.time.advance(second);
    bench.fleet.setHosts([hostOf('web-1'), hostOf('web-2')]);
    await settle();
    expect(bench.begun.map(({ name, atSeconds }) => [name, atSeconds])).toEqual([
      ['web-1', 0],
      ['web-2', 1],
    ]);
  });

  test('an unchanged host is left alone', async () => {
    startWell(['web-1']);
    await bench.time.advance(second);
    const before = bench.status('web-1');
    bench.fleet.setHosts([hostOf('web-1')]);
    await settle();
    expect(bench.status('web-1')).toBe(before);
    expect(bench.begun).toHaveLength(1);
  });

  test('a host whose settings change while it is probed is probed anew, by the new ones', async () => {
    start(['web-1']);
    await settle();
    const old = bench.probeOf('web-1');
    bench.fleet.setHosts([hostOf('web-1', { address: '192.0.2.9' })]);
    await settle();
    expect(old.signal.aborted).toBe(true);
    expect(bench.underWay.map(({ host }) => host.address)).toEqual(['192.0.2.9']);
    bench.probeOf('web-1').succeed();
    await settle();
    expect(bench.status('web-1')).toMatchObject({
      host: { address: '192.0.2.9' },
      failures: {},
      attempt: { failure: null },
    });
  });

  test('even then there is one probe of a host at a time', async () => {
    start(['web-1'], { ignoresAbort: true });
    await settle();
    const old = bench.probeOf('web-1');
    bench.fleet.setHosts([hostOf('web-1', { address: '192.0.2.8' })]);
    bench.fleet.setHosts([]);
    bench.fleet.setHosts([hostOf('web-1', { address: '192.0.2.9' })]);
    await bench.time.advance(second);
    expect(bench.underWay.map(({ host }) => host.address)).toEqual(['192.0.2.1']);
    old.succeed();
    await settle();
    expect(bench.underWay.map(({ host }) => host.address)).toEqual(['192.0.2.9']);
    expect(bench.peak).toBe(1);
  });

  test('a probe that only waited for its turn when the settings changed holds up nothing', async () => {
    start(['web-0', 'web-1'], { settings: { concurrency: 1 } });
    await settle();
    bench.fleet.setHosts([hostOf('web-0'), hostOf('web-1', { address: '192.0.2.9' })]);
    void bench.fleet.probe('web-1');
    bench.probeOf('web-0').succeed();
    await settle();
    expect(bench.underWay.map(({ host }) => host.address)).toEqual(['192.0.2.9']);
  });

  test('a host whose settings change keeps what is known of it', async () => {
    startWell(['web-1']);
    await settle();
    const { known } = bench.status('web-1');
    bench.fleet.setHosts([hostOf('web-1', { stack: 'shop' })]);
    expect(bench.told.at(-1)?.status).toMatchObject({ known, host: { stack: 'shop' } });
  });

  test('a host that is known but was never in a running fleet waits for the start', async () => {
    bench = new FakeFleet();
    bench.fleet.setHosts([hostOf('web-1')]);
    await bench.time.advance(period);
    expect(bench.begun).toEqual([]);
    expect(bench.told).toHaveLength(1);
    const asked = bench.fleet.probe('web-1');
    await settle();
    bench.probeOf('web-1').succeed();
    expect((await asked)?.attempt?.failure).toBeNull();
    await bench.time.advance(period);
    expect(bench.begun).toHaveLength(1);
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
