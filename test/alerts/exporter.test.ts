import { info, scraped } from './fleet';
import { describeWith } from './programs';
import { evaluate, selector } from './rule-case';

const warning = { ...scraped, severity: 'warning' };
const buildInfo = `reboot_exporter_build_info${selector({ version: '1.0.0', ...scraped })}`;
const up = `up${selector(scraped)}`;

describeWith(['promtool'], 'RebootExporterDown', () => {
  it('fires after a quarter of an hour, and ends when the exporter is back', () => {
    evaluate({
      series: { [buildInfo]: '1x4 stale _x30 1x20', [up]: '1x4 0x30 1x20' },
      expect: [
        { at: '4m', alert: 'RebootExporterDown' },
        { at: '19m', alert: 'RebootExporterDown', pending: [warning] },
        { at: '20m', alert: 'RebootExporterDown', firing: [warning] },
        { at: '36m', alert: 'RebootExporterDown' },
      ],
    });
  });

  it('tells of one exporter of several, and of nothing else that is down', () => {
    const other = { job: 'reboot-exporter', instance: 'other:10066' };
    evaluate({
      series: {
        [buildInfo]: '1x4 stale',
        [up]: '1x4 0x60',
        [`reboot_exporter_build_info${selector(other)}`]: '1x60',
        [`up${selector(other)}`]: '1x60',
        'up{job="node",instance="web-1:9100"}': '0x60',
      },
      expect: [
        { at: '30m', alert: 'RebootExporterDown', firing: [warning] },
        { at: '1h', alert: 'RebootExporterAbsent' },
      ],
    });
  });

  it('is no alert for a quick restart', () => {
    evaluate({
      series: { [buildInfo]: '1x4 stale _x4 1x30', [up]: '1x4 0x4 1x30' },
      expect: ['6m', '20m', '30m'].map((at) => ({
        at,
        alert: 'RebootExporterDown',
        ...(at === '6m' && { pending: [warning] }),
      })),
    });
  });
});

describeWith(['promtool'], 'RebootExporterAbsent', () => {
  const critical = { severity: 'critical' };

  it('fires after an hour without any exporter, and ends when there is one', () => {
    evaluate({
      every: '5m',
      series: { [buildInfo]: '1x2 stale _x20 1x5' },
      expect: [
        { at: '10m', alert: 'RebootExporterAbsent' },
        { at: '70m', alert: 'RebootExporterAbsent', pending: [critical] },
        { at: '75m', alert: 'RebootExporterAbsent', firing: [critical] },
        { at: '2h', alert: 'RebootExporterAbsent' },
      ],
    });
  });

  it('fires where none was ever scraped', () => {
    evaluate({
      every: '5m',
      series: { 'up{job="node"}': '1x20' },
      expect: [{ at: '1h', alert: 'RebootExporterAbsent', firing: [critical] }],
    });
  });
});

for (const [alert, metric] of [
  ['RebootExporterConfigReloadFailed', 'reboot_exporter_config_last_reload_successful'],
  ['RebootExporterWebConfigReloadFailed', 'reboot_exporter_web_config_last_reload_successful'],
] as const) {
  describeWith(['promtool'], alert, () => {
    const series = (values: string): Record<string, string> => info(metric, {}, values);

    it('fires after ten minutes and ends with a reload that succeeds', () => {
      evaluate({
        series: series('1x4 0x30 1x10'),
        expect: [
          { at: '8m', alert },
          { at: '19m', alert, pending: [warning] },
          { at: '21m', alert, firing: [warning] },
          { at: '35m', alert, firing: [warning] },
          { at: '36m', alert },
        ],
      });
    });

    it('is no alert for a fault that is mended at once, nor without the series', () => {
      evaluate({ series: series('1x4 0x2 1x30'), expect: [{ at: '30m', alert }] });
      evaluate({ series: { [up]: '1x30' }, expect: [{ at: '30m', alert }] });
    });

    it('goes on while the exporter restarts', () => {
      evaluate({
        series: series('0x20 stale _x3 0x20'),
        expect: ['20m', '23m', '25m'].map((at) => ({ at, alert, firing: [warning] })),
      });
    });
  });
}

