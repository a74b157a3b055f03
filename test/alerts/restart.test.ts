import { day, host, info, policy } from './fleet';
import { describeWith } from './programs';
import { evaluate, selector } from './rule-case';

const db = { host: 'db-1', stack: 'shop' };
const web = { host: 'web-1', stack: 'shop' };

const shop = policy('shop', {
  exposed: { warning: `${day}x60`, critical: `${7 * day}x60` },
  internal: { warning: `${14 * day}x60`, critical: `${30 * day}x60` },
});

const info_ = { severity: 'info', exposure: 'internal' } as const;
const warning = { severity: 'warning', exposure: 'internal' } as const;
const critical = { severity: 'critical', exposure: 'internal' } as const;

describeWith(['promtool'], 'RebootRequired, of a host that is not exposed', () => {
  const internal = { ...db, ...info_ };

  it('is no alert while no restart is needed', () => {
    evaluate({
      series: { ...shop, ...host(db, { required: '0x60', age: '0x60', exposed: '0x60' }) },
      expect: [
        { at: '1h', alert: 'RebootRequired' },
        { at: '1h', alert: 'RebootRequiredExposed' },
      ],
    });
  });

  it('waits ten minutes, is a notice then, and ends with the restart', () => {
    const series = { required: '0x4 1x20 0x20', age: '0x4 0+60x20 0x20', exposed: '0x60' };
    evaluate({
      series: { ...shop, ...host(db, series) },
      expect: [
        { at: '4m', alert: 'RebootRequired' },
        { at: '14m', alert: 'RebootRequired', pending: [internal] },
        { at: '15m', alert: 'RebootRequired', firing: [internal] },
        { at: '25m', alert: 'RebootRequired', firing: [internal] },
        { at: '26m', alert: 'RebootRequired' },
        { at: '25m', alert: 'RebootRequiredExposed' },
      ],
    });
  });

  it('grows to warning and to critical at the moment its stack says, and stays a notice as well', () => {
    const age = (start: number): string => `${start}+60x60`;
    const at = (limit: number): Parameters<typeof evaluate>[0]['series'] => ({
      ...shop,
      ...host(db, { required: '1x60', age: age(limit - 30 * 60), exposed: '0x60' }),
    });
    evaluate({
      series: at(14 * day),
      expect: [
        { at: '29m', alert: 'RebootRequired', firing: [internal] },
        { at: '30m', alert: 'RebootRequired', firing: [internal, { ...db, ...warning }] },
      ],
    });
    evaluate({
      series: at(30 * day),
      expect: [
        { at: '29m', alert: 'RebootRequired', firing: [internal, { ...db, ...warning }] },
        { at: '30m', alert: 'RebootRequired', firing: [internal, { ...db, ...warning }, { ...db, ...critical }] },
      ],
    });
  });

  it('ends at every severity at once when the host restarted', () => {
    const series = { required: '1x20 0x10', age: `${31 * day}+60x20 0x10`, exposed: '0x60' };
    evaluate({
      series: { ...shop, ...host(db, series) },
      expect: [
        { at: '20m', alert: 'RebootRequired', firing: [internal, { ...db, ...warning }, { ...db, ...critical }] },
        { at: '21m', alert: 'RebootRequired' },
      ],
    });
  });
});

