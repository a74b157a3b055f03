import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as statetimeline from '@grafana/grafana-foundation-sdk/statetimeline';
import * as table from '@grafana/grafana-foundation-sdk/table';
import * as text from '@grafana/grafana-foundation-sdk/text';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import { colour, fixedColour, steps, urgencyWords, words } from './look';
import {
  dataSource,
  dataSourceVariable,
  deployAnnotation,
  hostVariable,
  instant,
  range,
  restartAnnotation,
  rows,
  runbooks,
  stackVariable,
  uid,
} from './parts';
import * as query from './query';

/** *Server*: everything about one. */
export function serverDashboard(): dashboard.DashboardBuilder {
  return new dashboard.DashboardBuilder('Restarts: server')
    .uid(uid.server)
    .description('Whether one server needs a restart, since when, why, how it is exposed, and how to restart it well.')
    .tags(['reboot-exporter'])
    .readonly()
    .refresh('1m')
    .time({ from: 'now-14d', to: 'now' })
    .timezone('browser')
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .variables([dataSourceVariable(), stackVariable(), hostVariable()])
    .annotations([restartAnnotation(query.selection, 1), deployAnnotation('stack=~"$stack"')])
    .links([
      new dashboard.DashboardLinkBuilder('Fleet')
        .type(dashboard.DashboardLinkType.Link)
        .url(`/d/${uid.fleet}?var-datasource=\${datasource}`)
        .keepTime(true),
      new dashboard.DashboardLinkBuilder('Runbooks')
        .type(dashboard.DashboardLinkType.Link)
        .url(runbooks)
        .targetBlank(true),
    ])
    .withPanel(state())
    .withPanel(waiting())
    .withPanel(exposure())
    .withPanel(booted())
    .withPanel(lastAnswer())
    .withPanel(windowPanel())
    .withPanel(timeline().height(7).span(24))
    .withPanel(ageAgainstLimits().height(9).span(14))
    .withPanel(howToRestart().height(9).span(10))
    .withPanel(
      list(
        'Why',
        'The signals that say so.',
        'reboot_required_reason_info',
        { reason: 'Signal' },
        'no restart is needed',
        'reboot_required',
      )
        .height(6)
        .span(4),
    )
    .withPanel(
      list(
        'Packages',
        'The packages that asked for it, at most 100.',
        'reboot_required_package_info',
        { package: 'Package' },
        'no package asks for a restart',
        'reboot_required_packages',
      )
        .height(6)
        .span(7),
    )
    .withPanel(
      list(
        'Ports open to anywhere',
        'At most 100. Why each is, and ports that are open to some only: `reboot-exporter check HOST`.',
        'exposed_port_info',
        { port: 'Port', proto: 'Protocol', family: 'Family' },
        'no port is open to anywhere',
        'exposed_ports',
      )
        .height(6)
        .span(13),
    )
    .withPanel(
      list(
        'System',
        'What runs there.',
        'reboot_host_info',
        {
          os: 'System',
          os_version: 'Version',
          kernel_running: 'Kernel running',
          kernel_installed: 'Newest kernel installed',
          virtualization: 'Virtualization',
        },
        'not known yet',
        null,
      )
        .height(4)
        .span(24),
    )
    .withPanel(patching().height(8).span(8))
    .withPanel(probeDuration().height(8).span(8))
    .withPanel(probeFailures().height(8).span(8));
}

function tile(title: string, description: string, expr: string): stat.PanelBuilder {
  return new stat.PanelBuilder()
    .title(title)
    .description(description)
    .datasource(dataSource)
    .withTarget(instant('A', expr, title))
    .unit('none')
    .decimals(0)
    .colorMode(common.BigValueColorMode.BackgroundSolid)
    .graphMode(common.BigValueGraphMode.None)
    .textMode(common.BigValueTextMode.Value)
    .thresholds(steps([null, colour.unknown]))
    .noValue('unknown')
    .height(4)
    .span(4);
}

/** 0 to 3 as in the fleet's table; 4: it can't be told; 5: restarting. */
const stateNow = `(
  (${query.byHost('reboot_host_restarting')} == 1) * 0 + 5
  or ${query.urgency}
  or (${query.byHost('reboot_required')} == 0)
  or (${query.byHost('reboot_required_unknown')} == 1) * 0 + 4
)`;

const stateWords: dashboard.ValueMapping[] = [
  ...urgencyWords,
  words({
    '4': { text: "Can't tell", color: colour.unknown, index: 4 },
    '5': { text: 'Restarting', color: '#CC79A7', index: 5 },
  }),
];

