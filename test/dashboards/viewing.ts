import { variableQuery, type DashboardJson } from './dashboard-json';
import type { Prometheus, Series } from './prometheus';

/** What one looks at: the time, what is chosen in the variables, and how often data comes. */
export interface View {
  /** Unix seconds. */
  readonly from: number;
  readonly to: number;
  readonly scrapeSeconds: number;
  /** Values chosen; a variable that is left out has its "All". */
  readonly chosen: Readonly<Record<string, string>>;
}

/** What one query of a dashboard answered. */
export interface Answer {
  /** `Panel title / A`, `variable stack` or `annotation Restarts`. */
  readonly of: string;
  readonly error: string | null;
  readonly series: readonly Series[];
}

/** About as many points as a panel has pixels. */
const points = 300;
/** Prometheus refuses to answer with more points than this; Grafana then takes longer steps. */
const maxPoints = 11_000;

/** Runs every query of a dashboard as Grafana does when it is opened. */
export async function look(prometheus: Prometheus, dashboard: DashboardJson, view: View): Promise<Answer[]> {
  const { from, to } = view;
  const stepSeconds = Math.max(view.scrapeSeconds, Math.ceil((to - from) / points));
  const asked: (readonly [string, () => Promise<Series[]>])[] = [];

  for (const variable of dashboard.templating.list.filter(({ type }) => type === 'query')) {
    asked.push([
      `variable ${variable.name}`,
      async () => askVariable(prometheus, variableQuery(variable), dashboard, view),
    ]);
  }
  for (const { name, expr } of dashboard.annotations.list) {
    const step = Math.max(60, Math.ceil((to - from) / maxPoints));
    const filled = interpolate(expr, dashboard, view, step);
    asked.push([
      `annotation ${name}`,
      () => prometheus.queryRange(filled, from, to, Math.min(step, view.scrapeSeconds * 60)),
    ]);
  }
  for (const { title, targets = [] } of dashboard.panels) {
    for (const { refId, expr, instant } of targets) {
      const filled = interpolate(expr, dashboard, view, stepSeconds);
      const ask = (): Promise<Series[]> =>
        instant === true ? prometheus.query(filled, to) : prometheus.queryRange(filled, from, to, stepSeconds);
      asked.push([`${title} / ${refId}`, ask]);
    }
  }

  const answers: Answer[] = [];
  for (const [of, ask] of asked) {
    answers.push(
      await ask().then(
        (series) => ({ of, error: null, series }),
        (error: Error) => ({ of, error: error.message, series: [] }),
      ),
    );
  }
  return answers;
}

async function askVariable(
  prometheus: Prometheus,
  query: string,
  dashboard: DashboardJson,
  view: View,
): Promise<Series[]> {
  const [, selector, label] = /^label_values\((.*), (\w+)\)$/.exec(query) ?? [];
  if (selector === undefined || label === undefined) throw new Error(`not a query of label values: ${query}`);
  const values = await prometheus.labelValues(label, interpolate(selector, dashboard, view, 60), view.from, view.to);
  return values.map((value) => ({ metric: { [label]: value }, values: [] }));
}

/**
 * Fills variables in as Grafana's data source for Prometheus does: "All" is the variable's own value for it, a value is
 * escaped for a regular expression, and the rate interval is what
 * https://grafana.com/docs/grafana/latest/datasources/prometheus/template-variables/ says.
 */
export function interpolate(expr: string, dashboard: DashboardJson, view: View, stepSeconds: number): string {
  const rateSeconds = Math.max(stepSeconds + view.scrapeSeconds, 4 * view.scrapeSeconds);
  return expr.replaceAll(/\$(?:\{(\w+)\}|(\w+))/g, (whole, braced?: string, bare?: string) => {
    const name = braced ?? bare ?? '';
    if (name === '__rate_interval') return `${rateSeconds}s`;
    const variable = dashboard.templating.list.find((one) => one.name === name);
    const value = view.chosen[name]?.replaceAll(/[\\^$*+?.()|[\]{}]/g, '\\\\$&') ?? variable?.allValue;
    if (value === undefined) throw new Error(`${whole} has no value`);
    return value;
  });
}