describeWith(['promtool'], 'RebootExporterStateNotSaved', () => {
  const series = (values: string): Record<string, string> =>
    info('reboot_exporter_state_save_failures_total', {}, values);

  it('fires when saving has failed for a quarter of an hour, and ends some time after the last failure', () => {
    evaluate({
      series: series('0x4 1+1x30 31x20'),
      expect: [
        { at: '4m', alert: 'RebootExporterStateNotSaved' },
        { at: '19m', alert: 'RebootExporterStateNotSaved', pending: [warning] },
        { at: '21m', alert: 'RebootExporterStateNotSaved', firing: [warning] },
        { at: '50m', alert: 'RebootExporterStateNotSaved' },
      ],
    });
  });

  it('is no alert for one failure, for a counter that began again, nor without the series', () => {
    evaluate({
      series: series('0x4 1x40'),
      expect: [
        { at: '16m', alert: 'RebootExporterStateNotSaved' },
        { at: '40m', alert: 'RebootExporterStateNotSaved' },
      ],
    });
    evaluate({ series: series('7x9 0x40'), expect: [{ at: '30m', alert: 'RebootExporterStateNotSaved' }] });
    evaluate({ series: { [up]: '1x30' }, expect: [{ at: '30m', alert: 'RebootExporterStateNotSaved' }] });
  });
});

describeWith(['promtool'], 'RebootExporterNoHosts', () => {
  const noHosts = { severity: 'warning' };

  it.each([
    ['the count falls to 0', { ...info('reboot_exporter_hosts', { stack: 'shop' }, '12x4 0x40 12x10') }],
    ['its series end', { ...info('reboot_exporter_hosts', { stack: 'shop' }, '12x4 stale _x40 12x10') }],
  ])('fires half an hour after %s, and ends when there are hosts again', (_, hosts) => {
    evaluate({
      series: { [buildInfo]: '1x60', ...hosts },
      expect: [
        { at: '4m', alert: 'RebootExporterNoHosts' },
        { at: '34m', alert: 'RebootExporterNoHosts', pending: [noHosts] },
        { at: '35m', alert: 'RebootExporterNoHosts', firing: [noHosts] },
        { at: '46m', alert: 'RebootExporterNoHosts' },
      ],
    });
  });

  it('is no alert while one stack of several has hosts, nor where no exporter is scraped', () => {
    evaluate({
      series: {
        [buildInfo]: '1x60',
        ...info('reboot_exporter_hosts', { stack: 'shop' }, '0x60'),
        ...info('reboot_exporter_hosts', { stack: 'blog' }, '3x60'),
      },
      expect: [{ at: '1h', alert: 'RebootExporterNoHosts' }],
    });
    evaluate({ series: { 'up{job="node"}': '1x60' }, expect: [{ at: '1h', alert: 'RebootExporterNoHosts' }] });
  });
});

describeWith(['promtool'], 'RebootExporterShardMissing', () => {
  const missing = { job: 'reboot-exporter', severity: 'warning' };
  const alert = 'RebootExporterShardMissing';

  /** Series of exporters that share a fleet: the index, the count and what becomes of `up`. */
  function shards(...each: readonly [index: number, values: string, up: string][]): Record<string, string> {
    return Object.fromEntries(
      each.flatMap(([index, values, isUp]) => {
        const target = { job: 'reboot-exporter', instance: `shard-${index}:10066` };
        return [
          [`reboot_exporter_shards${selector({ shard: String(index), ...target })}`, values],
          [`up${selector(target)}`, isUp],
        ];
      }),
    );
  }

  it('fires a quarter of an hour after a target is gone, though nothing is down, and ends when it is back', () => {
    evaluate({
      series: shards([1, '3x60', '1x60'], [2, '3x60', '1x60'], [3, '3x4 stale _x30 3x20', '1x4 stale _x30 1x20']),
      expect: [
        { at: '4m', alert },
        { at: '19m', alert, pending: [missing] },
        { at: '20m', alert, firing: [missing] },
        { at: '30m', alert: 'RebootExporterDown' },
        { at: '36m', alert },
      ],
    });
  });

  it('fires where a shard was never there, also where one is there twice', () => {
    const twice = { job: 'reboot-exporter', instance: 'other:10066' };
    evaluate({
      series: {
        ...shards([1, '3x60', '1x60'], [2, '3x60', '1x60']),
        [`reboot_exporter_shards${selector({ shard: '2', ...twice })}`]: '3x60',
        [`up${selector(twice)}`]: '1x60',
      },
      expect: [{ at: '15m', alert, firing: [missing] }],
    });
  });

  it('fires where one is left over from a larger count, and leaves hosts to nobody', () => {
    evaluate({
      series: shards(
        [1, '4x4 3x60', '1x60'],
        [2, '4x4 3x60', '1x60'],
        [3, '4x60', '1x60'],
        [4, '4x4 stale', '1x4 stale'],
      ),
      expect: [
        { at: '4m', alert },
        { at: '25m', alert, firing: [missing] },
      ],
    });
  });

  it('leaves one that is still a target to RebootExporterDown', () => {
    evaluate({
      series: shards([1, '3x60', '1x60'], [2, '3x60', '1x60'], [3, '3x4 stale', '1x4 0x60']),
      expect: ['6m', '30m', '1h'].map((at) => ({ at, alert })),
    });
  });

  it('is no alert while all are there, when they become more or fewer, and without --shard', () => {
    evaluate({
      series: shards(
        [1, '3x20 4x40', '1x60'],
        [2, '3x20 4x40', '1x60'],
        [3, '3x20 4x40', '1x60'],
        [4, '_x20 4x40', '_x20 1x40'],
      ),
      expect: ['10m', '21m', '40m'].map((at) => ({ at, alert })),
    });
    evaluate({
      series: shards([1, '3x20 2x40', '1x60'], [2, '3x20 2x40', '1x60'], [3, '3x20 stale', '1x20 stale']),
      expect: ['10m', '22m', '40m'].map((at) => ({ at, alert })),
    });
    evaluate({ series: { [buildInfo]: '1x60', [up]: '1x60' }, expect: [{ at: '1h', alert }] });
  });
});

