import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpuMsOf } from '../../test/config/cpu-time';
import { writeKeyFiles } from '../../test/config/key-files';
import { formatFault } from './fault';
import { createConfigLoader, type LoadResult } from './loader';

let folder: string;
let server: Server | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reboot-exporter-loader-'));
  writeKeyFiles(join(folder, 'keys'));
});

afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  const running = server;
  server = null;
  if (running === null) return;
  running.closeAllConnections();
  await new Promise((resolve) => running.close(resolve));
});

/** Answers on loopback as told; gives its URL. */
async function serve(listener: RequestListener): Promise<string> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
}

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

function config(rest: string): string {
  return write('config.yml', `ssh: { identity_file: keys/id_ed25519, known_hosts: keys/known_hosts }\n${rest}`);
}

function names(result: LoadResult): string[] {
  if (!result.ok) throw new Error(result.faults.map(formatFault).join('\n'));
  return result.config.hosts.map(({ name }) => name);
}

function warnings(result: LoadResult): string[] {
  return result.warnings.map((warning) => formatFault(warning).replaceAll(`${folder}/`, ''));
}

/** Prometheus' answer for one group. */
function groups(...targets: string[]): string {
  return JSON.stringify([{ targets, labels: { stack: 'shop' } }]);
}

const json = { 'content-type': 'application/json; charset=utf-8' };

describe('a configuration that is loaded again', () => {
  test('shows what changed in any of its files', async () => {
    const loader = createConfigLoader(
      config('hosts: [{ name: a }]\ninventory: [{ file_sd: [targets.yml] }]\ninclude: [more*.yml]\n'),
    );
    write('targets.yml', '- targets: [t1]\n');
    expect(names(await loader.load())).toEqual(['a', 't1']);
    write('targets.yml', '- targets: [t1, t2]\n');
    write('more.yml', 'hosts: [{ name: m }]\n');
    expect(names(await loader.load())).toEqual(['a', 'm', 't1', 't2']);
    config('hosts: [{ name: b }]\n');
    expect(names(await loader.load())).toEqual(['b']);
  });

  test('tells faults and is good again once they are mended', async () => {
    const loader = createConfigLoader(config('hosts: [{ name: a }]\n'));
    expect((await loader.load()).ok).toBe(true);
    config('hosts: [{ nam: a }]\n');
    const broken = await loader.load();
    expect(broken.ok).toBe(false);
    expect(await loader.load()).toEqual(broken);
    config('hosts: [{ name: a }]\n');
    expect(names(await loader.load())).toEqual(['a']);
  });

  test('checks key files anew, though no configuration changed', async () => {
    const loader = createConfigLoader(config('hosts: [{ name: a }]\n'));
    expect((await loader.load()).ok).toBe(true);
    rmSync(join(folder, 'keys/known_hosts'));
    expect((await loader.load()).ok).toBe(false);
  });

  test('costs little when nothing changed', async () => {
    const hosts = Array.from({ length: 5000 }, (_, i) => `  - { name: host-${i}, labels: { n: "${i}" } }\n`);
    const loader = createConfigLoader(config(`hosts:\n${hosts.join('')}`));
    const first = await cpuMsOf(() => loader.load());
    const second = await cpuMsOf(() => loader.load());
    expect(names(await loader.load())).toHaveLength(5000);
    expect(second).toBeLessThan(first / 2);
  });

  test('two loads at once give the same', async () => {
    const loader = createConfigLoader(config('hosts: [{ name: a }]\n'));
    const [one, other] = await Promise.all([loader.load(), loader.load()]);
    expect(one).toEqual(other);
  });
});

