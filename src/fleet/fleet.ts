import type { ExposureVerdict } from '../exposure/verdict';
import { ProbeFailure, type FailureReason } from '../failure';
import type { Host } from '../inventory/host';
import type { Logger } from '../logging/logger';
import type { Memory } from '../memory/memory-file';
import type { HostReport } from '../probe/probe';
import type { ProbeWish } from '../probe/program';
import { assessRestart } from '../restart/restart';
import type { Timetable } from '../schedule/timetable';
import type { Time } from '../time/time';
import { retryPauseMs } from './backoff';
import { isExposureDue, isExposureOutdated, readingOf, type ExposureReading } from './exposure-reading';
import { Lanes, type Lane } from './lanes';
import { nextClockOffset } from './host-clock';
import { afterDrop, afterFailure, afterSuccess, newStatus, type HostStatus, type Known } from './status';

/** What the fleet needs of the world. */
export interface FleetEffects {
  readonly time: Time;
  readonly log: Logger;
  readonly memory: Memory;
  /** Probes one host; throws ProbeFailure. */
  readonly probe: (host: Host, wish: ProbeWish, signal: AbortSignal) => Promise<HostReport>;
  /** Evaluates the sections of a report that was asked with `exposure`; never throws. */
  readonly evaluateExposure: (host: Host, report: HostReport) => Promise<ExposureVerdict>;
}

export interface FleetSettings {
  readonly timetable: Timetable;
  readonly timeoutSeconds: number;
  readonly concurrency: number;
  readonly exposureIntervalSeconds: number;
}

/** Called when anything about a host changed; `null` when the host has left. */
export type FleetListener = (name: string, status: HostStatus | null) => void;

/** Observes how the schedule is kept. */
export interface FleetObserver {
  /** Seconds between a probe's asking and its turn. */
  queueWait(seconds: number): void;
  /** Seconds between the time that a scheduled probe was due and its turn. */
  lateness(seconds: number): void;
}

interface Entry {
  status: HostStatus;
  /** The probe under way or waiting for its turn: whoever asks meanwhile joins it. */
  probing: {
    readonly done: Promise<HostStatus>;
    readonly hurry: () => void;
    readonly wish: { exposure: boolean };
  } | null;
  cancelTimer: (() => void) | null;
  exposureReading: ExposureReading | null;
  abort: AbortController | null;
  /** Unix time in milliseconds of the place in the timetable that was served last. */
  servedMs: number;
  /** Reasons that were logged since the last success. */
  readonly toldReasons: Set<FailureReason>;
}

/** Pause after which a host that dropped its connection is probed, in milliseconds. */
const afterDropMs = 500;

/** How long probes that were broken off may take to end, in milliseconds. */
const breakOffMs = 2000;

/** By how much a timer may be early against the wall clock without its place being served twice, in milliseconds. */
const earlyMs = 1000;

/**
 * The hosts and what is known of them. Plans their probes, bounds how many run
 * at once, keeps one probe a host, and remembers.
 */
export class Fleet {
  private readonly entries = new Map<string, Entry>();
  private readonly listeners = new Set<FleetListener>();
  private readonly lanes: Lanes;
  /** Probes that were broken off and have not ended yet, by host: the next of the same host waits for them. */
  private readonly ending = new Map<string, Promise<unknown>>();
  private isRunning = false;
  private isStopping = false;

  constructor(
    private settings: FleetSettings,
    private readonly effects: FleetEffects,
    private readonly observer: FleetObserver = { queueWait() {}, lateness() {} },
  ) {
    this.lanes = new Lanes(settings.concurrency);
  }

  get probesInFlight(): number {
    return this.lanes.running;
  }

  get probesQueued(): number {
    return this.lanes.queued;
  }

  onChange(listener: FleetListener): void {
    this.listeners.add(listener);
  }

  statuses(): HostStatus[] {
    return [...this.entries.values()].map((entry) => entry.status);
  }

  status(name: string): HostStatus | null {
    return this.entries.get(name)?.status ?? null;
  }

