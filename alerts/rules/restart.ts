import { heldBackAtMostSeconds } from '../../src/policy/urgency';
import { gapWindow } from '../settings';
import { restartDescription } from './description';
import {
  ageByExposure,
  expected,
  latestByHost,
  livepatched,
  pastLimit,
  required,
  restartRecords,
} from './restart-records';
import { runbookUrl, type AlertingRule, type RuleGroup, type Severity } from './rule';
import { serverDashboard, who } from './template';

type Exposure = 'exposed' | 'internal';

/** Labels that only say which exporter was scraped, and how; every other label is the host's own and stays for routing. */
const scrapeLabels = 'instance, job, pod, container, endpoint';

/** A host that needs a restart, with the host's own labels, once for however many exporters see it. */
const requiredWithOwnLabels = `max without (${scrapeLabels}) (last_over_time(reboot_required[${gapWindow}])) == 1`;

const summaries: Record<Exposure, Record<Severity, string>> = {
  exposed: {
    info: 'A host that is open to the internet needs a restart.',
    warning: 'A host that is open to the internet has needed a restart for longer than the limit for a warning.',
    critical: 'A host that is open to the internet has needed a restart for longer than the critical limit.',
  },
  internal: {
    info: 'A host needs a restart.',
    warning: 'A host has needed a restart for longer than the limit for a warning.',
    critical: 'A host has needed a restart for longer than the critical limit.',
  },
};

/**
 * Who needs a restart, and how urgently. The severity is the same that the
 * exporter shows as `urgency`: a notice at once, then by the stack's limits.
 */
export function restartGroup(): RuleGroup {
  return {
    name: 'reboot-exporter.restart',
    rules: [
      ...restartRecords(),
      notice('internal'),
      overdue('internal', 'warning'),
      overdue('internal', 'critical'),
      notice('exposed'),
      overdue('exposed', 'warning'),
      overdue('exposed', 'critical'),
      stillRequired(),
    ],
  };
}

/**
 * Every host that needs a restart. An internal one may be about to restart by
 * itself after its updates, hence the `for`; an exposed one is told at once.
 */
function notice(exposure: Exposure): AlertingRule {
  const expr = `${requiredWithOwnLabels}
and on (stack, host)
  ${ageByExposure}{exposure="${exposure}"}`;
  return restartRule(exposure, 'info', exposure === 'internal' ? { expr, for: '10m' } : { expr });
}

/**
 * Past the limit of its stack. There is no `for`: the age, which has to exceed
 * the limit, already is one, and a limit of 0 means at once. A host that is about
 * to restart by itself holds it back, but never for more than a day: a restart that
 * is announced each night and does not happen must not hide the host for ever.
 */
function overdue(exposure: Exposure, severity: 'warning' | 'critical'): AlertingRule {
  const past = `${pastLimit}{exposure="${exposure}",severity="${severity}"}`;
  const expr = `${requiredWithOwnLabels}
and on (stack, host) (
    ${past} >= 0
  unless on (stack, host)
    ${expected}
  or
    ${past} >= ${heldBackAtMostSeconds}
)`;
  // What is found critical in a kernel is what live patches are made for: it stays a warning.
  const unlessPatched = severity === 'critical' ? `\nunless on (stack, host)\n  ${livepatched} == 1` : '';
  return restartRule(exposure, severity, { expr: expr + unlessPatched });
}

function restartRule(exposure: Exposure, severity: Severity, when: { expr: string; for?: string }): AlertingRule {
  const alert = exposure === 'exposed' ? 'RebootRequiredExposed' : 'RebootRequired';
  return {
    alert,
    ...when,
    labels: { severity, exposure },
    annotations: {
      summary: summaries[exposure][severity],
      description: restartDescription(exposure, severity),
      runbook_url: runbookUrl(alert),
      dashboard_path: serverDashboard,
    },
  };
}

function stillRequired(): AlertingRule {
  const alert = 'RebootStillRequired';
  return {
    alert,
    expr: `${latestByHost('max', 'reboot_still_required_after_restart')} == 1
and on (stack, host)
  ${required} == 1`,
    for: '30m',
    labels: { severity: 'warning' },
    annotations: {
      summary: 'A host was restarted and still needs a restart.',
      description:
        `${who} was restarted and still runs what its restart should have replaced. ` +
        'Another restart alone will not help: compare the kernel that booted with the newest installed one, ' +
        'then look at the boot loader, pinned kernels and a full /boot.',
      runbook_url: runbookUrl(alert),
      dashboard_path: serverDashboard,
    },
  };
}
