import { day, host, info, policy } from './fleet';
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

  it('says when a host is set to restart by itself, and once only when that is scheduled already', () => {
    const at = (minute: number): string =>
      `Maintenance window of shop: none is configured. A restart of this host is scheduled for 2026-11-22 02:0${minute} UTC.`;
    const lines = (minute: number): string[] => [
      opening,
      'Exposed, open to any internet address: which ports is not known.',
      'Why: no reason is known. Packages: none named.',
      at(minute),
      advice,
      steps,
    ];
    const expected = info('reboot_expected_timestamp_seconds', { ...web, by: 'rebootmgr' }, '1795312800x10');
    page(expected, lines(0));
    page({ ...expected, ...info('reboot_scheduled_timestamp_seconds', web, '1795312860x10') }, lines(1));
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