  /** Takes a new inventory: unchanged hosts keep everything, changed ones keep what is known, others disappear whole. */
  setHosts(hosts: readonly Host[], settings?: FleetSettings): void {
    if (settings !== undefined) {
      this.settings = settings;
      this.lanes.setBound(settings.concurrency);
    }
    const names = new Set(hosts.map((host) => host.name));
    for (const name of [...this.entries.keys()]) {
      if (!names.has(name)) this.remove(name);
    }
    for (const host of hosts) this.put(host);
    if (settings === undefined) return;
    for (const entry of this.entries.values()) {
      if (entry.cancelTimer !== null) this.planNext(entry);
    }
  }

  /** Probes every host at once, as far as the bounds let it, and then by the timetable. */
  start(): void {
    this.isRunning = true;
    for (const entry of this.entries.values()) this.beginScheduled(entry, this.effects.time.monotonicMs());
  }

  /** Plans nothing more, gives what is in flight `boundMs` to end, then breaks it off. */
  async stop(boundMs: number): Promise<void> {
    this.isRunning = false;
    this.isStopping = true;
    for (const entry of this.entries.values()) this.plan(entry, null);
    const pending = [...this.entries.values()].flatMap((entry) => (entry.probing === null ? [] : [entry.probing.done]));
    const all = Promise.allSettled([...pending, ...this.ending.values()]);
    await this.within(boundMs, all);
    for (const entry of this.entries.values())
      entry.abort?.abort(new ProbeFailure('internal', 'the exporter is stopping'));
    await this.within(breakOffMs, all);
  }

  /** Probes a host now, or joins the probe under way. Null for a host that is not in the inventory. */
  probe(name: string, options: { readonly exposure?: boolean } = {}): Promise<HostStatus> | null {
    const entry = this.entries.get(name);
    return entry === undefined ? null : this.begin(entry, 'asked', options.exposure === true, null);
  }

  /** The host dropped a connection that was kept open: it may be restarting. */
  noteDrop(name: string): void {
    const entry = this.entries.get(name);
    if (entry === undefined || !this.isRunning) return;
    this.update(entry, afterDrop(entry.status, this.effects.time.monotonicMs()));
    this.plan(entry, afterDropMs);
  }

  private put(host: Host): void {
    const entry = this.entries.get(host.name);
    if (entry !== undefined) {
      if (JSON.stringify(entry.status.host) === JSON.stringify(host)) return;
      // A probe under way asks the host as it was set before: its answer no longer counts.
      this.breakOff(entry, 'the settings of the host changed');
    }
    const created: Entry = {
      status: { ...(entry?.status ?? newStatus(host)), host },
      probing: null,
      cancelTimer: null,
      exposureReading: null,
      abort: null,
      servedMs: 0,
      toldReasons: new Set(),
    };
    this.entries.set(host.name, created);
    this.tell(host.name, created.status);
    if (this.isRunning) this.beginScheduled(created, this.effects.time.monotonicMs());
  }

  private remove(name: string): void {
    const entry = this.entries.get(name);
    if (entry === undefined) return;
    this.entries.delete(name);
    this.breakOff(entry, 'the host left the inventory');
    this.tell(name, null);
  }

  private breakOff(entry: Entry, why: string): void {
    const { name } = entry.status.host;
    entry.cancelTimer?.();
    // One that still waits for its turn ends by itself when that comes.
    if (entry.probing !== null && entry.abort !== null) {
      const ended = Promise.allSettled([this.ending.get(name), entry.probing.done]).then(() => {
        if (this.ending.get(name) === ended) this.ending.delete(name);
      });
      this.ending.set(name, ended);
    }
    entry.abort?.abort(new ProbeFailure('internal', why));
  }

  private beginScheduled(entry: Entry, dueMonotonicMs: number): void {
    void this.begin(entry, laneOf(entry.status), false, dueMonotonicMs);
  }

