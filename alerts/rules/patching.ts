import { queryOfHost, serverDashboard, valueInUtc, who } from './template';
import { latestByHost } from './restart-records';
import { runbookUrl, type AlertingRule, type RuleGroup } from './rule';

const enabled = 'stack_host:automatic_updates_enabled:max';
const lastRun = 'stack_host:automatic_updates_last_run_timestamp_seconds:max';

/** Unattended upgrades run daily; three days is two missed runs and some slack. */
const stalledAfterSeconds = 3 * 86_400;

/** Timers of other distributions are daily as they come, and weekly on many hosts: a week and a day. */
const othersStalledAfterSeconds = 8 * 86_400;

/**
 * Hosts on which nothing installs updates never ask for a restart, and look
 * fine. Hosts of which it is not known have no series, and no alert.
 */
export function patchingGroup(): RuleGroup {
  return {
    name: 'reboot-exporter.patching',
    rules: [
      { record: enabled, expr: eitherOf('automatic_updates_enabled', 'unattended_upgrades_enabled') },
      { record: lastRun, expr: eitherOf('automatic_updates_last_run_timestamp_seconds', unattendedLastRun) },
      patchingOff(),
      patchingStalled(),
    ],
  };
}

const unattendedLastRun = 'unattended_upgrades_last_run_timestamp_seconds';

/** An exporter of a version that knows of unattended upgrades alone is understood as well. */
function eitherOf(metric: string, older: string): string {
  return `${latestByHost('max', metric)}\nor\n${latestByHost('max', older)}`;
}

function patchingOff(): AlertingRule {
  const alert = 'RebootPatchingOff';
  return {
    alert,
    expr: `${enabled} == 0
or
${latestByHost('max', 'unattended_upgrades_installed')} == 0`,
    for: '1d',
    labels: { severity: 'warning' },
    annotations: {
      summary: 'Nothing on a host installs updates by itself.',
      description:
        `Automatic updates are not installed or switched off on ${who}. ` +
        'Unless something else patches it, it stays unpatched, and never asks for the restart that it would need.',
      runbook_url: runbookUrl(alert),
      dashboard_path: serverDashboard,
    },
  };
}

/**
 * Not run for days, or never run on a host that has been up for as long. That something else than unattended upgrades
 * never ran is not told by all of them.
 */
function patchingStalled(): AlertingRule {
  const alert = 'RebootPatchingStalled';
  return {
    alert,
    expr: `(
    time() - ${latestByHost('max', unattendedLastRun)} > ${stalledAfterSeconds}
  or
    time() - ${lastRun} > ${othersStalledAfterSeconds}
  or
        time() - ${latestByHost('max', 'reboot_host_boot_timestamp_seconds')} > ${stalledAfterSeconds}
    unless on (stack, host)
        ${lastRun}
    and on (stack, host)
        ${latestByHost('max', 'unattended_upgrades_enabled')}
)
and on (stack, host)
  ${enabled} == 1`,
    for: '6h',
    labels: { severity: 'warning' },
    annotations: {
      summary: 'Automatic updates are enabled on a host, but do not run.',
      description:
        `Automatic updates are enabled on ${who}, but ` +
        `{{ range ${queryOfHost(lastRun, '')} }}last ran on ${valueInUtc}{{ else }}have never run{{ end }}. ` +
        'Until they run, it stays unpatched.',
      runbook_url: runbookUrl(alert),
      dashboard_path: serverDashboard,
    },
  };
}