describeWith(['promtool'], 'RebootRequiredExposed', () => {
  const notice = { ...web, severity: 'info', exposure: 'exposed' };
  const exposedWarning = { ...web, severity: 'warning', exposure: 'exposed' };
  const exposedCritical = { ...web, severity: 'critical', exposure: 'exposed' };

  it('fires at the first evaluation', () => {
    evaluate({
      series: { ...shop, ...host(web, { required: '0x4 1x20', age: '0x4 0+60x20', exposed: '1x60' }) },
      expect: [
        { at: '4m', alert: 'RebootRequiredExposed' },
        { at: '5m', alert: 'RebootRequiredExposed', firing: [notice] },
        { at: '20m', alert: 'RebootRequired' },
      ],
    });
  });

  it('grows by the limits for exposed hosts and ends with the restart', () => {
    const series = { required: '1x40 0x10', age: `${7 * day - 30 * 60}+60x40 0x10`, exposed: '1x60' };
    evaluate({
      series: { ...shop, ...host(web, series) },
      expect: [
        { at: '29m', alert: 'RebootRequiredExposed', firing: [notice, exposedWarning] },
        { at: '30m', alert: 'RebootRequiredExposed', firing: [notice, exposedWarning, exposedCritical] },
        { at: '41m', alert: 'RebootRequiredExposed' },
      ],
    });
    evaluate({
      series: { ...shop, ...host(web, { required: '1x60', age: `${day - 30 * 60}+60x60`, exposed: '1x60' }) },
      expect: [
        { at: '29m', alert: 'RebootRequiredExposed', firing: [notice] },
        { at: '30m', alert: 'RebootRequiredExposed', firing: [notice, exposedWarning] },
      ],
    });
  });

  it('takes over at once when an internal host becomes exposed, and hands back when it no longer is', () => {
    evaluate({
      series: {
        ...shop,
        ...host(web, { required: '1x60', age: `${2 * day}+60x60`, exposed: '0x19 1x20 0x20' }),
      },
      expect: [
        { at: '19m', alert: 'RebootRequired', firing: [{ ...web, ...info_ }] },
        { at: '19m', alert: 'RebootRequiredExposed' },
        { at: '20m', alert: 'RebootRequired' },
        { at: '20m', alert: 'RebootRequiredExposed', firing: [notice, exposedWarning] },
        { at: '41m', alert: 'RebootRequiredExposed' },
        { at: '51m', alert: 'RebootRequired', firing: [{ ...web, ...info_ }] },
      ],
    });
  });

  it('means at once when the limit is 0', () => {
    const atOnce = policy('shop', {
      exposed: { warning: '0x60', critical: '0x60' },
      internal: { warning: `${day}x60`, critical: `${day}x60` },
    });
    evaluate({
      series: { ...atOnce, ...host(web, { required: '0x4 1x20', age: '0x4 0+60x20', exposed: '1x60' }) },
      expect: [
        { at: '4m', alert: 'RebootRequiredExposed' },
        { at: '5m', alert: 'RebootRequiredExposed', firing: [notice, exposedWarning, exposedCritical] },
      ],
    });
  });

  it('follows limits that change under it, both ways', () => {
    const changing = policy('shop', {
      exposed: { warning: `${7 * day}x9 ${day}x9 ${7 * day}x20`, critical: `${14 * day}x60` },
      internal: { warning: `${14 * day}x60`, critical: `${30 * day}x60` },
    });
    evaluate({
      series: { ...changing, ...host(web, { required: '1x60', age: `${3 * day}+60x60`, exposed: '1x60' }) },
      expect: [
        { at: '9m', alert: 'RebootRequiredExposed', firing: [notice] },
        { at: '10m', alert: 'RebootRequiredExposed', firing: [notice, exposedWarning] },
        { at: '19m', alert: 'RebootRequiredExposed', firing: [notice, exposedWarning] },
        { at: '20m', alert: 'RebootRequiredExposed', firing: [notice] },
      ],
    });
  });

  it('follows the stricter of two exporters that have different limits', () => {
    const other = { stack: 'shop', exposure: 'exposed', severity: 'warning', instance: 'other:10066' };
    evaluate({
      series: {
        ...shop,
        [`reboot_policy_after_seconds${selector(other)}`]: `${3600}x60`,
        ...host(web, { required: '1x60', age: '7200+60x60', exposed: '1x60' }),
      },
      expect: [{ at: '30m', alert: 'RebootRequiredExposed', firing: [notice, exposedWarning] }],
    });
  });

  it('never fires by age when its limit has no end', () => {
    const infinite = Array(61).fill('+Inf').join(' ');
    const never = policy('shop', {
      exposed: { warning: infinite, critical: infinite },
      internal: { warning: `${day}x60`, critical: `${day}x60` },
    });
    evaluate({
      series: { ...never, ...host(web, { required: '1x60', age: `${900 * day}+60x60`, exposed: '1x60' }) },
      expect: [{ at: '30m', alert: 'RebootRequiredExposed', firing: [notice] }],
    });
  });
});

