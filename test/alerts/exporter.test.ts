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

describeWith(['promtool'], 'RebootExporterConfigReloadFailed', () => {
  const series = (values: string): Record<string, string> =>
    info('reboot_exporter_config_last_reload_successful', {}, values);

  it('fires after ten minutes and ends with a reload that succeeds', () => {
    evaluate({
      series: series('1x4 0x30 1x10'),
      expect: [
        { at: '8m', alert: 'RebootExporterConfigReloadFailed' },
        { at: '19m', alert: 'RebootExporterConfigReloadFailed', pending: [warning] },
        { at: '21m', alert: 'RebootExporterConfigReloadFailed', firing: [warning] },
        { at: '35m', alert: 'RebootExporterConfigReloadFailed', firing: [warning] },
        { at: '36m', alert: 'RebootExporterConfigReloadFailed' },
      ],
    });
  });

  it('is no alert for a fault that is mended at once, nor without the series', () => {
    evaluate({
      series: series('1x4 0x2 1x30'),
      expect: [{ at: '30m', alert: 'RebootExporterConfigReloadFailed' }],
    });
    evaluate({ series: { [up]: '1x30' }, expect: [{ at: '30m', alert: 'RebootExporterConfigReloadFailed' }] });
  });

  it('goes on while the exporter restarts', () => {
    evaluate({
      series: series('0x20 stale _x3 0x20'),
      expect: ['20m', '23m', '25m'].map((at) => ({
        at,
        alert: 'RebootExporterConfigReloadFailed',
        firing: [warning],
      })),
    });
  });
});

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
