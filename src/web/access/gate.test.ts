import { hashSync } from 'bcryptjs';
import { exposition, start, startProbing, tokenFile } from '../../../test/web/started-web';
import type { Answer, AskOptions } from '../../../test/web/web-client';

describe('basic auth', () => {
  const users = new Map([['alice', hashSync('right', 4)]]);
  const login = (user: string, password: string) => ({
    Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
  });

  it('is asked for everywhere but for health', async () => {
    const { web, probed } = await startProbing({ ...exposition, reload: () => Promise.resolve(null) }, { users });
    const asked: [string, AskOptions][] = [
      ...[
        '/',
        '/metrics',
        '/probe?target=web-1',
        '/hosts/web-1',
        '/api/v1/hosts',
        '/api/v1/hosts/web-1',
        '/favicon.svg',
        '/none',
        '/-/healthy/',
        '/-/Healthy',
      ].map((path): [string, AskOptions] => [path, {}]),
      ...['/-/reload', '/api/v1/refresh', '/api/v1/hosts/web-1/refresh', '/hosts/web-1/probe', '/-/other'].map(
        (path): [string, AskOptions] => [path, { method: 'POST' }],
      ),
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
    const post = (path: string, headers: Record<string, string>): Promise<Answer> =>
      web.ask(path, { method: 'POST', headers });
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
