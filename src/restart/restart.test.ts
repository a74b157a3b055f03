import fc from 'fast-check';
import { bootedAt, bootId, day, factsOf, now, otherBootId, sectionsOf, type Said } from '../../test/fixture/said';
import type { Evidence } from '../signal/signal';
import { assessRestart, type RestartMemory, type RestartState } from './restart';

interface Assessed {
  readonly state: RestartState;
  readonly memory: RestartMemory;
}

function assess(said: Said, remembered: RestartMemory | null = null): Assessed {
  return assessRestart(factsOf(said), sectionsOf(said), remembered);
}

/** Probes a host again and again, each time with what was remembered of the last; answers every state. */
function sequence(...probes: readonly Said[]): RestartState[] {
  let memory: RestartMemory | null = null;
  return probes.map((said) => {
    const assessed = assess(said, memory);
    // What is remembered goes through the state file, as JSON.
    memory = JSON.parse(JSON.stringify(assessed.memory)) as RestartMemory;
    return assessed.state;
  });
}

function age(state: RestartState): number {
  return (state.boot.nowSeconds ?? NaN) - (state.sinceSeconds ?? NaN);
}

const hour = 3600;
const flagged: Said = { flag: { born: now - day, modified: now - hour }, list: null };
const plainDebian: Said = {
  packages: { 'linux-image-6.1.0-27-amd64': '6.1.115-1', libc6: '2.36', 'linux-base': '4.9' },
};

/** A later probe of the same boot. */
function later(said: Said, seconds: number): Said {
  return { ...said, now: now + seconds };
}

/** The same moment on a clock that was stepped: the boot moves with it, files keep the times that they have. */
function stepped(said: Said, seconds: number): Said {
  return {
    ...said,
    now: Number(said.now ?? now) + seconds,
    bootedAt: bootedAt + seconds,
    uptime: Number(said.now ?? now) - bootedAt,
  };
}

describe('the verdict', () => {
  test('is required if any signal says so, and names each that does', () => {
    const { state } = assess({ ...flagged, unpacked: { libc6: now - 60 } });
    expect(state.verdict).toBe('required');
    expect(state.reasons).toEqual(['flag', 'library']);
  });

  test('is not required if one that can be trusted says no and none says yes', () => {
    const { state } = assess({});
    expect(state).toMatchObject({
      verdict: 'not_required',
      sinceSeconds: null,
      evidence: null,
      reasons: [],
      packages: [],
    });
  });

  test('is unknown where no signal can tell: plain Debian whose kernel can not be compared', () => {
    expect(assess({ ...plainDebian, release: '6.1.50' }).state.verdict).toBe('unknown');
  });

  test('on plain Debian, the absent flag proves nothing, but the kernel does', () => {
    const { state } = assess(plainDebian);
    expect(state.verdict).toBe('not_required');
    expect(state.findings.find(({ signal }) => signal === 'flag')?.finding.says).toBe('silent');
  });

  test('with livepatch, the absent flag proves nothing: a newer kernel says yes all the same', () => {
    const livepatch: Said = {
      flagLines: ['livepatch=snap/canonical-livepatch'],
      packages: {
        'linux-image-6.1.0-27-amd64': '1',
        'linux-image-6.1.0-28-amd64': '1',
        'update-notifier-common': '3',
      },
    };
    expect(assess(livepatch).state.reasons).toEqual(['kernel']);
  });

  test('is unknown when everything was missing, denied or failed: never no, never yes', () => {
    const failed = Object.fromEntries(
      ['flag', 'dpkg', 'boot', 'kernel', 'machine', 'os', 'patching'].map((name) => [
        name,
        { name, status: 127, body: Buffer.alloc(0) },
      ]),
    );
    expect(assess({ sections: failed }).state.verdict).toBe('unknown');
    const unsent = Object.fromEntries(Object.keys(failed).map((name) => [name, null]));
    expect(assess({ sections: unsent }).state.verdict).toBe('unknown');
  });

  test('is not "no" when dpkg fails while the flag is absent: nothing is left that could tell', () => {
    expect(assess({ packages: null }).state.verdict).toBe('unknown');
  });

  test('lists the packages of all signals, each once, sorted', () => {
    const { state } = assess({
      ...flagged,
      listText: 'linux-image-6.1.0-28-amd64\nlinux-base\nlinux-image-6.1.0-28-amd64\n',
      packages: { 'linux-image-6.1.0-27-amd64': '1', 'linux-image-6.1.0-28-amd64': '1', libc6: '2' },
      unpacked: { libc6: now - 60, 'linux-image-6.1.0-28-amd64': now - 60 },
    });
    expect(state.packages).toEqual(['libc6', 'linux-base', 'linux-image-6.1.0-28-amd64']);
  });

  test('of a container leaves its host’s kernel out', () => {
    const packages = { 'linux-image-6.1.0-28-amd64': '1', libc6: '2' };
    const container: Said = { container: 'lxc', initStart: day, packages };
    expect(assess(container).state.verdict).toBe('not_required');
    expect(assess({ ...container, unpacked: { libc6: now - hour } }).state.reasons).toEqual(['library']);
  });
});