describeWith(['promtool'], 'RebootProbeUnanswered', () => {
  const unanswered = { job: 'reboot-probe', severity: 'warning' };
  const alert = 'RebootProbeUnanswered';

  /** A host that is asked for by /probe: what becomes of its state, and of the scrape. */
  function probed(host: string, success: string, isUp: string): Record<string, string> {
    const target = { job: 'reboot-probe', instance: host };
    return {
      [`reboot_probe_success${selector({ host, stack: 'shop', ...target })}`]: success,
      [`up${selector(target)}`]: isUp,
    };
  }
  const others = { ...probed('web-1', '1x60', '1x60'), [buildInfo]: '1x60', [up]: '1x60' };

  it('fires when the exporter of a host has given no answer for a quarter of an hour, and ends with the next one', () => {
    evaluate({
      series: { ...others, ...probed('web-2', '1x4 stale _x30 1x20', '1x4 0x30 1x20') },
      expect: [
        { at: '4m', alert },
        { at: '18m', alert, pending: [unanswered] },
        { at: '20m', alert, firing: [unanswered] },
        { at: '36m', alert },
      ],
    });
  });

  it('fires for a host that no exporter has ever answered about', () => {
    const stranger = { [`up${selector({ job: 'reboot-probe', instance: 'stranger' })}`]: '0x60' };
    evaluate({ series: { ...others, ...stranger }, expect: [{ at: '30m', alert, firing: [unanswered] }] });
  });

  it('is one alert for all hosts of an exporter', () => {
    const gone = Object.assign({}, ...[2, 3, 4].map((at) => probed(`web-${at}`, '1x4 stale', '1x4 0x60'))) as object;
    evaluate({ series: { ...others, ...gone }, expect: [{ at: '30m', alert, firing: [unanswered] }] });
  });

  it('is no alert for hosts that are away, for single scrapes that fail, nor for other targets that are down', () => {
    evaluate({
      series: {
        ...others,
        ...probed('web-2', '0x60', '1x60'),
        ...probed('web-3', '1 stale 1x60', '1 0 1 0 0 1 0 0 0 1 0 1 0 0 1 0 1 0 1 0 0 0 1 0 0 0 1 0 0 0 1'),
        [`up${selector({ job: 'node', instance: 'web-1:9100' })}`]: '0x60',
      },
      expect: ['10m', '20m', '30m'].map((at) => ({ at, alert })),
    });
  });

  it('leaves an exporter that is down, with all it knew of hosts, to RebootExporterDown', () => {
    const other = { job: 'reboot-exporter', instance: 'other:10066' };
    evaluate({
      series: {
        [buildInfo]: '1x4 stale',
        [up]: '1x4 0x60',
        [`reboot_exporter_build_info${selector(other)}`]: '1x60',
        [`up${selector(other)}`]: '1x60',
        ...info('reboot_probe_success', { host: 'web-1', stack: 'shop' }, '1x4 stale'),
        [`reboot_probe_success${selector({ host: 'web-2', stack: 'shop', ...other })}`]: '1x60',
      },
      expect: [
        { at: '30m', alert: 'RebootExporterDown', firing: [warning] },
        { at: '30m', alert },
      ],
    });
  });
});
