import { ProbeFailure } from '../failure';
import type { Host } from '../inventory/host';
import { Appointment } from '../schedule/appointment';
import { retryPauseMs } from './backoff';
import type { FleetEffects, FleetListener, FleetObserver, FleetSettings } from './effects';
import { Lanes, type Lane } from './lanes';
import { Prober, type ProbedHost } from './prober';
import { afterDrop, newStatus, type HostStatus } from './status';

export type { FleetEffects, FleetListener, FleetObserver, FleetSettings } from './effects';

interface Entry extends ProbedHost {
  /** The probe under way or waiting for its turn: whoever asks meanwhile joins it. */
  probing: {
    readonly done: Promise<HostStatus>;
    readonly hurry: () => void;
    readonly wish: { exposure: boolean };
  } | null;
  readonly next: Appointment;
  /** Unix time in milliseconds of the place in the timetable that was served last. */
  servedMs: number;
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
  private readonly prober: Prober;
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
    this.prober = new Prober(effects, () => this.settings);
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
      if (entry.probing === null) this.planNext(entry);
    }
  }

  /** Probes every host at once, as far as the bounds let it, and then by the timetable; where there is none, only when asked. */
  start(): void {
    this.isRunning = true;
    if (!this.settings.timetable.isKept) return;
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
    if (this.settings.timetable.isKept) this.plan(entry, afterDropMs);
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
      next: new Appointment(this.effects.time),
      exposureReading: null,
      exposureRefusals: 0,
      abort: null,
      servedMs: 0,
      toldReasons: new Set(),
    };
    this.entries.set(host.name, created);
    this.tell(host.name, created.status);
    if (this.isRunning && this.settings.timetable.isKept) this.beginScheduled(created, this.effects.time.monotonicMs());
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
    entry.next.callOff();
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
    try {
      // While it waited for its turn, the host may have left or the exporter been told to stop.
      if (this.isStopping || !this.isCurrent(entry)) return entry.status;
      const status = await this.prober.probe(entry, {
        wanted,
        after: this.ending.get(entry.status.host.name),
        counts: (failure) => this.isCurrent(entry) && !(this.isStopping && failure?.reason === 'internal'),
      });
      if (status !== null) this.update(entry, status);
    } finally {
      entry.probing = null;
      this.planNext(entry);
    }
    return entry.status;
  }

  private planNext(entry: Entry): void {
    if (!this.isRunning || !this.isCurrent(entry)) return;
    // Whoever has the say about when hosts are probed asks again after a failure as well.
    if (!this.settings.timetable.isKept) return this.plan(entry, null);
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

  private plan(entry: Entry, delayMs: number | null): void {
    const atMs = delayMs === null ? null : this.effects.time.nowMs() + delayMs;
    entry.status = { ...entry.status, nextProbeMs: atMs };
    entry.next.callOff();
    if (delayMs === null || atMs === null) return;
    entry.next.make(delayMs, (dueMonotonicMs) => {
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

function laneOf(status: HostStatus): Lane {
  if (status.failuresInRow === 0) return 'planned';
  return status.restartingSinceMonotonicMs === null ? 'doubtful' : 'returning';
}
