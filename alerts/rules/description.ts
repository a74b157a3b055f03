import { limit } from './restart-records';
import type { Severity } from './rule';
import { duration, queryOfHost, roughDuration, valueInUtc, who } from './template';

/** How many ports and packages a description names; the exporter counts the rest. */
const namedAtMost = 8;

// What follows is expanded for every alert at every evaluation, and a kernel update means an alert for each host: a few plain
// queries by label cost less than reading all facts in one and choosing among them in the template. `max by` folds what several
// exporters say of the same host; what has no series leaves its words out.

/** Before every element of a range over `$i, $e` but the first. */
const comma = '{{ if $i }},{{ end }}';

const since = `{{ range ${queryOfHost('min(reboot_required_since_timestamp_seconds', ')')} }} since ${valueInUtc}{{ end }}`;
const age = `{{ range ${queryOfHost('max(reboot_required_age_seconds', ')')} }} ({{ .Value | ${roughDuration} }}){{ end }}`;

/** Reasons by name; an element without labels says that a restart did not end it. */
const reasons =
  '{{ range $i, $e := query (printf `max by (reason) (reboot_required_reason_info{host=%q,stack=%q}) or max(reboot_still_required_after_restart{host=%q,stack=%q}) == 1`' +
  ' $labels.host $labels.stack $labels.host $labels.stack) | sortByLabel "reason" }}' +
  `${comma} {{ if .Labels }}{{ .Labels.reason }}{{ else }}its last restart did not help (see the runbook of RebootStillRequired){{ end }}` +
  '{{ else }} no reason is known{{ end }}';

/** By shutdown(8), or by a program of the host's that is set to restart it. */
const scheduled =
  '{{ range query (printf `max(reboot_scheduled_timestamp_seconds{host=%q,stack=%q}) or max(reboot_expected_timestamp_seconds{host=%q,stack=%q})`' +
  ' $labels.host $labels.stack $labels.host $labels.stack) }}' +
  ` A restart of this host is scheduled for ${valueInUtc}.{{ end }}`;
const basis =
  `{{ range ${queryOfHost('topk(1, exposed_to_anywhere_basis_info', ')')} }}` +
  ' ({{ .Labels.basis }}{{ if eq .Labels.basis "assumed" }}: its firewall could not be read or evaluated{{ end }}){{ end }}';

/** Names what there is of one kind, after how many there are in all if that is more than are named. */
function named(list: string, count: string, by: string, sortedBy: string, item: string, none: string): string {
  return (
    `{{ range $i, $e := query (printf \`topk(${namedAtMost}, max by (${by}) (${list}{host=%q,stack=%q})) or max(${count}{host=%q,stack=%q}) > ${namedAtMost}\`` +
    ` $labels.host $labels.stack $labels.host $labels.stack) | sortByLabel "${sortedBy}" }}` +
    `${comma} {{ if .Labels }}${item}{{ else }}{{ .Value }} in all{{ end }}{{ else }} ${none}{{ end }}`
  );
}

/** Package names come from the host: a character that is not part of one is not repeated to people. */
const packages = named(
  'reboot_required_package_info',
  'reboot_required_packages',
  'package',
  'package',
  '{{ reReplaceAll "[^A-Za-z0-9.+:~_-]" "?" .Labels.package }}',
  'none named',
);

const ports = named(
  'exposed_port_info',
  'exposed_ports',
  'proto, port',
  'port',
  '{{ .Labels.proto }}/{{ .Labels.port }}',
  'which ports is not known',
);

function opening(severity: Severity): string {
  const passed = severity === 'info' ? '.' : `${age}. The limit for ${severity} has passed.`;
  const limits =
    `{{ range $i, $e := ${queryOfHost(limit, ' < +Inf')} | sortByLabel "severity" }}` +
    `${comma} {{ .Labels.severity }} after {{ .Value | ${duration} }}{{ else }} none{{ end }}`;
  return `${who} has needed a restart${since}${passed} Limits:${limits}.`;
}

const exposureLine = {
  exposed: `Exposed${basis}, open to any internet address:${ports}.`,
  internal: 'Not exposed: no port is open to the internet at large.',
} as const;

const why = `Why:${reasons}. Packages:${packages}.`;

/** The next start is 0 while the window is open. */
const window =
  'Maintenance window of {{ $labels.stack }}: ' +
  '{{ range query (printf `max(reboot_maintenance_window_next_start_timestamp_seconds{stack=%q}) * (1 - max(reboot_maintenance_window_open{stack=%q}))` $labels.stack $labels.stack) }}' +
  `{{ if .Value }}next opens ${valueInUtc}{{ else }}open now{{ end }}{{ else }}none is configured{{ end }}.${scheduled}`;

/** What to do and by when. Only an exposed host past its critical limit is worth a night. */
const advice = {
  exposed: {
    info: 'plan the restart for the next window or the next quiet hours. Nobody has to get up for it.',
    warning:
      'restart it in the next window, or in quiet hours today if no window comes before the critical limit. Nobody has to get up for it.',
    critical:
      'restart it within a day: now if its window is open or these are quiet hours, else in the next of them. ' +
      'At once, at any hour, if one of the packages has a hole that is being exploited.',
  },
  internal: {
    info: 'plan the restart for the next window or the next quiet hours. Nobody has to get up for it.',
    warning:
      'restart it in the next window, or in quiet hours this week if there is none. Nobody has to get up for it.',
    critical:
      'restart it in the next window, or in quiet hours of the coming days if there is none. Nobody has to get up for it.',
  },
} as const;

/** The first words of the line with the steps; message templates print that line once for a group. */
export const stepsPrefix = 'How to restart it well:';

const steps =
  `${stepsPrefix} one host of {{ $labels.stack }} at a time; out of hours; behind a load balancer drain it first and put it back after; ` +
  "by 'sudo systemctl reboot' on the host, not by stop and start at the cloud provider, which can change its public address.";

/** Everything that someone who is paged has to know, as a Prometheus template. */
export function restartDescription(exposure: 'exposed' | 'internal', severity: Severity): string {
  return [
    opening(severity),
    exposureLine[exposure],
    why,
    window,
    `What to do: ${advice[exposure][severity]}`,
    steps,
  ].join('\n');
}