function state(): stat.PanelBuilder {
  return tile('Restart', 'Whether one is needed, and how urgent it is by the limits of the stack.', stateNow).mappings(
    stateWords,
  );
}

function waiting(): stat.PanelBuilder {
  return tile('Waiting for', 'For how long the restart has been needed.', query.byHost('reboot_required_age_seconds'))
    .unit('dtdurations')
    .decimals(1)
    .mappings([words({ '0': { text: 'nothing', color: colour.good } })])
    .thresholds(steps([null, colour.unknown], [0, colour.notice]));
}

function exposure(): stat.PanelBuilder {
  return tile(
    'Exposed',
    'Whether a port accepts connections from any internet address.',
    query.byHost('exposed_to_anywhere'),
  ).mappings([
    words({ '0': { text: 'no', color: colour.good }, '1': { text: 'yes, or not ruled out', color: colour.warning } }),
  ]);
}

function booted(): stat.PanelBuilder {
  return tile(
    'Up since',
    'When the server last booted.',
    `${query.byHost('reboot_host_boot_timestamp_seconds')} * 1000`,
  )
    .unit('dateTimeFromNow')
    .colorMode(common.BigValueColorMode.None);
}

function lastAnswer(): stat.PanelBuilder {
  return tile(
    'Last answer',
    'How long ago the last probe succeeded.',
    `time() - ${query.byHost('reboot_probe_last_success_timestamp_seconds')}`,
  )
    .unit('dtdurations')
    .noValue('never')
    .thresholds(steps([null, colour.unknown], [0, colour.good], [900, colour.warning], [3600, colour.critical]));
}

function windowPanel(): stat.PanelBuilder {
  return tile(
    'Next window',
    'When the next maintenance window of its stack begins, as the configuration says.',
    `max by (stack) (reboot_maintenance_window_next_start_timestamp_seconds{stack=~"$stack"}) * 1000 and on (stack) ${query.byHost('reboot_probe_success')}`,
  )
    .unit('dateTimeFromNow')
    .colorMode(common.BigValueColorMode.None)
    .noValue('none is set');
}

function timeline(): statetimeline.PanelBuilder {
  const yesNo = (yes: string, no: string, hex: string): dashboard.ValueMapping[] => [
    words({ '0': { text: no, color: colour.good, index: 0 }, '1': { text: yes, color: hex, index: 1 } }),
  ];
  return new statetimeline.PanelBuilder()
    .title('Through time')
    .description('How its state went. Gaps: the server was not known then. Marks are restarts and deploys.')
    .datasource(dataSource)
    .withTarget(range('state', stateNow, 'restart'))
    .withTarget(range('exposed', query.byHost('exposed_to_anywhere'), 'exposed to anywhere'))
    .withTarget(range('probe', query.byHost('reboot_probe_success'), 'answers'))
    .unit('none')
    .mappings(stateWords)
    .colorScheme(fixedColour(colour.unknown))
    .overrideByName('exposed to anywhere', [{ id: 'mappings', value: yesNo('exposed', 'not exposed', colour.warning) }])
    .overrideByName('answers', [
      {
        id: 'mappings',
        value: [
          words({ '0': { text: 'no answer', color: colour.critical }, '1': { text: 'answers', color: colour.good } }),
        ],
      },
    ])
    .mergeValues(true)
    .showValue(common.VisibilityMode.Auto)
    .rowHeight(0.8)
    .noValue('Nothing is known of this server in this time.')
    .legend(
      new common.VizLegendOptionsBuilder()
        .showLegend(false)
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom),
    );
}

function lines(title: string, description: string): timeseries.PanelBuilder {
  return new timeseries.PanelBuilder()
    .title(title)
    .description(description)
    .datasource(dataSource)
    .min(0)
    .lineWidth(2)
    .fillOpacity(10)
    .showPoints(common.VisibilityMode.Never)
    .legend(
      new common.VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom),
    )
    .tooltip(new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi));
}

