import type { ExposureVerdict } from '../exposure/verdict';
import { ProbeFailure, type FailureReason } from '../failure';
import type { HostReport } from '../probe/probe';
import { assessRestart } from '../restart/restart';
import { findBootTime } from '../signal/boot-time';
import type { FleetEffects, FleetSettings } from './effects';
import { isExposureDue, isExposureOutdated, readingOf, type ExposureReading } from './exposure-reading';
import { nextClockOffset } from './host-clock';
import { settleFacts, settleKnown, withOutlook } from './known';
import { Sharing } from './sharing';
import { afterFailure, afterSuccess, type HostStatus } from './status';

/** A host between its probes. */
export interface ProbedHost {
  status: HostStatus;
  exposureReading: ExposureReading | null;
  /** Times in a row that what the host answered about its exposure could not be taken. */
  exposureRefusals: number;
  /** Breaks off the probe under way; null when none is. */
  abort: AbortController | null;
  /** Reasons that were logged since the last success. */
  readonly toldReasons: Set<FailureReason>;
}

export interface ProbeRequest {
  /** Whether somebody asks for the exposure; may become true while the probe is under way. */
  readonly wanted: { readonly exposure: boolean };
  /** A probe of the same host that was broken off and may not have ended yet. */
  readonly after: Promise<unknown> | undefined;
  /** Whether the outcome still matters: hosts leave and exporters stop while they are probed. */
  readonly counts: (failure: ProbeFailure | null) => boolean;
}

/** Takes one host through one probe: asks it, evaluates, remembers, and tells what is known then. */
export class Prober {
  private readonly sharing = new Sharing();

  constructor(
    private readonly effects: FleetEffects,
    private readonly settings: () => FleetSettings,
  ) {}

  /** The host's status after a probe; null when the outcome doesn't count. Never throws. */
  async probe(host: ProbedHost, request: ProbeRequest): Promise<HostStatus | null> {
    const { time } = this.effects;
    const { timeoutSeconds } = this.settings();
    const begunMs = time.monotonicMs();
    const abort = new AbortController();
    host.abort = abort;
    const callOff = time.after(timeoutSeconds * 1000, () =>
      abort.abort(new ProbeFailure('timeout', `not done after ${timeoutSeconds} s`)),
    );
    try {
      if (request.after !== undefined) await Promise.race([request.after, aborted(abort.signal)]);
      const report = await this.ask(host, request.wanted, abort.signal);
      return request.counts(null) ? await this.takeReport(host, report, begunMs) : null;
    } catch (error) {
      const failure = asFailure(error);
      return request.counts(failure) ? this.takeFailure(host, failure, begunMs) : null;
    } finally {
      callOff();
      host.abort = null;
    }
  }

  /** One probe; a second, for the exposure as well, when the first shows that this is out of date. */
  private async ask(probed: ProbedHost, wanted: ProbeRequest['wanted'], signal: AbortSignal): Promise<HostReport> {
    const { host } = probed.status;
    const wish = { exposure: this.needsExposure(probed, wanted.exposure), sudo: host.ssh.sudo === 'auto' };
    if (wish.exposure) return this.askForAll(probed, wish.sudo, signal);
    const report = await this.effects.probe(host, wish, signal);
    const isOutdated = isExposureOutdated(host, probed.exposureReading, report);
    // Somebody may have asked for it meanwhile.
    if (!isOutdated && !this.needsExposure(probed, wanted.exposure)) return report;
    return this.askForAll(probed, wish.sudo, signal);
  }

  /**
   * The exposure as well. A ruleset may be too large to be taken; that must not hide that a restart is needed, so then the
   * rest is asked for alone, and counts as a reading in which nothing of the exposure could be read. One answer that is
   * cut off or garbled is not yet that: what was read before holds, unless it is out of date, and the next probe asks again.
   */
  private async askForAll(probed: ProbedHost, sudo: boolean, signal: AbortSignal): Promise<HostReport> {
    const { host, known } = probed.status;
    try {
      const report = await this.effects.probe(host, { exposure: true, sudo }, signal);
      probed.exposureRefusals = 0;
      return report;
    } catch (error) {
      if (!(error instanceof ProbeFailure) || error.reason !== 'output') throw error;
      const report = await this.effects.probe(host, { exposure: false, sudo }, signal);
      this.effects.log.debug('The exposure could not be taken', { host: host.name, error: error.message });
      probed.exposureRefusals += 1;
      const isKnown = known?.exposure != null && !isExposureOutdated(host, probed.exposureReading, report);
      return { ...report, withExposure: !(probed.exposureRefusals === 1 && isKnown) };
    }
  }

