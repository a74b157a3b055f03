import { stringify } from 'yaml';
import { manifestNamespace } from '../settings';
import { ruleGroups } from './groups';
import { isAlertingRule, type AlertingRule, type RuleGroup } from './rule';

const generated = '# Generated from alerts/rules/ by `npm run generate`. Edits here are lost.\n';

/** `reboot-exporter.rules.yml`, for `rule_files` of Prometheus. */
export function renderRules(): string {
  return generated + toYaml({ groups: ruleGroups() });
}

/**
 * The same as a PrometheusRule of the Prometheus operator. Its alerts carry the
 * namespace as a label, because the operator adds a matcher on it to all that
 * comes from an AlertmanagerConfig: without it, none of them would be routed.
 */
export function renderPrometheusRule(): string {
  return (
    generated +
    toYaml({
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PrometheusRule',
      metadata: {
        name: 'reboot-exporter',
        namespace: manifestNamespace,
        labels: { 'app.kubernetes.io/name': 'reboot-exporter' },
      },
      spec: { groups: ruleGroups().map(withNamespace) },
    })
  );
}

function withNamespace(group: RuleGroup): RuleGroup {
  return {
    ...group,
    rules: group.rules.map((rule) => (isAlertingRule(rule) ? labelled(rule) : rule)),
  };
}

function labelled(rule: AlertingRule): AlertingRule {
  return { ...rule, labels: { ...rule.labels, namespace: manifestNamespace } };
}

function toYaml(value: unknown): string {
  return stringify(value, { lineWidth: 0, blockQuote: 'literal', aliasDuplicateObjects: false, version: '1.1' });
}