function ageAgainstLimits(): timeseries.PanelBuilder {
  const own = (severity: 'warning' | 'critical'): string =>
    `(0 * ${query.exposed} + on (stack) group_left () ${query.limit('exposed', severity)})` +
    ` or (0 * (${query.byHost('exposed_to_anywhere')} == 0) + on (stack) group_left () ${query.limit('internal', severity)})`;
  const dashed = [
    { id: 'custom.lineStyle', value: { fill: 'dash', dash: [10, 10] } },
    { id: 'custom.fillOpacity', value: 0 },
  ];
  return lines(
    'How long it has waited, against the limits of its stack',
    'It is a warning above the first line and critical above the second.',
  )
    .withTarget(range('A', query.byHost('reboot_required_age_seconds'), 'waiting'))
    .withTarget(range('B', own('warning'), 'warning from'))
    .withTarget(range('C', own('critical'), 'critical from'))
    .unit('dtdurations')
    .decimals(1)
    .noValue('Nothing is known of this server in this time.')
    .overrideByName('waiting', [{ id: 'color', value: { mode: 'fixed', fixedColor: colour.notice } }])
    .overrideByName('warning from', [{ id: 'color', value: { mode: 'fixed', fixedColor: colour.warning } }, ...dashed])
    .overrideByName('critical from', [
      { id: 'color', value: { mode: 'fixed', fixedColor: colour.critical } },
      ...dashed,
    ]);
}

const restartWell = `**1. Is it alone?** Behind a load balancer take it out first, let its connections end, and
restart **one at a time**: the next when this one serves again.

**2. When?** In the maintenance window, or out of hours. An exposed host that is overdue does not wait for it.

**3. How?** From inside: \`sudo systemctl reboot\`. Not by *stop* and *start* in a cloud console: that can change
its address, and loses what is on local disks.

**4. Then?** This page shows *Restarting*, and *None needed* within seconds of its coming up.

[Runbooks](${runbooks})`;

function howToRestart(): text.PanelBuilder {
  return new text.PanelBuilder()
    .title('How to restart it well')
    .description('The exporter never restarts anything.')
    .mode(text.TextMode.Markdown)
    .content(restartWell);
}

/** The labels of an info metric, a row a series. */
function list(
  title: string,
  description: string,
  metric: string,
  columns: Readonly<Record<string, string>>,
  empty: string,
  /** The gauge whose 0 says that there is nothing to list; without it, or without its 0, an empty list says nothing. */
  zeroOf: string | null,
): table.PanelBuilder {
  const labels = Object.keys(columns);
  const order = Object.fromEntries(labels.map((label, index) => [label, index]));
  const present = `max by (${labels.join(', ')}) (${metric}{${query.selection}})`;
  const say = (what: string, sentence: string): string =>
    `label_replace(${what}, "${labels[0]}", "${sentence}", "", "")`;
  const good = zeroOf === null ? '' : ` or on () ${say(`max(${zeroOf}{${query.selection}}) == 0`, empty)}`;
  const silence = ` or on () ${say('vector(0)', zeroOf === null ? empty : 'not known')}`;
  return (
    new table.PanelBuilder()
      .title(title)
      .description(description)
      .datasource(dataSource)
      .withTarget(rows('A', `(${present}${good}${silence})`))
      // Versions and ports are words: a number would lose the last digit of 24.10.
      .unit('string')
      .noValue('-')
      .cellHeight(common.TableCellHeight.Sm)
      .overrideByRegexp('^(Port|Protocol|Family)$', [{ id: 'custom.width', value: 85 }])
      .transformations([
        {
          id: 'organize',
          options: { excludeByName: { Time: true, Value: true }, indexByName: order, renameByName: columns },
        },
      ])
  );
}

function patching(): timeseries.PanelBuilder {
  const panel = lines('Patching', 'Whether anything installs updates by itself, and how long ago it last did.')
    .withTarget(range('A', `time() - ${query.byHost('automatic_updates_last_run_timestamp_seconds')}`, 'last ran, ago'))
    .withTarget(range('B', query.byHost('automatic_updates_enabled'), 'switched on'))
    .unit('dtdurations')
    .noValue('This server does not tell.');
  return panel.overrideByName('switched on', [
    { id: 'unit', value: 'bool_on_off' },
    { id: 'custom.axisPlacement', value: 'right' },
    { id: 'max', value: 1 },
    { id: 'custom.fillOpacity', value: 0 },
  ]);
}

function probeDuration(): timeseries.PanelBuilder {
  return lines('How long probes take', 'From DNS to the end of the answer.')
    .withTarget(range('A', query.byHost('reboot_probe_duration_seconds'), 'probe'))
    .unit('s')
    .noValue('It was not probed in this time.');
}

function probeFailures(): timeseries.PanelBuilder {
  return lines('Failed probes', 'By reason; none is a flat line.')
    .withTarget(
      range(
        'A',
        `sum by (reason) (increase(reboot_probe_failures_total{${query.selection}}[$__rate_interval])) > 0`,
        '{{reason}}',
      ),
    )
    .withTarget(range('B', `sum(increase(reboot_probe_failures_total{${query.selection}}[$__rate_interval]))`, 'all'))
    .unit('short')
    .decimals(0)
    .noValue('It was not probed in this time.');
}
