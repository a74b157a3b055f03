import { host, info } from './fleet';
import { describeWith } from './programs';
import { evaluate, type Expectation } from './rule-case';

const web = { host: 'web-1', stack: 'shop' };
const warning = { ...web, severity: 'warning' };

function reason(name: string, values: string): Record<string, string> {
  return info('reboot_probe_failing_reason_info', { ...web, reason: name }, values);
}

/** None of the alerts about a host that can't be probed, but those given. */
function only(at: string, expected: Record<string, 'firing' | 'pending'>): readonly Expectation[] {
  const all = ['RebootHostUnreachable', 'RebootProbeFailing', 'RebootHostKeyChanged', 'RebootStateStale'];
  return all.map((alert) => {
    const state = expected[alert];
    return { at, alert, ...(state && { [state]: [warning] }) };
  });
}

describeWith(['promtool'], 'A host that answers', () => {
  it('is no alert', () => {
    evaluate({
      series: host(web, { success: '1x60', required: '0x60', restarting: '0x60' }),
      expect: only('1h', {}),
    });
  });
});

describeWith(['promtool'], 'RebootHostUnreachable', () => {
  const known = { required: '0x60', restarting: '0x60' };

  it.each(['dns', 'connect', 'timeout', 'protocol', 'a-reason-of-a-newer-exporter'])(
    'fires after a quarter of an hour of reason %s, and ends when the host answers',
    (name) => {
      evaluate({
        series: {
          ...host(web, { ...known, success: '1x4 0x40 1x15' }),
          ...reason(name, '_x5 1x40 stale'),
        },
        expect: [
          ...only('4m', {}),
          ...only('19m', { RebootHostUnreachable: 'pending' }),
          ...only('20m', { RebootHostUnreachable: 'firing' }),
          ...only('45m', { RebootHostUnreachable: 'firing' }),
          ...only('46m', {}),
        ],
      });
    },
  );

  it('needs no reason', () => {
    evaluate({
      series: host(web, { ...known, success: '0x60' }),
      expect: [...only('15m', { RebootHostUnreachable: 'firing' })],
    });
  });

  it('fires only when no exporter reaches the host', () => {
    const from = (instance: string, success: string): Record<string, string> =>
      host(web, { required: '0x60', success }, { scrape: { job: 'reboot-exporter', instance } });
    evaluate({ series: { ...from('a:10066', '0x60'), ...from('b:10066', '1x60') }, expect: only('1h', {}) });
    evaluate({
      series: { ...from('a:10066', '0x60'), ...from('b:10066', '0x60') },
      expect: only('1h', { RebootHostUnreachable: 'firing' }),
    });
  });

  it('is not said of a host that is restarting, until that has ended', () => {
    evaluate({
      series: {
        ...host(web, { required: '1x60', success: '1x4 0x55', restarting: '0x4 1x10 0x45' }),
        ...reason('connect', '_x5 1x55'),
      },
      expect: [
        ...only('15m', {}),
        ...only('16m', { RebootHostUnreachable: 'pending' }),
        ...only('31m', { RebootHostUnreachable: 'firing' }),
      ],
    });
  });

  it('goes on while the exporter restarts', () => {
    const gap = (value: string): string => `${value}x19 stale _x6 ${value}x30`;
    evaluate({
      series: { ...host(web, { required: gap('1'), success: gap('0') }), ...reason('timeout', gap('1')) },
      expect: ['19m', '20m', '26m', '27m', '28m', '40m'].flatMap((at) => [
        ...only(at, { RebootHostUnreachable: 'firing' }),
      ]),
    });
  });
});

describeWith(['promtool'], 'RebootProbeFailing', () => {
  it.each(['auth', 'command', 'output', 'internal'])(
    'fires after a quarter of an hour of reason %s, and ends when the probe succeeds',
    (name) => {
      evaluate({
        series: {
          ...host(web, { required: '0x60', success: '1x4 0x40 1x15' }),
          ...reason(name, '_x5 1x40 stale'),
        },
        expect: [
          ...only('4m', {}),
          ...only('19m', { RebootProbeFailing: 'pending' }),
          ...only('20m', { RebootProbeFailing: 'firing' }),
          ...only('46m', {}),
        ],
      });
    },
  );

  it('holds on while the reason goes back and forth, and makes no second alert of it', () => {
    evaluate({
      series: {
        ...host(web, { required: '0x60', success: '0x60' }),
        ...reason('auth', '1x4 _x5 1x4 _x5 1x4 _x5 1x4 _x5'),
        ...reason('timeout', '_x5 1x4 _x5 1x4 _x5 1x4 _x5 1x4'),
      },
      expect: only('35m', { RebootProbeFailing: 'firing' }),
    });
  });

  it('goes on while the exporter restarts', () => {
    const gap = (value: string): string => `${value}x19 stale _x4 ${value}x30`;
    evaluate({
      series: { ...host(web, { required: gap('1'), success: gap('0') }), ...reason('auth', gap('1')) },
      expect: ['19m', '22m', '30m'].flatMap((at) => [...only(at, { RebootProbeFailing: 'firing' })]),
    });
  });
});

