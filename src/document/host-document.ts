import { ageSeconds, freshKnown, restartsItselfInSeconds, type HostStatus, type Known } from '../fleet/status';
import type { StackPolicy } from '../policy/policy';
import { urgencyOf, type Urgency } from '../policy/urgency';
import type { SignalFinding } from '../restart/restart';
import { findUpdater } from '../updates/updater';

/** One host as the JSON of `check` and of the HTTP API; names are part of the outside contract. */
export interface HostDocument {
  readonly host: string;
  readonly stack: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly probe: ProbeDocument;
  readonly restart: RestartDocument;
  readonly updates: UpdatesDocument;
  /** Services that still run replaced libraries, which restarting each of them ends; null where that can't be told. */
  readonly outdated_services: readonly OutdatedServiceDocument[] | null;
  readonly exposure: ExposureDocument;
  readonly urgency: Urgency;
}

export interface ProbeDocument {
  /** null before the first probe. */
  readonly success: boolean | null;
  readonly reason: string | null;
  readonly message: string | null;
  /** ISO 8601, when the last probe ended. */
  readonly at: string | null;
  readonly duration_seconds: number | null;
  readonly last_success_at: string | null;
  readonly next_at: string | null;
  /** Whether a schedule has it probed; if not, it is probed only when somebody asks. */
  readonly scheduled: boolean;
  readonly restarting: boolean;
}

export interface RestartDocument {
  readonly verdict: 'required' | 'not_required' | 'unknown';
  /** ISO 8601, on the host's clock. */
  readonly since: string | null;
  readonly age_seconds: number | null;
  readonly evidence: string | null;
  readonly reasons: readonly string[];
  readonly packages: readonly string[];
  /** The host has more packages than are listed. */
  readonly packages_cut: boolean;
  readonly still_required_after_restart: boolean;
  readonly booted_at: string | null;
  readonly scheduled_at: string | null;
  readonly livepatch: LivepatchDocument | null;
  /** What restarts the host by itself, or is set to; null where nothing is known to. */
  readonly by_itself: { readonly by: string; readonly at: string | null; readonly because: string } | null;
  readonly signals: readonly { readonly signal: string; readonly says: string; readonly because: string }[];
}

/** Live patches of the running kernel; null where none is applied. */
export interface LivepatchDocument {
  readonly patches: readonly string[];
  /** ISO 8601: until when their maker makes patches for this kernel; null where that can't be told. */
  readonly covered_until: string | null;
  /** The restart is needed for the kernel alone, so that these make it less urgent. */
  readonly covering: boolean;
}

export interface OutdatedServiceDocument {
  readonly service: string;
  readonly libraries: readonly string[];
  /** ISO 8601, on the host's clock. */
  readonly since: string | null;
}

/** What installs updates on the host by itself. */
export interface UpdatesDocument {
  /** null where it can't be told. */
  readonly automatic: boolean | null;
  readonly by: string | null;
  /** ISO 8601: that it ran, not that it patched. */
  readonly last_run_at: string | null;
}

export interface ExposureDocument {
  readonly verdict: 'exposed' | 'not_exposed' | 'unknown';
  readonly basis: string | null;
  readonly because: string;
  readonly ports: readonly PortDocument[];
}

export interface PortDocument {
  readonly proto: 'tcp' | 'udp';
  readonly port: number;
  readonly family: 'ipv4' | 'ipv6';
  readonly open_to: 'anywhere' | 'some' | 'none' | 'unknown';
  readonly because: string;
  readonly ignored: boolean;
}

/** Most packages that a document lists. */
const maxPackages = 1000;

export interface DocumentContext {
  readonly monotonicMs: number;
  readonly staleAfterSeconds: number;
  /** Whether hosts are probed without being asked for. */
  readonly isScheduled: boolean;
  readonly policy: StackPolicy;
}

export function hostDocument(status: HostStatus, context: DocumentContext): HostDocument {
  const { host } = status;
  const known = freshKnown(status, context.monotonicMs, context.staleAfterSeconds);
  const age = known === null ? null : ageSeconds(known, context.monotonicMs);
  return {
    host: host.name,
    stack: host.stack,
    labels: host.labels,
    probe: probeDocument(status, context.isScheduled),
    restart: restartDocument(known, age),
    updates: updatesDocument(known),
    outdated_services: known === null ? null : servicesDocument(known),
    exposure: exposureDocument(known, status.known !== null && known === null),
    urgency: urgencyOf(
      {
        restart: known?.restart.verdict ?? 'unknown',
        ageSeconds: age,
        exposure: known?.exposure?.verdict ?? 'unknown',
        restartsItselfInSeconds: known === null ? null : restartsItselfInSeconds(known, context.monotonicMs),
        isLivepatched: known !== null && known.outlook.livepatch?.isCovering === true,
      },
      context.policy,
    ),
  };
}