describeWith(['promtool'], 'A restart alert where series are missing', () => {
  const notice = { ...web, severity: 'info', exposure: 'exposed' };
  const exposedWarning = { ...web, severity: 'warning', exposure: 'exposed' };
  const exposedCritical = { ...web, severity: 'critical', exposure: 'exposed' };

  it('is none while it is not known whether a restart is needed', () => {
    evaluate({
      series: { ...shop, ...host(web, { unknown: '1x60', exposed: '1x60', success: '1x60' }) },
      expect: [
        { at: '1h', alert: 'RebootRequired' },
        { at: '1h', alert: 'RebootRequiredExposed' },
      ],
    });
  });

  it('takes a host without an exposure as exposed', () => {
    evaluate({
      series: { ...shop, ...host(web, { required: '1x60', age: `${2 * day}+60x60` }) },
      expect: [
        { at: '30m', alert: 'RebootRequired' },
        { at: '30m', alert: 'RebootRequiredExposed', firing: [notice, exposedWarning] },
      ],
    });
  });

  it('uses the limits of stack default for a stack without any', () => {
    const byDefault = policy('default', {
      exposed: { warning: `${5 * day}x60`, critical: `${9 * day}x60` },
      internal: { warning: `${14 * day}x60`, critical: `${30 * day}x60` },
    });
    const aged = (age: number): Record<string, string> =>
      host(web, { required: '1x60', age: `${age}+60x60`, exposed: '1x60' });
    evaluate({
      series: { ...byDefault, ...aged(4 * day) },
      expect: [{ at: '30m', alert: 'RebootRequiredExposed', firing: [notice] }],
    });
    evaluate({
      series: { ...byDefault, ...aged(6 * day) },
      expect: [{ at: '30m', alert: 'RebootRequiredExposed', firing: [notice, exposedWarning] }],
    });
  });

  it('uses the built-in limits when there are none at all', () => {
    const at = (age: number, exposed: '0x60' | '1x60'): Record<string, string> =>
      host(web, { required: '1x60', age: `${age}+60x60`, exposed });
    const internalNotice = { ...web, ...info_ };
    evaluate({
      series: at(3 * day - 1800, '1x60'),
      expect: [
        { at: '29m', alert: 'RebootRequiredExposed', firing: [notice] },
        { at: '30m', alert: 'RebootRequiredExposed', firing: [notice, exposedWarning] },
      ],
    });
    evaluate({
      series: at(14 * day - 1800, '1x60'),
      expect: [{ at: '30m', alert: 'RebootRequiredExposed', firing: [notice, exposedWarning, exposedCritical] }],
    });
    evaluate({
      series: at(14 * day - 1800, '0x60'),
      expect: [
        { at: '29m', alert: 'RebootRequired', firing: [internalNotice] },
        { at: '30m', alert: 'RebootRequired', firing: [internalNotice, { ...web, ...warning }] },
      ],
    });
    evaluate({
      series: at(30 * day - 1800, '0x60'),
      expect: [
        {
          at: '30m',
          alert: 'RebootRequired',
          firing: [internalNotice, { ...web, ...warning }, { ...web, ...critical }],
        },
      ],
    });
  });

  it('counts a host without an age as one that needs it since now', () => {
    evaluate({
      series: { ...shop, ...host(web, { required: '1x60', exposed: '1x60' }) },
      expect: [{ at: '30m', alert: 'RebootRequiredExposed', firing: [notice] }],
    });
  });

  it('and without an age passes a limit that means at once', () => {
    const atOnce = policy('shop', {
      exposed: { warning: '0x60', critical: `${day}x60` },
      internal: { warning: '0x60', critical: `${day}x60` },
    });
    evaluate({
      series: { ...atOnce, ...host(web, { required: '1x60', exposed: '1x60' }) },
      expect: [{ at: '30m', alert: 'RebootRequiredExposed', firing: [notice, exposedWarning] }],
    });
  });

  it('ends some time after the host left the inventory or its state became stale', () => {
    evaluate({
      series: { ...shop, ...host(web, { required: '1x20 stale', age: `0+60x20 stale`, exposed: '1x20 stale' }) },
      expect: [
        { at: '29m', alert: 'RebootRequiredExposed', firing: [notice] },
        { at: '32m', alert: 'RebootRequiredExposed' },
      ],
    });
  });
});

