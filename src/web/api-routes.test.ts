import { gunzipSync } from 'node:zlib';
import { browser, jsonOf, start, startProbing, tokenFile, until } from '../../test/web/started-web';
import type { Answer } from '../../test/web/web-client';
import { mixedFleet } from '../../test/web/fleet-fixture';
import type { HostDocument } from '../document/host-document';

describe('/api/v1/hosts', () => {
  it('tells all hosts, or those of a stack', async () => {
    const web = await start();
    const all = await web.ask('/api/v1/hosts');
    expect(all.headers['content-type']).toBe('application/json; charset=utf-8');
    const { hosts } = jsonOf(all) as { hosts: HostDocument[] };
    expect(hosts.map(({ host }) => host)).toEqual(mixedFleet.map(({ name }) => name));
    expect(hosts[0]).toMatchObject({
      host: 'web-1',
      stack: 'shop',
      urgency: 'critical',
      restart: { verdict: 'required' },
    });
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

  it.each([
    ['a parameter that there is not', 'stak=shop', '"stak" is not a parameter here; there are stack and wait'],
    ['two stacks', 'stack=shop&stack=blog', '"stack" is to be given once'],
    ['a list', 'stack[]=shop', /^"stack/],
  ])('of %s is refused, and does not probe the whole fleet', async (_what, query, error) => {
    const { web, probed } = await startProbing();
    const answer = await web.ask(`/api/v1/refresh?${query}`, { method: 'POST' });
    expect(answer.status).toBe(400);
    expect((jsonOf(answer) as { error: string }).error).toMatch(error);
    expect(probed).toEqual([]);
  });

  it('asks for the token where one is set up', async () => {
    const file = tokenFile('let-me');
    const { web, probed } = await startProbing({ refreshTokenFile: () => file });
    const ask = (headers: Record<string, string>): Promise<Answer> =>
      web.ask('/api/v1/refresh?stack=shop', { method: 'POST', headers });
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
