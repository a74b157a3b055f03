import { day, host, policy } from './fleet';
import { describeWith } from './programs';
import { evaluate, selector } from './rule-case';

const db = { host: 'db-1', stack: 'shop' };
const web = { host: 'web-1', stack: 'shop' };

const shop = policy('shop', {
  exposed: { warning: `${day}x60`, critical: `${7 * day}x60` },
  internal: { warning: `${14 * day}x60`, critical: `${30 * day}x60` },
});

const noticed = { severity: 'info', exposure: 'internal' } as const;
const warning = { severity: 'warning', exposure: 'internal' } as const;
const critical = { severity: 'critical', exposure: 'internal' } as const;

describeWith(['promtool'], 'RebootRequired, of a host that is not exposed', () => {
  const internal = { ...db, ...noticed };

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
        { at: '19m', alert: 'RebootRequired', firing: [{ ...web, ...noticed }] },
        { at: '19m', alert: 'RebootRequiredExposed' },
        { at: '20m', alert: 'RebootRequired' },
        { at: '20m', alert: 'RebootRequiredExposed', firing: [notice, exposedWarning] },
        { at: '41m', alert: 'RebootRequiredExposed' },
        { at: '51m', alert: 'RebootRequired', firing: [{ ...web, ...noticed }] },
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
