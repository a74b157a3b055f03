import { gunzipSync } from 'node:zlib';
import { FakeTime } from '../../test/fixture/fake-time';
import { now } from '../../test/fixture/said';
import { knownOf, statusOf } from '../../test/fixture/statuses';
import { defaultPolicy } from '../policy/defaults';
import { createExporterMetrics, type ExporterMetrics } from './exporter-metrics';
import { contentTypes, createExposition, type Exposition } from './exposition';
import type { ExpositionFormat } from './family';
import { FleetText } from './fleet-text';

function expositionOf(exporter: Partial<ExporterMetrics>): {
  exposition: Exposition;
  fleet: FleetText;
  time: FakeTime;
} {
  const time = new FakeTime(now * 1000);
  const fleet = new FleetText(() => 3600);
  fleet.update('web-1', statusOf('web-1', knownOf({ flag: {} }, time.monotonicMs())), time.monotonicMs());
  const all = { ...createExporterMetrics(), ...exporter };
  return {
    exposition: createExposition({ time, fleet, exporter: all, stacks: () => new Map([['default', defaultPolicy]]) }),
    fleet,
    time,
  };
}

async function rendered(exposition: Exposition, format: ExpositionFormat, compressed = false): Promise<Buffer> {
  return Buffer.concat((await exposition.render(format, compressed)).pieces);
}

describe('the exposition', () => {
  test('has the hosts, the stacks and the exporter itself, and nothing twice', async () => {
    const { exposition } = expositionOf({});
    const text = (await rendered(exposition, 'text')).toString();
    expect(text).toContain('\nreboot_required{host="web-1",stack="default"} 1\n');
    expect(text).toContain(
      '\nreboot_policy_after_seconds{stack="default",exposure="exposed",severity="warning"} 259200\n',
    );
    expect(text).toContain('\nreboot_exporter_build_info{');
    expect(text).toContain('\nprocess_cpu_seconds_total ');
    expect(text).toContain('\nnodejs_eventloop_lag_seconds ');
    expect(text.endsWith('\n')).toBe(true);
    const types = [...text.matchAll(/^# TYPE (\S+)/gm)].map((found) => found[1]);
    expect(new Set(types).size).toBe(types.length);
  });

  test('of OpenMetrics ends with its mark, and names counters’ families without _total', async () => {
    const { exposition } = expositionOf({});
    const text = (await rendered(exposition, 'openmetrics')).toString();
    expect(text.endsWith('\n# EOF\n')).toBe(true);
    expect(text.match(/# EOF/g)).toHaveLength(1);
    expect(text).toContain('\n# TYPE reboot_probe_failures counter\nreboot_probe_failures_total{');
    expect(text).not.toMatch(/^# TYPE \S+_total /m);
    expect(text).not.toContain('\n\n');
    const families = [...text.matchAll(/^# TYPE (\S+)/gm)].map((found) => found[1]);
    expect(new Set(families).size).toBe(families.length);
  });

  test('of a text is not touched by one of OpenMetrics before', async () => {
    const { exposition } = expositionOf({});
    await exposition.render('openmetrics', false);
    const text = (await rendered(exposition, 'text')).toString();
    expect(text).not.toContain('# EOF');
    expect(text).toContain('# TYPE reboot_probe_failures_total counter\n');
    expect(text).toMatch(/^# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total /m);
  });

  test('is compressed when that is asked for', async () => {
    const { exposition } = expositionOf({ render: () => Promise.resolve('x 1\n') });
    const [plain, packed] = await Promise.all([rendered(exposition, 'text'), rendered(exposition, 'text', true)]);
    expect(packed.length).toBeLessThan(plain.length);
    expect(gunzipSync(packed).equals(plain)).toBe(true);
  });

  test('is rendered once for scrapes that come together, and anew for the next', async () => {
    let renderings = 0;
    const { exposition } = expositionOf({ render: () => Promise.resolve(`x ${++renderings}\n`) });
    const [one, other] = await Promise.all([exposition.render('text', false), exposition.render('text', false)]);
    expect(one).toBe(other);
    expect(renderings).toBe(1);
    await exposition.render('text', false);
    expect(renderings).toBe(2);
  });

  test('fails when the exporter’s own metrics do, and recovers', async () => {
    let isBroken = true;
    const { exposition } = expositionOf({
      render: () => (isBroken ? Promise.reject(new Error('no')) : Promise.resolve('')),
    });
    await expect(exposition.render('text', false)).rejects.toThrow('no');
    isBroken = false;
    await expect(exposition.render('text', false)).resolves.toBeDefined();
  });

  test('has a content type for each format', () => {
    expect(contentTypes).toEqual({
      text: 'text/plain; version=0.0.4; charset=utf-8',
      openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
    });
  });
});

describe('the metrics of the exporter itself', () => {
  test('tell what was observed', async () => {
    const exporter = createExporterMetrics();
    exporter.configReloaded(true, 1_795_305_600);
    exporter.configReloaded(false, 0);
    exporter.stateSaveFailed();
    exporter.probeQueueWait.observe(0.05);
    exporter.sweepLag.observe(2);
    const text = await exporter.render('text');
    expect(text).toContain('\nreboot_exporter_config_last_reload_successful 0\n');
    expect(text).toContain('\nreboot_exporter_config_last_reload_success_timestamp_seconds 1795305600\n');
    expect(text).toContain('\nreboot_exporter_state_save_failures_total 1\n');
    expect(text).toContain('\nreboot_exporter_probe_queue_wait_seconds_bucket{le="0.1"} 1\n');
    expect(text).toContain('\nreboot_exporter_probe_queue_wait_seconds_bucket{le="0.01"} 0\n');
    expect(text).toContain('\nreboot_exporter_sweep_lag_seconds_bucket{le="+Inf"} 1\n');
    expect(text).toContain('\nreboot_exporter_sweep_lag_seconds_sum 2\n');
    expect(text).not.toContain('NaN');
    expect(text).not.toContain('Nan');
  });

  test('read the fleet at every scrape, and forget a stack that is gone', async () => {
    const exporter = createExporterMetrics();
    let hostsByStack = new Map([['shop', 3]]);
    exporter.watch(() => ({ hostsByStack, probesInFlight: 4, probesQueued: 5, bastionConnections: 6 }));
    expect(await exporter.render('text')).toContain('\nreboot_exporter_hosts{stack="shop"} 3\n');
    hostsByStack = new Map([['office', 1]]);
    const text = await exporter.render('text');
    expect(text).toContain('\nreboot_exporter_hosts{stack="office"} 1\n');
    expect(text).not.toContain('shop');
    expect(text).toContain('\nreboot_exporter_probes_in_flight 4\n');
    expect(text).toContain('\nreboot_exporter_probes_queued 5\n');
    expect(text).toContain('\nreboot_exporter_bastion_connections 6\n');
  });

  test('of two exporters in one process are apart', async () => {
    const [one, other] = [createExporterMetrics(), createExporterMetrics()];
    one.stateSaveFailed();
    expect(await other.render('text')).toContain('\nreboot_exporter_state_save_failures_total 0\n');
  });
});
