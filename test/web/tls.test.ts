import { readFileSync, writeFileSync } from 'node:fs';
import { request, type RequestOptions } from 'node:https';
import { join } from 'node:path';
import type { ServerResponse } from 'node:http';
import { connect as connectTcp } from 'node:net';
import { connect, DEFAULT_CIPHERS, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { formatFault } from '../../src/config/fault';
import { silentLogger, type LogFields } from '../../src/logging/logger';
import { systemTime } from '../../src/time/time';
import { defaultLimits, listen, type WebLimits } from '../../src/web/server';
import { openSettings, type TlsSettings } from '../../src/web/settings/settings';
import type { SettingsSource } from '../../src/web/settings/settings-file';
import { openWebSettings, startWebSide, type WebSide } from '../../src/web/web-side';
import { createAuthority, temporaryFolder, type CertificateFiles, type TestAuthority } from './certificates';
import { mixedFleet, sketchBackend } from './fleet-fixture';

let folder: string;
let authority: TestAuthority;
let stranger: TestAuthority;
let server: CertificateFiles;
const closers: (() => Promise<void>)[] = [];

beforeAll(() => {
  folder = temporaryFolder();
  authority = createAuthority(folder, 'authority');
  stranger = createAuthority(folder, 'stranger');
  server = authority.issue('server', ['DNS:localhost', 'IP:127.0.0.1']);
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

interface Started {
  readonly web: WebSide;
  readonly port: number;
  readonly file: string;
  readonly warnings: LogFields[];
  readonly probed: string[];
}

async function start(text: string): Promise<Started> {
  const file = join(temporaryFolder(), 'web.yml');
  writeFileSync(file, text);
  const warnings: LogFields[] = [];
  const log = {
    debug() {},
    info() {},
    warn: (_: string, fields: LogFields = {}) => void warnings.push(fields),
    error() {},
  };
  const opened = openWebSettings(file, { log, time: systemTime });
  if (opened.source === null) throw new Error(opened.faults.map(formatFault).join('\n'));
  const probed: string[] = [];
  const probe = (host: string): Promise<void> => {
    probed.push(host);
    return Promise.resolve();
  };
  const web = await startWebSide(
    [{ host: '127.0.0.1', port: 0 }],
    sketchBackend({ hosts: mixedFleet, log, probe }),
    opened.source,
  );
  closers.push(() => web.close(0));
  return { web, port: Number(new URL(web.urls[0] ?? '').port), file, warnings, probed };
}

function section(more = ''): string {
  return `tls_server_config: { cert_file: ${server.cert}, key_file: ${server.key}${more} }\n`;
}

function clientFiles({ cert, key }: CertificateFiles): ConnectionOptions {
  return { cert: readFileSync(cert), key: readFileSync(key) };
}

/** The status of an answer; rejects when the connection ends without one. */
function get(port: number, path: string, options: RequestOptions = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, path, ca: readFileSync(authority.cert), agent: false, ...options },
      (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0));
      },
    );
    sent.on('error', reject).end();
  });
}

function handshake(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ca: readFileSync(authority.cert), ...options }, () =>
      resolve(socket),
    );
    socket.on('error', reject);
  });
}

it('speaks TLS, and says so in its address', async () => {
  const { web, port } = await start(section());
  expect(web.urls[0]).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  expect(await get(port, '/-/healthy')).toBe(200);
  await expect(fetch(`http://127.0.0.1:${port}/-/healthy`)).rejects.toThrow();
});

