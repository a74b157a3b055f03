import { day, host, info, policy, scraped } from './fleet';
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

const steps =
  'How to restart it well: one host of shop at a time; out of hours; behind a load balancer drain it first and put it back after; ' +
  "by 'sudo systemctl reboot' on the host, not by stop and start at the cloud provider, which can change its public address.";

const limits = policy('shop', {
  exposed: { warning: `${day}x10`, critical: `${7 * day}x10` },
  internal: { warning: `${14 * day}x10`, critical: `${30 * day}x10` },
});

function needing(age: number, exposed: '0x10' | '1x10'): Record<string, string> {
  return host(web, { required: '1x10', age: `${age}x10`, exposed, since: `${since}x10` });
}

describeWith(['promtool'], 'The page for an exposed host past its critical limit', () => {
  const summary = 'A host that is open to the internet has needed a restart for longer than the critical limit.';

  function page(more: Record<string, string>, description: readonly string[]): void {
    expectText({
      series: { ...limits, ...needing(7 * day + 4 * 3600 + 12 * 60, '1x10'), ...more },
      at: '5m',
      alert: 'RebootRequiredExposed',
      alerts: (['info', 'warning', 'critical'] as const).map((severity) => ({
        labels: { ...web, severity, exposure: 'exposed' },
        annotations:
          severity === 'critical'
            ? annotations('RebootRequiredExposed', summary, description, ofWeb)
            : lesser(severity, description),
      })),
    });
  }

  /** The same facts at lower severities: other words around them. */
  function lesser(severity: 'info' | 'warning', critical: readonly string[]): Labels {
    const [opening = '', exposure = '', why = '', window = ''] = critical;
    const advice = {
      info: 'plan the restart for the next window or the next quiet hours. Nobody has to get up for it.',
      warning:
        'restart it in the next window, or in quiet hours today if no window comes before the critical limit. Nobody has to get up for it.',
    }[severity];
    const sentence = {
      info: opening.replace(' (7d 4h)', '').replace(' The limit for critical has passed.', ''),
      warning: opening.replace('for critical has', 'for warning has'),
    }[severity];
    const summaries = {
      info: 'A host that is open to the internet needs a restart.',
      warning: 'A host that is open to the internet has needed a restart for longer than the limit for a warning.',
    };
    return annotations(
      'RebootRequiredExposed',
      summaries[severity],
      [sentence, exposure, why, window, `What to do: ${advice}`, steps],
      ofWeb,
    );
  }

  const opening =
    'web-1 of stack shop has needed a restart since 2026-11-20 06:12 UTC (7d 4h). The limit for critical has passed. Limits: critical after 7d, warning after 1d.';
  const advice =
    'What to do: restart it within a day: now if its window is open or these are quiet hours, else in the next of them. ' +
    'At once, at any hour, if one of the packages has a hole that is being exploited.';

  it('says everything that is known', () => {
    page(
      {
        ...info('exposed_port_info', { ...web, proto: 'tcp', port: '443', family: 'ipv4' }, '1x10'),
        ...info('exposed_port_info', { ...web, proto: 'tcp', port: '443', family: 'ipv6' }, '1x10'),
        ...info('exposed_port_info', { ...web, proto: 'udp', port: '51820', family: 'ipv4' }, '1x10'),
        ...info('exposed_ports', web, '3x10'),
        ...info('exposed_to_anywhere_basis_info', { ...web, basis: 'proven' }, '1x10'),
        ...info('reboot_required_reason_info', { ...web, reason: 'kernel' }, '1x10'),
        ...info('reboot_required_reason_info', { ...web, reason: 'flag' }, '1x10'),
        ...info('reboot_required_package_info', { ...web, package: 'linux-image-6.1.0-27-amd64' }, '1x10'),
        ...info('reboot_required_package_info', { ...web, package: 'dbus' }, '1x10'),
        ...info('reboot_required_packages', web, '2x10'),
        ...info('reboot_maintenance_window_open', { stack: 'shop' }, '0x10'),
        ...info('reboot_maintenance_window_next_start_timestamp_seconds', { stack: 'shop' }, '1795312800x10'),
      },
      [
        opening,
        'Exposed (proven), open to any internet address: tcp/443, udp/51820.',
        'Why: flag, kernel. Packages: dbus, linux-image-6.1.0-27-amd64.',
        'Maintenance window of shop: next opens 2026-11-22 02:00 UTC.',
        advice,
        steps,
      ],
    );
  });

  it('says what is not known where series are missing', () => {
    page({}, [
      opening,
      'Exposed, open to any internet address: which ports is not known.',
      'Why: no reason is known. Packages: none named.',
      'Maintenance window of shop: none is configured.',
      advice,
      steps,
    ]);
  });

  it('says that exposure is assumed, that a window is open, that a restart is scheduled and that one did not help', () => {
    page(
      {
        ...info('exposed_to_anywhere_basis_info', { ...web, basis: 'assumed' }, '1x10'),
        ...info('reboot_maintenance_window_open', { stack: 'shop' }, '1x10'),
        ...info('reboot_maintenance_window_next_start_timestamp_seconds', { stack: 'shop' }, '1795312800x10'),
        ...info('reboot_scheduled_timestamp_seconds', web, '1795312800x10'),
        ...info('reboot_still_required_after_restart', web, '1x10'),
        ...info('reboot_required_reason_info', { ...web, reason: 'kernel' }, '1x10'),
      },
      [
        opening,
        'Exposed (assumed: its firewall could not be read or evaluated), open to any internet address: which ports is not known.',
        'Why: its last restart did not help (see the runbook of RebootStillRequired), kernel. Packages: none named.',
        'Maintenance window of shop: open now. A restart of this host is scheduled for 2026-11-22 02:00 UTC.',
        advice,
        steps,
      ],
    );
  });

  it('stays short, and repeats nothing from a host that is no package name', () => {
    const many: Record<string, string> = {};
    for (let index = 0; index < 40; index += 1) {
      const number = String(index).padStart(2, '0');
      Object.assign(
        many,
        info('reboot_required_package_info', { ...web, package: `lib${number}` }, index < 8 ? '2x10' : '1x10'),
      );
      Object.assign(
        many,
        info(
          'exposed_port_info',
          { ...web, proto: 'tcp', port: `80${number}`, family: 'ipv4' },
          index < 8 ? '2x10' : '1x10',
        ),
      );
    }
    page(
      {
        ...many,
        ...info('reboot_required_packages', web, '40x10'),
        ...info('exposed_ports', web, '1200x10'),
      },
      [
        opening,
        'Exposed, open to any internet address: 1200 in all, tcp/8000, tcp/8001, tcp/8002, tcp/8003, tcp/8004, tcp/8005, tcp/8006, tcp/8007.',
        'Why: no reason is known. Packages: 40 in all, lib00, lib01, lib02, lib03, lib04, lib05, lib06, lib07.',
        'Maintenance window of shop: none is configured.',
        advice,
        steps,
      ],
    );
    page(info('reboot_required_package_info', { ...web, package: '<!channel> {{ .X }}\n[a](b)' }, '1x10'), [
      opening,
      'Exposed, open to any internet address: which ports is not known.',
      'Why: no reason is known. Packages: ??channel?????.X?????a??b?.',
      'Maintenance window of shop: none is configured.',
      advice,
      steps,
    ]);
  });

  it('names each thing once, however many exporters say it', () => {
    const twice = (name: string, labels: Labels, value: string): Record<string, string> => ({
      ...info(name, { ...web, ...labels }, value),
      [name + selector({ ...web, ...labels, job: 'reboot-exporter', instance: 'other:10066' })]: value,
    });
    page(
      {
        ...twice('exposed_port_info', { proto: 'tcp', port: '22', family: 'ipv4' }, '1x10'),
        ...twice('exposed_to_anywhere_basis_info', { basis: 'declared' }, '1x10'),
        ...twice('reboot_required_package_info', { package: 'libc6' }, '1x10'),
        ...twice('reboot_required_reason_info', { reason: 'package' }, '1x10'),
        ...twice('reboot_scheduled_timestamp_seconds', {}, '1795312800x10'),
      },
      [
        opening,
        'Exposed (declared), open to any internet address: tcp/22.',
        'Why: package. Packages: libc6.',
        'Maintenance window of shop: none is configured. A restart of this host is scheduled for 2026-11-22 02:00 UTC.',
        advice,
        steps,
      ],
    );
  });
});