describeWith(['promtool'], 'A restart alert while the exporter restarts', () => {
  it('goes on without a gap, and does not start to wait again', () => {
    const gap = (before: string, after: string): string => `${before} stale _x6 ${after}`;
    const aged = gap(`${15 * day}+60x19`, `${15 * day + 1560}+60x30`);
    const internal = { ...db, ...info_ };
    const moments = ['19m', '20m', '22m', '26m', '27m', '28m', '40m'];
    evaluate({
      series: {
        ...policy('shop', {
          exposed: { warning: gap(`${day}x19`, `${day}x30`), critical: gap(`${30 * day}x19`, `${30 * day}x30`) },
          internal: {
            warning: gap(`${14 * day}x19`, `${14 * day}x30`),
            critical: gap(`${30 * day}x19`, `${30 * day}x30`),
          },
        }),
        ...host(db, { required: gap('1x19', '1x30'), age: aged, exposed: gap('0x19', '0x30') }),
        ...host(web, { required: gap('1x19', '1x30'), age: aged, exposed: gap('1x19', '1x30') }),
      },
      expect: moments.flatMap((at) => [
        { at, alert: 'RebootRequired', firing: [internal, { ...db, ...warning }] },
        {
          at,
          alert: 'RebootRequiredExposed',
          firing: [
            { ...web, severity: 'info', exposure: 'exposed' },
            { ...web, severity: 'warning', exposure: 'exposed' },
          ],
        },
      ]),
    });
  });
});

describeWith(['promtool'], 'The labels of a restart alert', () => {
  const series = { required: '1x60', age: `${2 * day}+60x60`, exposed: '1x60' };

  it('include the labels of the host itself, so that alerts can be routed by them', () => {
    const own = { team: 'web', rack: 'a "b" \\ c' };
    evaluate({
      series: { ...shop, ...host(web, series, { own }) },
      expect: [
        {
          at: '30m',
          alert: 'RebootRequiredExposed',
          firing: [
            { ...web, ...own, severity: 'info', exposure: 'exposed' },
            { ...web, ...own, severity: 'warning', exposure: 'exposed' },
          ],
        },
      ],
    });
  });

  it('are not confused by a host whose own labels are called as ours', () => {
    const own = { severity: 'none', exposure: 'none', alertname: 'none', reason: 'none' };
    evaluate({
      series: { ...shop, ...host(web, series, { own }) },
      expect: [
        {
          at: '30m',
          alert: 'RebootRequiredExposed',
          firing: [
            { ...web, reason: 'none', severity: 'info', exposure: 'exposed' },
            { ...web, reason: 'none', severity: 'warning', exposure: 'exposed' },
          ],
        },
      ],
    });
  });

  it('are those of one alert, however many exporters see the host', () => {
    const own = { team: 'web' };
    const from = (instance: string, pod: string): Record<string, string> =>
      host(web, series, { own, scrape: { job: 'reboot-exporter', instance, pod } });
    evaluate({
      series: { ...shop, ...from('10.0.0.1:10066', 'exporter-a'), ...from('10.0.0.2:10066', 'exporter-b') },
      expect: [
        {
          at: '30m',
          alert: 'RebootRequiredExposed',
          firing: [
            { ...web, ...own, severity: 'info', exposure: 'exposed' },
            { ...web, ...own, severity: 'warning', exposure: 'exposed' },
          ],
        },
      ],
    });
  });

  it('keep hosts of the same name in two stacks apart', () => {
    const other = { host: 'web-1', stack: 'blog' };
    evaluate({
      series: {
        ...shop,
        ...host(web, { required: '0x60', age: '0x60', exposed: '1x60' }),
        ...host(other, { required: '1x60', age: '0+60x60', exposed: '0x60' }),
      },
      expect: [
        { at: '30m', alert: 'RebootRequired', firing: [{ ...other, ...info_ }] },
        { at: '30m', alert: 'RebootRequiredExposed' },
      ],
    });
  });
});

