import { browser, exposition, start, startProbing, until } from '../../test/web/started-web';

describe('/metrics', () => {
  it.each([
    [{}, 'text/plain; version=0.0.4; charset=utf-8', 'text false\n', undefined],
    [
      { Accept: 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5' },
      'application/openmetrics-text; version=1.0.0; charset=utf-8',
      'openmetrics false\n',
      undefined,
    ],
    [{ 'Accept-Encoding': 'gzip' }, 'text/plain; version=0.0.4; charset=utf-8', 'text true\n', 'gzip'],
  ])('negotiates format and compression: %j', async (headers, type, body, encoding) => {
    const answer = await (await start(exposition)).ask('/metrics', { headers });
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      'content-type': type,
      'content-length': String(body.length),
      vary: 'Accept, Accept-Encoding',
    });
    expect(answer.headers['content-encoding']).toBe(encoding);
    expect(answer.body.toString()).toBe(body);
  });

  it('answers HEAD with the headers alone', async () => {
    const answer = await (await start(exposition)).ask('/metrics', { method: 'HEAD' });
    expect(answer).toMatchObject({ status: 200, body: Buffer.alloc(0) });
    expect(answer.headers['content-length']).toBe('11');
  });

  it('says when rendering failed, without the reason', async () => {
    const errors: unknown[] = [];
    const log = { debug() {}, info() {}, warn() {}, error: (...line: unknown[]) => void errors.push(line) };
    const web = await start({ log, exposition: { render: () => Promise.reject(new Error('secret detail')) } });
    const answer = await web.ask('/metrics');
    expect(answer).toMatchObject({ status: 500, body: Buffer.from('Internal error.\n') });
    expect(JSON.stringify(errors)).toContain('secret detail');
  });
});

describe('/probe', () => {
  const hostMetrics = (host: string, format: string): string => `# of ${host} as ${format}\n`;

  it('probes a host of the inventory and tells its metrics', async () => {
    const { web, probed, endAll } = await startProbing({ hostMetrics });
    const asking = web.ask('/probe?target=web-1');
    await until(() => probed.length === 1);
    endAll();
    const answer = await asking;
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(answer.body.toString()).toMatch(
      /^# of web-1 as text\n# HELP probe_success .*\n# TYPE probe_success gauge\nprobe_success 1\n# HELP probe_duration_seconds .*\n# TYPE probe_duration_seconds gauge\nprobe_duration_seconds 0\.\d+\n$/,
    );
  });

  it('answers in OpenMetrics when asked', async () => {
    const web = await start({ hostMetrics });
    const answer = await web.ask('/probe?target=web-1', { headers: { Accept: 'application/openmetrics-text' } });
    expect(answer.headers['content-type']).toContain('application/openmetrics-text');
    expect(answer.body.toString()).toMatch(/^# of web-1 as openmetrics\n[^]*\n# EOF\n$/);
  });

  it('says 0 for a host whose probe failed', async () => {
    expect((await (await start()).ask('/probe?target=build-1')).body.toString()).toContain('\nprobe_success 0\n');
  });

  it('answers before Prometheus gives up, and lets the probe go on', async () => {
    const { web, endAll } = await startProbing({ hostMetrics });
    const begunMs = performance.now();
    const answer = await web.ask('/probe?target=web-1', { headers: { 'X-Prometheus-Scrape-Timeout-Seconds': '0.9' } });
    const tookMs = performance.now() - begunMs;
    expect(answer.body.toString()).toContain('\nprobe_success 0\n');
    expect(tookMs).toBeGreaterThan(400);
    expect(tookMs).toBeLessThan(880);
    endAll();
  });

  it.each([
    ['/probe', 400],
    ['/probe?target=', 400],
    ['/probe?target=web-1&target=web-2', 400],
    ['/probe?target=192.0.2.1', 404],
    ['/probe?target=web-1.example.net', 404],
    ['/probe?target=__proto__', 404],
    ['/probe?target=web-1:2222', 404],
    ['/probe?target=root@web-1', 404],
    ['/probe?target=ssh://web-1', 404],
    ['/probe?target=web-1%0aProxyCommand%20id', 404],
    ['/probe?target=127.0.0.1:5432', 404],
    ['/probe?target=web-1%00', 404],
  ])('asks nothing of a host that is not in the inventory: %s', async (path, status) => {
    const { web, probed } = await startProbing();
    expect((await web.ask(path)).status).toBe(status);
    expect(probed).toEqual([]);
  });

  it('is not set off by a page of another site', async () => {
    const { web, probed } = await startProbing();
    const foreign = [
      { ...browser, 'Sec-Fetch-Site': 'cross-site' },
      { ...browser, 'Sec-Fetch-Site': 'same-site' },
      { ...browser, Origin: 'http://evil.example' },
      browser,
    ];
    for (const headers of foreign)
      expect(await web.ask('/probe?target=web-1', { headers })).toMatchObject({ status: 403 });
    expect(probed).toEqual([]);
  });
});
