import { exporterGroup } from './exporter';
import { patchingGroup } from './patching';
import { probeGroup } from './probe';
import { restartGroup } from './restart';
import { isAlertingRule, type AlertingRule, type RuleGroup } from './rule';

/** Every rule: the one source of the rule file and of the PrometheusRule manifest. */
export function ruleGroups(): readonly RuleGroup[] {
  return [restartGroup(), probeGroup(), patchingGroup(), exporterGroup()];
}

/** Every alerting rule of the groups; a name occurs once a severity. */
export function alertingRules(): readonly AlertingRule[] {
  return ruleGroups().flatMap((group) => group.rules.filter(isAlertingRule));
}
