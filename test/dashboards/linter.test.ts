import { dashboards, variableQuery, type PanelJson } from './dashboard-json';

/**
 * The rules of Grafana's dashboard-linter (https://github.com/grafana/dashboard-linter/blob/main/docs/index.md), by the
 * names that it gives them. Not met, on purpose:
 *   template-job-rule, template-instance-rule, target-job-rule, target-instance-rule: `job` and `instance` are the
 *     exporter's. A host is told by `host` and `stack`, and must stay one series when its exporter moves.
 *   panel-no-targets-rule, panel-datasource-rule, panel-units-rule for panels of text: they ask nothing.
 */
const isText = (panel: PanelJson): boolean => panel.type === 'text';
const chosen = { type: 'prometheus', uid: '${datasource}' };

describe.each(dashboards.map((dashboard) => [dashboard.title, dashboard] as const))('%s', (_title, dashboard) => {
  const { panels, templating } = dashboard;
  const asking = panels.filter((panel) => !isText(panel));
  const targets = panels.flatMap(({ title, targets: own = [] }) => own.map((target) => ({ title, ...target })));
  const queryVariables = templating.list.filter(({ type }) => type === 'query');

  test('template-datasource-rule: one variable for the data source, called that', () => {
    expect(templating.list.filter(({ type }) => type === 'datasource')).toEqual([
      expect.objectContaining({ name: 'datasource', label: 'Data source', query: 'prometheus' }),
    ]);
    expect(templating.list[0]?.type).toBe('datasource');
  });

  test('template-on-time-change-reload-rule: variables are asked again when the time changes', () => {
    expect(queryVariables.length).toBeGreaterThan(0);
    for (const { name, refresh, datasource, label } of queryVariables) {
      expect([name, refresh, datasource]).toEqual([name, 2, chosen]);
      expect(label).toBeTruthy();
    }
  });

  test('template-unused-rule: every variable is used', () => {
    const text = JSON.stringify({ ...dashboard, templating: queryVariables.map(variableQuery) });
    for (const { name } of templating.list) expect(text).toMatch(new RegExp(String.raw`\$(\{${name}\b|${name}\b)`));
  });

  test('panel-title-description-rule: every panel has a title and a description', () => {
    for (const { id, title, description } of panels) {
      expect(title).toBeTruthy();
      expect([id, description ?? '']).toEqual([id, expect.stringMatching(/^[A-Z].+\.$/s)]);
    }
  });

  test('panel-units-rule: every panel that shows values has a unit', () => {
    for (const { title, fieldConfig } of asking)
      expect([title, fieldConfig?.defaults.unit]).toEqual([title, expect.stringMatching(/./)]);
  });

  test('panel-no-targets-rule and panel-datasource-rule: every panel asks the data source that was chosen', () => {
    for (const panel of asking) {
      expect(panel.targets?.length ?? 0).toBeGreaterThan(0);
      expect([panel.title, panel.datasource]).toEqual([panel.title, chosen]);
    }
    for (const target of targets) expect([target.title, target.datasource]).toEqual([target.title, chosen]);
    for (const annotation of dashboard.annotations.list) expect(annotation.datasource).toEqual(chosen);
    expect(JSON.stringify(dashboard)).not.toMatch(/"uid": ?"(?!\$\{datasource\}|reboot-exporter-)/);
  });

  test('target-rate-interval-rule: rates are over $__rate_interval; longer spans are written out and said in the description', () => {
    for (const { title, expr } of targets) {
      expect(expr).not.toMatch(/\bi?rate\([^[]*\[(?!\$__rate_interval\])/);
      const spans = [...expr.matchAll(/\[([^\]]*)\]/g)].map(([, span]) => span);
      expect([title, spans.filter((span) => span !== '$__rate_interval')]).toEqual([
        title,
        title === 'Restarts seen' ? ['1d'] : [],
      ]);
    }
  });

  test('target-counter-agg-rule: a counter is only looked at through its increase or rate', () => {
    for (const { expr } of [...targets, ...dashboard.annotations.list]) {
      const counters = expr.match(/\w+_total\b/g)?.length ?? 0;
      expect(expr.match(/(?:increase|rate)\(\w+_total\b/g)?.length ?? 0).toBe(counters);
    }
  });

  test('target-required-matchers: what is selected holds for every series of a host', () => {
    const ofHost = /\b(?:reboot_(?!policy|maintenance|exporter)|exposed_|unattended_)\w+(\{[^}]*\})?/g;
    for (const { title, expr } of targets) {
      for (const [, matchers = ''] of expr.replaceAll(/(?:on|by|group_left) ?\([^)]*\)/g, '').matchAll(ofHost)) {
        expect([title, matchers]).toEqual([title, expect.stringContaining('stack=~"$stack", host=~"$host"')]);
      }
    }
  });

  test('uneditable-dashboard', () => {
    expect(dashboard.editable).toBe(false);
  });

  test('the dashboard and its panels can be named, and no panel lies on another', () => {
    expect(dashboard.uid).toMatch(/^reboot-exporter-[a-z]+$/);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Set<string>();
    for (const { gridPos, title } of panels) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect([title, x < 24, taken.has(`${x} ${y}`)]).toEqual([title, true, false]);
          taken.add(`${x} ${y}`);
        }
      }
    }
  });

  test('letters are told apart in one panel', () => {
    for (const { targets: own = [] } of panels) expect(new Set(own.map(({ refId }) => refId)).size).toBe(own.length);
  });
});
