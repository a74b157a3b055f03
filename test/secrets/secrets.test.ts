import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashSync } from 'bcryptjs';
import { ensureBuilt, runBuilt } from '../e2e/built-program';
import { ExporterProcess } from '../e2e/exporter-process';
import { SimulatedFleet } from '../e2e/simulated-fleet';
import { until } from '../e2e/until';
import { secret, secretKey, seen } from './seen';

jest.setTimeout(60_000);

/** Throws, or rejects, inside a running exporter when it is told to. */
const crashProgram = `
process.on('SIGUSR2', () => {
  if (process.env.CRASH === 'rejection') Promise.reject(new Error('crashed on purpose'));
  else throw new Error('crashed on purpose');
});
`;

describe('an exporter that knows many secrets', () => {
  let folder: string;
  let fleet: SimulatedFleet;
  let service: Server;
  let configFile: string;
  const webConfig = (): string => join(folder, 'web.yml');
  const token = secret('s3cret-refresh-token-5b1c');
  const password = secret('s3cret-password-of-alice-77');
  const hash = secret(hashSync(password, 4));
  const bearer = secret('s3cret-bearer-for-http-sd-01');
  const passphrase = secret('s3cret passphrase of a key');

  beforeAll(async () => {
    ensureBuilt();
    folder = mkdtempSync(join(tmpdir(), 'reboot-exporter-secrets-'));
    fleet = await SimulatedFleet.start(['web-1', 'web-2']);
    secretKey(readFileSync(join(fleet.folder, 'id_ed25519'), 'utf8'));
    service = createServer((_, response) => response.writeHead(500).end(`no, ${bearer} is not it`));
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
    const file = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text, { mode: 0o600 });
      return join(folder, name);
    };
    configFile = fleet.writeConfig({ interval: '1s', timeout: '1s' });
    const { port } = service.address() as AddressInfo;
    const odd = file('odd', `${bearer} \u{1f511}\n`);
    const more = [
      `  - http_sd: { url: "http://127.0.0.1:${port}/?token=${bearer}", authorization: { credentials_file: ${file('bearer', bearer)} } }`,
      `  - http_sd: { url: "http://127.0.0.1:${port}/odd", authorization: { credentials_file: ${odd} } }`,
      `  - http_sd: { url: "http://127.0.0.1:${port}/", basic_auth: { username: me, password_file: ${file('password', password)} } }`,
      `web: { refresh_token_file: ${file('token', token)} }`,
    ];
    writeFileSync(configFile, `${readFileSync(configFile, 'utf8')}${more.join('\n')}\n`);
    file('passphrase', passphrase);
    file('web.yml', `basic_auth_users: { alice: "${hash}" }\n`);
    file('crash.js', crashProgram);
  });

  afterAll(async () => {
    await fleet?.stop();
    await new Promise((resolve) => service?.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  });

  /** Every secret is looked for here at once; once more, with those of all other tests, when the run is over. */
  function expectClean(text: string): void {
    for (const each of [token, password, hash, bearer, passphrase]) expect(text).not.toContain(each);
    expect(text).not.toContain(readFileSync(join(fleet.folder, 'id_ed25519'), 'utf8').split('\n')[2]);
  }

  function start(crash: 'exception' | 'rejection'): Promise<ExporterProcess> {
    const under = ['env', `NODE_OPTIONS=--require=${join(folder, 'crash.js')}`, `CRASH=${crash}`];
    const flags = [`--web.config.file=${webConfig()}`, '--web.enable-lifecycle', '--log.level=debug'];
    return ExporterProcess.start({ configFile, stateFile: join(folder, `${crash}.json`), flags, under });
  }

  test.each(['exception', 'rejection'] as const)('lets none out, until it ends by an unhandled %s', async (crash) => {
    const exporter = await start(crash);
    const login = `Basic ${Buffer.from(`alice:${password}`).toString('base64')}`;
    const ask = async (path: string, init: RequestInit = {}): Promise<number> => {
      const response = await fetch(exporter.url + path, { headers: { Authorization: login }, ...init });
      const text = `${JSON.stringify([...response.headers])}\n${await response.text()}`;
      seen(`answer to ${path}`, text);
      expectClean(text);
      return response.status;
    };
    await until(20, async () => expect(await ask('/probe?target=web-1')).toBe(200));
    for (const path of ['/', '/metrics', '/hosts/web-1', '/api/v1/hosts', '/api/v1/hosts/web-2', '/-/ready']) {
      expect(await ask(path)).toBe(200);
    }
    const post = (path: string, authorization: string): Promise<number> =>
      ask(path, { method: 'POST', headers: { Authorization: authorization } });
    expect(await post('/api/v1/hosts/web-1/refresh?wait=1', `Bearer ${token}`)).toBe(200);
    expect(await post('/api/v1/refresh', `Bearer ${token}x`)).toBe(401);
    expect(await post('/-/reload', `Basic ${Buffer.from(`alice:${bearer}`).toString('base64')}`)).toBe(401);
    expect(await ask(`/nothing/${'x'.repeat(9000)}`)).toBeGreaterThanOrEqual(400);
    // Files with secrets, broken where they are read.
    const good = readFileSync(webConfig(), 'utf8');
    writeFileSync(webConfig(), `basic_auth_users: { alice: ${password}, bob: [ "${hash}" }\n`);
    expect(await ask('/metrics')).toBe(200);
    writeFileSync(webConfig(), good);
    const key = join(fleet.folder, 'id_ed25519');
    const whole = readFileSync(key, 'utf8');
    writeFileSync(key, `${whole.slice(0, 200)}\n${token}\n`);
    const broken = await post('/-/reload', login);
    expect(broken).toBeGreaterThanOrEqual(200);
    await until(10, () => expect(exporter.log).toMatch(/reason=auth|identity_file|private key/));
    writeFileSync(key, whole);
    exporter.signal('SIGUSR2');
    expect((await exporter.ending()).code).toBe(1);
    expect(exporter.log).toContain('crashed on purpose');
    expect(exporter.log).toContain('The web configuration could not be loaded');
    expect(exporter.log).toMatch(/http_sd|127\.0\.0\.1:\d+/);
    expectClean(exporter.log);
  });

  test('check and check-config let none out', async () => {
    for (const argv of [
      ['check', `--config.file=${configFile}`, '--format=json'],
      ['check', `--config.file=${configFile}`],
      ['check-config', `--config.file=${configFile}`, `--web.config.file=${webConfig()}`],
    ]) {
      const { stdout, stderr } = await runBuilt(folder, argv);
      expect(stdout + stderr).toContain(argv[0] === 'check-config' ? 'http://127.0.0.1' : 'web-2');
      expectClean(stdout + stderr);
    }
  });

  test('no flag takes one', async () => {
    const { stdout } = await runBuilt(folder, ['--help']);
    const commands = [...stdout.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(([, name]) => name ?? '');
    expect(commands).toEqual(expect.arrayContaining(['serve', 'check', 'check-config', 'host-setup']));
    for (const command of commands.filter((name) => name !== 'help')) {
      const help = await runBuilt(folder, [command, '--help']);
      const flags = [...help.stdout.matchAll(/--[\w.-]+/g)].map(([flag]) => flag);
      // host-setup takes a public key.
      expect(flags.filter((flag) => /password|passphrase|token|secret|key|credential/.test(flag))).toEqual(
        command === 'host-setup' ? ['--public-key'] : [],
      );
    }
  });
});
