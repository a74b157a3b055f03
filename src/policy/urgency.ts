import type { StackPolicy } from './policy';

/** How urgent it is to restart a host. `info`: needed, but no threshold is reached yet. */
export type Urgency = 'none' | 'info' | 'warning' | 'critical' | 'unknown';

/** What is known of a host that its urgency depends on. */
export interface Need {
  readonly restart: 'required' | 'not_required' | 'unknown';
  /** How long the restart has been needed; `null` where it is not, or where its beginning is not known. */
  readonly ageSeconds: number | null;
  readonly exposure: 'exposed' | 'not_exposed' | 'unknown';
  /** In how many seconds the host is expected to restart by itself; below 0 it is late. `null` or left out: it isn't known to. */
  readonly restartsItselfInSeconds?: number | null;
  /** It is needed for the kernel alone, and the running one is live patched. */
  readonly isLivepatched?: boolean;
}

/** A restart that is expected within this time holds back what escalates, in seconds. */
export const expectedWithinSeconds = 86_400;

/** How late an expected restart may be before it no longer counts as on its way, in seconds. */
export const expectedGraceSeconds = 1800;

/**
 * How long past a threshold an expected restart can hold it back, in seconds: one that is announced again and again and
 * never comes must not hide the host for ever.
 */
export const heldBackAtMostSeconds = 86_400;

/**
 * How urgent a restart is under a stack's policy. A threshold is reached when the age equals it, so 0 is at once.
 * A host that may be exposed is treated as exposed. A needed restart without an age is as young as can be: it can
 * reach only thresholds of 0. A host that is about to restart by itself does not escalate meanwhile, for a day at most. One whose
 * kernel is live patched is never critical for that kernel: what was found critical in it is what is patched.
 */
export function urgencyOf(need: Need, policy: StackPolicy): Urgency {
  if (need.restart === 'unknown') return 'unknown';
  if (need.restart === 'not_required') return 'none';
  const { warningAfterSeconds, criticalAfterSeconds } = policy[exposureClass(need.exposure)];
  // A host whose clock was set back can have an age below 0.
  const ageSeconds = Math.max(0, need.ageSeconds ?? 0);
  const held = isExpected(need.restartsItselfInSeconds ?? null);
  const isPast = (limitSeconds: number): boolean =>
    ageSeconds >= (held ? limitSeconds + heldBackAtMostSeconds : limitSeconds);
  if (isPast(criticalAfterSeconds)) return need.isLivepatched === true ? 'warning' : 'critical';
  if (isPast(warningAfterSeconds)) return 'warning';
  return 'info';
}

function isExpected(inSeconds: number | null): boolean {
  return inSeconds !== null && inSeconds < expectedWithinSeconds && inSeconds > -expectedGraceSeconds;
}

/** Which thresholds hold for a host: those of exposed hosts unless it is known not to be exposed. */
export function exposureClass(exposure: Need['exposure']): 'exposed' | 'internal' {
  return exposure === 'not_exposed' ? 'internal' : 'exposed';
}
