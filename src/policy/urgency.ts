import type { StackPolicy } from './policy';

/** How urgent it is to restart a host. `info`: needed, but no threshold is reached yet. */
export type Urgency = 'none' | 'info' | 'warning' | 'critical' | 'unknown';

/** What is known of a host that its urgency depends on. */
export interface Need {
  readonly restart: 'required' | 'not_required' | 'unknown';
  /** How long the restart has been needed; `null` where it is not, or where its beginning is not known. */
  readonly ageSeconds: number | null;
  readonly exposure: 'exposed' | 'not_exposed' | 'unknown';
}

/**
 * How urgent a restart is under a stack's policy. A threshold is reached when the age equals it, so 0 is at once.
 * A host that may be exposed is treated as exposed. A needed restart without an age is as young as can be: it can
 * reach only thresholds of 0.
 */
export function urgencyOf(need: Need, policy: StackPolicy): Urgency {
  if (need.restart === 'unknown') return 'unknown';
  if (need.restart === 'not_required') return 'none';
  const { warningAfterSeconds, criticalAfterSeconds } = policy[exposureClass(need.exposure)];
  // A host whose clock was set back can have an age below 0.
  const ageSeconds = Math.max(0, need.ageSeconds ?? 0);
  if (ageSeconds >= criticalAfterSeconds) return 'critical';
  if (ageSeconds >= warningAfterSeconds) return 'warning';
  return 'info';
}

/** Which thresholds hold for a host: those of exposed hosts unless it is known not to be exposed. */
export function exposureClass(exposure: Need['exposure']): 'exposed' | 'internal' {
  return exposure === 'not_exposed' ? 'internal' : 'exposed';
}
