import type { ExposureVerdict } from '../exposure/verdict';
import type { HostFacts } from '../reading';
import { findLivepatch, type Livepatch } from '../restart/livepatch';
import { findOutdatedServices, type OutdatedService } from '../restart/outdated-services';
import type { RestartState } from '../restart/restart';
import { findOwnRestart, type OwnRestart } from '../updates/own-restart';
import type { Sharing } from './sharing';

/** What the last successful probe found out. */
export interface Known {
  readonly atMs: number;
  /** The exporter's monotonic clock at the probe, in milliseconds. */
  readonly atMonotonicMs: number;
  readonly restart: RestartState;
  readonly facts: HostFacts;
  readonly outlook: Outlook;
  /** The host's clock minus the exporter's monotonic clock, in seconds; null when the host has no clock. */
  readonly hostClockOffsetSeconds: number | null;
  /** null until it was first evaluated. */
  readonly exposure: ExposureVerdict | null;
}

/** What follows from the facts and the restart state of a host. */
export interface Outlook {
  /** What restarts the host by itself. */
  readonly ownRestart: OwnRestart | null;
  readonly livepatch: Livepatch | null;
  /** Services that still run replaced libraries; null where that can't be told. */
  readonly outdatedServices: readonly OutdatedService[] | null;
}

/** Adds what follows from the rest. */
export function withOutlook(found: Omit<Known, 'outlook'>): Known {
  const { facts, restart } = found;
  const outlook = {
    ownRestart: findOwnRestart(facts, restart),
    livepatch: findLivepatch(facts, restart),
    outdatedServices: findOutdatedServices(facts, restart),
  };
  return { ...found, outlook };
}

/** The same, with what says the same as before being the same objects: see tellTheSame. */
export function settleKnown(before: Known | null, found: Known, sharing: Sharing): Known {
  const restart = sharing.settleMembers(before?.restart, found.restart, ['boot']);
  const outlook = sharing.settle(before?.outlook, found.outlook);
  return { ...found, restart, outlook, exposure: sharing.settle(before?.exposure, found.exposure) };
}

/**
 * The same facts, with what says the same as before being the same objects, and holding on to nothing of the answer that they
 * were read from. To be done before anything is made of them.
 */
export function settleFacts(before: HostFacts | null, found: HostFacts, sharing: Sharing): HostFacts {
  const facts = sharing.settleMembers(before, found, ['clock', 'boot']);
  return { ...facts, boot: { ...facts.boot, id: sharing.settle(before?.boot.id, facts.boot.id) } };
}

/** Whether two findings about a host, settled, differ in nothing but clocks. False where that is not plain to see. */
export function tellTheSame(one: Known, other: Known): boolean {
  return (
    one.exposure === other.exposure &&
    one.outlook === other.outlook &&
    (one.hostClockOffsetSeconds === null) === (other.hostClockOffsetSeconds === null) &&
    areSame(one.facts, other.facts, ['clock', 'boot']) &&
    areSame(one.restart, other.restart, ['boot']) &&
    areSame(one.restart.boot, other.restart.boot, ['nowSeconds'])
  );
}

function areSame<T extends object>(one: T, other: T, besides: readonly (keyof T)[]): boolean {
  if (one === other) return true;
  for (const key in one) if (one[key] !== other[key] && !besides.includes(key)) return false;
  return true;
}