describeWith(['promtool'], 'A restart that is already scheduled', () => {
  const notice = { ...web, severity: 'info', exposure: 'exposed' };
  const exposedWarning = { ...web, severity: 'warning', exposure: 'exposed' };
  const everMoreOverdue = { required: '1x400', age: `${day}+60x400`, exposed: '1x400' };
  const forLong = policy('shop', {
    exposed: { warning: `${day}x400`, critical: `${30 * day}x400` },
    internal: { warning: `${day}x400`, critical: `${30 * day}x400` },
  });

  it('holds back what escalates until it is half an hour late, but not the notice', () => {
    // Due at the end of the first hour, and never done.
    evaluate({
      series: { ...forLong, ...host(web, { ...everMoreOverdue, scheduled: '3600x400' }) },
      expect: [
        { at: '30m', alert: 'RebootRequiredExposed', firing: [notice] },
        { at: '89m', alert: 'RebootRequiredExposed', firing: [notice] },
        { at: '90m', alert: 'RebootRequiredExposed', firing: [notice, exposedWarning] },
      ],
    });
  });

  it('holds back nothing while it is more than a day away', () => {
    evaluate({
      series: { ...forLong, ...host(web, { ...everMoreOverdue, scheduled: `${day + 7200}x400` }) },
      expect: [
        { at: '119m', alert: 'RebootRequiredExposed', firing: [notice, exposedWarning] },
        { at: '121m', alert: 'RebootRequiredExposed', firing: [notice] },
      ],
    });
  });

  it('cannot hide a host for more than a day, however often it is announced', () => {
    // Always two hours from now, and one day past the limit after half an hour.
    evaluate({
      series: {
        ...forLong,
        ...host(web, { required: '1x60', age: `${2 * day - 1800}+60x60`, exposed: '1x60', scheduled: '7200+60x60' }),
      },
      expect: [
        { at: '29m', alert: 'RebootRequiredExposed', firing: [notice] },
        { at: '30m', alert: 'RebootRequiredExposed', firing: [notice, exposedWarning] },
      ],
    });
  });

  it('concerns its own host alone', () => {
    const other = { host: 'web-2', stack: 'shop' };
    evaluate({
      series: {
        ...forLong,
        ...host(web, { ...everMoreOverdue, scheduled: '7200x400' }),
        ...host(other, everMoreOverdue),
      },
      expect: [
        {
          at: '30m',
          alert: 'RebootRequiredExposed',
          firing: [notice, { ...notice, ...other }, { ...exposedWarning, ...other }],
        },
      ],
    });
  });
});

describeWith(['promtool'], 'RebootStillRequired', () => {
  const still = { ...db, severity: 'warning' };

  it('fires half an hour after a restart that did not help, and ends when one did', () => {
    evaluate({
      series: {
        ...shop,
        ...host(db, { required: '1x60 0x10', age: '0+60x60 0x10', exposed: '0x80', stillRequired: '0x9 1x50 0x10' }),
      },
      expect: [
        { at: '9m', alert: 'RebootStillRequired' },
        { at: '39m', alert: 'RebootStillRequired', pending: [still] },
        { at: '40m', alert: 'RebootStillRequired', firing: [still] },
        { at: '61m', alert: 'RebootStillRequired' },
      ],
    });
  });

  it('needs to know that a restart is still required', () => {
    evaluate({
      series: { ...shop, ...host(db, { unknown: '1x60', stillRequired: '1x60' }) },
      expect: [{ at: '1h', alert: 'RebootStillRequired' }],
    });
  });

  it('goes on while the exporter restarts', () => {
    const gap = (value: string): string => `${value}x39 stale _x4 ${value}x20`;
    evaluate({
      series: {
        ...shop,
        ...host(db, { required: gap('1'), exposed: gap('0'), stillRequired: gap('1') }),
        ...info('reboot_exporter_build_info', {}, '1x60'),
      },
      expect: [
        { at: '39m', alert: 'RebootStillRequired', firing: [still] },
        { at: '42m', alert: 'RebootStillRequired', firing: [still] },
        { at: '46m', alert: 'RebootStillRequired', firing: [still] },
      ],
    });
  });
});
