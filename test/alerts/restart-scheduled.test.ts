import { day, host, info, policy } from './fleet';
import { describeWith } from './programs';
import { evaluate } from './rule-case';

const db = { host: 'db-1', stack: 'shop' };
const web = { host: 'web-1', stack: 'shop' };

const shop = policy('shop', {
  exposed: { warning: `${day}x60`, critical: `${7 * day}x60` },
  internal: { warning: `${14 * day}x60`, critical: `${30 * day}x60` },
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

  it.each([
    ['is set to come at a time of the host', { expected: '3600x400' }],
    ['is scheduled, and told as expected too', { expected: '3600x400', scheduled: '3600x400' }],
  ])('holds it back alike when it %s', (_what, series) => {
    evaluate({
      series: { ...forLong, ...host(web, { ...everMoreOverdue, ...series }) },
      expect: [
        { at: '89m', alert: 'RebootRequiredExposed', firing: [notice] },
        { at: '90m', alert: 'RebootRequiredExposed', firing: [notice, exposedWarning] },
      ],
    });
  });

  it('holds back a page as well, and it comes a day past the limit at the latest', () => {
    const critical = { ...notice, severity: 'critical' };
    // Set to restart each night: always two hours from now. Critical is reached in half an hour.
    const short = policy('shop', {
      exposed: { warning: '0x3000', critical: '1800x3000' },
      internal: { warning: '0x3000', critical: '1800x3000' },
    });
    const series = { required: '1x3000', age: '0+60x3000', exposed: '1x3000', expected: '7200+60x3000' };
    evaluate({
      series: { ...short, ...host(web, series) },
      expect: [
        { at: '23h', alert: 'RebootRequiredExposed', firing: [notice] },
        { at: '24h', alert: 'RebootRequiredExposed', firing: [notice, exposedWarning] },
        { at: '24h30m', alert: 'RebootRequiredExposed', firing: [notice, exposedWarning, critical] },
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

describeWith(['promtool'], 'A restart that is needed for a live patched kernel alone', () => {
  it('stays a warning for as long as the patches cover it', () => {
    const notice = { ...web, severity: 'info', exposure: 'exposed' };
    const warning = { ...notice, severity: 'warning' };
    const age = `${8 * day}+60x200`;
    evaluate({
      series: {
        ...policy('shop', {
          exposed: { warning: `${day}x200`, critical: `${7 * day}x200` },
          internal: { warning: `${14 * day}x200`, critical: `${30 * day}x200` },
        }),
        ...host(web, { required: '1x200', age, exposed: '1x200', livepatched: '1x60 0x140' }),
        ...host({ host: 'web-2', stack: 'shop' }, { required: '1x200', age, exposed: '1x200' }),
      },
      expect: [
        {
          at: '1h',
          alert: 'RebootRequiredExposed',
          firing: [
            notice,
            warning,
            ...[notice, warning, { ...warning, severity: 'critical' }].map((each) => ({ ...each, host: 'web-2' })),
          ],
        },
        {
          at: '1h2m',
          alert: 'RebootRequiredExposed',
          firing: [
            ...[notice, warning, { ...warning, severity: 'critical' }],
            ...[notice, warning, { ...warning, severity: 'critical' }].map((each) => ({ ...each, host: 'web-2' })),
          ],
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