describe('since when', () => {
  test.each<[string, Said, number, Evidence]>([
    ['the birth of the flag, rewritten since', flagged, now - day, 'birth'],
    [
      'the birth of .pkgs, if earlier',
      { ...flagged, list: { born: now - day - 60, modified: now } },
      now - day - 60,
      'birth',
    ],
    [
      'when a named package was unpacked, without a birth time',
      { flag: { modified: now - hour }, listText: 'dbus\n', unpacked: { dbus: now - 2 * hour } },
      now - 2 * hour,
      'package',
    ],
    [
      'when a package was unpacked, if earlier than the birth',
      { ...flagged, listText: 'dbus\n', unpacked: { dbus: now - day - 30 } },
      now - day - 30,
      'package',
    ],
    [
      'the modification time, where there is nothing better',
      { flag: { modified: now - hour } },
      now - hour,
      'modified',
    ],
    [
      'not the modification time, where a package tells',
      { flag: { modified: now - 3 * hour }, listText: 'dbus', unpacked: { dbus: now - hour } },
      now - hour,
      'package',
    ],
    ['the first sight, without any time', { flag: {} }, now, 'first_seen'],
    [
      'not a package that was unpacked before the boot',
      { flag: { modified: now - hour }, listText: 'dbus', unpacked: { dbus: bootedAt - day } },
      now - hour,
      'modified',
    ],
    [
      'not the birth of a flag that lived through the restart',
      { flag: { born: bootedAt - day, modified: now - hour } },
      now - hour,
      'modified',
    ],
    ['not a time in the future', { flag: { born: now + day, modified: now + day } }, now, 'first_seen'],
    [
      'the boot, for a time a little before it',
      { flag: { born: bootedAt - 3, modified: bootedAt } },
      bootedAt,
      'birth',
    ],
    ['now, for a time a little after it', { flag: { born: now + 3, modified: now + 3 } }, now, 'first_seen'],
    [
      'the boot, for a kernel that was there before and did not come up',
      {
        packages: { 'linux-image-6.1.0-27-amd64': '1', 'linux-image-6.1.0-28-amd64': '1' },
        unpacked: { 'linux-image-6.1.0-28-amd64': bootedAt - day },
      },
      bootedAt,
      'package',
    ],
  ])('is %s', (_name, said, sinceSeconds, evidence) => {
    expect(assess({ now, ...said }).state).toMatchObject({ verdict: 'required', sinceSeconds, evidence });
  });

  test('is never before the boot, never in the future, whatever the files say', () => {
    const time = fc.oneof(
      fc.integer({ min: 0, max: 4_000_000_000 }),
      fc.integer({ min: bootedAt - 20, max: now + 20 }),
    );
    fc.assert(
      fc.property(
        fc.array(time, { minLength: 6, maxLength: 6 }),
        ([born, modified, listBorn, listModified, dbus, libc6]) => {
          const { state } = assess({
            now,
            flag: { born: born ?? 0, modified: modified ?? 0 },
            list: { born: listBorn ?? 0, modified: listModified ?? 0 },
            listText: 'dbus\nlibc6\n',
            unpacked: { dbus: dbus ?? 0, libc6: libc6 ?? 0 },
          });
          if (state.verdict !== 'required') return;
          expect(state.sinceSeconds).toBeGreaterThanOrEqual(bootedAt);
          expect(state.sinceSeconds).toBeLessThanOrEqual(now);
        },
      ),
    );
  });

  test('is unknown for a host without any clock', () => {
    const { state } = assess({ flag: {}, now: null, bootedAt: null, uptime: null });
    expect(state).toMatchObject({ verdict: 'required', sinceSeconds: null, evidence: null });
  });
});

