import { exposition, start } from '../../test/web/started-web';

describe('health', () => {
  it('tells that it lives, and whether it is ready', async () => {
    const web = await start({ isReady: () => false });
    expect(await web.ask('/-/healthy')).toMatchObject({
      status: 200,
      body: Buffer.from('reboot-exporter is healthy.\n'),
    });
    expect(await web.ask('/-/ready')).toMatchObject({ status: 503 });
    expect(await (await start()).ask('/-/ready')).toMatchObject({ status: 200 });
    expect((await web.ask('/-/healthy', { method: 'HEAD' })).body).toHaveLength(0);
  });
});

describe('/-/reload', () => {
  it('is refused unless it is enabled', async () => {
    const answer = await (await start()).ask('/-/reload', { method: 'POST' });
    expect(answer).toMatchObject({ status: 403 });
    expect(answer.body.toString()).toContain('--web.enable-lifecycle');
  });

  it('reloads, by POST or PUT, and says what is wrong when it can not', async () => {
    let fault: string | null = null;
    const web = await start({ reload: () => Promise.resolve(fault) });
    expect(await web.ask('/-/reload', { method: 'POST' })).toMatchObject({ status: 200, body: Buffer.alloc(0) });
    expect(await web.ask('/-/reload', { method: 'PUT' })).toMatchObject({ status: 200 });
    fault = 'config.yml:3:5: unknown key';
    expect(await web.ask('/-/reload', { method: 'POST' })).toMatchObject({
      status: 500,
      body: Buffer.from(`${fault}\n`),
    });
    expect(await web.ask('/-/reload')).toMatchObject({ status: 405, headers: { allow: 'POST, PUT' } });
  });
});

describe('every answer', () => {
  it('carries the headers that keep pages safe', async () => {
    const web = await start(exposition);
    for (const path of ['/', '/metrics', '/hosts/web-1', '/api/v1/hosts', '/none', '/-/healthy', '/hosts/%zz']) {
      const { headers } = await web.ask(path);
      expect(headers).toMatchObject({
        'content-security-policy':
          "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'same-origin',
      });
      expect(headers['x-powered-by']).toBeUndefined();
      expect(headers['access-control-allow-origin']).toBeUndefined();
    }
  });

  it('carries the headers of the web configuration, in place of its own', async () => {
    const web = await start(
      {},
      { headers: { 'X-Frame-Options': 'sameorigin', 'Strict-Transport-Security': 'max-age=60' } },
    );
    expect((await web.ask('/')).headers).toMatchObject({
      'x-frame-options': 'sameorigin',
      'strict-transport-security': 'max-age=60',
    });
  });

  it.each([
    ['GET', '/none', 404],
    ['GET', '/Metrics', 404],
    ['GET', '/metrics/', 404],
    ['GET', '/hosts/', 404],
    ['GET', '/hosts/%zz', 400],
    ['GET', '/hosts/..%2f..%2fetc', 404],
    ['POST', '/metrics', 405],
    ['POST', '/none', 404],
    ['DELETE', '/api/v1/hosts/web-1', 405],
    ['GET', '/api/v1/refresh', 405],
    ['PUT', '/api/v1/refresh', 405],
    ['OPTIONS', '/api/v1/refresh', 405],
    ['TRACE', '/', 405],
  ])('says what it can not do: %s %s', async (method, path, status) => {
    expect((await (await start()).ask(path, { method })).status).toBe(status);
  });

  it('is limited in rate where the web configuration says so, but for health', async () => {
    const web = await start(exposition, { rateLimit: { intervalSeconds: 60, burst: 2 } });
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) statuses.push((await web.ask('/metrics')).status);
    expect(statuses).toEqual([200, 200, 429, 429]);
    expect(await web.ask('/-/healthy')).toMatchObject({ status: 200 });
  });
});
