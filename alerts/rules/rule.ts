import { runbookBaseUrl } from '../settings';

export type Severity = 'critical' | 'warning' | 'info';

/** A recording rule; its name is `level:metric:operations`. */
export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** An alerting rule in the form that Prometheus reads. */
export interface AlertingRule {
  readonly alert: string;
  readonly expr: string;
  /** A Prometheus duration; absent: fires at the first evaluation. */
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>> & { readonly severity: Severity };
  readonly annotations: {
    /** The same words for every alert of the rule: receivers group and deduplicate by it. */
    readonly summary: string;
    readonly description: string;
    readonly runbook_url: string;
    readonly dashboard_path?: string;
  };
}

/**
 * Rules evaluated one after the other, at the server's own evaluation
 * interval. What an alert compares is recorded before it in the same group, so
 * that it is at most one evaluation old.
 */
export interface RuleGroup {
  readonly name: string;
  readonly rules: readonly (RecordingRule | AlertingRule)[];
}

export function isAlertingRule(rule: RecordingRule | AlertingRule): rule is AlertingRule {
  return 'alert' in rule;
}

/** The runbook page of an alert. */
export function runbookUrl(alert: string): string {
  return `${runbookBaseUrl}${alert}.md`;
}