describe('from probe to probe', () => {
  test('the first sight is remembered: the age grows', () => {
    const states = sequence({ flag: {}, now }, later({ flag: {} }, 300), later({ flag: {} }, 600));
    expect(states.map(age)).toEqual([0, 300, 600]);
    expect(states.map(({ evidence }) => evidence)).toEqual(['first_seen', 'first_seen', 'first_seen']);
  });

  test('a flag that is rewritten between probes, without a birth time, keeps its first age', () => {
    const rewritten = { flag: { modified: now + 290 } };
    const states = sequence({ flag: { modified: now - hour }, now }, later(rewritten, 300));
    expect(states.map(age)).toEqual([hour, hour + 300]);
  });

  test('a flag that is replaced by another inode keeps its first age', () => {
    const states = sequence({ ...flagged, now }, later({ flag: { born: now + 250, modified: now + 250 } }, 300));
    expect(states.map(age)).toEqual([day, day + 300]);
    expect(states[1]?.evidence).toBe('birth');
  });

  test('a package list that grows changes no age', () => {
    const states = sequence(
      { ...flagged, listText: 'dbus', now },
      later({ ...flagged, listText: 'dbus\nlibc6\n' }, 300),
    );
    expect(states.map(({ packages }) => packages)).toEqual([['dbus'], ['dbus', 'libc6']]);
    expect(states.map(age)).toEqual([day, day + 300]);
  });

  test('a need that ends and comes back begins anew', () => {
    const states = sequence({ flag: {}, now }, later({}, 300), later({ flag: {} }, 600));
    expect(states.map(({ verdict }) => verdict)).toEqual(['required', 'not_required', 'required']);
    expect(age(states[2] as RestartState)).toBe(0);
  });

  test('what can not be told for a while does not end the count', () => {
    const states = sequence({ flag: {}, now }, later({ packages: null, flagStatus: 1 }, 300), later({ flag: {} }, 600));
    expect(states.map(({ verdict }) => verdict)).toEqual(['required', 'unknown', 'required']);
    expect(states[1]).toMatchObject({ sinceSeconds: null, evidence: null });
    expect(age(states[2] as RestartState)).toBe(600);
  });

  test('a restart that helps ends it, and is not held against the next need', () => {
    const restarted: Said = { bootId: otherBootId, bootedAt: now + 60, now: now + 120 };
    const flaggedAgain = { ...restarted, now: now + day, flag: { born: now + day - 60, modified: now + day - 60 } };
    const states = sequence({ ...flagged, now }, restarted, flaggedAgain);
    expect(states.map(({ verdict }) => verdict)).toEqual(['required', 'not_required', 'required']);
    expect(states.map(({ survivedRestart }) => survivedRestart)).toEqual([false, false, false]);
    expect(age(states[2] as RestartState)).toBe(60);
  });

  test('a restart that does not help is told, until the next', () => {
    const oldKernel: Said = {
      packages: { 'linux-image-6.1.0-27-amd64': '1', 'linux-image-6.1.0-28-amd64': '1' },
      unpacked: { 'linux-image-6.1.0-28-amd64': now - hour },
    };
    const restarted: Said = { ...oldKernel, bootId: otherBootId, bootedAt: now + 60, now: now + 120 };
    const states = sequence({ ...oldKernel, now }, restarted, { ...restarted, now: now + day });
    expect(states.map(({ survivedRestart }) => survivedRestart)).toEqual([false, true, true]);
    expect(states.map(({ sinceSeconds }) => sinceSeconds)).toEqual([now - hour, now + 60, now + 60]);
  });

  test('a need that arose long after the restart is not one that outlived it', () => {
    const rebooted: Said = { bootId: otherBootId, bootedAt: now + 60, now: now + 9 * day };
    const states = sequence(
      { ...flagged, now },
      { ...rebooted, flag: { born: now + 8 * day, modified: now + 8 * day } },
    );
    expect(states[1]).toMatchObject({ verdict: 'required', survivedRestart: false, sinceSeconds: now + 8 * day });
  });

  test('a host without a boot id is known again by the time of its boot', () => {
    const states = sequence(
      { flag: {}, bootId: null, now },
      { flag: {}, bootId: null, now: now + 302, bootedAt: bootedAt + 2 },
    );
    expect(age(states[1] as RestartState)).toBeCloseTo(300, 0);
  });

  test('a container that was restarted in the same boot of its host begins anew', () => {
    const packages = { libc6: '2' };
    const container: Said = { container: 'lxc', packages, unpacked: { libc6: now - hour }, initStart: day };
    const restarted: Said = { ...container, initStart: now + 60 - bootedAt, now: now + 120 };
    const states = sequence({ ...container, now }, restarted);
    expect(states.map(({ verdict }) => verdict)).toEqual(['required', 'not_required']);
    expect(states.map(({ boot }) => boot.id)).toEqual([`${bootId}/86400`, `${bootId}/${now + 60 - bootedAt}`]);
  });
});