  private begin(entry: Entry, lane: Lane, wantsExposure: boolean, dueMonotonicMs: number | null): Promise<HostStatus> {
    if (entry.probing !== null) {
      if (lane === 'asked') entry.probing.hurry();
      entry.probing.wish.exposure ||= wantsExposure;
      return entry.probing.done;
    }
    if (this.isStopping) return Promise.resolve(entry.status);
    this.plan(entry, null);
    const { time } = this.effects;
    const askedMs = time.monotonicMs();
    const wish = { exposure: wantsExposure };
    const turn = this.lanes.enter(lane, async () => {
      this.observer.queueWait((time.monotonicMs() - askedMs) / 1000);
      if (dueMonotonicMs !== null) this.observer.lateness(Math.max(0, time.monotonicMs() - dueMonotonicMs) / 1000);
      // The turn may come at once: only after this line of begin() does the entry know that it is being probed.
      await Promise.resolve();
      return this.run(entry, wish);
    });
    entry.probing = { ...turn, wish };
    return turn.done;
  }

  private async run(entry: Entry, wanted: { readonly exposure: boolean }): Promise<HostStatus> {
    const { time } = this.effects;
    // While it waited for its turn, the host may have left or the exporter been told to stop.
    if (this.isStopping || !this.isCurrent(entry)) {
      entry.probing = null;
      return entry.status;
    }
    const { host } = entry.status;
    const begunMs = time.monotonicMs();
    const abort = new AbortController();
    entry.abort = abort;
    const callOff = time.after(this.settings.timeoutSeconds * 1000, () =>
      abort.abort(new ProbeFailure('timeout', `not done after ${this.settings.timeoutSeconds} s`)),
    );
    try {
      await Promise.race([this.ending.get(host.name), aborted(abort.signal)]);
      const wish = { exposure: this.needsExposure(entry, wanted.exposure), sudo: host.ssh.sudo === 'auto' };
      let report = await this.effects.probe(host, wish, abort.signal);
      // Somebody may have asked for it meanwhile.
      const isOutdated = isExposureOutdated(host, entry.exposureReading, report);
      if (!wish.exposure && (isOutdated || this.needsExposure(entry, wanted.exposure))) {
        report = await this.effects.probe(host, { ...wish, exposure: true }, abort.signal);
      }
      await this.takeReport(entry, report, begunMs);
    } catch (error) {
      this.takeFailure(entry, asFailure(error), begunMs);
    } finally {
      callOff();
      entry.abort = null;
      entry.probing = null;
      this.planNext(entry);
    }
    return entry.status;
  }

  private async takeReport(entry: Entry, report: HostReport, begunMs: number): Promise<void> {
    if (!this.isCurrent(entry)) return;
    const { time, memory } = this.effects;
    const { host } = entry.status;
    const atMonotonicMs = time.monotonicMs();
    const atMs = time.nowMs();
    const exposure = await this.findExposure(entry, report);
    const { state, memory: remembered } = assessRestart(report.facts, report.sections, memory.get(host.name));
    // What is published must not be forgotten, or an age could go back after a crash.
    await memory.set(host.name, remembered);
    const before = entry.status.known;
    const known: Known = {
      atMs,
      atMonotonicMs,
      restart: state,
      facts: report.facts,
      hostClockOffsetSeconds: nextClockOffset(
        before === null ? null : { offsetSeconds: before.hostClockOffsetSeconds, boot: before.restart.boot },
        { boot: report.boot, begunMonotonicMs: begunMs, endedMonotonicMs: atMonotonicMs },
      ),
      exposure,
    };
    const attempt = { atMs, durationSeconds: (atMonotonicMs - begunMs) / 1000, failure: null };
    entry.toldReasons.clear();
    this.update(entry, afterSuccess(entry.status, attempt, known));
  }

