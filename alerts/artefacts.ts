import { renderAlertmanager } from './routing/alertmanager';
import { renderAlertmanagerConfig } from './routing/manifest';
import { splitTemplates } from './routing/template-text';
import { renderPrometheusRule, renderRules } from './rules/files';

/**
 * Every generated file: its path below `alerts/`, and its content.
 *
 * @param templateFiles The text of all of `templates/*.tmpl`, one after the other.
 */
export function artefacts(templateFiles: string): ReadonlyMap<string, string> {
  return new Map([
    ['reboot-exporter.rules.yml', renderRules()],
    ['prometheusrule.yaml', renderPrometheusRule()],
    ['alertmanager.yml', renderAlertmanager()],
    ['alertmanagerconfig.yaml', renderAlertmanagerConfig(splitTemplates(templateFiles))],
  ]);
}