describeWith(['promtool'], 'RebootHostKeyChanged', () => {
  it('fires after five minutes, alone, and ends when the known key is back', () => {
    evaluate({
      series: {
        ...host(web, { required: '0x60', success: '1x4 0x20 1x15' }),
        ...reason('host_key', '_x5 1x20 stale'),
      },
      expect: [
        ...only('4m', {}),
        ...only('9m', { RebootHostKeyChanged: 'pending' }),
        ...only('10m', { RebootHostKeyChanged: 'firing' }),
        ...only('25m', { RebootHostKeyChanged: 'firing' }),
        ...only('26m', {}),
      ],
    });
  });

  it('goes on while the exporter restarts', () => {
    const gap = (value: string): string => `${value}x19 stale _x4 ${value}x30`;
    evaluate({
      series: { ...host(web, { required: gap('1'), success: gap('0') }), ...reason('host_key', gap('1')) },
      expect: ['19m', '22m', '30m'].flatMap((at) => [...only(at, { RebootHostKeyChanged: 'firing' })]),
    });
  });

  it('is what remains when the reason has just changed from another', () => {
    evaluate({
      series: {
        ...host(web, { required: '0x60', success: '0x60' }),
        ...reason('auth', '1x20 stale'),
        ...reason('host_key', '_x21 1x30'),
      },
      expect: [
        ...only('20m', { RebootProbeFailing: 'firing' }),
        ...only('21m', { RebootHostKeyChanged: 'pending' }),
        ...only('26m', { RebootHostKeyChanged: 'firing' }),
      ],
    });
  });
});

describeWith(['promtool'], 'RebootStateStale', () => {
  it('fires a quarter of an hour after the state has ended, whatever the probe says, and ends when it is known again', () => {
    evaluate({
      every: '5m',
      series: {
        ...host(web, { required: '1x2 stale _x17 1x10', success: '1x2 0x17 1x10' }),
        ...reason('timeout', '_x3 1x17 stale'),
      },
      expect: [
        ...only('10m', {}),
        ...only('20m', { RebootHostUnreachable: 'pending' }),
        // The last value counts for ten minutes, then the fifteen minutes begin.
        ...only('35m', { RebootHostUnreachable: 'firing', RebootStateStale: 'pending' }),
        ...only('40m', { RebootHostUnreachable: 'firing', RebootStateStale: 'firing' }),
        ...only('105m', {}),
      ],
    });
  });

  it('fires for a host that was never read, even if its probes are said to succeed', () => {
    evaluate({
      series: host(web, { success: '1x60' }),
      expect: [...only('14m', { RebootStateStale: 'pending' }), ...only('15m', { RebootStateStale: 'firing' })],
    });
  });

  it('is no alert for a state that is known to be unknown', () => {
    evaluate({ series: host(web, { unknown: '1x60', success: '1x60' }), expect: only('1h', {}) });
  });
});

describeWith(['promtool'], 'RebootStateUnknown', () => {
  const notice = { ...web, severity: 'info' };

  it('is a notice after six hours, and ends when something can tell', () => {
    evaluate({
      every: '10m',
      series: host(web, { unknown: '0x2 1x60 0x10', success: '1x80' }),
      expect: [
        { at: '20m', alert: 'RebootStateUnknown' },
        { at: '6h20m', alert: 'RebootStateUnknown', pending: [notice] },
        { at: '6h30m', alert: 'RebootStateUnknown', firing: [notice] },
        { at: '10h40m', alert: 'RebootStateUnknown' },
      ],
    });
  });

  it('is no alert without the series, and goes on while the exporter restarts', () => {
    evaluate({
      series: host(web, { required: '0x60', success: '1x60' }),
      expect: [{ at: '1h', alert: 'RebootStateUnknown' }],
    });
    evaluate({
      every: '5m',
      series: host(web, { unknown: '1x80 stale _ 1x10', success: '1x100' }),
      expect: ['6h40m', '6h45m', '6h50m', '7h'].map((at) => ({
        at,
        alert: 'RebootStateUnknown',
        firing: [notice],
      })),
    });
  });
});
