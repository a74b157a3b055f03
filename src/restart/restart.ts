import type { HostFacts } from '../reading';
import type { Sections } from '../report/section';
import { signals } from '../signal';
import { clockSlackSeconds, findBootTime, isBeforeBoot, type BootTime } from '../signal/boot-time';
import type { Evidence, Finding, SinceCandidate } from '../signal/signal';

/** Whether a host needs a restart, why, and since when. */
export interface RestartState {
  readonly verdict: 'required' | 'not_required' | 'unknown';
  /** Unix time in seconds on the host's clock; null unless required. */
  readonly sinceSeconds: number | null;
  readonly evidence: Evidence | null;
  /** Names of the signals that say so. */
  readonly reasons: readonly string[];
  /** Packages that ask for it, each once, sorted. */
  readonly packages: readonly string[];
  /** The host has more packages than it sent. */
  readonly packagesCut: boolean;
  /** What each signal said, in words. */
  readonly findings: readonly SignalFinding[];
  /** The host was restarted and needs it still: the restart did not help. */
  readonly survivedRestart: boolean;
  readonly boot: BootTime;
}

export interface SignalFinding {
  readonly signal: string;
  readonly finding: Finding;
}

/** What is remembered of a host from one probe to the next, and across restarts of the exporter. */
export interface RestartMemory {
  /** The boot in which it was seen. */
  readonly bootId: string | null;
  /** Unix time in seconds on the host's clock. */
  readonly bootAtSeconds: number | null;
  /** The earliest since that was ever established in this boot; null when no restart was needed. */
  readonly sinceSeconds: number | null;
  readonly evidence: Evidence | null;
  /** A restart was needed before this boot began, and still was when it was first seen: the restart did not help. */
  readonly survivedRestart: boolean;
}

/** Asks every signal. */
export function judgeSignals(facts: HostFacts, sections: Sections): { boot: BootTime; findings: SignalFinding[] } {
  const boot = findBootTime(facts);
  const context = { facts, bootTime: boot };
  const findings = signals.map((signal) => ({
    signal: signal.name,
    finding: signal.judge(sections.get(signal.name), context),
  }));
  return { boot, findings };
}

/**
 * The verdict over all signals, and since when. Required if any signal says so;
 * not required if one that can be trusted says no; else unknown.
 */
export function assessRestart(
  boot: BootTime,
  findings: readonly SignalFinding[],
  remembered: RestartMemory | null,
): { state: RestartState; memory: RestartMemory } {
  const sameBoot = remembered !== null && isSameBoot(remembered, boot);
  const required = findings.flatMap(({ finding }) => (finding.says === 'required' ? [finding] : []));
  const base = {
    findings,
    boot,
    reasons: [],
    packages: [],
    packagesCut: false,
    sinceSeconds: null,
    evidence: null,
    survivedRestart: false,
  };

  if (required.length === 0) {
    const trusted = findings.some(({ finding }) => finding.says === 'not_required');
    const verdict = trusted ? 'not_required' : 'unknown';
    // What can't be told now may be told again later in the same boot; only a "no" ends the count.
    const kept = verdict === 'unknown' && sameBoot ? remembered : null;
    const memory = {
      ...bootOf(boot),
      sinceSeconds: kept?.sinceSeconds ?? null,
      evidence: kept?.evidence ?? null,
      survivedRestart: kept?.survivedRestart ?? false,
    };
    return { state: { ...base, verdict }, memory };
  }

  const candidates = required.flatMap((finding) => [...finding.since]);
  const since = findSince(candidates, boot, sameBoot ? remembered : null);
  const state: RestartState = {
    ...base,
    verdict: 'required',
    sinceSeconds: since?.atSeconds ?? null,
    evidence: since?.evidence ?? null,
    reasons: findings.filter(({ finding }) => finding.says === 'required').map(({ signal }) => signal),
    packages: [...new Set(required.flatMap((finding) => [...finding.packages]))].sort(),
    packagesCut: required.some((finding) => finding.packagesCut === true),
    survivedRestart: sameBoot ? remembered.survivedRestart : remembered !== null && remembered.sinceSeconds !== null,
  };
  const { sinceSeconds, evidence, survivedRestart } = state;
  return { state, memory: { ...bootOf(boot), sinceSeconds, evidence, survivedRestart } };
}

/**
 * The earliest credible time. A modification time is only the last request, so
 * it counts where nothing better is known; the moment of the first sight always
 * does, for it is certain.
 */
export function findSince(
  candidates: readonly SinceCandidate[],
  boot: BootTime,
  remembered: RestartMemory | null,
): SinceCandidate | null {
  const credible = candidates.filter((candidate) => isCredible(candidate.atSeconds, boot));
  const firm = credible.filter((candidate) => candidate.evidence !== 'modified');
  const usable = firm.length > 0 ? firm : [...credible];
  if (boot.nowSeconds !== null) usable.push({ atSeconds: boot.nowSeconds, evidence: 'first_seen' });
  if (remembered?.sinceSeconds != null && remembered.evidence !== null) {
    const atSeconds = remembered.sinceSeconds + clockStep(remembered, boot);
    if (isCredible(atSeconds, boot)) usable.push({ atSeconds, evidence: remembered.evidence });
  }
  const earliest = usable.reduce<SinceCandidate | null>(
    (best, candidate) => (best === null || candidate.atSeconds < best.atSeconds ? candidate : best),
    null,
  );
  if (earliest === null || boot.atSeconds === null) return earliest;
  return { ...earliest, atSeconds: Math.max(earliest.atSeconds, boot.atSeconds) };
}

/**
 * By how many seconds the host's clock was stepped since the memory was made:
 * the boot itself has not moved, so its time shows the step.
 */
function clockStep(remembered: RestartMemory, boot: BootTime): number {
  if (remembered.bootAtSeconds === null || boot.atSeconds === null) return 0;
  const moved = boot.atSeconds - remembered.bootAtSeconds;
  return Math.abs(moved) > clockSlackSeconds ? moved : 0;
}

/** Neither before the boot nor in the future of the host's own clock. */
function isCredible(seconds: number, boot: BootTime): boolean {
  if (seconds <= 0 || isBeforeBoot(seconds, boot)) return false;
  return boot.nowSeconds === null || seconds <= boot.nowSeconds + clockSlackSeconds;
}

/** Two boots that a host without a boot id may be in are told apart by their times, in seconds. */
const sameBootSeconds = 60;

/** Whether a remembered boot is the one that the host is in. */
export function isSameBoot(remembered: Pick<RestartMemory, 'bootId' | 'bootAtSeconds'>, boot: BootTime): boolean {
  if (remembered.bootId !== null && boot.id !== null) return remembered.bootId === boot.id;
  if (remembered.bootAtSeconds === null || boot.atSeconds === null) return false;
  return Math.abs(remembered.bootAtSeconds - boot.atSeconds) <= sameBootSeconds;
}

function bootOf(boot: BootTime): Pick<RestartMemory, 'bootId' | 'bootAtSeconds'> {
  return { bootId: boot.id, bootAtSeconds: boot.atSeconds };
}
