import * as barchart from '@grafana/grafana-foundation-sdk/barchart';
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import { colour, fixedColour, steps } from './look';
import {
  dataSource,
  dataSourceVariable,
  deployAnnotation,
  hostsVariable,
  instant,
  range,
  restartAnnotation,
  runbooks,
  stackVariable,
  uid,
} from './parts';
import * as query from './query';
import { needsMeNow, notPatched, notProbed } from './fleet-tables';

const all = query.selection;
/** With more hosts than this, the marks of their restarts would hide the graphs. */
const maxMarkedHosts = 50;

/** *Fleet*: what needs me now, how much there is of it, and whether it gets better. */
export function fleetDashboard(): dashboard.DashboardBuilder {
  return new dashboard.DashboardBuilder('Restarts: fleet')
    .uid(uid.fleet)
    .description('Which servers still run unpatched code because nobody restarted them, how urgent each is, and why.')
    .tags(['reboot-exporter'])
    .readonly()
    .refresh('1m')
    .time({ from: 'now-14d', to: 'now' })
    .timezone('browser')
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .variables([dataSourceVariable(), stackVariable(), hostsVariable()])
    .annotations([restartAnnotation(all, maxMarkedHosts), deployAnnotation('stack=~"$stack"')])
    .link(
      new dashboard.DashboardLinkBuilder('Runbooks')
        .type(dashboard.DashboardLinkType.Link)
        .url(runbooks)
        .targetBlank(true),
    )
    .withPanel(
      figure(
        'Critical',
        'Hosts past the last limit of their stack.',
        query.count(query.past('critical')),
        colour.critical,
      ),
    )
    .withPanel(
      figure(
        'Exposed ones',
        'Hosts that need a restart and that a port of is open to anywhere, or may be.',
        query.count(`(${query.required} and on (host, stack) ${query.exposed})`),
        colour.warning,
      ),
    )
    .withPanel(
      figure(
        'Need a restart',
        'All hosts that run something older than what is installed.',
        query.count(query.required),
        colour.notice,
      ),
    )
    .withPanel(oldest())
    .withPanel(
      figure(
        "Can't tell",
        'Hosts that answered, but no signal could tell whether they need a restart.',
        query.count(`(${query.byHost('reboot_required_unknown', all)} == 1)`),
        colour.unknown,
      ),
    )
    .withPanel(
      figure(
        'Not reached',
        'Hosts that could not be probed and are not just restarting.',
        query.count(query.unreachable),
        colour.unknown,
      ),
    )
    .withPanel(needsMeNow().height(11).span(24))
    .withPanel(trend().height(9).span(12))
    .withPanel(byStack().height(9).span(6))
    .withPanel(ages().height(9).span(6))
    .withPanel(timeToRestart().height(9).span(12))
    .withPanel(restarts().height(9).span(12))
    .withPanel(notPatched().height(9).span(12))
    .withPanel(notProbed().height(9).span(12));
}

function figure(title: string, description: string, expr: string, hex: string): stat.PanelBuilder {
  return new stat.PanelBuilder()
    .title(title)
    .description(description)
    .datasource(dataSource)
    .withTarget(instant('A', expr, title))
    .unit('none')
    .decimals(0)
    .noValue('No hosts')
    .colorMode(common.BigValueColorMode.BackgroundSolid)
    .graphMode(common.BigValueGraphMode.None)
    .textMode(common.BigValueTextMode.Value)
    .thresholds(steps([null, colour.unknown], [0, colour.good], [1, hex]))
    .height(4)
    .span(4);
}

function oldest(): stat.PanelBuilder {
  return figure(
    'Longest wait',
    'For how long the host that has waited longest has needed its restart.',
    query.orZero(`max(${query.age})`),
    colour.notice,
  )
    .unit('dtdurations')
    .decimals(1)
    .thresholds(
      steps(
        [null, colour.unknown],
        [0, colour.good],
        [1, colour.notice],
        [14 * 86_400, colour.warning],
        [30 * 86_400, colour.critical],
      ),
    )
    .mappings([{ type: dashboard.MappingType.ValueToText, options: { '0': { text: 'none', index: 0 } } }]);
}

function lines(title: string, description: string): timeseries.PanelBuilder {
  return new timeseries.PanelBuilder()
    .title(title)
    .description(description)
    .datasource(dataSource)
    .unit('short')
    .min(0)
    .decimals(0)
    .noValue('No host is known in this time.')
    .lineWidth(2)
    .fillOpacity(15)
    .showPoints(common.VisibilityMode.Never)
    .legend(
      new common.VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom),
    )
    .tooltip(new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi));
}

function coloured(panel: timeseries.PanelBuilder, name: string, hex: string): timeseries.PanelBuilder {
  return panel.overrideByName(name, [{ id: 'color', value: { mode: 'fixed', fixedColor: hex } }]);
}

