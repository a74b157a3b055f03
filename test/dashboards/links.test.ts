import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { serverDashboardPath } from '../../alerts/settings';
import { dashboards, type DashboardJson } from './dashboard-json';

const repository = join(__dirname, '..', '..');
const published = 'https://github.com/reboot-exporter/reboot-exporter/blob/main/';

/** Every link of a dashboard: its own, those of cells, and those in texts. */
function linksOf(dashboard: DashboardJson): string[] {
  const ofCells = dashboard.panels.flatMap(({ fieldConfig }) =>
    (fieldConfig?.overrides ?? []).flatMap(({ properties }) =>
      properties.flatMap(({ id, value }) => (id === 'links' ? (value as { url: string }[]).map(({ url }) => url) : [])),
    ),
  );
  const ofTexts = dashboard.panels.flatMap(({ options }) =>
    [...(options?.content ?? '').matchAll(/\]\(([^)]*)\)/g)].map(([, url = '']) => url),
  );
  return [...dashboard.links.map(({ url }) => url), ...ofCells, ...ofTexts];
}

test.each(dashboards.map((dashboard) => [dashboard.title, dashboard] as const))(
  'the links of %s lead somewhere',
  (_title, dashboard) => {
    const links = linksOf(dashboard);
    expect(links.length).toBeGreaterThan(1);
    for (const link of links) {
      if (link.startsWith(published)) {
        const page = join(repository, link.slice(published.length));
        expect([link, existsSync(page)]).toEqual([link, true]);
        continue;
      }
      // A dashboard of ours, with variables that it has.
      const { pathname, searchParams } = new URL(link, 'http://grafana');
      const target = dashboards.find(({ uid }) => pathname.split('/')[2] === uid);
      expect([link, target?.title]).toEqual([link, expect.any(String)]);
      const names = target?.templating.list.map(({ name }) => `var-${name}`) ?? [];
      for (const key of searchParams.keys()) if (key.startsWith('var-')) expect(names).toContain(key);
    }
  },
);

test('the fleet leads to each server, and a server back to the fleet', () => {
  const [fleet, server] = dashboards;
  if (fleet === undefined || server === undefined) throw new Error('two dashboards');
  expect(linksOf(fleet).filter((link) => link.startsWith(`/d/${server.uid}`)).length).toBeGreaterThanOrEqual(3);
  expect(linksOf(server).filter((link) => link.startsWith(`/d/${fleet.uid}`))).toHaveLength(1);
});

test('alerts lead to the server dashboard, with variables that it has', () => {
  const rules = readFileSync(join(repository, 'alerts/reboot-exporter.rules.yml'), 'utf8');
  const paths = [...rules.matchAll(/dashboard_path: (\S+)\?(.*)$/gm)];
  expect(paths.length).toBeGreaterThan(5);
  for (const [, path = '', query = ''] of paths) {
    expect(path).toBe(serverDashboardPath);
    expect(dashboards.map(({ uid }) => uid)).toContain(path.split('/')[2]);
    expect([...query.matchAll(/var-(\w+)=/g)].map(([, name]) => name)).toEqual(['stack', 'host']);
  }
});