describeWith(['promtool'], 'The text about an internal host', () => {
  it('says at each severity what to do and that nobody has to get up', () => {
    const said = (
      severity: 'info' | 'warning' | 'critical',
      summary: string,
      opening: string,
      advice: string,
    ): object => ({
      labels: { ...web, severity, exposure: 'internal' },
      annotations: annotations(
        'RebootRequired',
        summary,
        [
          `web-1 of stack shop has needed a restart since 2026-11-20 06:12 UTC${opening} Limits: critical after 30d, warning after 14d.`,
          'Not exposed: no port is open to the internet at large.',
          'Why: no reason is known. Packages: none named.',
          'Maintenance window of shop: none is configured.',
          `What to do: ${advice} Nobody has to get up for it.`,
          steps,
        ],
        ofWeb,
      ),
    });
    expectText({
      series: { ...limits, ...needing(31 * day, '0x10') },
      at: '10m',
      alert: 'RebootRequired',
      alerts: [
        said('info', 'A host needs a restart.', '.', 'plan the restart for the next window or the next quiet hours.'),
        said(
          'warning',
          'A host has needed a restart for longer than the limit for a warning.',
          ' (31d). The limit for warning has passed.',
          'restart it in the next window, or in quiet hours this week if there is none.',
        ),
        said(
          'critical',
          'A host has needed a restart for longer than the critical limit.',
          ' (31d). The limit for critical has passed.',
          'restart it in the next window, or in quiet hours of the coming days if there is none.',
        ),
      ] as Parameters<typeof expectText>[0]['alerts'],
    });
  });

  it('quotes names that are no plain words', () => {
    const odd = { host: 'a"b\\c', stack: 'x}{ y' };
    const packageOfOdd = info('reboot_required_package_info', { ...odd, package: 'libc6' }, '1x10');
    expectText({
      series: { ...host(odd, { required: '1x10', exposed: '0x10', since: `${since}x10` }), ...packageOfOdd },
      at: '10m',
      alert: 'RebootRequired',
      alerts: [
        {
          labels: { ...odd, severity: 'info', exposure: 'internal' },
          annotations: annotations(
            'RebootRequired',
            'A host needs a restart.',
            [
              'a"b\\c of stack x}{ y has needed a restart since 2026-11-20 06:12 UTC. Limits: critical after 30d, warning after 14d.',
              'Not exposed: no port is open to the internet at large.',
              'Why: no reason is known. Packages: libc6.',
              'Maintenance window of x}{ y: none is configured.',
              'What to do: plan the restart for the next window or the next quiet hours. Nobody has to get up for it.',
              steps.replace('of shop', 'of x}{ y'),
            ],
            'var-stack=x%7D%7B+y&var-host=a%22b%5Cc',
          ),
        },
      ],
    });
  });
});

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
      'Unattended upgrades are not installed or switched off on web-1 of stack shop. ' +
        'Unless something else patches it, it stays unpatched, and never asks for the restart that it would need.',
    ],
    [
      'RebootPatchingStalled',
      { enabled: '1x400', lastRun: '3600x400' },
      'Unattended upgrades are enabled on a host, but do not run.',
      'Unattended upgrades are enabled on web-1 of stack shop, but last ran on 1970-01-01 01:00 UTC. ' +
        'They should run daily: until they do, it stays unpatched.',
    ],
    [
      'RebootPatchingStalled',
      { enabled: '1x400', boot: '0x400' },
      'Unattended upgrades are enabled on a host, but do not run.',
      'Unattended upgrades are enabled on web-1 of stack shop, but have never run. ' +
        'They should run daily: until they do, it stays unpatched.',
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
