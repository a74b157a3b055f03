import { hostOf, reportOf } from '../../test/fixture/fake-fleet';
import { factsOf, now, otherBootId, sectionsOf, type Said } from '../../test/fixture/said';
import { failureReasons, type FailureReason } from '../failure';
import { assessRestart } from '../restart/restart';
import { withOutlook } from './known';
import {
  afterDrop,
  afterFailure,
  afterSuccess,
  ageSeconds,
  freshKnown,
  newStatus,
  refusingForMs,
  restartingForMs,
  type HostStatus,
  type Known,
} from './status';

function knownOf(said: Said, atMonotonicMs = 0, hostClockOffsetSeconds: number | null = now): Known {
  const { state } = assessRestart(factsOf(said), sectionsOf(said), null);
  const { facts } = reportOf(said);
  return withOutlook({
    atMs: now * 1000,
    atMonotonicMs,
    restart: state,
    facts,
    hostClockOffsetSeconds,
    exposure: null,
  });
}

function success(status: HostStatus, known: Known): HostStatus {
  return afterSuccess(status, { atMs: 0, durationSeconds: 1, failure: null }, known);
}

function failure(status: HostStatus, reason: FailureReason, monotonicMs = 0): HostStatus {
  return afterFailure(status, { atMs: 0, durationSeconds: 1, failure: { reason, message: 'x' } }, monotonicMs);
}

const fresh = newStatus(hostOf('web-1'));
const well = success(fresh, knownOf({}));

describe('ageSeconds', () => {
  const flagged: Said = { flag: { modified: now - 60 }, now };

  test('grows at every moment, not only at every probe', () => {
    const known = knownOf(flagged);
    expect([0, 500, 1000, 3_600_000].map((ms) => ageSeconds(known, ms))).toEqual([60, 60.5, 61, 3660]);
  });

  test('is 0 where no restart is needed', () => {
    expect(ageSeconds(knownOf({}), 1000)).toBe(0);
  });

  test('is null, not 0, where it can not be told', () => {
    expect(ageSeconds(knownOf({ packages: null }), 1000)).toBeNull();
    expect(ageSeconds(knownOf({ flag: {}, now: null, bootedAt: null, uptime: null }, 0, null), 1000)).toBeNull();
  });

  test('is never below 0', () => {
    expect(ageSeconds(knownOf(flagged, 0, now - 3600), 0)).toBe(0);
  });
});

describe('freshKnown', () => {
  test('holds what is known until it is older than stale_after, and no longer', () => {
    const status = success(fresh, knownOf({}, 1000));
    expect(freshKnown(status, 3_601_000, 3600)).toBe(status.known);
    expect(freshKnown(status, 3_601_001, 3600)).toBeNull();
    expect(freshKnown(fresh, 0, 3600)).toBeNull();
  });

  test('counts from the last success, through any number of failures', () => {
    const failed = failure(failure(success(fresh, knownOf({}, 1000)), 'timeout', 2_000_000), 'timeout', 3_600_000);
    expect(freshKnown(failed, 3_601_000, 3600)).not.toBeNull();
    expect(freshKnown(failed, 3_601_001, 3600)).toBeNull();
  });
});

describe('failures', () => {
  test('are counted by reason, and in a row until the next success', () => {
    const failed = failure(failure(failure(fresh, 'dns'), 'timeout'), 'dns');
    expect(failed).toMatchObject({ failuresInRow: 3, failures: { dns: 2, timeout: 1 }, probes: 3, known: null });
    expect(success(failed, knownOf({}))).toMatchObject({
      failuresInRow: 0,
      failures: { dns: 2, timeout: 1 },
      probes: 4,
    });
  });

  test('leave what is known', () => {
    expect(failure(well, 'timeout').known).toBe(well.known);
  });
});

describe('a restart under way', () => {
  test.each(failureReasons)('is what %s of a host that was well may be', (reason) => {
    const mayBe = reason === 'connect' || reason === 'timeout' || reason === 'protocol';
    expect(failure(well, reason, 5).restartingSinceMonotonicMs).toBe(mayBe ? 5 : null);
  });

  test('is not seen in a host that was never well', () => {
    expect(failure(fresh, 'connect', 5).restartingSinceMonotonicMs).toBeNull();
    expect(afterDrop(fresh, 5).restartingSinceMonotonicMs).toBeNull();
  });

  test('begins when a kept connection is dropped', () => {
    expect(afterDrop(well, 5).restartingSinceMonotonicMs).toBe(5);
    expect(afterDrop(afterDrop(well, 5), 9).restartingSinceMonotonicMs).toBe(5);
    expect(failure(afterDrop(well, 5), 'connect', 9).restartingSinceMonotonicMs).toBe(5);
  });

  test('goes on for some minutes while logins are refused, and does not begin with that', () => {
    const down = failure(well, 'connect', 5);
    expect(failure(down, 'auth', 10).restartingSinceMonotonicMs).toBe(5);
    expect(failure(failure(down, 'auth', 10), 'connect', 15).restartingSinceMonotonicMs).toBe(5);
    expect(failure(down, 'auth', refusingForMs + 5).restartingSinceMonotonicMs).toBeNull();
    expect(failure(well, 'auth', 10).restartingSinceMonotonicMs).toBeNull();
  });

  test('is over with a success, with another reason, and after ten minutes', () => {
    const down = failure(well, 'connect', 5);
    expect(success(down, knownOf({})).restartingSinceMonotonicMs).toBeNull();
    expect(failure(down, 'host_key', 10).restartingSinceMonotonicMs).toBeNull();
    expect(failure(down, 'connect', restartingForMs).restartingSinceMonotonicMs).toBe(5);
    const long = failure(down, 'connect', restartingForMs + 5);
    expect(long.restartingSinceMonotonicMs).toBeNull();
    // And does not begin again while it stays down.
    expect(failure(long, 'connect', restartingForMs + 10).restartingSinceMonotonicMs).toBeNull();
  });

  test('is counted when another boot is seen, and only then', () => {
    const rebooted = success(well, knownOf({ bootId: otherBootId }));
    expect(rebooted.restartsSeen).toBe(1);
    expect(success(rebooted, knownOf({ bootId: otherBootId })).restartsSeen).toBe(1);
    expect(success(well, knownOf({ bootId: null })).restartsSeen).toBe(0);
    expect(well.restartsSeen).toBe(0);
  });
});
