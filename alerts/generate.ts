import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderAlertmanager } from './routing/alertmanager';
import { renderAlertmanagerConfig } from './routing/manifest';
import { splitTemplates } from './routing/template-text';
import { renderPrometheusRule, renderRules } from './rules/files';

/** The committed text of each generated file, by its name in this folder. */
export function alertFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['reboot-exporter.rules.yml', renderRules()],
    ['prometheusrule.yaml', renderPrometheusRule()],
    ['alertmanager.yml', renderAlertmanager()],
    ['alertmanagerconfig.yaml', renderAlertmanagerConfig(splitTemplates(messageTemplates()))],
  ]);
}

/** The text of all message templates, which are written by hand. */
function messageTemplates(): string {
  const folder = join(__dirname, 'templates');
  const files = readdirSync(folder).filter((file) => file.endsWith('.tmpl'));
  return files
    .sort()
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n');
}
