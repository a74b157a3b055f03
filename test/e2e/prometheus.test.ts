import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWith, run } from '../alerts/programs';
import { describeWithLab } from '../lab/describe-with-lab';
import { Lab } from '../lab/lab';
import { ensureBuilt } from './built-program';
import { ExporterProcess } from './exporter-process';
import { PrometheusServer } from './prometheus-server';
import { until } from './until';

jest.setTimeout(60_000);

const hosts = ['web-1', 'db-1', 'files-1', 'gone-1'];

/** As the README and the documentation of /probe show it, with everything once a second. */
function scrapeConfig(exporter: string): object {
  return {
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    scrape_configs: [
      { job_name: 'reboot', honor_labels: true, static_configs: [{ targets: [exporter] }] },
      {
        job_name: 'reboot-probe',
        honor_labels: true,
        metrics_path: '/probe',
        static_configs: [{ targets: [...hosts, 'not-in-the-inventory'] }],
        relabel_configs: [
          { source_labels: ['__address__'], target_label: '__param_target' },
          { source_labels: ['__param_target'], target_label: 'instance' },
          { target_label: '__address__', replacement: exporter },
        ],
      },
    ],
  };
}

describeWithLab('a real Prometheus', () => {
  describeWith(['prometheus', 'promtool'], 'that scrapes the exporter', () => {
    let lab: Lab;
    let exporter: ExporterProcess;
    let prometheus: PrometheusServer;
    const unpackedAt = Math.floor(Date.now() / 1000) - 3 * 24 * 3600;

    beforeAll(async () => {
      ensureBuilt();
      const kernel = {
        name: 'linux-image-6.8.0-50-generic',
        version: '6.8.0-50.51',
        installedAt: new Date(unpackedAt * 1000),
      };
      lab = await Lab.start({
        hosts: [
          { name: 'web-1', stack: 'shop', labels: { team: 'web "one"\\two' }, exposure: 'exposed', packages: [kernel] },
          { name: 'db-1', stack: 'shop', labels: { team: 'data' }, exposure: 'internal' },
          { name: 'files-1', system: 'alpine-3.20', exposure: 'internal' },
          { name: 'gone-1', exposure: 'internal' },
        ],
      });
      lab.host('web-1').setFlag([kernel.name, 'linux-base']);
      await lab.host('gone-1').partition('drop');
      const configFile = join(lab.folder, 'reboot-exporter.yml');
      const policy = { exposed: { warning_after: '1d', critical_after: '7d' } };
      writeFileSync(
        configFile,
        lab.configYaml({ probe: { interval: '2s', timeout: '5s' }, stacks: { shop: { policy } } }),
      );
      exporter = await ExporterProcess.start({ configFile, stateFile: join(lab.folder, 'state.json') });
      prometheus = await PrometheusServer.start(scrapeConfig(new URL(exporter.url).host));
      await until(30, async () => {
        expect(await prometheus.query('reboot_required{job="reboot"}')).toHaveLength(2);
        expect(await prometheus.query('probe_success{job="reboot-probe"}')).toHaveLength(hosts.length);
        expect(await prometheus.query('reboot_probe_success{job="reboot",host="gone-1"}')).toHaveLength(1);
      });
    });

    afterAll(async () => {
      await prometheus?.stop();
      await exporter?.kill();
      await lab?.stop();
    });

    const ofFleet = (name: string, host: string): string => `${name}{job="reboot",host="${host}"}`;

    test('has the value of every host, with its labels', async () => {
      expect(await prometheus.query('reboot_required{job="reboot"}')).toEqual(
        expect.arrayContaining([
          expect.objectContaining({
            metric: expect.objectContaining({ host: 'web-1', stack: 'shop', team: 'web "one"\\two' }) as object,
            value: 1,
          }),
          expect.objectContaining({
            metric: expect.objectContaining({ host: 'db-1', stack: 'shop', team: 'data' }) as object,
            value: 0,
          }),
        ]),
      );
      expect(await prometheus.value(ofFleet('reboot_required_unknown', 'files-1'))).toBe(1);
      expect(await prometheus.value(ofFleet('reboot_required', 'files-1'))).toBeUndefined();
      expect(await prometheus.value(ofFleet('reboot_required', 'gone-1'))).toBeUndefined();
      expect(await prometheus.value(ofFleet('reboot_required_since_timestamp_seconds', 'web-1'))).toBe(unpackedAt);
      expect(await prometheus.value(ofFleet('exposed_to_anywhere', 'web-1'))).toBe(1);
      expect(await prometheus.value(ofFleet('exposed_to_anywhere', 'db-1'))).toBe(0);
      const packages = await prometheus.query(ofFleet('reboot_required_package_info', 'web-1'));
      expect(packages.map(({ metric }) => metric['package']).sort()).toEqual([
        'linux-base',
        'linux-image-6.8.0-50-generic',
      ]);
      const reasons = await prometheus.query(ofFleet('reboot_required_reason_info', 'web-1'));
      expect(reasons.map(({ metric }) => metric['reason']).sort()).toEqual(['flag', 'kernel']);
    });

    test('has an age that fits the time of each scrape', async () => {
      const behind = `timestamp(reboot_required_age_seconds{job="reboot",host="web-1"}) - on (host) (reboot_required_since_timestamp_seconds{job="reboot"} + on (host) reboot_required_age_seconds{job="reboot",host="web-1"})`;
      expect(Math.abs((await prometheus.value(behind)) ?? NaN)).toBeLessThan(2);
      const first = await prometheus.value(ofFleet('reboot_required_age_seconds', 'web-1'));
      await until(10, async () =>
        expect(await prometheus.value(ofFleet('reboot_required_age_seconds', 'web-1'))).toBeGreaterThan(
          (first ?? NaN) + 1,
        ),
      );
      expect(await prometheus.value(ofFleet('reboot_required_age_seconds', 'db-1'))).toBe(0);
    });

    test('can compare an age with the thresholds of its stack', async () => {
      const overdue = `reboot_required_age_seconds{job="reboot"} > on (stack) group_left () reboot_policy_after_seconds{job="reboot",exposure="exposed",severity="warning"}`;
      expect((await prometheus.query(overdue)).map(({ metric }) => metric['host'])).toEqual(['web-1']);
    });

    test('finds every target up but the one that is not in the inventory', async () => {
      const targets = await prometheus.targets();
      const health = Object.fromEntries(targets.map(({ labels, ...each }) => [labels['instance'], each]));
      const stranger = health['not-in-the-inventory'];
      expect(stranger).toMatchObject({ health: 'down', lastError: 'server returned HTTP status 404 Not Found' });
      for (const each of targets.filter(({ labels }) => labels['instance'] !== 'not-in-the-inventory')) {
        expect(each).toMatchObject({ health: 'up', lastError: '' });
      }
      expect(targets).toHaveLength(hosts.length + 2);
    });

    test('has each host by itself from /probe, also one that does not answer in time', async () => {
      // A busy machine may take longer than the scrape's one second now and then: it counts who ever answered in time.
      const success = await prometheus.query('max_over_time(probe_success{job="reboot-probe"}[1m])');
      expect(Object.fromEntries(success.map(({ metric, value }) => [metric['instance'], value]))).toEqual({
        'web-1': 1,
        'db-1': 1,
        'files-1': 1,
        'gone-1': 0,
      });
      const required = await prometheus.query('reboot_required{job="reboot-probe"}');
      expect(
        Object.fromEntries(required.map(({ metric, value }) => [metric['host'], [metric['instance'], value]])),
      ).toEqual({
        'web-1': ['web-1', 1],
        'db-1': ['db-1', 0],
      });
      const foreign = await prometheus.query('{job="reboot-probe",host!="",__name__=~"reboot_.*"}');
      expect(foreign.filter(({ metric }) => metric['host'] !== metric['instance'])).toEqual([]);
      expect(
        await prometheus.query('{job="reboot-probe",__name__=~"reboot_exporter_.*|process_.*|nodejs_.*"}'),
      ).toEqual([]);
    });

    test('was answered in OpenMetrics, whose counters keep their names', async () => {
      const metadata = await prometheus.metadata();
      // Only OpenMetrics names the family of a counter without `_total`.
      expect(metadata['reboot_probe_failures']).toMatchObject([{ type: 'counter' }]);
      expect(metadata['reboot_probe_failures_total']).toBeUndefined();
      expect(metadata['reboot_required']).toMatchObject([{ type: 'gauge' }]);
      const failures = await prometheus.value(
        'reboot_probe_failures_total{job="reboot",host="gone-1",reason="timeout"}',
      );
      expect(failures).toBeGreaterThan(0);
      expect(await prometheus.value('process_cpu_seconds_total{job="reboot"}')).toBeGreaterThan(0);
      const histogram = await prometheus.query(
        'reboot_exporter_probe_queue_wait_seconds_bucket{job="reboot",le="+Inf"}',
      );
      expect(histogram).toHaveLength(1);
      expect((await prometheus.query('{job="reboot",__name__=~".*_total_total|.*_created"}')).length).toBe(0);
    });

    test('has nothing to complain about', async () => {
      const own = await prometheus.ownMetrics();
      const counters = own
        .split('\n')
        .filter((line) => /^prometheus_target_(scrapes|scrape_pool)_\w*(exceeded|sample|failed)\w* /.test(line));
      expect(counters.length).toBeGreaterThanOrEqual(5);
      expect(counters.filter((line) => !line.endsWith(' 0'))).toEqual([]);
      expect(prometheus.complaints()).toEqual([]);
    });

    test('sees a restart: the flag goes, and a counter counts it', async () => {
      const host = lab.host('web-1');
      const kernel = { release: '6.8.0-50-generic', version: '#51-Ubuntu SMP' };
      const seenBefore = (await prometheus.value(ofFleet('reboot_host_boots_seen_total', 'web-1'))) ?? NaN;
      const beforeSeconds = Date.now() / 1000;
      await host.restart({ kernel, awayMilliseconds: 1000 });
      await until(15, async () => {
        expect(await prometheus.value(ofFleet('reboot_required', 'web-1'))).toBe(0);
        expect(await prometheus.value(ofFleet('reboot_required_age_seconds', 'web-1'))).toBe(0);
        expect(await prometheus.value(ofFleet('reboot_host_boots_seen_total', 'web-1'))).toBe(seenBefore + 1);
        // A series that ends is gone at the next scrape, not five minutes later.
        expect(await prometheus.query(ofFleet('reboot_required_package_info', 'web-1'))).toEqual([]);
      });
      expect(await prometheus.value(ofFleet('reboot_required', 'web-1'), beforeSeconds)).toBe(1);
    });

    test('would find nothing wrong with the text format either', async () => {
      for (const path of ['/metrics', '/probe?target=web-1', '/probe?target=gone-1']) {
        const text = await (await fetch(`${exporter.url}${path}`, { headers: { accept: 'text/plain' } })).text();
        expect(text).toContain('# TYPE reboot_probe_failures_total counter');
        expect(run('promtool', ['check', 'metrics'], { input: text })).toBe('');
      }
    });
  });
});
