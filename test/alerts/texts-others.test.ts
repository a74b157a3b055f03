import { host, info, scraped } from './fleet';
import { describeWith } from './programs';
import { expectText, selector, type Labels } from './rule-case';

/** 2026-11-20 06:12 UTC. */
const since = 1_795_155_120;

const web = { host: 'web-1', stack: 'shop' };

const runbook = (alert: string): string =>
  `https://github.com/reboot-exporter/reboot-exporter/blob/main/docs/runbooks/${alert}.md`;

function annotations(alert: string, summary: string, description: readonly string[], dashboard: string | null): Labels {
  return {
    summary,
    description: description.join('\n'),
    runbook_url: runbook(alert),
    ...(dashboard !== null && { dashboard_path: `/d/reboot-exporter-server/server?${dashboard}` }),
  };
}

const ofWeb = 'var-stack=shop&var-host=web-1';

describeWith(['promtool'], 'The text of an alert about a host', () => {
  const lastAnswer = 'It last answered on 2026-11-20 06:12 UTC.';
  const failing = (reason: string): Record<string, string> => ({
    ...host(web, { success: '0x40', required: '1x40', lastSuccess: `${since}x40` }),
    ...info('reboot_probe_failing_reason_info', { ...web, reason }, '1x40'),
  });

  it.each([
    [
      'RebootHostUnreachable',
      failing('timeout'),
      'A host does not answer the probe.',
      `web-1 of stack shop does not answer the exporter (timeout). ${lastAnswer} A restart would be over by now. ` +
        'Its state is shown as last seen until it is too old. If nothing else reports the host as down, look at the way from the exporter to it.',
    ],
    [
      'RebootProbeFailing',
      failing('auth'),
      'A host answers, but cannot be probed.',
      `web-1 of stack shop answers, but the probe fails (auth). ${lastAnswer} ` +
        'Whether it needs a restart is shown as last seen, and soon no longer: an alert about it that ends now has not been dealt with.',
    ],
    [
      'RebootHostKeyChanged',
      failing('host_key'),
      'A host shows a key that is not the known one.',
      `web-1 of stack shop shows an SSH host key that is unknown, revoked or not the one in known_hosts. Nothing was sent to it. ${lastAnswer} ` +
        'Either it was installed anew, or something else answers at its address: find out which before the key is accepted.',
    ],
    [
      'RebootStateStale',
      host(web, { success: '0x40', required: '1x2 stale', lastSuccess: `${since}x40` }),
      'Whether a host needs a restart is no longer known.',
      `Nothing recent is known about web-1 of stack shop. ${lastAnswer} When last seen, it needed a restart. ` +
        'Its restart alerts have ended, which does not mean that it was restarted.',
    ],
    [
      'RebootStillRequired',
      host(web, { success: '1x40', required: '1x40', exposed: '0x40', stillRequired: '1x40' }),
      'A host was restarted and still needs a restart.',
      'web-1 of stack shop was restarted and still runs what its restart should have replaced. ' +
        'Another restart alone will not help: compare the kernel that booted with the newest installed one, ' +
        'then look at the boot loader, pinned kernels and a full /boot.',
    ],
  ] as const)('%s', (alert, series, summary, description) => {
    expectText({
      series,
      at: '35m',
      alert,
      alerts: [
        {
          labels: { ...web, severity: 'warning' },
          annotations: annotations(alert, summary, [description], ofWeb),
        },
      ],
    });
  });

  it('RebootStateUnknown', () => {
    expectText({
      every: '10m',
      series: host(web, { success: '1x40', unknown: '1x40' }),
      at: '6h',
      alert: 'RebootStateUnknown',
      alerts: [
        {
          labels: { ...web, severity: 'info' },
          annotations: annotations(
            'RebootStateUnknown',
            'A host answers, but nothing on it tells whether it needs a restart.',
            [
              'web-1 of stack shop answers, but none of the signals on it can tell whether it needs a restart. ' +
                'Nobody will be told when it does. Usually something that writes the flag is missing.',
            ],
            ofWeb,
          ),
        },
      ],
    });
  });

  it.each([
    [
      'RebootPatchingOff',
      { enabled: '0x400' },
      'Nothing on a host installs updates by itself.',
      'Automatic updates are not installed or switched off on web-1 of stack shop. ' +
        'Unless something else patches it, it stays unpatched, and never asks for the restart that it would need.',
    ],
    [
      'RebootPatchingStalled',
      { enabled: '1x400', lastRun: '3600x400' },
      'Automatic updates are enabled on a host, but do not run.',
      'Automatic updates are enabled on web-1 of stack shop, but last ran on 1970-01-01 01:00 UTC. ' +
        'Until they run, it stays unpatched.',
    ],
    [
      'RebootPatchingStalled',
      { enabled: '1x400', boot: '0x400' },
      'Automatic updates are enabled on a host, but do not run.',
      'Automatic updates are enabled on web-1 of stack shop, but have never run. ' +
        'Until they run, it stays unpatched.',
    ],
  ] as const)('%s, of %j', (alert, series, summary, description) => {
    expectText({
      every: '30m',
      series: host(web, series),
      at: '80h',
      alert,
      alerts: [
        {
          labels: { ...web, severity: 'warning' },
          annotations: annotations(alert, summary, [description], ofWeb),
        },
      ],
    });
  });
});

