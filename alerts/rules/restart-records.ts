import { defaultPolicy } from '../../src/policy/defaults';
import { expectedGraceSeconds, expectedWithinSeconds } from '../../src/policy/urgency';
import { gapWindow } from '../settings';
import type { RecordingRule } from './rule';

/** Names of what the restart alerts compare; dashboards may use them too. */
export const required = 'stack_host:reboot_required:max';
export const exposed = 'stack_host:exposed_to_anywhere:max';
export const expected = 'stack_host:reboot_expected_timestamp_seconds:min';
export const livepatched = 'stack_host:reboot_required_livepatched:max';
export const ageByHost = 'stack_host:reboot_required_age_seconds:max';
export const ageByExposure = 'stack_host_exposure:reboot_required_age_seconds:max';
export const limit = 'stack_host_exposure_severity:reboot_policy_after_seconds:min';
export const pastLimit = 'stack_host_exposure_severity:reboot_required_past_limit_seconds:max';

/** The newest value of each host's series, whichever exporter has it and whatever labels of its own the host has. */
export function latestByHost(operation: 'max' | 'min', metric: string): string {
  return `${operation} by (stack, host) (last_over_time(${metric}[${gapWindow}]))`;
}

/**
 * What the restart alerts compare. Each joins on `stack` and `host` alone: a
 * host's own labels, and two exporters that see the same host, change nothing.
 */
export function restartRecords(): readonly RecordingRule[] {
  return [
    { record: required, expr: latestByHost('max', 'reboot_required') },
    { record: exposed, expr: latestByHost('max', 'exposed_to_anywhere') },
    { record: expected, expr: expectedSoon() },
    { record: livepatched, expr: latestByHost('max', 'reboot_required_livepatched') },
    { record: ageByHost, expr: ageWhileRequired() },
    { record: ageByExposure, expr: splitByExposure() },
    { record: limit, expr: limitOf('warning'), labels: { severity: 'warning' } },
    { record: limit, expr: limitOf('critical'), labels: { severity: 'critical' } },
    // Negative until the limit is reached, so that a dashboard can show what is left.
    {
      record: pastLimit,
      expr: `${ageByExposure}\n- on (stack, host, exposure) group_right ()\n${limit}`,
    },
  ];
}

/**
 * The time at which a host restarts by itself, from a day before it until it is clearly late. An exporter of a version
 * that tells of scheduled restarts alone is understood as well.
 */
function expectedSoon(): string {
  return [
    `(\n    ${latestByHost('min', 'reboot_expected_timestamp_seconds')}`,
    `  or\n    ${latestByHost('min', 'reboot_scheduled_timestamp_seconds')}\n)`,
    `< time() + ${expectedWithinSeconds}`,
    `> time() - ${expectedGraceSeconds}`,
  ].join('\n');
}

/** A host known to need a restart counts even when nothing says for how long: as if since now. */
function ageWhileRequired(): string {
  return `(
    ${latestByHost('max', 'reboot_required_age_seconds')}
  or
    0 * ${required}
)
and on (stack, host)
  ${required} == 1`;
}

/** Internal only where the exporter says so: a host without an exposure series is taken as exposed. */
function splitByExposure(): string {
  return `label_replace(
  ${ageByHost} unless on (stack, host) ${exposed} == 0,
  "exposure", "exposed", "", ""
)
or
label_replace(
  ${ageByHost} and on (stack, host) ${exposed} == 0,
  "exposure", "internal", "", ""
)`;
}

/**
 * The limit of each host that needs a restart: its stack's, else that of stack
 * `default`, else the exporter's default. A missing series (dropped by
 * relabelling, an exporter of another version) must not mean that nothing ever
 * escalates.
 */
function limitOf(severity: 'warning' | 'critical'): string {
  const key = severity === 'warning' ? 'warningAfterSeconds' : 'criticalAfterSeconds';
  const policy = (selector: string, by: string): string =>
    `min by (${by}) (last_over_time(reboot_policy_after_seconds{${selector}severity="${severity}"}[${gapWindow}]))`;
  return `  0 * ${ageByExposure}
+ on (stack, exposure) group_left ()
  ${policy('', 'stack, exposure')}
or
  0 * ${ageByExposure}
+ on (exposure) group_left ()
  ${policy('stack="default",', 'exposure')}
or
  0 * ${ageByExposure}{exposure="exposed"} + ${defaultPolicy.exposed[key]}
or
  0 * ${ageByExposure}{exposure="internal"} + ${defaultPolicy.internal[key]}`;
}