function trend(): timeseries.PanelBuilder {
  const exposedOnes = `(${query.required} and on (host, stack) ${query.exposed})`;
  const internalOnes = `(${query.required} unless on (host, stack) ${query.exposed})`;
  const panel = lines(
    'Hosts that need a restart',
    `Through time, exposed ones apart. Marks are deploys and, while no more than ${maxMarkedHosts} hosts are selected, restarts.`,
  )
    .withTarget(range('A', query.count(exposedOnes), 'exposed'))
    .withTarget(range('B', query.count(internalOnes), 'internal'))
    .stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal));
  return coloured(coloured(panel, 'exposed', colour.warning), 'internal', colour.notice);
}

/** One bar a stack: what is waiting in it. */
function byStack(): barchart.PanelBuilder {
  return new barchart.PanelBuilder()
    .title('By stack')
    .description('Hosts of each stack that need a restart now, the most first.')
    .datasource(dataSource)
    .withTarget(
      instant(
        'A',
        `topk(12, count by (stack) (${query.required}) or 0 * count by (stack) (${query.byHost('reboot_probe_success', all)}))`,
        '{{stack}}',
      ),
    )
    .transformations([
      { id: 'reduce', options: { reducers: ['lastNotNull'] } },
      { id: 'sortBy', options: { sort: [{ field: 'Last *', desc: true }] } },
    ])
    .orientation(common.VizOrientation.Horizontal)
    .showValue(common.VisibilityMode.Always)
    .noValue('No host is known.')
    .text(new common.VizTextDisplayOptionsBuilder().valueSize(12))
    .legend(
      new common.VizLegendOptionsBuilder()
        .showLegend(false)
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom),
    )
    .colorScheme(fixedColour(colour.notice))
    .overrideByName('Last *', [{ id: 'displayName', value: 'hosts' }])
    .unit('none')
    .decimals(0)
    .min(0);
}

const day = 86_400;

/** How the ages spread; each bar is a span of time. */
function ages(): barchart.PanelBuilder {
  const spans: readonly (readonly [string, number, number])[] = [
    ['under 1 day', 0, day],
    ['1 to 3 days', day, 3 * day],
    ['3 to 14 days', 3 * day, 14 * day],
    ['14 to 30 days', 14 * day, 30 * day],
    ['over 30 days', 30 * day, Number.POSITIVE_INFINITY],
  ];
  const panel = new barchart.PanelBuilder()
    .title('How long they have waited')
    .description('Hosts that need a restart now, by for how long.')
    .datasource(dataSource)
    .transformations([{ id: 'reduce', options: { reducers: ['lastNotNull'] } }])
    .orientation(common.VizOrientation.Horizontal)
    .showValue(common.VisibilityMode.Always)
    .noValue('No host is known.')
    .text(new common.VizTextDisplayOptionsBuilder().valueSize(12))
    .legend(
      new common.VizLegendOptionsBuilder()
        .showLegend(false)
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom),
    )
    .colorScheme(fixedColour(colour.notice))
    .overrideByName('Last *', [{ id: 'displayName', value: 'hosts' }])
    .unit('none')
    .decimals(0)
    .min(0);
  spans.forEach(([name, from, to], index) => {
    const upper = Number.isFinite(to) ? ` < ${to}` : '';
    panel.withTarget(instant(String.fromCharCode(65 + index), query.count(`(${query.age} >= ${from}${upper})`), name));
  });
  return panel;
}

/** The age that each restart put an end to: what it was just before it fell to 0. */
function timeToRestart(): timeseries.PanelBuilder {
  const before = `(max by (host, stack) (reboot_required_age_seconds{${all}} offset $__rate_interval) > 0)`;
  const done = `(${before} and on (host, stack) (max by (host, stack) (reboot_required{${all}}) == 0))`;
  const panel = lines(
    'How long restarts took to be done',
    'For how long restarts had been needed when they were done: the median and the slowest of those that fall on one point.',
  )
    .withTarget(range('A', `max(${done})`, 'slowest'))
    .withTarget(range('B', `quantile(0.5, ${done})`, 'median'))
    .unit('dtdurations')
    .decimals(1)
    .drawStyle(common.GraphDrawStyle.Points)
    .pointSize(8)
    .showPoints(common.VisibilityMode.Always)
    .noValue('No restart was done in this time.');
  return coloured(coloured(panel, 'slowest', colour.warning), 'median', colour.notice);
}

function restarts(): timeseries.PanelBuilder {
  return lines('Restarts seen', 'Restarts a day, by stack.')
    .withTarget(range('A', `sum by (stack) (increase(reboot_host_boots_seen_total{${all}}[1d]))`, '{{stack}}'))
    .fillOpacity(10);
}