function probeDocument(status: HostStatus, isScheduled: boolean): ProbeDocument {
  const { attempt, known, nextProbeMs } = status;
  return {
    success: attempt === null ? null : attempt.failure === null,
    reason: attempt?.failure?.reason ?? null,
    message: attempt?.failure?.message ?? null,
    at: attempt === null ? null : isoMs(attempt.atMs),
    duration_seconds: attempt === null ? null : round(attempt.durationSeconds),
    last_success_at: known === null ? null : isoMs(known.atMs),
    next_at: nextProbeMs === null ? null : isoMs(nextProbeMs),
    scheduled: isScheduled,
    restarting: status.restartingSinceMonotonicMs !== null,
  };
}

function restartDocument(known: Known | null, age: number | null): RestartDocument {
  const restart = known?.restart;
  const required = restart?.verdict === 'required';
  return {
    verdict: restart?.verdict ?? 'unknown',
    since: iso(restart?.sinceSeconds),
    age_seconds: age === null ? null : required ? round(age) : 0,
    evidence: restart?.evidence ?? null,
    reasons: restart?.reasons ?? [],
    packages: restart?.packages.slice(0, maxPackages) ?? [],
    packages_cut: restart !== undefined && (restart.packagesCut || restart.packages.length > maxPackages),
    still_required_after_restart: restart?.survivedRestart ?? false,
    booted_at: iso(restart?.boot.atSeconds),
    scheduled_at: iso(known?.facts.scheduled.atSeconds),
    livepatch: known === null ? null : livepatchDocument(known),
    by_itself: known === null ? null : byItself(known),
    signals: (restart?.findings ?? []).filter(isOfThisSystem).map(({ signal, finding }) => ({
      signal,
      says: finding.says,
      because: finding.because,
    })),
  };
}

function isOfThisSystem({ finding }: SignalFinding): boolean {
  return finding.says === 'required' || finding.isElsewhere !== true;
}

function livepatchDocument(known: Known): LivepatchDocument | null {
  const found = known.outlook.livepatch;
  if (found === null) return null;
  return { patches: found.patches, covered_until: iso(found.coveredUntilSeconds), covering: found.isCovering };
}

function byItself(known: Known): RestartDocument['by_itself'] {
  const found = known.outlook.ownRestart;
  return found === null ? null : { by: found.by, at: iso(found.atSeconds), because: found.because };
}

function servicesDocument(known: Known): OutdatedServiceDocument[] | null {
  const found = known.outlook.outdatedServices;
  return found === null
    ? null
    : found.map(({ unit, libraries, sinceSeconds }) => ({ service: unit, libraries, since: iso(sinceSeconds) }));
}

function updatesDocument(known: Known | null): UpdatesDocument {
  const updater = known === null ? null : findUpdater(known.facts);
  return {
    automatic: updater?.enabled ?? null,
    by: updater?.name ?? null,
    last_run_at: iso(updater?.lastRunSeconds),
  };
}

function exposureDocument(known: Known | null, isStale: boolean): ExposureDocument {
  const exposure = known?.exposure;
  if (exposure == null) {
    const because = isStale ? 'the host has not answered for too long' : 'the host has not been read yet';
    return { verdict: 'unknown', basis: null, because, ports: [] };
  }
  return {
    verdict: exposure.verdict,
    basis: exposure.basis,
    because: exposure.because,
    ports: exposure.ports.map(({ proto, port, family, openTo, because, ignored }) => ({
      proto,
      port,
      family,
      open_to: openTo,
      because,
      ignored,
    })),
  };
}

function iso(seconds: number | null | undefined): string | null {
  return seconds == null ? null : isoMs(Math.floor(seconds) * 1000);
}

/** Null for times that JavaScript's dates can't hold: a host's clock may say anything. */
function isoMs(ms: number): string | null {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? null : date.toISOString().replace(/\.\d{3}Z$/, 'Z');
}

function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