describe('http_sd', () => {
  let now = 0;
  const minute = 60_000;

  function loaderOf(url: string, rest = ''): ReturnType<typeof createConfigLoader> {
    return createConfigLoader(
      config(`inventory: [{ http_sd: { url: "${url}/targets?token=secret"${rest} } }]\n`),
      () => now,
    );
  }

  test('gives hosts, and is asked again when its interval is over', async () => {
    let asked = 0;
    const url = await serve((request, response) => {
      asked += 1;
      expect(request.headers.accept).toBe('application/json');
      response.writeHead(200, json).end(groups(`web-${asked}:2222`));
    });
    const loader = loaderOf(url);
    const first = await loader.load();
    expect(names(first)).toEqual(['web-1']);
    expect(first.watch.refreshSeconds).toBe(60);
    expect(first.ok && first.config.hosts[0]).toMatchObject({ stack: 'shop', ssh: { port: 2222 } });
    now += minute / 2;
    expect(names(await loader.load())).toEqual(['web-1']);
    now += minute / 2;
    expect(names(await loader.load())).toEqual(['web-2']);
  });

  test('takes the same answer for no change', async () => {
    const url = await serve((_, response) => response.writeHead(200, json).end(groups('web-1')));
    const loader = loaderOf(url);
    const first = await loader.load();
    now += minute;
    expect(await loader.load()).toEqual(first);
  });

  test('keeps the last good answer while the service fails, and says so', async () => {
    let answer: RequestListener = (_, response) => response.writeHead(200, json).end(groups('web-1'));
    const url = await serve((request, response) => answer(request, response));
    const loader = loaderOf(url);
    expect(names(await loader.load())).toEqual(['web-1']);
    const failures: readonly (readonly [RequestListener, RegExp])[] = [
      [(_, response) => response.writeHead(500).end(), /answered with status 500; its answer of 1m ago stays in force/],
      [(_, response) => response.writeHead(204).end(), /answered with status 204/],
      [(_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('[]'), /content type text\/html/],
      [
        (_, response) => response.writeHead(200, json).end('[{"targets": "a"}]'),
        /the answer is not good: 1:14: \[0\].targets: must be a list/,
      ],
      [
        (_, response) => response.writeHead(200, json).end('[{"targets": ["a"'),
        /the answer is not good: 1:18: not valid JSON/,
      ],
      [(_, response) => response.writeHead(200, json).end(Buffer.from([0xff, 0xfe])), /the answer is UTF-16/],
      [(_, response) => response.writeHead(200, json).end(Buffer.alloc(9_000_000, ' ')), /more than 8388608 bytes/],
      [(request) => request.socket.destroy(), /closed the connection/],
      [(_, response) => response.writeHead(302, { location: 'http://127.0.0.1:2/' }).end(), /refuses connections/],
    ];
    for (const [failure, message] of failures) {
      answer = failure;
      now += minute;
      const result = await loader.load();
      expect(names(result)).toEqual(['web-1']);
      expect(warnings(result)).toEqual([expect.stringMatching(message)]);
      expect(warnings(result)[0]).toMatch(/^config.yml:2:\d+: http:\/\/127/);
      expect(warnings(result)[0]).not.toContain('secret');
    }
    answer = (_, response) => response.writeHead(200, json).end(groups('web-2'));
    now += minute;
    const healed = await loader.load();
    expect(names(healed)).toEqual(['web-2']);
    expect(warnings(healed)).toEqual([]);
  });

  test('a service that fails from the start is a warning, and its hosts come later', async () => {
    let good = false;
    const url = await serve((_, response) => response.writeHead(good ? 200 : 503, json).end(groups('web-1')));
    const loader = loaderOf(url);
    const first = await loader.load();
    expect(names(first)).toEqual([]);
    expect(warnings(first)).toContainEqual(
      expect.stringContaining('answered with status 503; none of its hosts is known'),
    );
    good = true;
    expect(names(await loader.load())).toEqual(['web-1']);
  });

  test('a host that it names twice, or that another file has, is left out with a warning', async () => {
    const url = await serve((_, response) => response.writeHead(200, json).end(groups('a', 'b', 'b')));
    const file = config(`hosts: [{ name: a }]\ninventory: [{ http_sd: { url: "${url}/" } }]\n`);
    const result = await createConfigLoader(file).load();
    expect(names(result)).toEqual(['a', 'b']);
    expect(warnings(result)).toEqual([
      `${url}/:1:14: duplicate host \`a\`: it is at config.yml:2:17 already`,
      `${url}/:1:22: duplicate host \`b\`: it is at ${url}/:1:18 already`,
    ]);
  });

  test.each([
    [
      'basic_auth: { username: reader, password_file: keys/refresh-token }',
      `Basic ${Buffer.from('reader:a-token').toString('base64')}`,
    ],
    ['authorization: { credentials_file: keys/refresh-token }', 'Bearer a-token'],
    ['authorization: { type: Token, credentials_file: keys/refresh-token }', 'Token a-token'],
  ])('sends %s', async (settings, header) => {
    const url = await serve((request, response) => {
      response.writeHead(request.headers.authorization === header ? 200 : 401, json).end(groups('web-1'));
    });
    expect(names(await loaderOf(url, `, ${settings}`).load())).toEqual(['web-1']);
  });

  test.each(['two\nlines', 'a \u{1f511}'])(
    'says nothing of credentials that no header can carry',
    async (credentials) => {
      const url = await serve((_, response) => response.writeHead(200, json).end(groups('web-1')));
      write('keys/odd', credentials);
      const result = await loaderOf(url, ', authorization: { credentials_file: keys/odd }').load();
      expect(warnings(result).join()).toContain('keys/odd must hold the credentials on one line');
      for (const word of credentials.split(/\s/))
        expect(warnings(result).join().replaceAll('keys/odd', '')).not.toContain(`${word}"`);
      expect(JSON.stringify(result)).not.toContain('two');
    },
  );

  test('a key file that the stack of such a host names is checked', async () => {
    const url = await serve((_, response) => response.writeHead(200, json).end(groups('web-1')));
    const file = write(
      'bare.yml',
      `ssh: { known_hosts: keys/known_hosts, identity_file: keys/id_ed25519 }\nstacks: { shop: { ssh: { identity_file: keys/none } } }\ninventory: [{ http_sd: { url: "${url}/" } }]\n`,
    );
    const result = await createConfigLoader(file).load();
    expect(result.ok ? [] : result.faults.map(({ line, message }) => [line, message])).toEqual([
      [2, expect.stringContaining("keys/none can't be used: it does not exist") as string],
    ]);
  });
});