  private async takeReport(probed: ProbedHost, answer: HostReport, begunMs: number): Promise<HostStatus> {
    const { time, memory } = this.effects;
    const { host, known: last } = probed.status;
    const facts = settleFacts(last?.facts ?? null, answer.facts, this.sharing);
    const report = { ...answer, facts, boot: findBootTime(facts) };
    const atMonotonicMs = time.monotonicMs();
    const atMs = time.nowMs();
    const exposure = await this.findExposure(probed, report);
    const { state, memory: remembered } = assessRestart(facts, report.sections, memory.get(host.name));
    // What is published must not be forgotten, or an age could go back after a crash.
    await memory.set(host.name, remembered);
    const before = probed.status.known;
    const found = withOutlook({
      atMs,
      atMonotonicMs,
      restart: state,
      facts,
      hostClockOffsetSeconds: nextClockOffset(
        before === null ? null : { offsetSeconds: before.hostClockOffsetSeconds, boot: before.restart.boot },
        { boot: report.boot, begunMonotonicMs: begunMs, endedMonotonicMs: atMonotonicMs },
      ),
      exposure,
    });
    const known = settleKnown(before, found, this.sharing);
    probed.toldReasons.clear();
    const attempt = { atMs, durationSeconds: (atMonotonicMs - begunMs) / 1000, failure: null };
    return afterSuccess(probed.status, attempt, known);
  }

  private takeFailure(probed: ProbedHost, failure: ProbeFailure, begunMs: number): HostStatus {
    const { time } = this.effects;
    const atMonotonicMs = time.monotonicMs();
    const { reason, message } = failure;
    const durationSeconds = (atMonotonicMs - begunMs) / 1000;
    const attempt = { atMs: time.nowMs(), durationSeconds, failure: { reason, message } };
    const status = afterFailure(probed.status, attempt, atMonotonicMs);
    this.logFailure(probed, failure, status.failuresInRow);
    return status;
  }

  private logFailure(probed: ProbedHost, failure: ProbeFailure, failuresInRow: number): void {
    const { log } = this.effects;
    const { reason, message } = failure;
    const fields = { host: probed.status.host.name, reason, error: message, failures_in_row: failuresInRow };
    if (reason === 'internal') {
      log.error('A probe failed by a fault of the exporter', { ...fields, stack: causeOf(failure) });
    } else if (!probed.toldReasons.has(reason)) {
      // A host that goes away and comes back with another key fails for two reasons in one go: both are news.
      log.warn('A host could not be probed', fields);
    } else {
      log.debug('A host could not be probed', fields);
    }
    probed.toldReasons.add(reason);
  }

  private needsExposure({ status, exposureReading }: ProbedHost, isAsked: boolean): boolean {
    const intervalSeconds = isAsked ? 0 : this.settings().exposureIntervalSeconds;
    return isExposureDue(status.host, exposureReading, intervalSeconds, this.effects.time.monotonicMs());
  }

  private async findExposure(probed: ProbedHost, report: HostReport): Promise<ExposureVerdict | null> {
    const { host, known } = probed.status;
    if (host.exposure.mode === 'evaluate' && !report.withExposure) return known?.exposure ?? null;
    const verdict = await this.effects.evaluateExposure(host, report);
    const isReadAgainNext = probed.exposureRefusals === 1;
    probed.exposureReading = isReadAgainNext ? null : readingOf(report, this.effects.time.monotonicMs());
    return verdict;
  }
}

/** Rejects when the signal comes. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

function asFailure(error: unknown): ProbeFailure {
  if (error instanceof ProbeFailure) return error;
  return new ProbeFailure('internal', error instanceof Error ? error.message : String(error), { cause: error });
}

function causeOf(failure: ProbeFailure): string {
  return failure.cause instanceof Error ? (failure.cause.stack ?? '') : '';
}
