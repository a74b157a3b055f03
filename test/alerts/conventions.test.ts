import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { stepsPrefix } from '../../alerts/rules/description';
import { alertingRules, ruleGroups } from '../../alerts/rules/groups';
import { isAlertingRule } from '../../alerts/rules/rule';
import { inhibitions } from '../../alerts/routing/inhibition';
import { createExporterMetrics } from '../../src/metrics/exporter-metrics';
import { hostFamilies } from '../../src/metrics/host-families';
import { stackFamilies } from '../../src/metrics/stack-families';
import { describeWith, run } from './programs';
import { metricsOf, queriesOf } from './promql';
import { rulesFile } from './rule-case';

const alertsFolder = resolve(__dirname, '../../alerts');
const runbooksFolder = resolve(__dirname, '../../docs/runbooks');
const alertNames = [...new Set(alertingRules().map(({ alert }) => alert))];

describeWith(['promtool'], 'The rules file', () => {
  it('is valid', () => {
    expect(run('promtool', ['check', 'rules', rulesFile])).toContain('SUCCESS');
  });

  it('has the same rules as the PrometheusRule, which only adds the namespace to alerts', () => {
    const manifest = parse(readFileSync(join(alertsFolder, 'prometheusrule.yaml'), 'utf8')) as {
      metadata: { namespace: string };
      spec: { groups: { rules: { alert?: string; labels: Record<string, string> }[] }[] };
    };
    for (const rule of manifest.spec.groups.flatMap((group) => group.rules).filter(({ alert }) => alert)) {
      expect(rule.labels['namespace']).toBe(manifest.metadata.namespace);
      delete rule.labels['namespace'];
    }
    expect(manifest.spec).toEqual(parse(readFileSync(rulesFile, 'utf8')));
  });
});

describe('Every alert', () => {
  it.each(alertingRules().map((rule) => [rule.alert, rule.labels.severity, rule] as const))(
    '%s (%s) follows the conventions of the monitoring mixins',
    (name, severity, rule) => {
      expect(name).toMatch(/^Reboot([A-Z][a-z]+)+$/);
      expect(['critical', 'warning', 'info']).toContain(severity);
      expect(rule.annotations.summary).toMatch(/^[A-Z][^{}]+\.$/);
      expect(rule.annotations.description).toMatch(/\.$/);
      expect(rule.annotations.runbook_url).toMatch(new RegExp(`^https://.*/docs/runbooks/${name}\\.md$`));
    },
  );

  it('has a runbook page with the four parts, in the index, and every page has its alert', () => {
    const pages = readdirSync(runbooksFolder).filter((file) => file !== 'README.md');
    expect(pages.sort()).toEqual(alertNames.map((name) => `${name}.md`).sort());
    const index = readFileSync(join(runbooksFolder, 'README.md'), 'utf8');
    for (const name of alertNames) {
      const page = readFileSync(join(runbooksFolder, `${name}.md`), 'utf8');
      expect(page).toMatch(new RegExp(`^# ${name}\n`));
      expect(page.match(/^## .*/gm)).toEqual(['## Meaning', '## Impact', '## Diagnosis', '## Mitigation']);
      expect(page).toContain('```sh');
      expect(index).toContain(`(${name}.md)`);
    }
  });
});

describe('What is read', () => {
  const rules = ruleGroups().flatMap((group) => group.rules);
  const recorded = rules.flatMap((rule) => (isAlertingRule(rule) ? [] : [rule.record]));
  const expressions = rules.flatMap((rule) => [
    rule.expr,
    ...(isAlertingRule(rule) ? queriesOf(rule.annotations.description) : []),
  ]);

  it('finds the metrics of an expression', () => {
    expect(
      metricsOf('max by (stack, host) (last_over_time(a_b{c="d{e"}[10m])) == 1 unless on (f) g:h:max + time() < +Inf'),
    ).toEqual(['a_b', 'g:h:max']);
    expect(queriesOf('{{ range query (printf `max(x{host=%q})` $labels.host) }}')).toEqual(['max(x{host="x"})']);
  });

  it('is published by the exporter or recorded by these rules', () => {
    const read = new Set(expressions.flatMap(metricsOf));
    const heads = [...hostFamilies, ...stackFamilies, ...createExporterMetrics().heads()];
    // Prometheus itself adds `up` to what it scrapes.
    const known = new Set(['up', ...recorded, ...heads.map(({ name }) => name)]);
    expect(read.size).toBeGreaterThan(30);
    expect([...read].filter((name) => !known.has(name))).toEqual([]);
  });

  it('is recorded under names of the form level:metric:operations', () => {
    for (const name of recorded) {
      expect(name).toMatch(/^[a-z]+(_[a-z]+)*:[a-z]+(_[a-z]+)*:(max|min)$/);
    }
  });
});

describe('The message templates', () => {
  it('look for the line with the steps by the words that the descriptions begin it with', () => {
    const common = readFileSync(join(alertsFolder, 'templates', 'common.tmpl'), 'utf8');
    expect(common).toContain(`match "${stepsPrefix}"`);
    expect(common).toContain(`(${stepsPrefix}[^\\n]*)`);
  });

  it('and the inhibitions name no alert that does not exist', () => {
    const named = inhibitions()
      .flatMap(({ source, target }) => [...source, ...target])
      .filter(({ label, value }) => label === 'alertname' && value !== 'Reboot.+')
      .flatMap(({ value }) => value.split('|'));
    expect(named.filter((name) => !alertNames.includes(name))).toEqual([]);
  });
});
