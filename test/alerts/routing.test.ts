import { describeWith, run } from './programs';
import { allRoutes, configFile, shippedConfig } from './alertmanager';
import type { Labels } from './rule-case';

function receiverOf(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return run('amtool', ['config', 'routes', 'test', `--config.file=${configFile}`, ...pairs]).trim();
}

describeWith(['amtool'], 'The Alertmanager configuration', () => {
  it('is valid, and its message templates are', () => {
    const report = run('amtool', ['check-config', configFile]);
    expect(report).toContain('1 templates');
    expect(report).not.toContain('FAILED');
  });

  const exposed = { alertname: 'RebootRequiredExposed', exposure: 'exposed', host: 'web-1' };
  const internal = { alertname: 'RebootRequired', exposure: 'internal', host: 'db-1' };

  it.each([
    [{ ...exposed, severity: 'critical' }, 'page'],
    [{ ...exposed, severity: 'warning' }, 'chat'],
    [{ ...exposed, severity: 'info' }, 'chat'],
    [{ ...internal, severity: 'critical' }, 'page'],
    [{ ...internal, severity: 'warning' }, 'chat'],
    [{ ...internal, severity: 'info' }, 'notices'],
    [{ alertname: 'RebootHostUnreachable', host: 'db-1', severity: 'warning' }, 'chat'],
    [{ alertname: 'RebootHostKeyChanged', host: 'db-1', severity: 'warning' }, 'chat'],
    [{ alertname: 'RebootStateUnknown', host: 'db-1', severity: 'info' }, 'notices'],
  ])('routes %j to the %s of its stack, or of everyone', (labels, purpose) => {
    expect(receiverOf({ ...labels, stack: 'shop' })).toBe(`shop-${purpose}`);
    expect(receiverOf({ ...labels, stack: 'blog' })).toBe(`reboot-${purpose}`);
    expect(receiverOf({ ...labels, stack: 'shop-2' })).toBe(`reboot-${purpose}`);
  });

  it('routes alerts about the exporter, which have no stack, to everyone', () => {
    expect(receiverOf({ alertname: 'RebootExporterAbsent', severity: 'critical' })).toBe('reboot-page');
    expect(receiverOf({ alertname: 'RebootExporterDown', severity: 'warning', instance: 'a' })).toBe('reboot-chat');
  });

  it('leaves alerts of others to the top of the tree', () => {
    expect(receiverOf({ alertname: 'NodeDown', severity: 'critical', stack: 'shop' })).toBe('reboot-chat');
  });

  it('holds notices alone: nothing that is exposed, nothing above info', () => {
    const held = allRoutes(shippedConfig().route).filter((route) => route.active_time_intervals !== undefined);
    expect(held).toHaveLength(2);
    for (const route of held) {
      expect(route.matchers).toEqual(['severity="info"']);
      expect(route.receiver).toMatch(/-notices$/);
    }
  });

  it('takes Monday to Friday from nine to five for office hours', () => {
    expect(shippedConfig().time_intervals).toEqual([
      {
        name: 'office-hours',
        time_intervals: [
          { weekdays: ['monday:friday'], times: [{ start_time: '09:00', end_time: '17:00' }], location: 'UTC' },
        ],
      },
    ]);
  });

  it('tells again within the time for which Alertmanager remembers what it told', () => {
    const retentionHours = 120;
    for (const { repeat_interval: interval } of allRoutes(shippedConfig().route)) {
      const [, count = '0', unit = 'h'] = /^(\d+)([hd])$/.exec(interval ?? '1h') ?? [];
      expect(Number(count) * (unit === 'd' ? 24 : 1)).toBeLessThan(retentionHours);
    }
  });
});
