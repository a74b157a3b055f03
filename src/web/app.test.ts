import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { hashSync } from 'bcryptjs';
import { mixedFleet, type BackendSketch } from '../../test/web/fleet-fixture';
import { startTestWeb, type AskOptions, type Answer, type TestWeb } from '../../test/web/web-client';
import type { HostDocument } from '../document/host-document';
import type { WebSettings } from './settings/settings';

const browser = { 'User-Agent': 'Mozilla/5.0 Chrome/140' };
const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function start(sketch: BackendSketch = {}, settings: Partial<WebSettings> = {}): Promise<TestWeb> {
  const web = await startTestWeb({ hosts: mixedFleet, ...sketch }, settings);
  closers.push(() => web.close());
  return web;
}

/** A web side whose probes are recorded, and end when they are told to. */
async function startProbing(sketch: BackendSketch = {}, settings: Partial<WebSettings> = {}) {
  const probed: string[] = [];
  const endings: (() => void)[] = [];
  const names = mixedFleet.map(({ name }) => name);
  const probe = (host: string): Promise<void> | null => {
    if (!names.includes(host)) return null;
    probed.push(host);
    return new Promise((resolve) => endings.push(resolve));
  };
  const web = await start({ probe, ...sketch }, settings);
  const endAll = (): void => {
    for (const end of endings.splice(0)) end();
  };
  return { web, probed, endAll };
}

function tokenFile(token: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'app-')), 'token');
  writeFileSync(file, `${token}\n`);
  return file;
}

function jsonOf(answer: Answer): unknown {
  return JSON.parse(answer.body.toString());
}

const exposition: BackendSketch = {
  exposition: { render: (format, compressed) => Promise.resolve(Buffer.from(`${format} ${compressed}\n`)) },
};

describe('health', () => {
  it('tells that it lives, and whether it is ready', async () => {
    const web = await start({ isReady: () => false });
    expect(await web.ask('/-/healthy')).toMatchObject({ status: 200, body: Buffer.from('reboot-exporter is healthy.\n') });
    expect(await web.ask('/-/ready')).toMatchObject({ status: 503 });
    expect(await (await start()).ask('/-/ready')).toMatchObject({ status: 200 });
    expect((await web.ask('/-/healthy', { method: 'HEAD' })).body).toHaveLength(0);
  });
});

