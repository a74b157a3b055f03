import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { hashSync } from 'bcryptjs';
import { formatFault } from '../../src/config/fault';
import { silentLogger } from '../../src/logging/logger';
import { systemTime } from '../../src/time/time';
import type { Body } from '../../src/metrics/exposition';
import { openWebSettings, startWebSide, type WebSide } from '../../src/web/web-side';
import { createAuthority, temporaryFolder } from './certificates';
import { mixedFleet, sketchBackend } from './fleet-fixture';
import { freePort } from '../fixture/free-port';

/** A block of tests that needs prometheus(1); in CI it is never skipped. */
function describeWithPrometheus(name: string, tests: () => void): void {
  if (spawnSync('prometheus', ['--version']).status === 0) {
    describe(name, tests);
    return;
  }
  const missing = 'missing prometheus: apt-get install -y prometheus';
  if (process.env['CI'] === 'true') throw new Error(missing);
  process.stderr.write(`skipped "${name}": ${missing}\n`);
  describe.skip(name, tests);
}

describeWithPrometheus('a real Prometheus behind TLS, client certificates and a password', () => {
  let web: WebSide;
  let prometheus: ChildProcess;
  let exited: Promise<unknown>;
  let api = '';

  beforeAll(async () => {
    const folder = temporaryFolder();
    const authority = createAuthority(folder, 'authority');
    authority.issue('server', ['IP:127.0.0.1']);
    authority.issue('client', ['DNS:prometheus']);
    writeFileSync(join(folder, 'password'), 'right');
    const settings = `tls_server_config: { cert_file: server.pem, key_file: server.key, client_auth_type: RequireAndVerifyClientCert, client_ca_file: authority.pem, client_allowed_sans: [prometheus] }
basic_auth_users: { scraper: "${hashSync('right', 10)}" }
`;
    const file = join(folder, 'web.yml');
    writeFileSync(file, settings);
    const opened = openWebSettings(file, { log: silentLogger, time: systemTime });
    if (opened.source === null) throw new Error(opened.faults.map(formatFault).join('\n'));
    const exposition = {
      render(format: string, compressed: boolean): Promise<Body> {
        const text = Buffer.from(`reboot_required{host="web-1"} 1\n${format === 'openmetrics' ? '# EOF\n' : ''}`);
        const piece = compressed ? gzipSync(text) : text;
        return Promise.resolve({ pieces: [piece], bytes: piece.length });
      },
    };
    web = await startWebSide(
      [{ host: '127.0.0.1', port: 0 }],
      sketchBackend({ hosts: mixedFleet, exposition }),
      opened.source,
    );

    const port = await freePort();
    const target = new URL(web.urls[0] ?? '').host;
    const ways = { both: [true, true], certificate: [true, false], password: [false, true] } as const;
    const jobs = Object.entries(ways).map(([name, [hasCertificate, hasPassword]]) => ({
      job_name: name,
      scheme: 'https',
      tls_config: {
        ca_file: authority.cert,
        ...(hasCertificate ? { cert_file: join(folder, 'client.pem'), key_file: join(folder, 'client.key') } : {}),
      },
      ...(hasPassword ? { basic_auth: { username: 'scraper', password_file: join(folder, 'password') } } : {}),
      static_configs: [{ targets: [target] }],
    }));
    const probes = { ...jobs[0], job_name: 'probe', metrics_path: '/probe', params: { target: ['web-1'] } };
    // JSON is YAML.
    writeFileSync(
      join(folder, 'prometheus.yml'),
      JSON.stringify({
        global: { scrape_interval: '500ms', scrape_timeout: '500ms' },
        scrape_configs: [...jobs, probes],
      }),
    );
    prometheus = spawn(
      'prometheus',
      [
        `--config.file=${folder}/prometheus.yml`,
        `--storage.tsdb.path=${folder}/data`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: 'ignore' },
    );
    exited = new Promise((resolve) => prometheus.once('exit', resolve));
    api = `http://127.0.0.1:${port}/api/v1/query?query=`;
  }, 60_000);

  afterAll(async () => {
    prometheus.kill('SIGKILL');
    await exited;
    await web.close(0);
  });

  /** The values of a query by job, once there are as many as expected; null while there are not. */
  async function ask(query: string, count: number): Promise<Record<string, string> | null> {
    const response = await fetch(api + encodeURIComponent(query)).catch(() => null);
    if (response === null || !response.ok) return null;
    const { data } = (await response.json()) as {
      data: { result: { metric: { job: string }; value: [number, string] }[] };
    };
    if (data.result.length < count) return null;
    return Object.fromEntries(data.result.map(({ metric, value }) => [metric.job, value[1]]));
  }

  async function settled(query: string, count: number): Promise<Record<string, string>> {
    const boundMs = performance.now() + 50_000;
    while (performance.now() < boundMs) {
      const values = await ask(query, count);
      if (values !== null) return values;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`never true: ${query}; up is ${JSON.stringify(await ask('up', 0))}`);
  }

  it('is let in with both, and only then', async () => {
    expect(await settled('up{job=~"both|probe"} == 1', 2)).toEqual({ both: '1', probe: '1' });
    expect(
      await settled('max_over_time(up{job=~"certificate|password"}[1m]) and count_over_time(up[1m]) > 2', 2),
    ).toEqual({ certificate: '0', password: '0' });
    expect(await settled('reboot_required', 1)).toEqual({ both: '1' });
    expect(await settled('probe_success', 1)).toEqual({ probe: '1' });
  }, 60_000);

  it('pays for its password once', async () => {
    // At its cost a check takes 0.1 s at the very least; the shortest of several scrapes shows that it was left out.
    const shortest = await settled(
      'min_over_time(scrape_duration_seconds{job="both"}[5s]) and count_over_time(up[1m]) > 6',
      1,
    );
    expect(Number(shortest['both'])).toBeLessThan(0.05);
  }, 60_000);
});
