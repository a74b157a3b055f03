import { bootedAt, bootId, factsOf, now, otherBootId, type Said } from '../../test/fixture/said';
import {
  clockStepSeconds,
  findBootTime,
  isAfterBoot,
  isBeforeBoot,
  isSameBoot,
  type RememberedBoot,
} from './boot-time';

function bootOf(said: Said, remembered: RememberedBoot | null = null): ReturnType<typeof findBootTime> {
  return findBootTime(factsOf(said), remembered);
}

const remembered: RememberedBoot = {
  id: bootId,
  atSeconds: bootedAt,
  earliestAtSeconds: bootedAt,
  latestAtSeconds: bootedAt,
};

describe('findBootTime', () => {
  test('takes the kernel at its word', () => {
    expect(bootOf({})).toEqual({
      id: bootId,
      atSeconds: bootedAt,
      earliestAtSeconds: bootedAt,
      latestAtSeconds: bootedAt,
      nowSeconds: now + 0.25,
    });
  });

  test('works out the boot from the uptime where /proc/stat has none', () => {
    expect(bootOf({ bootedAt: null, uptime: 1000.5 }).atSeconds).toBe(now + 0.25 - 1000.5);
  });

  test('works out the clock from boot and uptime where date fails', () => {
    expect(bootOf({ now: null, uptime: 1000.5 }).nowSeconds).toBe(bootedAt + 1000.5);
  });

  test('knows nothing where nothing was said: unknown, not 0', () => {
    expect(bootOf({ now: null, bootedAt: null, uptime: null, bootId: null })).toEqual({
      id: null,
      atSeconds: null,
      earliestAtSeconds: null,
      latestAtSeconds: null,
      nowSeconds: null,
    });
  });

  test('makes a clock of whole seconds run evenly by the uptime', () => {
    const early = bootOf({ now: `${now}`, uptime: now - bootedAt - 0.9 }).nowSeconds ?? 0;
    const late = bootOf({ now: `${now}`, uptime: now - bootedAt + 0.09 }).nowSeconds ?? 0;
    expect(late - early).toBeCloseTo(0.99, 5);
  });

  test('leaves out an uptime that does not fit, as of a container that has one of its own', () => {
    expect(bootOf({ now: `${now}`, uptime: 120.5, container: 'lxc' }).nowSeconds).toBe(now);
  });

  describe('of a container', () => {
    test('is when its process 1 started', () => {
      expect(bootOf({ container: 'lxc', initStart: 86_400.5 })).toEqual({
        id: `${bootId}/86400.5`,
        atSeconds: bootedAt + 86_400.5,
        earliestAtSeconds: bootedAt + 86_400.5,
        latestAtSeconds: bootedAt + 86_400.5,
        nowSeconds: now + 0.25,
      });
    });

    test('is another after a restart of the container in the same boot of its host', () => {
      const before = bootOf({ container: 'lxc', initStart: 100 });
      const after = bootOf({ container: 'lxc', initStart: 200 });
      expect(isSameBoot(before, after)).toBe(false);
    });

    test('is unknown, not the host boot, where process 1 is hidden; its identity is the host boot then', () => {
      expect(bootOf({ container: 'docker', initStart: null })).toMatchObject({ id: bootId, atSeconds: null });
    });
  });

  describe('with a memory of the boot', () => {
    test('keeps the earliest and the latest time that the boot ever had', () => {
      const stepped = bootOf({ now: now + 1000, bootedAt: bootedAt + 1000 }, remembered);
      expect(stepped).toMatchObject({
        atSeconds: bootedAt + 1000,
        earliestAtSeconds: bootedAt,
        latestAtSeconds: bootedAt + 1000,
      });
      const steppedBack = bootOf({ now: now - 1000, bootedAt: bootedAt - 1000 }, remembered);
      expect(steppedBack).toMatchObject({
        atSeconds: bootedAt - 1000,
        earliestAtSeconds: bootedAt - 1000,
        latestAtSeconds: bootedAt,
      });
    });

    test('begins anew with another boot', () => {
      expect(bootOf({ bootId: otherBootId, bootedAt: bootedAt + 1000 }, remembered).earliestAtSeconds).toBe(
        bootedAt + 1000,
      );
    });
  });
});

describe('isSameBoot', () => {
  const base = { id: bootId, atSeconds: bootedAt };

  test('goes by the id alone where both have one, whatever the clock did', () => {
    expect(isSameBoot(base, { id: bootId, atSeconds: 0 })).toBe(true);
    expect(isSameBoot(base, { id: otherBootId, atSeconds: bootedAt })).toBe(false);
  });

  test('goes by the time within a minute where an id is missing', () => {
    expect(isSameBoot({ ...base, id: null }, { ...base, atSeconds: bootedAt + 60 })).toBe(true);
    expect(isSameBoot({ ...base, id: null }, { ...base, atSeconds: bootedAt + 61 })).toBe(false);
  });

  test('is not to be said where neither is known', () => {
    expect(isSameBoot({ id: null, atSeconds: null }, { id: null, atSeconds: null })).toBe(false);
  });
});

describe('isBeforeBoot', () => {
  test('has a slack of 5 seconds', () => {
    expect(isBeforeBoot(bootedAt - 5, remembered)).toBe(false);
    expect(isBeforeBoot(bootedAt - 6, remembered)).toBe(true);
  });

  test('rules nothing out where the boot is unknown', () => {
    expect(isBeforeBoot(1, { earliestAtSeconds: null })).toBe(false);
  });
});

describe('isAfterBoot', () => {
  const boot = bootOf({});
  const setBack = bootOf({ now: now - 3600, bootedAt: bootedAt - 3600 }, remembered);

  test('has a slack of 5 seconds', () => {
    expect(isAfterBoot(bootedAt + 5, boot)).toBe(false);
    expect(isAfterBoot(bootedAt + 6, boot)).toBe(true);
  });

  test('is uncertain for times from before the clock was set back', () => {
    expect(isAfterBoot(bootedAt - 3600, setBack)).toBe(false);
    expect(isAfterBoot(bootedAt - 60, setBack)).toBeNull();
    expect(isAfterBoot(bootedAt + 60, setBack)).toBe(true);
  });

  test('is uncertain for times in the future, and where the boot is unknown', () => {
    expect(isAfterBoot(now + 60, boot)).toBeNull();
    expect(isAfterBoot(now, bootOf({ bootedAt: null, uptime: null }))).toBeNull();
  });
});

describe('clockStepSeconds', () => {
  test.each([
    [0, 0],
    [1, 0],
    [-1, 0],
    [2, 2],
    [-3, -3],
    [3600, 3600],
    [-315_360_000, -315_360_000],
  ])('a boot that moved by %d s shows a step of %d s', (moved, step) => {
    expect(clockStepSeconds({ atSeconds: bootedAt }, { atSeconds: bootedAt + moved })).toBe(step);
  });

  test('is none that is known where a boot time is missing', () => {
    expect(clockStepSeconds({ atSeconds: null }, { atSeconds: bootedAt })).toBe(0);
  });
});
