import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import type * as common from '@grafana/grafana-foundation-sdk/common';

/** The data source that the reader chose; nothing names one. */
export const dataSource: common.DataSourceRef = { type: 'prometheus', uid: '${datasource}' };

/** The stable identities of the dashboards, by which they link to each other and alerts link to them. */
export const uid = { fleet: 'reboot-exporter-fleet', server: 'reboot-exporter-server' } as const;

export const runbooks = 'https://github.com/reboot-exporter/reboot-exporter/blob/main/docs/runbooks';

/** A query over the time of the dashboard. */
export function range(refId: string, expr: string, legend: string): prometheus.DataqueryBuilder {
  return new prometheus.DataqueryBuilder().refId(refId).datasource(dataSource).expr(expr).legendFormat(legend).range();
}

/** A query of what is now, as rows of a table. */
export function rows(refId: string, expr: string): prometheus.DataqueryBuilder {
  return instant(refId, expr, '').format(prometheus.PromQueryFormat.Table);
}

/** A query of what is now. */
export function instant(refId: string, expr: string, legend: string): prometheus.DataqueryBuilder {
  return new prometheus.DataqueryBuilder()
    .refId(refId)
    .datasource(dataSource)
    .expr(expr)
    .legendFormat(legend)
    .instant();
}

/** Variables that both dashboards have, in the order in which one narrows the next. */
export function dataSourceVariable(): dashboard.DatasourceVariableBuilder {
  return new dashboard.DatasourceVariableBuilder('datasource').label('Data source').type('prometheus');
}

export function stackVariable(): dashboard.QueryVariableBuilder {
  return queryVariable('stack', 'Stack', 'label_values(reboot_probe_success, stack)')
    .multi(true)
    .includeAll(true)
    .allValue('.*');
}

export function hostVariable(): dashboard.QueryVariableBuilder {
  return queryVariable('host', 'Host', 'label_values(reboot_probe_success{stack=~"$stack"}, host)');
}

export function hostsVariable(): dashboard.QueryVariableBuilder {
  return hostVariable().multi(true).includeAll(true).allValue('.*');
}

function queryVariable(name: string, label: string, query: string): dashboard.QueryVariableBuilder {
  return new dashboard.QueryVariableBuilder(name)
    .label(label)
    .datasource(dataSource)
    .query({ query, refId: name })
    .definition(query)
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .sort(dashboard.VariableSort.AlphabeticalCaseInsensitiveAsc);
}

/** A link of a cell or a series to the page of its server. */
export function serverLink(): dashboard.DashboardLinkBuilder {
  return new dashboard.DashboardLinkBuilder('Everything about this server').url(
    `/d/${uid.server}?var-datasource=\${datasource}&var-stack=\${__data.fields.Stack}&var-host=\${__data.fields.Host}&\${__url_time_range}`,
  );
}

/**
 * Restarts that the exporter saw, as marks in every graph; none while more than `maxHosts` hosts are selected, whose marks
 * would hide the graphs.
 */
export function restartAnnotation(matchers: string, maxHosts: number): dashboard.AnnotationQueryBuilder {
  const few = `count(count by (host, stack) (reboot_probe_success{${matchers}})) <= ${maxHosts}`;
  return mark(
    'Restarts',
    '#56B4E9',
    `max by (host, stack) (increase(reboot_host_boots_seen_total{${matchers}}[5m])) > 0 and on () (${few})`,
  )
    .titleFormat('Restarted')
    .textFormat('{{host}}');
}

/** Deploys that told the exporter by its refresh call. */
export function deployAnnotation(matchers: string): dashboard.AnnotationQueryBuilder {
  return mark(
    'Deploys',
    '#CC79A7',
    `max by (stack) (changes(reboot_exporter_refresh_timestamp_seconds{${matchers}}[5m])) > 0`,
  )
    .titleFormat('Deployed')
    .textFormat('{{stack}}');
}

function mark(name: string, color: string, expr: string): dashboard.AnnotationQueryBuilder {
  return new dashboard.AnnotationQueryBuilder()
    .name(name)
    .datasource(dataSource)
    .enable(true)
    .iconColor(color)
    .expr(expr)
    .step('1m');
}
