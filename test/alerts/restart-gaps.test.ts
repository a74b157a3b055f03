import { day, host, policy } from './fleet';
import { describeWith } from './programs';
import { evaluate } from './rule-case';

const db = { host: 'db-1', stack: 'shop' };
const web = { host: 'web-1', stack: 'shop' };

const shop = policy('shop', {
  exposed: { warning: `${day}x60`, critical: `${7 * day}x60` },
  internal: { warning: `${14 * day}x60`, critical: `${30 * day}x60` },
});

const noticed = { severity: 'info', exposure: 'internal' } as const;
const warning = { severity: 'warning', exposure: 'internal' } as const;
const critical = { severity: 'critical', exposure: 'internal' } as const;

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
    const internalNotice = { ...web, ...noticed };
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
    const internal = { ...db, ...noticed };
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
