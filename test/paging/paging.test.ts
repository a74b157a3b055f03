import { setTimeout as sleep } from 'node:timers/promises';
import { describeWith } from '../alerts/programs';
import { until } from '../e2e/until';
import { describeWithLab } from '../lab/describe-with-lab';
import type { ConfigOverrides } from '../lab/exporter-config';
import { Lab } from '../lab/lab';
import { exposedHost, letReadFirewall } from './exposed-host';
import { isPage, tells, type Notification, type NotifiedAlert } from './notification';
import { PagingSystem } from './paging-system';

jest.setTimeout(120_000);

const packages = ['linux-image-6.8.0-50-generic', 'linux-base'];
const mayTakeSeconds = 60;

/** Seconds in place of days; only the critical limit of stack default changes later. */
function configuration(defaultExposed: object): ConfigOverrides {
  return {
    probe: { interval: '1s', timeout: '5s' },
    policy: { exposed: defaultExposed },
    stacks: {
      shop: {
        policy: {
          exposed: { warning_after: '6s', critical_after: '14s' },
          internal: { warning_after: '28s', critical_after: '1h' },
        },
        maintenance_window: { cron: '0 2 * * 0', duration: '3h', timezone: 'Europe/London' },
      },
    },
  };
}

describeWithLab('from a host that needs a restart', () => {
  describeWith(['prometheus', 'alertmanager'], 'to the right person', () => {
    let lab: Lab;
    let system: PagingSystem;
    let flagsAtMs = NaN;

    beforeAll(async () => {
      lab = await Lab.start({
        hosts: [
          exposedHost('web-1', '81.2.69.160', { stack: 'shop', labels: { team: 'web' } }),
          { name: 'db-1', stack: 'shop', labels: { team: 'data' }, exposure: 'internal' },
          { name: 'lone-1', exposure: 'exposed' },
        ],
      });
      letReadFirewall(lab.host('web-1'));
      system = await PagingSystem.start(lab, {
        exporter: configuration({ warning_after: '3s', critical_after: '30d' }),
        hurry: 300,
      });
      await until(mayTakeSeconds, async () => {
        expect(await system.prometheus.query('reboot_required == 0')).toHaveLength(3);
        expect(await system.prometheus.value('exposed_to_anywhere{host="web-1"}')).toBe(1);
      });
    });

    afterAll(async () => {
      await system?.stop();
      await lab?.stop();
    });

    const first = (test: (one: Notification) => boolean): Notification => {
      const found = system.notifications().find(test);
      if (found === undefined) throw new Error(`not among ${JSON.stringify(system.notifications().map(brief))}`);
      return found;
    };
    const arrival = (test: (one: Notification) => boolean): Promise<Notification> =>
      until(mayTakeSeconds, () => first(test));
    const firing = (host: string, severity: string): ((one: Notification) => boolean) =>
      tells(host, 'firing', severity);
    const alerts = (matchers: string): Promise<unknown[]> => system.prometheus.query(`ALERTS{${matchers}}`);

    test('nobody is told anything while no host needs one', () => {
      expect(system.notifications()).toEqual([]);
    });

    test('the exposed one is told at once, warned of, and then paged for', async () => {
      flagsAtMs = Date.now();
      for (const name of ['web-1', 'db-1', 'lone-1']) lab.host(name).setFlag(packages);
      const page = await arrival(isPage);
      const told = first(firing('web-1', 'info'));
      const warned = first(firing('web-1', 'warning'));
      expect([told.receiver, warned.receiver, page.receiver]).toEqual(['shop-chat', 'shop-chat', 'shop-page']);
      expect(told.atMs).toBeLessThan(warned.atMs);
      expect(warned.atMs).toBeLessThan(page.atMs);
      // Not before its limits, by the clock of the machine, which all of them share.
      expect(warned.atMs - flagsAtMs).toBeGreaterThanOrEqual(6000);
      expect(page.atMs - flagsAtMs).toBeGreaterThanOrEqual(14_000);
      // At this time the internal one has not been more than a notice to anybody.
      expect(system.notifications().filter(firing('db-1', 'warning'))).toEqual([]);
    });

    test('the page says whether to get up, and what to do', () => {
      const page = first(isPage);
      expect(page.groupLabels).toEqual({ stack: 'shop', severity: 'critical', exposure: 'exposed' });
      expect(page.alerts).toHaveLength(1);
      const { labels, annotations } = page.alerts[0] as NotifiedAlert;
      expect(labels).toMatchObject({
        alertname: 'RebootRequiredExposed',
        severity: 'critical',
        exposure: 'exposed',
        host: 'web-1',
        stack: 'shop',
        team: 'web',
      });
      const lines = (annotations['description'] ?? '').split('\n');
      const since = [-1, 0, 1].map((minutes) => inMinutes(flagsAtMs + minutes * 60_000));
      const stated = /^web-1 of stack shop has needed a restart since (\d{4}-\d\d-\d\d \d\d:\d\d UTC) \(/.exec(
        lines[0] ?? '',
      );
      expect(since).toContain(stated?.[1]);
      expect(lines[0]).toContain('The limit for critical has passed. Limits: critical after 14s, warning after 6s.');
      expect(lines).toContain('Exposed (proven), open to any internet address: tcp/22, tcp/443.');
      expect(lines.join('\n')).toContain('Why: flag. Packages: linux-base, linux-image-6.8.0-50-generic.');
      expect(lines.join('\n')).toContain(`Maintenance window of shop: ${windowWords(flagsAtMs)}.`);
      expect(lines.join('\n')).toMatch(/^What to do: \S/m);
      expect(lines.join('\n')).toContain('How to restart it well: one host of shop at a time;');
      expect(annotations['runbook_url']).toMatch(/\/docs\/runbooks\/RebootRequiredExposed\.md$/);
      expect(annotations['dashboard_path']).toBe('/d/reboot-exporter-server/server?var-stack=shop&var-host=web-1');
    });

    test('the internal one is a notice, escalates later, and pages nobody', async () => {
      const escalated = await arrival(firing('db-1', 'warning'));
      expect(escalated.receiver).toBe('shop-chat');
      expect(escalated.atMs - flagsAtMs).toBeGreaterThanOrEqual(28_000);
      const notice = first(tells('db-1', 'firing'));
      expect(notice.receiver).toBe('shop-notices');
      expect(notice.atMs).toBeLessThan(escalated.atMs);
      expect(first(isPage).atMs).toBeLessThan(escalated.atMs);
      expect(system.notifications().filter((one) => isPage(one) && one.alerts.some(isOf('db-1')))).toEqual([]);
    });

    test('a restart resolves the page, which came once', async () => {
      await lab.host('web-1').restart({ awayMilliseconds: 3000 });
      const resolved = await arrival((one) => isPage(one) && tells('web-1', 'resolved')(one));
      expect(resolved).toMatchObject({ receiver: 'shop-page', status: 'resolved' });
      const pages = system.notifications().filter(isPage);
      expect(pages.map(brief)).toEqual(['shop-page firing web-1 critical', 'shop-page resolved web-1 critical']);
    });

    test('a host that stops answering is taken as restarting first', async () => {
      await lab.host('lone-1').partition('drop');
      await until(mayTakeSeconds, async () => {
        expect(await system.prometheus.value('reboot_probe_success{host="lone-1"}')).toBe(0);
      });
      // Longer than the rule waits.
      await sleep(4000);
      expect(await system.prometheus.value('reboot_host_restarting{host="lone-1"}')).toBe(1);
      expect(await alerts('alertname="RebootHostUnreachable"')).toEqual([]);
    });

    test('an unreachable host is told of as that, and as nothing else until it is back', async () => {
      // An exporter that has never seen it well does not take it as restarting.
      await system.restartExporter();
      const unreachable = await arrival(({ alerts: all }) => all.some(isOf('lone-1', 'RebootHostUnreachable')));
      expect(unreachable.receiver).toBe('reboot-chat');
      system.reconfigure(configuration({ warning_after: '0s', critical_after: '0s' }));
      const critical = 'host="lone-1",severity="critical",alertstate="firing"';
      await until(mayTakeSeconds, async () => expect(await alerts(critical)).toHaveLength(1));
      // Six times as long as a group waits.
      await sleep(3000);
      expect(await alerts(critical)).toHaveLength(1);
      expect(system.notifications().filter((one) => isPage(one) && one.alerts.some(isOf('lone-1')))).toEqual([]);

      await lab.host('lone-1').heal();
      const page = await arrival((one) => isPage(one) && firing('lone-1', 'critical')(one));
      expect(page.receiver).toBe('reboot-page');
    });

    test('no notification failed', () => {
      expect(system.complaints()).not.toMatch(/[Nn]otify for alerts failed|err="/);
      expect(system.prometheus.complaints()).toEqual([]);
    });
  });
});

function isOf(host: string, alertname?: string): (alert: NotifiedAlert) => boolean {
  return ({ labels }) => labels['host'] === host && (alertname === undefined || labels['alertname'] === alertname);
}

function brief({ receiver, status, alerts }: Notification): string {
  const said = alerts.map(({ labels }) => `${labels['host']} ${labels['severity']}`);
  return [receiver, status, ...said].join(' ');
}

function inMinutes(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** Sunday at 2 in London, for three hours: found by walking through the hours, as a person does with a calendar. */
function windowWords(nowMs: number): string {
  const london = new Intl.DateTimeFormat('en-GB', {
    timeZone: 'Europe/London',
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  const hourMs = 3_600_000;
  const hour = Math.floor(nowMs / hourMs) * hourMs;
  const opens = (ms: number): boolean => /Sun,? 02:00/.test(london.format(ms));
  if ([0, 1, 2].some((hours) => opens(hour - hours * hourMs))) return 'open now';
  let next = hour + hourMs;
  while (!opens(next)) next += hourMs;
  return `next opens ${inMinutes(next)}`;
}