describe('/metrics', () => {
  it.each([
    [{}, 'text/plain; version=0.0.4; charset=utf-8', 'text false\n', undefined],
    [{ Accept: 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5' }, 'application/openmetrics-text; version=1.0.0; charset=utf-8', 'openmetrics false\n', undefined],
    [{ 'Accept-Encoding': 'gzip' }, 'text/plain; version=0.0.4; charset=utf-8', 'text true\n', 'gzip'],
  ])('negotiates format and compression: %j', async (headers, type, body, encoding) => {
    const answer = await (await start(exposition)).ask('/metrics', { headers });
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({ 'content-type': type, 'content-length': String(body.length), vary: 'Accept, Accept-Encoding' });
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
    expect(answer.body.toString()).toMatch(/^# of web-1 as text\n# HELP probe_success .*\n# TYPE probe_success gauge\nprobe_success 1\n# HELP probe_duration_seconds .*\n# TYPE probe_duration_seconds gauge\nprobe_duration_seconds 0\.\d+\n$/);
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
    ['/probe?target=web-1%00', 404],
  ])('asks nothing of a host that is not in the inventory: %s', async (path, status) => {
    const { web, probed } = await startProbing();
    expect((await web.ask(path)).status).toBe(status);
    expect(probed).toEqual([]);
  });

  it('is not set off by a page of another site', async () => {
    const { web, probed } = await startProbing();
    const foreign = [{ ...browser, 'Sec-Fetch-Site': 'cross-site' }, { ...browser, 'Sec-Fetch-Site': 'same-site' }, { ...browser, Origin: 'http://evil.example' }, browser];
    for (const headers of foreign) expect(await web.ask('/probe?target=web-1', { headers })).toMatchObject({ status: 403 });
    expect(probed).toEqual([]);
  });
});

describe('/api/v1/hosts', () => {
  it('tells all hosts, or those of a stack', async () => {
    const web = await start();
    const all = await web.ask('/api/v1/hosts');
    expect(all.headers['content-type']).toBe('application/json; charset=utf-8');
    const { hosts } = jsonOf(all) as { hosts: HostDocument[] };
    expect(hosts.map(({ host }) => host)).toEqual(mixedFleet.map(({ name }) => name));
    expect(hosts[0]).toMatchObject({ host: 'web-1', stack: 'shop', urgency: 'critical', restart: { verdict: 'required' } });
    const shop = jsonOf(await web.ask('/api/v1/hosts?stack=shop')) as { hosts: HostDocument[] };
    expect(shop.hosts).toHaveLength(5);
    expect(jsonOf(await web.ask('/api/v1/hosts?stack=none'))).toEqual({ hosts: [] });
    expect(jsonOf(await (await start({ hosts: [] })).ask('/api/v1/hosts'))).toEqual({ hosts: [] });
  });

  it('tells many hosts in pieces that are one document, compressed when asked', async () => {
    const hosts = Array.from({ length: 1234 }, (_, index) => ({ name: `h-${index}` }));
    const web = await start({ hosts });
    const plain = await web.ask('/api/v1/hosts');
    const compressed = await web.ask('/api/v1/hosts', { headers: { 'Accept-Encoding': 'gzip' } });
    expect(compressed.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(compressed.body)).toEqual(plain.body);
    const read = jsonOf(plain) as { hosts: HostDocument[] };
    expect(read.hosts.map(({ host }) => host)).toEqual(hosts.map(({ name }) => name));
    expect(await web.ask('/api/v1/hosts', { method: 'HEAD' })).toMatchObject({ status: 200, body: Buffer.alloc(0) });
  });

  it('tells one host', async () => {
    const web = await start();
    expect(jsonOf(await web.ask('/api/v1/hosts/web-1'))).toMatchObject({ host: 'web-1' });
    const missing = await web.ask('/api/v1/hosts/none');
    expect(missing).toMatchObject({ status: 404 });
    expect(jsonOf(missing)).toEqual({ error: '"none" is not a host of the inventory' });
  });
});

describe('refresh', () => {
  it('probes a host and says so at once', async () => {
    const { web, probed } = await startProbing();
    const answer = await web.ask('/api/v1/hosts/web-1/refresh', { method: 'POST' });
    expect(answer.status).toBe(202);
    expect(jsonOf(answer)).toEqual({ id: expect.stringMatching(/^[0-9a-f-]{36}$/), hosts: ['web-1'] });
    expect(probed).toEqual(['web-1']);
  });

  it('answers when it is done with wait=1', async () => {
    const { web, probed, endAll } = await startProbing();
    const asking = web.ask('/api/v1/hosts/web-1/refresh?wait=1', { method: 'POST' });
    let isAnswered = false;
    void asking.then(() => (isAnswered = true));
    await until(() => probed.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(isAnswered).toBe(false);
    endAll();
    const answer = await asking;
    expect(answer.status).toBe(200);
    expect(jsonOf(answer)).toMatchObject({ hosts: [{ host: 'web-1', restart: { verdict: 'required' } }] });
  });

  it('probes a stack, or everything', async () => {
    const { web, probed } = await startProbing();
    expect((await web.ask('/api/v1/refresh?stack=shop', { method: 'POST' })).status).toBe(202);
    expect(probed).toEqual(['web-1', 'web-2', 'web-10', 'db-1', 'db-2']);
    expect((await web.ask('/api/v1/refresh', { method: 'POST' })).status).toBe(202);
    expect(probed).toHaveLength(17);
    expect(await web.ask('/api/v1/refresh?stack=none', { method: 'POST' })).toMatchObject({ status: 404 });
    expect(await web.ask('/api/v1/hosts/none/refresh', { method: 'POST' })).toMatchObject({ status: 404 });
    expect(probed).toHaveLength(17);
  });

  it('asks for the token where one is set up', async () => {
    const file = tokenFile('let-me');
    const { web, probed } = await startProbing({ refreshTokenFile: () => file });
    const ask = (headers: Record<string, string>): Promise<Answer> => web.ask('/api/v1/refresh?stack=shop', { method: 'POST', headers });
    const refused = await ask({});
    expect(refused).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } });
    expect(await ask({ Authorization: 'Bearer let-m' })).toMatchObject({ status: 401 });
    expect(probed).toEqual([]);
    expect(await ask({ Authorization: 'Bearer let-me' })).toMatchObject({ status: 202 });
    expect(probed).toHaveLength(5);
    expect(await web.ask('/api/v1/hosts', {})).toMatchObject({ status: 200 });
  });

  it('fails closed where the token can not be read', async () => {
    const { web, probed } = await startProbing({ refreshTokenFile: () => '/nowhere/token' });
    const headers = { Authorization: 'Bearer x' };
    expect(await web.ask('/api/v1/refresh', { method: 'POST', headers })).toMatchObject({ status: 500 });
    expect(probed).toEqual([]);
  });

  it.each([
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
    { Origin: 'http://evil.example' },
    { Origin: 'null' },
  ])('is not set off by a page of another site: %j', async (headers) => {
    const { web, probed } = await startProbing({ reload: () => Promise.resolve(null) });
    const options = { method: 'POST', headers: { ...browser, ...headers } };
    for (const path of ['/api/v1/refresh', '/api/v1/hosts/web-1/refresh', '/hosts/web-1/probe', '/-/reload']) {
      expect((await web.ask(path, options)).status).toBe(403);
    }
    expect(probed).toEqual([]);
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
    expect(await web.ask('/-/reload', { method: 'POST' })).toMatchObject({ status: 500, body: Buffer.from(`${fault}\n`) });
    expect(await web.ask('/-/reload')).toMatchObject({ status: 405, headers: { allow: 'POST, PUT' } });
  });
});

describe('pages', () => {
  it.each(['/', '/hosts/web-1', '/?q=x&stack=shop&urgency=needed&sort=age&page=2', '/hosts/none', '/hosts/web-1?asked=x'])('are HTML without script: %s', async (path) => {
    const answer = await (await start()).ask(path);
    expect(answer.status).toBe(path.includes('none') ? 404 : 200);
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8');
    const page = answer.body.toString();
    expect(page).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(page).not.toMatch(/<script|<style|\son[a-z]+=|\sstyle=|javascript:/i);
    expect(page).not.toMatch(/https?:\/\//);
  });

  it('come compressed when asked', async () => {
    const web = await start();
    const plain = await web.ask('/');
    const compressed = await web.ask('/', { headers: { 'Accept-Encoding': 'gzip' } });
    expect(compressed.headers).toMatchObject({ 'content-encoding': 'gzip', 'content-length': String(compressed.body.length) });
    expect(gunzipSync(compressed.body)).toEqual(plain.body);
    expect(await web.ask('/', { method: 'HEAD' })).toMatchObject({ status: 200, body: Buffer.alloc(0) });
  });

  it('name a stylesheet and an icon that may be kept', async () => {
    const web = await start();
    const page = (await web.ask('/')).body.toString();
    for (const [name, type] of [
      [/href="\.\/(style-[0-9a-f]+\.css)"/.exec(page)?.[1], 'text/css; charset=utf-8'],
      [/href="\.\/(favicon\.svg)"/.exec(page)?.[1], 'image/svg+xml'],
    ]) {
      const answer = await web.ask(`/${name}`);
      expect(answer.status).toBe(200);
      expect(answer.headers).toMatchObject({ 'content-type': type, 'cache-control': expect.stringContaining('immutable') });
    }
  });

  it('have a form that probes and leads back to the page', async () => {
    const { web, probed } = await startProbing({ probe: (host) => (probed.push(host), Promise.resolve()) });
    const options = { method: 'POST', headers: { ...browser, 'Sec-Fetch-Site': 'same-origin' } };
    const answer = await web.ask('/hosts/web-1/probe', options);
    expect(answer.status).toBe(303);
    expect(answer.headers.location).toMatch(/^\.\.\/web-1\?asked=\d+$/);
    expect(probed).toEqual(['web-1']);
    expect(await web.ask('/hosts/none/probe', options)).toMatchObject({ status: 404 });
    expect(await web.ask('/hosts/web-1/probe')).toMatchObject({ status: 405, headers: { allow: 'POST' } });
  });

  it('ask for the token where one is set up', async () => {
    const file = tokenFile('let-me');
    const { web, probed, endAll } = await startProbing({ refreshTokenFile: () => file });
    expect((await web.ask('/hosts/web-1')).body.toString()).toContain('name="token"');
    const post = (body: string): Promise<Answer> =>
      web.ask('/hosts/web-1/probe', { method: 'POST', body, headers: { ...browser, 'Sec-Fetch-Site': 'same-origin', 'Content-Type': 'application/x-www-form-urlencoded' } });
    for (const body of ['', 'token=wrong', 'token=let-me&token=let-me']) {
      const refused = await post(body);
      expect(refused.status).toBe(403);
      expect(refused.body.toString()).toContain('that is not the refresh token');
    }
    expect((await post(`token=${'x'.repeat(10_000)}`)).status).toBe(413);
    expect(probed).toEqual([]);
    const asking = post('token=let-me');
    await until(() => probed.length === 1);
    endAll();
    expect((await asking).status).toBe(303);
  });
});

describe('basic auth', () => {
  const users = new Map([['alice', hashSync('right', 4)]]);
  const login = (user: string, password: string) => ({ Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` });

  it('is asked for everywhere but for health', async () => {
    const { web, probed } = await startProbing({ ...exposition, reload: () => Promise.resolve(null) }, { users });
    const asked: [string, AskOptions][] = [
      ...['/', '/metrics', '/probe?target=web-1', '/hosts/web-1', '/api/v1/hosts', '/api/v1/hosts/web-1', '/favicon.svg', '/none', '/-/healthy/', '/-/Healthy'].map((path): [string, AskOptions] => [path, {}]),
      ...['/-/reload', '/api/v1/refresh', '/api/v1/hosts/web-1/refresh', '/hosts/web-1/probe', '/-/other'].map((path): [string, AskOptions] => [path, { method: 'POST' }]),
    ];
    for (const [path, options] of asked) {
      const answer = await web.ask(path, options);
      expect([path, answer.status]).toEqual([path, 401]);
      expect(answer.headers['www-authenticate']).toContain('Basic realm="reboot-exporter"');
    }
    expect(probed).toEqual([]);
    expect(await web.ask('/-/healthy')).toMatchObject({ status: 200 });
    expect(await web.ask('/-/ready')).toMatchObject({ status: 200 });
  });

  it('lets in who has the password', async () => {
    const web = await start(exposition, { users });
    expect(await web.ask('/metrics', { headers: login('alice', 'right') })).toMatchObject({ status: 200 });
    expect(await web.ask('/metrics', { headers: login('alice', 'wrong') })).toMatchObject({ status: 401 });
    expect(await web.ask('/metrics', { headers: login('bob', 'right') })).toMatchObject({ status: 401 });
    expect(await web.ask('/metrics', { headers: { Authorization: 'Bearer right' } })).toMatchObject({ status: 401 });
  });

  it('stands for the refresh token, and the token for it, on refresh calls alone', async () => {
    const file = tokenFile('let-me');
    const { web, probed } = await startProbing({ refreshTokenFile: () => file }, { users });
    const post = (path: string, headers: Record<string, string>): Promise<Answer> => web.ask(path, { method: 'POST', headers });
    const bearer = { Authorization: 'Bearer let-me' };
    expect(await post('/api/v1/hosts/web-1/refresh', bearer)).toMatchObject({ status: 202 });
    expect(await post('/api/v1/hosts/web-2/refresh', login('alice', 'right'))).toMatchObject({ status: 202 });
    expect(probed).toEqual(['web-1', 'web-2']);
    expect(await post('/api/v1/refresh', { Authorization: 'Bearer wrong' })).toMatchObject({ status: 401 });
    const refused = await post('/api/v1/refresh', {});
    expect(refused.headers['www-authenticate']).toMatch(/^Basic .*, Bearer$/);
    expect(await web.ask('/metrics', { headers: bearer })).toMatchObject({ status: 401 });
    expect(await post('/hosts/web-1/probe', bearer)).toMatchObject({ status: 401 });
    const page = await web.ask('/hosts/web-1', { headers: login('alice', 'right') });
    expect(page.body.toString()).not.toContain('name="token"');
    expect(probed).toHaveLength(2);
  });
});

describe('every answer', () => {
  it('carries the headers that keep pages safe', async () => {
    const web = await start(exposition);
    for (const path of ['/', '/metrics', '/hosts/web-1', '/api/v1/hosts', '/none', '/-/healthy', '/hosts/%zz']) {
      const { headers } = await web.ask(path);
      expect(headers).toMatchObject({
        'content-security-policy': "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'same-origin',
      });
      expect(headers['x-powered-by']).toBeUndefined();
      expect(headers['access-control-allow-origin']).toBeUndefined();
    }
  });

  it('carries the headers of the web configuration, in place of its own', async () => {
    const web = await start({}, { headers: { 'X-Frame-Options': 'sameorigin', 'Strict-Transport-Security': 'max-age=60' } });
    expect((await web.ask('/')).headers).toMatchObject({ 'x-frame-options': 'sameorigin', 'strict-transport-security': 'max-age=60' });
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

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
}
