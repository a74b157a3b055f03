import type { ExposureVerdict } from '../exposure/verdict';
import type { Host } from '../inventory/host';
import type { Logger } from '../logging/logger';
import type { Memory } from '../memory/memory-file';
import type { HostReport } from '../probe/probe';
import type { ProbeWish } from '../probe/program';
import type { Timetable } from '../schedule/timetable';
import type { Time } from '../time/time';
import type { HostStatus } from './status';

/** What the fleet needs of the world. */
export interface FleetEffects {
  readonly time: Time;
  readonly log: Logger;
  readonly memory: Memory;
  /** Probes one host; throws ProbeFailure. Ends soon after the signal, whatever it is at. */
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