describe('who may come in', () => {
  const named = (): CertificateFiles =>
    authority.issue('prometheus', ['DNS:prometheus.example', 'URI:spiffe://x/prometheus']);
  const unnamed = (): CertificateFiles => authority.issue('unnamed', []);
  const foreign = (): CertificateFiles => stranger.issue('foreign', ['DNS:prometheus.example']);

  it.each([
    ['NoClientCert', '', { none: true, own: true, foreign: true }],
    ['RequestClientCert', '', { none: true, own: true, foreign: true }],
    ['RequireAnyClientCert', '', { none: false, own: true, foreign: true }],
    ['VerifyClientCertIfGiven', `, client_ca_file: AUTHORITY`, { none: true, own: true, foreign: false }],
    ['RequireAndVerifyClientCert', `, client_ca_file: AUTHORITY`, { none: false, own: true, foreign: false }],
  ])('%s', async (type, more, expected) => {
    const { port, probed } = await start(
      section(`, client_auth_type: ${type}${more.replace('AUTHORITY', authority.cert)}`),
    );
    const comesIn = (options: RequestOptions): Promise<boolean> =>
      get(port, '/probe?target=web-1', options).then(
        (status) => status === 200,
        () => false,
      );
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      probed.length = 0;
      expect({
        none: await comesIn({ maxVersion }),
        own: await comesIn({ maxVersion, ...clientFiles(unnamed()) }),
        foreign: await comesIn({ maxVersion, ...clientFiles(foreign()) }),
      }).toEqual(expected);
      // Nobody who was turned away set anything off.
      expect(probed).toHaveLength(Object.values(expected).filter(Boolean).length);
    }
  });

  it('goes by the names in client_allowed_sans', async () => {
    const more = `, client_auth_type: RequireAndVerifyClientCert, client_ca_file: ${authority.cert}, client_allowed_sans: ["spiffe://x/prometheus"]`;
    const { port, warnings } = await start(section(more));
    expect(await get(port, '/metrics', clientFiles(named()))).toBe(200);
    await expect(get(port, '/metrics', clientFiles(unnamed()))).rejects.toThrow();
    await expect(get(port, '/metrics', clientFiles(foreign()))).rejects.toThrow();
    expect(warnings).toEqual([
      expect.objectContaining({ error: 'its certificate has none of the names in client_allowed_sans' }),
    ]);
  });

  it('asks for a name of whoever gives a certificate, and lets nobody in without one', async () => {
    const more = `, client_auth_type: VerifyClientCertIfGiven, client_ca_file: ${authority.cert}, client_allowed_sans: [prometheus.example]`;
    const { port } = await start(section(more));
    expect(await get(port, '/metrics', clientFiles(named()))).toBe(200);
    await expect(get(port, '/metrics')).rejects.toThrow();
  });

  it('verifies the certificate anew for each connection: no session is taken up again', async () => {
    const { port } = await start(
      section(`, client_auth_type: RequireAndVerifyClientCert, client_ca_file: ${authority.cert}`),
    );
    const own = clientFiles(unnamed());
    let session: Buffer | undefined;
    const first = await handshake(port, own);
    first.on('session', (given: Buffer) => (session = given));
    first.write('GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise((resolve) => first.once('data', resolve));
    first.destroy();
    const again = await handshake(port, { ...own, ...(session === undefined ? {} : { session }) });
    expect(again.isSessionReused()).toBe(false);
    again.destroy();
    await expect(get(port, '/metrics', session === undefined ? {} : ({ session } as RequestOptions))).rejects.toThrow();
  });
});

describe('what is spoken', () => {
  const protocolOf = async (port: number, options: ConnectionOptions): Promise<string | null> => {
    const socket = await handshake(port, { ...options, ciphers: `${DEFAULT_CIPHERS}:@SECLEVEL=0` }).catch(() => null);
    const protocol = socket?.getProtocol() ?? null;
    socket?.destroy();
    return protocol;
  };

  it.each([
    ['', [null, null, 'TLSv1.2', 'TLSv1.3']],
    [', min_version: TLS10', ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']],
    [', min_version: TLS13', [null, null, null, 'TLSv1.3']],
    [', min_version: TLS11, max_version: TLS12', [null, 'TLSv1.1', 'TLSv1.2', null]],
  ])('versions%s', async (more, expected) => {
    const { port } = await start(section(more));
    const spoken: (string | null)[] = [];
    for (const version of ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const) {
      spoken.push(await protocolOf(port, { minVersion: version, maxVersion: version }));
    }
    expect(spoken).toEqual(expected);
  });

  it('cipher suites and curves', async () => {
    const { port } = await start(
      section(', cipher_suites: [TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256], curve_preferences: [CurveP384]'),
    );
    const older = await handshake(port, { maxVersion: 'TLSv1.2' });
    expect(older.getCipher().name).toBe('ECDHE-ECDSA-CHACHA20-POLY1305');
    expect(older.getEphemeralKeyInfo()).toMatchObject({ name: 'secp384r1' });
    older.destroy();
    const newer = await handshake(port, {});
    expect(newer.getProtocol()).toBe('TLSv1.3');
    newer.destroy();
    await expect(
      handshake(port, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }),
    ).rejects.toThrow();
    await expect(handshake(port, { ecdhCurve: 'X25519' })).rejects.toThrow();
  });
});

