import type { StackPolicy } from '../policy/policy';
import { windowState } from '../policy/window';
import { renderHead, renderSample, type ExpositionFormat, type FamilyHead, type Sample } from './family';

/** A family with series for each stack. */
export interface StackFamily extends FamilyHead {
  readonly samples: (stack: string, policy: StackPolicy, nowMs: number) => readonly Sample[];
}

export const stackFamilies: readonly StackFamily[] = [
  {
    name: 'reboot_policy_after_seconds',
    type: 'gauge',
    help: 'After how long a needed restart is a warning, or critical, for exposed and for internal hosts of the stack; 0 means at once.',
    samples: (stack, policy) =>
      (['exposed', 'internal'] as const).flatMap((exposure) => [
        { labels: { stack, exposure, severity: 'warning' }, value: policy[exposure].warningAfterSeconds },
        { labels: { stack, exposure, severity: 'critical' }, value: policy[exposure].criticalAfterSeconds },
      ]),
  },
  {
    name: 'reboot_maintenance_window_open',
    type: 'gauge',
    help: 'Whether now is a good time to restart hosts of the stack; absent for a stack without a maintenance window.',
    samples: (stack, { maintenanceWindow }, nowMs) =>
      maintenanceWindow === null
        ? []
        : [{ labels: { stack }, value: windowState(maintenanceWindow, nowMs).open ? 1 : 0 }],
  },
  {
    name: 'reboot_maintenance_window_next_start_timestamp_seconds',
    type: 'gauge',
    help: 'Unix time at which the next maintenance window of the stack begins; absent for a stack without one.',
    samples: (stack, { maintenanceWindow }, nowMs) =>
      maintenanceWindow === null
        ? []
        : [{ labels: { stack }, value: windowState(maintenanceWindow, nowMs).nextStartSeconds }],
  },
];

export function renderStacks(
  stacks: ReadonlyMap<string, StackPolicy>,
  nowMs: number,
  format: ExpositionFormat,
): string {
  const pieces: string[] = [];
  for (const family of stackFamilies) {
    const lines = [...stacks].flatMap(([stack, policy]) =>
      family.samples(stack, policy, nowMs).map((sample) => renderSample(family.name, sample)),
    );
    if (lines.length > 0) pieces.push(renderHead(family, format), ...lines);
  }
  return pieces.join('');
}
