import { day, host } from './fleet';
import { describeWith } from './programs';
import { evaluate } from './rule-case';

const web = { host: 'web-1', stack: 'shop' };
const warning = { ...web, severity: 'warning' };

describeWith(['promtool'], 'RebootPatchingOff', () => {
  it('is no alert while unattended upgrades are installed and enabled', () => {
    evaluate({
      every: '10m',
      series: host(web, { enabled: '1x300', installed: '1x300' }),
      expect: [{ at: '2d', alert: 'RebootPatchingOff' }],
    });
  });

  it.each([
    ['they are switched off', { enabled: '1x2 0x200 1x10', installed: '1x300' }],
    ['they are removed', { installed: '1x2 0x200 1x10' }],
    ['they are switched off and then removed', { enabled: '1x2 0x200 1x10', installed: '1x20 0x182 1x10' }],
  ])('fires once when for a day %s, and ends when they are back', (_, series) => {
    evaluate({
      every: '10m',
      series: host(web, series),
      expect: [
        { at: '20m', alert: 'RebootPatchingOff' },
        { at: '24h20m', alert: 'RebootPatchingOff', pending: [warning] },
        { at: '24h30m', alert: 'RebootPatchingOff', firing: [warning] },
        { at: '34h', alert: 'RebootPatchingOff' },
      ],
    });
  });

  it('fires alike for what other distributions have to install updates', () => {
    evaluate({
      every: '10m',
      series: {
        ...host(web, { updates: '1x2 0x200 1x10' }),
        ...host({ host: 'db-1', stack: 'shop' }, { updates: '1x300' }),
      },
      expect: [
        { at: '24h20m', alert: 'RebootPatchingOff', pending: [warning] },
        { at: '24h30m', alert: 'RebootPatchingOff', firing: [warning] },
        { at: '34h', alert: 'RebootPatchingOff' },
      ],
    });
  });

  it('is no alert where it is not known, on a host of another family', () => {
    evaluate({
      every: '10m',
      series: host(web, { required: '0x300', success: '1x300' }),
      expect: [
        { at: '2d', alert: 'RebootPatchingOff' },
        { at: '2d', alert: 'RebootPatchingStalled' },
      ],
    });
  });

  it('goes on while the exporter restarts', () => {
    evaluate({
      every: '5m',
      series: host(web, { enabled: '0x300 stale _ 0x10' }),
      expect: ['25h', '25h5m', '25h10m', '25h15m'].map((at) => ({ at, alert: 'RebootPatchingOff', firing: [warning] })),
    });
  });
});

describeWith(['promtool'], 'RebootPatchingStalled', () => {
  const every = '30m';
  /** Samples in so many days, at one in half an hour. */
  const days = (count: number): number => count * 48;

  it('fires six hours after three days without a run, and ends with the next run', () => {
    const lastRun = `0x${days(3) + 20} ${3 * day + 36_000}x40`;
    evaluate({
      every,
      series: host(web, { enabled: '1x300', lastRun, boot: '0x300' }),
      expect: [
        { at: '72h', alert: 'RebootPatchingStalled' },
        { at: '78h', alert: 'RebootPatchingStalled', pending: [warning] },
        { at: '78h30m', alert: 'RebootPatchingStalled', firing: [warning] },
        { at: '82h30m', alert: 'RebootPatchingStalled' },
      ],
    });
  });

  it('fires when they never ran, but only on a host that has been up for three days', () => {
    evaluate({
      every,
      series: {
        ...host(web, { enabled: '1x300', boot: '0x300' }),
        ...host({ host: 'new-1', stack: 'shop' }, { enabled: '1x300', boot: `${2 * day}x300` }),
      },
      expect: [
        { at: '72h', alert: 'RebootPatchingStalled' },
        { at: '78h30m', alert: 'RebootPatchingStalled', firing: [warning] },
      ],
    });
  });

  it('gives the timers of other distributions, which may be weekly, eight days, and none that never ran', () => {
    const late = `0x${days(8) + 20}`;
    evaluate({
      every,
      series: {
        ...host(web, { updates: `1x${days(9)}`, updatesRan: late, boot: `0x${days(9)}` }),
        ...host({ host: 'new-1', stack: 'shop' }, { updates: `1x${days(9)}`, boot: `0x${days(9)}` }),
      },
      expect: [
        { at: '192h', alert: 'RebootPatchingStalled' },
        { at: '198h30m', alert: 'RebootPatchingStalled', firing: [warning] },
      ],
    });
  });

  it('is no alert where they are switched off, which is told already, nor where nothing says when they ran', () => {
    evaluate({
      every,
      series: host(web, { enabled: '0x300', lastRun: '0x300', boot: '0x300' }),
      expect: [{ at: '100h', alert: 'RebootPatchingStalled' }],
    });
    evaluate({
      every,
      series: host(web, { enabled: '1x300' }),
      expect: [{ at: '100h', alert: 'RebootPatchingStalled' }],
    });
  });

  it('goes on while the exporter restarts', () => {
    evaluate({
      every: '5m',
      series: host(web, { enabled: '1x960 stale _ 1x10', lastRun: '0x960 stale _ 0x10', boot: '0x972' }),
      expect: ['80h', '80h5m', '80h10m', '80h15m'].map((at) => ({
        at,
        alert: 'RebootPatchingStalled',
        firing: [warning],
      })),
    });
  });
});