describe('while it runs', () => {
  const serialAt = async (port: number): Promise<string> => {
    const socket = await handshake(port, {});
    const { serialNumber } = socket.getPeerCertificate();
    socket.destroy();
    return serialNumber;
  };

  it('takes a new certificate for the next connection', async () => {
    const own = temporaryFolder();
    const copy = (from: CertificateFiles): void => {
      writeFileSync(join(own, 'k.pem'), readFileSync(from.key));
      writeFileSync(join(own, 'c.pem'), readFileSync(from.cert));
    };
    copy(server);
    const { port } = await start(`tls_server_config: { cert_file: ${own}/c.pem, key_file: ${own}/k.pem }\n`);
    const before = await serialAt(port);
    expect(await serialAt(port)).toBe(before);
    copy(authority.issue('renewed', ['IP:127.0.0.1']));
    expect(await serialAt(port)).not.toBe(before);
    writeFileSync(join(own, 'c.pem'), 'junk');
    expect(await serialAt(port)).not.toBe(before);
  });

  it('begins to ask for certificates, and ends connections that came without', async () => {
    const { port, file } = await start(section());
    const open = await handshake(port, {});
    const ended = new Promise((resolve) => open.once('close', resolve));
    let received = '';
    open.on('data', (data: Buffer) => (received += data.toString()));
    writeFileSync(file, section(`, client_auth_type: RequireAndVerifyClientCert, client_ca_file: ${authority.cert}`));
    await expect(get(port, '/metrics')).rejects.toThrow();
    expect(await get(port, '/metrics', clientFiles(authority.issue('late', [])))).toBe(200);
    open.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    await ended;
    expect(received).toBe('');
  });

  it('turns away at once who loses their authority', async () => {
    const { port, file } = await start(
      section(`, client_auth_type: RequireAndVerifyClientCert, client_ca_file: ${authority.cert}`),
    );
    const own = clientFiles(authority.issue('once', []));
    expect(await get(port, '/metrics', own)).toBe(200);
    writeFileSync(file, section(`, client_auth_type: RequireAndVerifyClientCert, client_ca_file: ${stranger.cert}`));
    await expect(get(port, '/metrics', own)).rejects.toThrow();
    expect(await get(port, '/metrics', clientFiles(stranger.issue('now', [])))).toBe(200);
  });
});

describe('too many connections, in TLS', () => {
  /** A server of its own bounds that answers when it is told to. */
  async function startBounded(limits: Partial<WebLimits>) {
    const context = { cert: readFileSync(server.cert), key: readFileSync(server.key) };
    const tls: TlsSettings = { context, clientAuth: 'NoClientCert', clientAllowedSans: null };
    const settings: SettingsSource = { current: () => bounded };
    const bounded = { ...openSettings, tls };
    const answers: ServerResponse[] = [];
    const listening = await listen(
      { host: '127.0.0.1', port: 0 },
      (_request, response) => void answers.push(response),
      {
        settings,
        log: silentLogger,
        limits: { ...defaultLimits, ...limits },
      },
    );
    closers.push(() => listening.close(0));
    return { port: Number(new URL(listening.url).port), answers, listening };
  }
  const until = async (isTrue: () => boolean): Promise<void> => {
    while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  it('spares those that are being answered', async () => {
    const { port, answers } = await startBounded({ maxConnections: 2 });
    const asking = [get(port, '/a'), get(port, '/b')];
    await until(() => answers.length === 2);
    await expect(get(port, '/late')).rejects.toThrow();
    for (const answer of answers) answer.end();
    expect(await Promise.all(asking)).toEqual([200, 200]);
  });

  it('gives the places of ended connections back', async () => {
    const { port, answers } = await startBounded({ maxConnections: 2 });
    for (let count = 1; count <= 8; count++) {
      const asking = get(port, '/');
      await until(() => answers.length === count);
      answers[count - 1]?.end();
      expect(await asking).toBe(200);
    }
  });

  it('ends a handshake that does not come about', async () => {
    const { port } = await startBounded({ headersMs: 300 });
    const socket = connectTcp(port, '127.0.0.1');
    const begunMs = performance.now();
    socket.on('error', () => undefined);
    await new Promise((resolve) => socket.once('close', resolve));
    expect(performance.now() - begunMs).toBeLessThan(3000);
  });

  it('waits for answers when it is closed', async () => {
    const { port, answers, listening } = await startBounded({});
    const idle = await handshake(port, {});
    const ended = new Promise((resolve) => idle.once('close', resolve));
    const asking = get(port, '/');
    await until(() => answers.length === 1);
    const closing = listening.close(10_000);
    await ended;
    answers[0]?.end('fine');
    expect(await asking).toBe(200);
    await closing;
  });
});