describe('a clock that is stepped within a boot', () => {
  const steps = [2, 4, 30, 3600, 10 * 365 * day, -2, -4, -30, -3600, -10 * 365 * day];

  test.each(steps)('by %d s: the age does not go back, and grows by no more than the step', (step) => {
    for (const said of [{ flag: {} }, flagged, { flag: { modified: now - hour } }]) {
      const [before, after, afterwards] = sequence(
        { ...said, now },
        stepped(later(said, 60), step),
        stepped(later(said, 120), step),
      ).map((state) => ({ verdict: state.verdict, age: age(state), since: state.sinceSeconds ?? 0 }));
      expect([before?.verdict, after?.verdict, afterwards?.verdict]).toEqual(['required', 'required', 'required']);
      const first = before?.age ?? NaN;
      // Times of files stay on the old clock: a clock that is set forward a little makes them look older than they are.
      const most = Math.abs(step) < 2 * day ? Math.max(0, step) : 0;
      expect(after?.age).toBeGreaterThanOrEqual(first + 60);
      expect(after?.age).toBeLessThanOrEqual(first + 60 + most);
      expect(afterwards?.age).toBe((after?.age ?? NaN) + 60);
    }
  });

  test('back by years in the middle of a probe, after which the boot is later than now: the age goes on', () => {
    const years = -50 * 365 * day;
    // The clock is read first, and the time of the boot a moment later.
    const torn: Said = { ...later(flagged, hour), now: now + hour + years, uptime: now + hour - bootedAt };
    const [before, between, after] = sequence(flagged, torn, stepped(later(flagged, 2 * hour), years));
    expect(before && age(before)).toBeCloseTo(day, 0);
    expect(between && age(between)).toBeCloseTo(day + hour, 0);
    expect(after && age(after)).toBeCloseTo(day + 2 * hour, 0);
  });

  test('by years, forward: the flag is not taken for one of an earlier boot', () => {
    const states = sequence({ ...flagged, now }, stepped(later(flagged, 60), 10 * 365 * day));
    expect(states.map(({ verdict }) => verdict)).toEqual(['required', 'required']);
    expect(states[1]?.evidence).toBe('birth');
  });

  test('by years, forward and back again: the age goes on', () => {
    const years = 10 * 365 * day;
    const states = sequence({ ...flagged, now }, stepped(later(flagged, 60), years), later(flagged, 120));
    expect(states.map(age)).toEqual([day, day + 60, day + 120]);
  });

  test('while nothing can be told: the count goes on from where it was', () => {
    const unreadable: Said = { packages: null, flagStatus: 1 };
    const states = sequence(
      { flag: {}, now },
      stepped(later(unreadable, 60), -hour),
      stepped(later({ flag: {} }, 120), -hour),
    );
    expect(age(states[2] as RestartState)).toBe(120);
  });

  test('by a second, as rounding does: nothing moves', () => {
    const states = sequence({ flag: {}, now }, { flag: {}, now: now + 60, bootedAt: bootedAt + 1 });
    expect(states.map(({ sinceSeconds }) => sinceSeconds)).toEqual([now, now]);
  });

  test('on a host that needs nothing: still nothing', () => {
    for (const unpacked of [{ libc6: bootedAt - 60 }, { libc6: bootedAt - day }]) {
      for (const step of steps) {
        const states = sequence({ now, unpacked }, stepped(later({ unpacked }, 60), step), later({ unpacked }, 120));
        expect(states.map(({ verdict }) => verdict)).toEqual(['not_required', 'not_required', 'not_required']);
      }
    }
  });
});
