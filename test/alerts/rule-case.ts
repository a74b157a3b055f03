import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { ruleGroups } from '../../alerts/rules/groups';
import { run } from './programs';

export const rulesFile = resolve(__dirname, '../../alerts/reboot-exporter.rules.yml');

export type Labels = Readonly<Record<string, string>>;

/** What is expected of one alert at one moment: the labels of every instance in that state, beside its name. */
export interface Expectation {
  /** Time since the start, as a Prometheus duration. */
  readonly at: string;
  readonly alert: string;
  readonly firing?: readonly Labels[];
  readonly pending?: readonly Labels[];
}

/** Series over time in promtool's notation, and which alerts they lead to. The clock starts at 0. */
export interface RuleCase {
  /** Time between samples and between evaluations. */
  readonly every?: string;
  readonly series: Readonly<Record<string, string>>;
  readonly expect: readonly Expectation[];
}

/** Lets promtool evaluate the committed rules over the series. @throws Error with its report when anything is different. */
export function evaluate(ruleCase: RuleCase): void {
  promtoolTest({
    interval: ruleCase.every ?? '1m',
    input_series: inputSeries(ruleCase.series),
    promql_expr_test: ruleCase.expect.flatMap(statesOf),
  });
}

/** The whole text of an alert's annotations at one moment, for every instance that fires. */
export interface TextCase {
  readonly every?: string;
  readonly series: Readonly<Record<string, string>>;
  readonly at: string;
  readonly alert: string;
  readonly alerts: readonly { readonly labels: Labels; readonly annotations: Labels }[];
}

/** Compares labels and texts of everything that fires under one name. @throws Error with promtool's report of the difference. */
export function expectText(textCase: TextCase): void {
  promtoolTest({
    interval: textCase.every ?? '1m',
    input_series: inputSeries(textCase.series),
    alert_rule_test: [
      {
        eval_time: textCase.at,
        alertname: textCase.alert,
        exp_alerts: textCase.alerts.map(({ labels, annotations }) => ({
          exp_labels: labels,
          exp_annotations: annotations,
        })),
      },
    ],
  });
}

function promtoolTest(group: { readonly interval: string } & Record<string, unknown>): void {
  const folder = mkdtempSync(join(tmpdir(), 'reboot-rules-'));
  try {
    const file = join(folder, 'test.yml');
    // Some rules read what another group records. promtool takes groups in any order unless it is told one.
    const order = ruleGroups().map(({ name }) => name);
    const tests = {
      rule_files: [rulesFile],
      evaluation_interval: group.interval,
      group_eval_order: order,
      tests: [group],
    };
    writeFileSync(file, stringify(tests, { lineWidth: 0 }));
    run('promtool', ['test', 'rules', file]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function inputSeries(series: Readonly<Record<string, string>>): readonly { series: string; values: string }[] {
  return Object.entries(series).map(([name, values]) => ({ series: name, values }));
}

/** Both states are always compared: what is not named is expected to be empty. */
function statesOf({ at, alert, firing = [], pending = [] }: Expectation): readonly object[] {
  return [
    { state: 'firing', instances: firing },
    { state: 'pending', instances: pending },
  ].map(({ state, instances }) => ({
    expr: `ALERTS{alertname="${alert}",alertstate="${state}"}`,
    eval_time: at,
    exp_samples: instances.map((labels) => ({
      labels: `ALERTS${selector({ alertname: alert, alertstate: state, ...labels })}`,
      value: 1,
    })),
  }));
}

/** `{name="value",…}`, values quoted. */
export function selector(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `{${pairs.join(',')}}`;
}
