import { day, host, policy } from './fleet';
import { describeWith } from './programs';
import { evaluate } from './rule-case';

const web = { host: 'web-1', stack: 'shop' };

const shop = policy('shop', {
  exposed: { warning: `${day}x60`, critical: `${7 * day}x60` },
  internal: { warning: `${14 * day}x60`, critical: `${30 * day}x60` },
});

const noticed = { severity: 'info', exposure: 'internal' } as const;

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
        { at: '30m', alert: 'RebootRequired', firing: [{ ...other, ...noticed }] },
        { at: '30m', alert: 'RebootRequiredExposed' },
      ],
    });
  });
});