describeWith(['promtool'], 'The text of an alert about the exporter', () => {
  const build = { [`reboot_exporter_build_info${selector(scraped)}`]: '1x2 stale' };

  it.each([
    [
      'RebootExporterDown',
      { ...scraped, severity: 'warning' },
      { ...build, [`up${selector(scraped)}`]: '0x100' },
      'A reboot-exporter cannot be scraped.',
      'Prometheus cannot scrape the reboot-exporter at exporter:10066 (job reboot-exporter). ' +
        'The state of the hosts that only it probes is no longer known, and their alerts have ended.',
    ],
    [
      'RebootExporterAbsent',
      { severity: 'critical' },
      build,
      'No reboot-exporter is scraped: nobody is told of any needed restart.',
      'Prometheus has no metrics of any reboot-exporter. Every alert about a needed restart has ended, and none will begin, until it is back. ' +
        'Nothing on the hosts has changed by that: it can wait for the morning, not for the week.',
    ],
    [
      'RebootExporterConfigReloadFailed',
      { ...scraped, severity: 'warning' },
      {
        ...info('reboot_exporter_config_last_reload_successful', {}, '0x100'),
        ...info('reboot_exporter_config_last_reload_success_timestamp_seconds', {}, `${since}x100`),
      },
      'A reboot-exporter could not load its configuration.',
      'The reboot-exporter at exporter:10066 could not load its configuration and goes on with the old one of 2026-11-20 06:12 UTC. ' +
        'Hosts that were added since are not watched. `reboot-exporter check-config` names the file, line and column.',
    ],
    [
      'RebootExporterWebConfigReloadFailed',
      { ...scraped, severity: 'warning' },
      {
        ...info('reboot_exporter_web_config_last_reload_successful', {}, '0x100'),
        ...info('reboot_exporter_web_config_last_reload_success_timestamp_seconds', {}, `${since}x100`),
      },
      'A reboot-exporter could not load its web configuration.',
      'The reboot-exporter at exporter:10066 could not load the file of --web.config.file, or what it names, and goes on with that of 2026-11-20 06:12 UTC. ' +
        'A renewed certificate is not in use, a user who was removed still is. `reboot-exporter check-config` names the fault.',
    ],
    [
      'RebootExporterShardMissing',
      { job: 'reboot-exporter', severity: 'warning' },
      {
        'reboot_exporter_shards{shard="3",job="reboot-exporter",instance="c:10066"}': '4x100',
        'reboot_exporter_shards{shard="1",job="reboot-exporter",instance="a:10066"}': '4x100',
      },
      'Some shards of the fleet have no reboot-exporter.',
      'The exporters of job reboot-exporter share a fleet, and 2 of them are missing; these shards are there: 1, 3. ' +
        'The state of the hosts that fall to a missing one is not known, and their alerts have ended.',
    ],
    [
      'RebootProbeUnanswered',
      { job: 'reboot-probe', severity: 'warning' },
      {
        'reboot_probe_success{host="web-1",stack="shop",job="reboot-probe",instance="web-1"}': '1x100',
        'up{job="reboot-probe",instance="web-2"}': '0x100',
        'up{job="reboot-probe",instance="web-3"}': '0x100',
      },
      'Prometheus gets no answer about some hosts from /probe.',
      'Job reboot-probe gets no answer from /probe about 2 of its hosts. Their state is not known, and their alerts have ended. ' +
        'Either an exporter that they fall to is gone, or it does not have them in its inventory.',
    ],
    [
      'RebootExporterStateNotSaved',
      { ...scraped, severity: 'warning' },
      info('reboot_exporter_state_save_failures_total', {}, '0+1x100'),
      'A reboot-exporter cannot save its state.',
      'The reboot-exporter at exporter:10066 cannot write its state file. It works on, but what it alone remembers, ' +
        'such as when a restart was first seen to be needed, is lost when it stops.',
    ],
    [
      'RebootExporterNoHosts',
      { severity: 'warning' },
      { [`reboot_exporter_build_info${selector(scraped)}`]: '1x100' },
      'The reboot-exporter has no hosts to probe.',
      'No reboot-exporter knows of any host. Either the configuration lists none, or the inventory that it reads came back empty: ' +
        'nothing is watched.',
    ],
  ])('%s', (alert, labels, series, summary, description) => {
    expectText({
      series,
      at: '90m',
      alert,
      alerts: [{ labels, annotations: annotations(alert, summary, [description], null) }],
    });
  });
});
