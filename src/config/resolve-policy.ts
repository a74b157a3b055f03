import { defaultPolicy } from '../policy/defaults';
import type { StackPolicy, Thresholds } from '../policy/policy';
import { faultAt, type Fault } from './fault';
import { formatDuration } from './duration';
import type { PolicyInput, StackInput } from './schema';
import { formatPath } from './schema-faults';
import type { YamlText } from './yaml-text';
import type { PathStep } from './yaml-value';

const exposures = ['exposed', 'internal'] as const;

/** The policy at the top of the configuration, over the defaults. */
export function resolvePolicy(input: PolicyInput | undefined): StackPolicy {
  return { ...mergePolicy(input, defaultPolicy), maintenanceWindow: null };
}

/** A stack's policy: each threshold that it leaves out is the one at the top. */
export function resolveStackPolicy(input: StackInput, top: StackPolicy): StackPolicy {
  const window = input.maintenance_window;
  return {
    ...mergePolicy(input.policy, top),
    maintenanceWindow:
      window === undefined
        ? null
        : { cron: window.cron, durationSeconds: window.duration, timezone: window.timezone ?? 'UTC' },
  };
}

/** A warning that would come after the critical never shows: say so where either was written. */
export function policyFaults(
  text: YamlText,
  path: readonly PathStep[],
  input: PolicyInput | undefined,
  resolved: StackPolicy,
): Fault[] {
  const faults: Fault[] = [];
  for (const exposure of exposures) {
    const own = input?.[exposure];
    // What a stack only takes over is told at the top, where it was written.
    if (own?.warning_after === undefined && own?.critical_after === undefined) continue;
    const { warningAfterSeconds, criticalAfterSeconds } = resolved[exposure];
    if (warningAfterSeconds <= criticalAfterSeconds) continue;
    const at = [...path, exposure, own.warning_after === undefined ? 'critical_after' : 'warning_after'];
    const warning = `warning_after ${formatDuration(warningAfterSeconds)}${own.warning_after === undefined ? ' (taken over)' : ''}`;
    const critical = `critical_after ${formatDuration(criticalAfterSeconds)}${own.critical_after === undefined ? ' (taken over)' : ''}`;
    faults.push(
      faultAt(text.file, text.placeOf(at), `${formatPath([...path, exposure])}: ${warning} is longer than ${critical}`),
    );
  }
  return faults;
}

function mergePolicy(input: PolicyInput | undefined, base: StackPolicy): { exposed: Thresholds; internal: Thresholds } {
  return {
    exposed: mergeThresholds(input?.exposed, base.exposed),
    internal: mergeThresholds(input?.internal, base.internal),
  };
}

function mergeThresholds(input: NonNullable<PolicyInput['exposed']> | undefined, base: Thresholds): Thresholds {
  return {
    warningAfterSeconds: input?.warning_after ?? base.warningAfterSeconds,
    criticalAfterSeconds: input?.critical_after ?? base.criticalAfterSeconds,
  };
}
