import { gunzipSync } from 'node:zlib';
import { browser, start, startProbing, tokenFile, until } from '../../test/web/started-web';
import type { Answer } from '../../test/web/web-client';

describe('pages', () => {
  it.each([
    '/',
    '/hosts/web-1',
    '/?q=x&stack=shop&urgency=needed&sort=age&page=2',
    '/hosts/none',
    '/hosts/web-1?asked=x',
  ])('are HTML without script: %s', async (path) => {
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
    expect(compressed.headers).toMatchObject({
      'content-encoding': 'gzip',
      'content-length': String(compressed.body.length),
    });
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
      expect(answer.headers).toMatchObject({
        'content-type': type,
        'cache-control': expect.stringContaining('immutable'),
      });
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
      web.ask('/hosts/web-1/probe', {
        method: 'POST',
        body,
        headers: { ...browser, 'Sec-Fetch-Site': 'same-origin', 'Content-Type': 'application/x-www-form-urlencoded' },
      });
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