  private takeFailure(entry: Entry, failure: ProbeFailure, begunMs: number): void {
    const { time, log } = this.effects;
    const atMonotonicMs = time.monotonicMs();
    const { reason, message } = failure;
    const durationSeconds = (atMonotonicMs - begunMs) / 1000;
    if (!this.isCurrent(entry) || (this.isStopping && reason === 'internal')) return;
    this.update(
      entry,
      afterFailure(entry.status, { atMs: time.nowMs(), durationSeconds, failure: { reason, message } }, atMonotonicMs),
    );
    const fields = {
      host: entry.status.host.name,
      reason,
      error: message,
      failures_in_row: entry.status.failuresInRow,
    };
    if (reason === 'internal')
      log.error('A probe failed by a fault of the exporter', { ...fields, stack: causeOf(failure) });
    // A host that goes away and comes back with another key fails for two reasons in one go: both are news.
    else if (!entry.toldReasons.has(reason)) log.warn('A host could not be probed', fields);
    else log.debug('A host could not be probed', fields);
    entry.toldReasons.add(reason);
  }

  private needsExposure(entry: Entry, isAsked: boolean): boolean {
    const intervalSeconds = isAsked ? 0 : this.settings.exposureIntervalSeconds;
    return isExposureDue(entry.status.host, entry.exposureReading, intervalSeconds, this.effects.time.monotonicMs());
  }

  private async findExposure(entry: Entry, report: HostReport): Promise<ExposureVerdict | null> {
    const { host, known } = entry.status;
    if (host.exposure.mode === 'evaluate' && !report.withExposure) return known?.exposure ?? null;
    const verdict = await this.effects.evaluateExposure(host, report);
    entry.exposureReading = readingOf(report, this.effects.time.monotonicMs());
    return verdict;
  }

  private planNext(entry: Entry): void {
    if (!this.isRunning || !this.isCurrent(entry)) return;
    const { status } = entry;
    const nowMs = this.effects.time.nowMs();
    const isServed = entry.servedMs > nowMs && entry.servedMs <= nowMs + earlyMs;
    const scheduledMs = this.settings.timetable.next(status.host.name, isServed ? entry.servedMs : nowMs);
    const reason = status.attempt?.failure?.reason;
    const isRestarting = status.restartingSinceMonotonicMs !== null;
    const pauseMs =
      reason === undefined ? null : retryPauseMs(status.host.name, reason, status.failuresInRow, isRestarting);
    this.plan(entry, Math.min(scheduledMs - nowMs, pauseMs ?? Infinity));
  }

  /** Counts the delay on the clock that can't be set: whatever the wall clock does, no host waits longer than its period. */
  private plan(entry: Entry, delayMs: number | null): void {
    const { time } = this.effects;
    entry.cancelTimer?.();
    entry.cancelTimer = null;
    const atMs = delayMs === null ? null : time.nowMs() + delayMs;
    entry.status = { ...entry.status, nextProbeMs: atMs };
    if (delayMs === null || atMs === null) return;
    const dueMonotonicMs = time.monotonicMs() + delayMs;
    entry.cancelTimer = time.after(delayMs, () => {
      entry.cancelTimer = null;
      const restMs = dueMonotonicMs - time.monotonicMs();
      // Timers are whole milliseconds, and none can be longer than 25 days.
      if (restMs >= 1) {
        this.plan(entry, restMs);
        return;
      }
      entry.servedMs = atMs;
      this.beginScheduled(entry, dueMonotonicMs);
    });
  }

  /** Waits for something, but no longer than the bound. */
  private async within(boundMs: number, work: Promise<unknown>): Promise<void> {
    let callOff: () => void = () => undefined;
    const bound = new Promise<void>((resolve) => {
      callOff = this.effects.time.after(boundMs, resolve);
    });
    await Promise.race([work, bound]);
    callOff();
  }

  private update(entry: Entry, status: HostStatus): void {
    entry.status = status;
    if (this.isCurrent(entry)) this.tell(status.host.name, status);
  }

  /** Whether the entry is still the one of its name: hosts leave, and their settings change, while they are probed. */
  private isCurrent(entry: Entry): boolean {
    return this.entries.get(entry.status.host.name) === entry;
  }

  private tell(name: string, status: HostStatus | null): void {
    for (const listener of this.listeners) listener(name, status);
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

function laneOf(status: HostStatus): Lane {
  if (status.failuresInRow === 0) return 'planned';
  return status.restartingSinceMonotonicMs === null ? 'doubtful' : 'returning';
}
