import { runbookUrl, type AlertingRule, type RuleGroup, type Severity } from './rule';
import { valueInUtc } from './template';

/** The exporter itself. Found by its own metrics, whatever the scrape job is called. */
export function exporterGroup(): RuleGroup {
  return {
    name: 'reboot-exporter.exporter',
    rules: [
      down(),
      absent(),
      shardMissing(),
      probeUnanswered(),
      reloadFailed(),
      webReloadFailed(),
      stateNotSaved(),
      noHosts(),
    ],
  };
}

/** One of the exporters, which was there in the last week and is still a target, cannot be scraped. */
function down(): AlertingRule {
  return exporterRule('RebootExporterDown', 'warning', {
    expr: `up == 0
and on (job, instance)
  last_over_time(reboot_exporter_build_info[1w])`,
    for: '15m',
    summary: 'A reboot-exporter cannot be scraped.',
    description:
      'Prometheus cannot scrape the reboot-exporter at {{ $labels.instance }} (job {{ $labels.job }}). ' +
      'The state of the hosts that only it probes is no longer known, and their alerts have ended.',
  });
}

/** No exporter is scraped at all: nobody will be told of any restart. */
function absent(): AlertingRule {
  return exporterRule('RebootExporterAbsent', 'critical', {
    expr: 'absent(reboot_exporter_build_info)',
    for: '1h',
    summary: 'No reboot-exporter is scraped: nobody is told of any needed restart.',
    description:
      'Prometheus has no metrics of any reboot-exporter. Every alert about a needed restart has ended, and none will begin, until it is back. ' +
      'Nothing on the hosts has changed by that: it can wait for the morning, not for the week.',
  });
}

/** The shards that are there, by their numbers. */
const shardsThere =
  '{{ range $i, $e := query (printf `count by (shard) (reboot_exporter_shards{job=%q})` $labels.job) | sortByLabel "shard" }}' +
  '{{ if $i }},{{ end }} {{ .Labels.shard }}{{ end }}';

/**
 * An exporter with --shard whose target is gone, as when service discovery drops it, or was never there: then nothing
 * is down. One that is a target still counts as there: RebootExporterDown tells of it.
 */
function shardMissing(): AlertingRule {
  return exporterRule('RebootExporterShardMissing', 'warning', {
    expr: `max by (job) (reboot_exporter_shards)
- count by (job) (
  count by (job, shard) (
      reboot_exporter_shards
    or
      last_over_time(reboot_exporter_shards[1w])
    and on (job, instance)
      up == 0
  )
) > 0`,
    for: '15m',
    summary: 'Some shards of the fleet have no reboot-exporter.',
    description:
      'The exporters of job {{ $labels.job }} share a fleet, and {{ $value }} of them are missing; these shards are there:' +
      `${shardsThere}. The state of the hosts that fall to a missing one is not known, and their alerts have ended.`,
  });
}

/**
 * Hosts that Prometheus asks for by /probe and gets no answer about: an exporter answers also for a host that is away. Jobs
 * of /probe are those that have the state of hosts and are no exporter's own.
 */
function probeUnanswered(): AlertingRule {
  return exporterRule('RebootProbeUnanswered', 'warning', {
    // The maximum leaves out single scrapes that fail, of which there are always some in a large fleet.
    expr: `count by (job) (
    max_over_time(up[5m]) == 0
  and on (job) (
      reboot_probe_success
    unless on (job, instance)
      last_over_time(reboot_exporter_build_info[1w])
  )
) > 0`,
    for: '10m',
    summary: 'Prometheus gets no answer about some hosts from /probe.',
    description:
      'Job {{ $labels.job }} gets no answer from /probe about {{ $value }} of its hosts. Their state is not known, and their alerts have ended. ' +
      'Either an exporter that they fall to is gone, or it does not have them in its inventory.',
  });
}

function reloadFailed(): AlertingRule {
  return notReloaded('RebootExporterConfigReloadFailed', 'reboot_exporter_config', {
    summary: 'A reboot-exporter could not load its configuration.',
    failed: 'could not load its configuration and goes on with the old one',
    consequence:
      'Hosts that were added since are not watched. `reboot-exporter check-config` names the file, line and column.',
  });
}

/** A certificate that was renewed and is not taken expires in the end; a user who was removed can still log in. */
function webReloadFailed(): AlertingRule {
  return notReloaded('RebootExporterWebConfigReloadFailed', 'reboot_exporter_web_config', {
    summary: 'A reboot-exporter could not load its web configuration.',
    failed: 'could not load the file of --web.config.file, or what it names, and goes on with that',
    consequence:
      'A renewed certificate is not in use, a user who was removed still is. `reboot-exporter check-config` names the fault.',
  });
}

/** Something that is loaded while the exporter runs, with the metrics of its last load. */
function notReloaded(
  alert: string,
  metrics: string,
  text: { summary: string; failed: string; consequence: string },
): AlertingRule {
  return exporterRule(alert, 'warning', {
    // The maximum rides out a failure that the next reload has mended already.
    expr: `max_over_time(${metrics}_last_reload_successful[5m]) == 0`,
    for: '10m',
    summary: text.summary,
    description:
      `The reboot-exporter at {{ $labels.instance }} ${text.failed}` +
      `{{ range query (printf \`${metrics}_last_reload_success_timestamp_seconds{job=%q,instance=%q}\` $labels.job $labels.instance) }}` +
      ` of ${valueInUtc}{{ end }}. ` +
      text.consequence,
  });
}

function stateNotSaved(): AlertingRule {
  return exporterRule('RebootExporterStateNotSaved', 'warning', {
    expr: 'increase(reboot_exporter_state_save_failures_total[10m]) > 0',
    for: '15m',
    summary: 'A reboot-exporter cannot save its state.',
    description:
      'The reboot-exporter at {{ $labels.instance }} cannot write its state file. It works on, but what it alone remembers, ' +
      'such as when a restart was first seen to be needed, is lost when it stops.',
  });
}

/** An inventory that came back empty looks like a fleet that needs nothing. */
function noHosts(): AlertingRule {
  return exporterRule('RebootExporterNoHosts', 'warning', {
    expr: `(sum(reboot_exporter_hosts) or vector(0)) == 0
and on ()
  group(reboot_exporter_build_info)`,
    for: '30m',
    summary: 'The reboot-exporter has no hosts to probe.',
    description:
      'No reboot-exporter knows of any host. Either the configuration lists none, or the inventory that it reads came back empty: ' +
      'nothing is watched.',
  });
}

function exporterRule(
  alert: string,
  severity: Severity,
  rule: { expr: string; for: string; summary: string; description: string },
): AlertingRule {
  return {
    alert,
    expr: rule.expr,
    for: rule.for,
    labels: { severity },
    annotations: { summary: rule.summary, description: rule.description, runbook_url: runbookUrl(alert) },
  };
}
