import { gapWindow } from '../settings';
import { queryOfHost, serverDashboard, valueInUtc, who } from './template';
import { latestByHost, required } from './restart-records';
import { runbookUrl, type AlertingRule, type RuleGroup } from './rule';

const succeeded = 'stack_host:reboot_probe_success:max';
const restarting = 'stack_host:reboot_host_restarting:max';
const undecided = 'stack_host:reboot_required_unknown:max';
const reasons = 'stack_host_reason:reboot_probe_failing_reason_info:max';

/**
 * Reasons where the host answered and something refused. All others, those of
 * a newer exporter too, count as not reachable.
 */
const refusals = ['auth', 'command', 'output', 'internal'];

/** Why the last probe failed, if it is known, to follow a word. */
const because = `{{ range ${queryOfHost('topk(1, reboot_probe_failing_reason_info', ')')} }} ({{ .Labels.reason }}){{ end }}`;

/** When the host last answered, as a sentence of its own. */
const lastAnswer =
  `{{ range ${queryOfHost('max(reboot_probe_last_success_timestamp_seconds', ')')} }}` +
  ` It last answered on ${valueInUtc}.{{ end }}`;

/** What the restart alerts said of a host before its state ended. */
const whenLastSeen =
  `{{ range ${queryOfHost('max(last_over_time(reboot_required', '[1w]))')} }}` +
  ' When last seen, it {{ if eq .Value 1.0 }}needed a restart{{ else }}needed no restart{{ end }}.{{ end }}';

/** What can't be known, and why. The alerts exclude one another, but for the state that ends after a while of any of them. */
export function probeGroup(): RuleGroup {
  return {
    name: 'reboot-exporter.probe',
    rules: [
      { record: succeeded, expr: latestByHost('max', 'reboot_probe_success') },
      { record: restarting, expr: latestByHost('max', 'reboot_host_restarting') },
      { record: undecided, expr: latestByHost('max', 'reboot_required_unknown') },
      {
        record: reasons,
        expr: `max by (stack, host, reason) (last_over_time(reboot_probe_failing_reason_info[${gapWindow}]))`,
      },
      unreachable(),
      refused(),
      hostKeyChanged(),
      stale(),
      unknown(),
    ],
  };
}

/** The exporter takes a host that stops answering as restarting for ten minutes: that pages nobody, and after it this begins to count. */
function unreachable(): AlertingRule {
  return probeRule('RebootHostUnreachable', {
    expr: `${succeeded} == 0
unless on (stack, host)
  ${reasons}{reason=~"${['host_key', ...refusals].join('|')}"}
unless on (stack, host)
  ${restarting} == 1`,
    for: '15m',
    summary: 'A host does not answer the probe.',
    description:
      `${who} does not answer the exporter${because}.${lastAnswer} A restart would be over by now. ` +
      'Its state is shown as last seen until it is too old. If nothing else reports the host as down, look at the way from the exporter to it.',
  });
}

function refused(): AlertingRule {
  return probeRule('RebootProbeFailing', {
    expr: `${succeeded} == 0
and on (stack, host)
  ${reasons}{reason=~"${refusals.join('|')}"}
unless on (stack, host)
  ${reasons}{reason="host_key"}`,
    for: '15m',
    summary: 'A host answers, but cannot be probed.',
    description:
      `${who} answers, but the probe fails${because}.${lastAnswer} ` +
      'Whether it needs a restart is shown as last seen, and soon no longer: an alert about it that ends now has not been dealt with.',
  });
}

function hostKeyChanged(): AlertingRule {
  return probeRule('RebootHostKeyChanged', {
    expr: `${succeeded} == 0
and on (stack, host)
  ${reasons}{reason="host_key"}`,
    for: '5m',
    summary: 'A host shows a key that is not the known one.',
    description:
      `${who} shows an SSH host key that is unknown, revoked or not the one in known_hosts. Nothing was sent to it.${lastAnswer} ` +
      'Either it was installed anew, or something else answers at its address: find out which before the key is accepted.',
  });
}

/** The exporter ends the state of a host that it could not probe for `stale_after`. Then its restart alerts end as well. */
function stale(): AlertingRule {
  return probeRule('RebootStateStale', {
    expr: `${succeeded}
unless on (stack, host) (
    ${required}
  or
    ${undecided}
)`,
    for: '15m',
    summary: 'Whether a host needs a restart is no longer known.',
    description:
      `Nothing recent is known about ${who}.${lastAnswer}${whenLastSeen} ` +
      'Its restart alerts have ended, which does not mean that it was restarted.',
  });
}

function unknown(): AlertingRule {
  return probeRule('RebootStateUnknown', {
    severity: 'info',
    expr: `${undecided} == 1`,
    for: '6h',
    summary: 'A host answers, but nothing on it tells whether it needs a restart.',
    description:
      `${who} answers, but none of the signals on it can tell whether it needs a restart. ` +
      'Nobody will be told when it does. Usually something that writes the flag is missing.',
  });
}

function probeRule(
  alert: string,
  rule: { severity?: 'info'; expr: string; for: string; summary: string; description: string },
): AlertingRule {
  return {
    alert,
    expr: rule.expr,
    for: rule.for,
    labels: { severity: rule.severity ?? 'warning' },
    annotations: {
      summary: rule.summary,
      description: rule.description,
      runbook_url: runbookUrl(alert),
      dashboard_path: serverDashboard,
    },
  };
}
