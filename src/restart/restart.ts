import type { HostFacts } from '../reading';
import type { Sections } from '../report/section';
import { signals } from '../signal';
import {
  clockSlackSeconds,
  clockStepSeconds,
  findBootTime,
  isSameBoot,
  type BootTime,
  type RememberedBoot,
} from '../signal/boot-time';
import type { Evidence, Finding, SinceCandidate } from '../signal/signal';

/** Whether a host needs a restart, why, and since when. */
export interface RestartState {
  readonly verdict: 'required' | 'not_required' | 'unknown';
  /** Unix time in seconds on the host's clock; null unless required. */
  readonly sinceSeconds: number | null;
  readonly evidence: Evidence | null;
  /** The reasons of the signals that say so, each once. */
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
  /** The `reason` label where it is not the signal's name. */
  readonly reason?: string;
  readonly finding: Finding;
}

/** What is remembered of a host from one probe to the next, and across restarts of the exporter. */
export interface RestartMemory {
  /** The boot in which it was seen. */
  readonly boot: RememberedBoot;
  /** The earliest since that was ever established in this boot; null when no restart was needed. */
  readonly sinceSeconds: number | null;
  readonly evidence: Evidence | null;
  /** A restart was needed before this boot began, and still was when the host came up: the restart did not help. */
  readonly survivedRestart: boolean;
}

/** The state of a host from its report, and what is to be remembered of it until the next. */
export function assessRestart(
  facts: HostFacts,
  sections: Sections,
  remembered: RestartMemory | null,
): { state: RestartState; memory: RestartMemory } {
  const boot = findBootTime(facts, remembered?.boot ?? null);
  return combineFindings(boot, judgeSignals(facts, sections, boot), remembered);
}

/** Asks every signal. */
export function judgeSignals(facts: HostFacts, sections: Sections, boot: BootTime): SignalFinding[] {
  const context = { facts, bootTime: boot };
  return signals.map(({ name, reason, judge }) => ({
    signal: name,
    ...(reason === undefined ? {} : { reason }),
    finding: judge(sections.get(name), context),
  }));
}

function reasonOf({ signal, reason }: SignalFinding): string {
  return reason ?? signal;
}

/**
 * The verdict over all signals, and since when. Required if any signal says so;
 * not required if one that can be trusted says no; else unknown.
 */
export function combineFindings(
  boot: BootTime,
  findings: readonly SignalFinding[],
  remembered: RestartMemory | null,
): { state: RestartState; memory: RestartMemory } {
  const ofThisBoot = remembered !== null && isSameBoot(remembered.boot, boot) ? remembered : null;
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
    const kept = verdict === 'unknown' ? ofThisBoot : null;
    const memory = {
      boot: rememberBoot(boot),
      sinceSeconds: kept === null ? null : sinceOnClockNow(kept, boot),
      evidence: kept?.evidence ?? null,
      survivedRestart: kept?.survivedRestart ?? false,
    };
    return { state: { ...base, verdict }, memory };
  }

  const candidates = required.flatMap((finding) => [...finding.since]);
  const since = findSince(candidates, boot, ofThisBoot);
  const state: RestartState = {
    ...base,
    verdict: 'required',
    sinceSeconds: since?.atSeconds ?? null,
    evidence: since?.evidence ?? null,
    reasons: [...new Set(findings.filter(({ finding }) => finding.says === 'required').map(reasonOf))],
    packages: [...new Set(required.flatMap((finding) => [...finding.packages]))].sort(),
    packagesCut: required.some((finding) => finding.packagesCut === true),
    survivedRestart: ofThisBoot === null ? survived(remembered, since, boot) : ofThisBoot.survivedRestart,
  };
  const { sinceSeconds, evidence, survivedRestart } = state;
  return { state, memory: { boot: rememberBoot(boot), sinceSeconds, evidence, survivedRestart } };
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
  const rememberedSince = remembered === null ? null : sinceOnClockNow(remembered, boot);
  if (rememberedSince !== null && remembered?.evidence != null && isCredible(rememberedSince, boot)) {
    usable.push({ atSeconds: rememberedSince, evidence: remembered.evidence });
  }
  const earliest = usable.reduce<SinceCandidate | null>(
    (best, candidate) => (best === null || candidate.atSeconds < best.atSeconds ? candidate : best),
    null,
  );
  if (earliest === null || boot.atSeconds === null) return earliest;
  return { ...earliest, atSeconds: Math.max(earliest.atSeconds, boot.atSeconds) };
}

/** A remembered time on the host's clock as it is now: the clock may have been stepped since. */
function sinceOnClockNow(remembered: RestartMemory, boot: BootTime): number | null {
  if (remembered.sinceSeconds === null) return null;
  return remembered.sinceSeconds + clockStepSeconds(remembered.boot, boot);
}

/**
 * Neither before the boot nor in the future of the host's own clock. Of times
 * before a clock was set forward it is not known which they are on the new one.
 */
function isCredible(seconds: number, boot: BootTime): boolean {
  if (seconds <= 0) return false;
  if (boot.atSeconds !== null && seconds < boot.atSeconds - clockSlackSeconds) return false;
  return boot.nowSeconds === null || seconds <= boot.nowSeconds + clockSlackSeconds;
}

/** A need that is found within this many seconds of a boot has come through it. */
const comingUpSeconds = 300;

/** Whether a restart that was needed was made and did not help; not so when the need is another one, of later on. */
function survived(remembered: RestartMemory | null, since: SinceCandidate | null, boot: BootTime): boolean {
  if (remembered === null || remembered.sinceSeconds === null) return false;
  if (since === null || boot.atSeconds === null) return true;
  return since.atSeconds - boot.atSeconds <= comingUpSeconds;
}

function rememberBoot({ id, atSeconds, earliestAtSeconds, latestAtSeconds }: BootTime): RememberedBoot {
  return { id, atSeconds, earliestAtSeconds, latestAtSeconds };
}
