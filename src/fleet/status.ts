import type { FailureReason } from '../failure';
import type { Host } from '../inventory/host';
import type { Known } from './known';

export type { Known } from './known';

/** How the last probe of a host ended. */
export interface Attempt {
  /** Unix time in milliseconds on the exporter's clock, at the probe's end. */
  readonly atMs: number;
  readonly durationSeconds: number;
  /** null: it succeeded. */
  readonly failure: { readonly reason: FailureReason; readonly message: string } | null;
}

/** Everything that is known of one host. Replaced whole at every change, never altered. */
export interface HostStatus {
  readonly host: Host;
  readonly attempt: Attempt | null;
  readonly known: Known | null;
  /** Failed probes in a row. */
  readonly failuresInRow: number;
  /** Failed probes by reason since the exporter began. */
  readonly failures: Readonly<Partial<Record<FailureReason, number>>>;
  /** Probes that succeeded and failed since the exporter began. */
  readonly probes: number;
  /** Restarts seen since the exporter began. */
  readonly restartsSeen: number;
  /** A restart seems to be under way: since when, on the exporter's monotonic clock in milliseconds. */
  readonly restartingSinceMonotonicMs: number | null;
  /** Unix time in milliseconds of the next scheduled probe. */
  readonly nextProbeMs: number | null;
}

export function newStatus(host: Host): HostStatus {
  return {
    host,
    attempt: null,
    known: null,
    failuresInRow: 0,
    failures: {},
    probes: 0,
    restartsSeen: 0,
    restartingSinceMonotonicMs: null,
    nextProbeMs: null,
  };
}

/** For how long an unanswering host that was well before counts as restarting, in milliseconds. */
export const restartingForMs = 10 * 60_000;

/** Reasons with which a host fails while it goes down and comes up again. */
const restartingReasons: ReadonlySet<FailureReason> = new Set(['connect', 'timeout', 'protocol']);

/**
 * A host that comes up answers before it lets anyone but root in: pam_nologin(8), for as long as the boot lasts. So a refused login in
 * the first minutes of a restart belongs to it.
 */
export const refusingForMs = 3 * 60_000;

export function afterFailure(status: HostStatus, attempt: Attempt, monotonicMs: number): HostStatus {
  const reason = attempt.failure?.reason ?? 'internal';
  const begins = status.failuresInRow === 0 && status.known !== null && restartingReasons.has(reason);
  const since = status.restartingSinceMonotonicMs ?? (begins ? monotonicMs : null);
  const forMs = restartingReasons.has(reason) ? restartingForMs : reason === 'auth' ? refusingForMs : 0;
  const still = since !== null && monotonicMs - since < forMs;
  return {
    ...status,
    attempt,
    failuresInRow: status.failuresInRow + 1,
    failures: { ...status.failures, [reason]: (status.failures[reason] ?? 0) + 1 },
    probes: status.probes + 1,
    restartingSinceMonotonicMs: still ? since : null,
  };
}

export function afterSuccess(status: HostStatus, attempt: Attempt, known: Known): HostStatus {
  const before = status.known?.restart.boot ?? null;
  const after = known.restart.boot;
  const restarted = before !== null && before.id !== null && after.id !== null && before.id !== after.id;
  return {
    ...status,
    attempt,
    known,
    failuresInRow: 0,
    probes: status.probes + 1,
    restartsSeen: status.restartsSeen + (restarted ? 1 : 0),
    restartingSinceMonotonicMs: null,
  };
}

/** A kept connection that the host dropped: the first sign of a restart. */
export function afterDrop(status: HostStatus, monotonicMs: number): HostStatus {
  if (status.known === null || status.restartingSinceMonotonicMs !== null) return status;
  return { ...status, restartingSinceMonotonicMs: monotonicMs };
}

/** The host's clock now, in seconds; null when it is not known. */
export function hostNowSeconds(known: Known, monotonicMs: number): number | null {
  return known.hostClockOffsetSeconds === null ? null : known.hostClockOffsetSeconds + monotonicMs / 1000;
}

/** In how many seconds the host restarts by itself: below 0 when it is late, null when that can't be told. */
export function restartsItselfInSeconds(known: Known, monotonicMs: number): number | null {
  const at = known.outlook.ownRestart?.atSeconds ?? null;
  const now = hostNowSeconds(known, monotonicMs);
  return at === null || now === null ? null : at - now;
}

/** How long a restart has been needed, in seconds: 0 when it is not, null when it can't be told. */
export function ageSeconds(known: Known, monotonicMs: number): number | null {
  const { verdict, sinceSeconds } = known.restart;
  if (verdict === 'not_required') return 0;
  if (verdict === 'unknown' || sinceSeconds === null) return null;
  const now = hostNowSeconds(known, monotonicMs);
  return now === null ? null : Math.max(0, now - sinceSeconds);
}

/** What may still be told of the host: null once the last success is older than `staleAfterSeconds`. */
export function freshKnown(status: HostStatus, monotonicMs: number, staleAfterSeconds: number): Known | null {
  const { known } = status;
  return known !== null && monotonicMs - known.atMonotonicMs <= staleAfterSeconds * 1000 ? known : null;
}
