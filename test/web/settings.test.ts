import { createPrivateKey } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatFault } from '../../src/config/fault';
import type { LogFields, Logger } from '../../src/logging/logger';
import { loadWebSettings, type WebSettingsResult } from '../../src/web/settings/load';
import { openSettings, type WebSettings } from '../../src/web/settings/settings';
import { SettingsFile } from '../../src/web/settings/settings-file';
import { createAuthority, temporaryFolder, type CertificateFiles, type TestAuthority } from './certificates';

const nowMs = Date.now();
const hash = '$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG';

let folder: string;
let authority: TestAuthority;
let server: CertificateFiles;

beforeAll(() => {
  folder = temporaryFolder();
  authority = createAuthority(folder, 'authority');
  server = authority.issue('server', ['DNS:localhost', 'IP:127.0.0.1']);
});

function load(text: string): WebSettingsResult {
  const file = join(folder, 'web.yml');
  writeFileSync(file, text);
  return loadWebSettings(file, nowMs);
}

function settingsOf(text: string): WebSettings {
  const result = load(text);
  expect(result.faults.map(formatFault)).toEqual([]);
  if (result.settings === null) throw new Error('no settings');
  return result.settings;
}

/** What is wrong, without the name of the file. */
function faultsOf(text: string): string[] {
  const result = load(text);
  expect(result.settings).toBeNull();
  return result.faults.map((fault) => formatFault(fault).slice(join(folder, 'web.yml:').length));
}

const pair = 'tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n';

describe('a file that can be used', () => {
  it.each(['', '# nothing\n', 'tls_server_config:\nbasic_auth_users:\n', 'basic_auth_users: {}\n', '---\n'])(
    'opens all with %j',
    (text) => {
      expect(settingsOf(text)).toEqual(openSettings);
    },
  );

  it('reads certificates beside itself, with TLS 1.2 to 1.3 by default', () => {
    const { tls } = settingsOf(pair);
    expect(tls?.context).toMatchObject({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3', honorCipherOrder: true });
    expect(tls?.context.cert).toEqual(readFileSync(server.cert));
    expect(tls).toMatchObject({ clientAuth: 'NoClientCert', clientAllowedSans: null });
    expect(load(pair).files).toEqual([join(folder, 'web.yml'), server.cert, server.key]);
  });

  it('reads certificates written into it', () => {
    const indent = (path: string): string => readFileSync(path, 'utf8').replace(/^/gm, '    ');
    const text = `tls_server_config:\n  cert: |\n${indent(server.cert)}\n  key: |\n${indent(server.key)}\n  client_ca: |\n${indent(authority.cert)}\n  client_auth_type: RequireAndVerifyClientCert\n`;
    expect(settingsOf(text).tls).toMatchObject({ clientAuth: 'RequireAndVerifyClientCert' });
  });

  it('takes every name that the format knows', () => {
    const { tls, headers, users, rateLimit } = settingsOf(`${pair}  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: authority.pem
  client_allowed_sans: [prometheus, 192.0.2.1]
  min_version: TLS10
  max_version: TLS12
  cipher_suites:
    - TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
    - TLS_AES_128_GCM_SHA256
    - TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA
  prefer_server_cipher_suites: false
  curve_preferences: [X25519, CurveP256, CurveP384, CurveP521]
http_server_config:
  http2: true
  headers:
    Content-Security-Policy: "default-src 'self'"
    X-Frame-Options: sameorigin
    X-Content-Type-Options: nosniff
    X-XSS-Protection: 1
    Strict-Transport-Security: max-age=31536000; includeSubDomains
basic_auth_users:
  alice: ${hash}
  bob: "${hash.replace('$2y', '$2b')}"
rate_limit:
  interval: 1s
  burst: 20
`);
    expect(tls).toMatchObject({
      clientAuth: 'RequireAndVerifyClientCert',
      clientAllowedSans: ['prometheus', '192.0.2.1'],
      context: {
        minVersion: 'TLSv1',
        maxVersion: 'TLSv1.2',
        honorCipherOrder: false,
        ecdhCurve: 'X25519:P-256:P-384:P-521',
        ciphers:
          'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-SHA:@SECLEVEL=0',
      },
    });
    expect(headers).toEqual({
      'Content-Security-Policy': "default-src 'self'",
      'X-Frame-Options': 'sameorigin',
      'X-Content-Type-Options': 'nosniff',
      'X-XSS-Protection': '1',
      'Strict-Transport-Security': 'max-age=31536000; includeSubDomains',
    });
    expect([...users.keys()]).toEqual(['alice', 'bob']);
    expect(rateLimit).toEqual({ intervalSeconds: 1, burst: 20 });
  });

  it('takes the old name of RequireAnyClientCert', () => {
    expect(settingsOf(`${pair}  client_auth_type: RequireClientCert\n`).tls?.clientAuth).toBe('RequireAnyClientCert');
  });

  it('warns of what is weak', () => {
    const expired = authority.issue('expired', [], { days: 1 });
    const text = `tls_server_config: { cert_file: ${expired.cert}, key_file: ${expired.key}, client_auth_type: RequireAnyClientCert }\nhttp_server_config: { http2: true }\nbasic_auth_users: { alice: "${hash.replace('$10$', '$16$')}" }\n`;
    const file = join(folder, 'weak.yml');
    writeFileSync(file, text);
    const warnings = loadWebSettings(file, nowMs + 3 * 86_400_000)
      .warnings.map(formatFault)
      .join('\n');
    expect(warnings).toContain('weak.yml:1:33: tls_server_config.cert_file: the certificate has expired');
    expect(warnings).toContain('RequireAnyClientCert verifies nothing');
    expect(warnings).toContain('a cost of 16');
    expect(warnings).toContain('weak.yml:2:30: http_server_config.http2: has no effect: only HTTP/1.1 is spoken here');
  });
});

describe('a file that can not be used', () => {
  it.each([
    ['tls_server_config: 5', ['1:20: tls_server_config: must be a mapping, not a number']],
    ['tls_server_confg: {}', ['1:1: unknown key `tls_server_confg`, did you mean `tls_server_config`?']],
    [`${pair}  min_versio: TLS12\n`, ['4:3: unknown key `min_versio`, did you mean `min_version`?']],
    [
      'tls_server_config: { cert_file: server.pem }',
      ['1:1: tls_server_config: `key_file` is missing: TLS needs a certificate and its key'],
    ],
    [
      'tls_server_config: { min_version: TLS13 }',
      [
        '1:1: tls_server_config: `cert_file` is missing: TLS needs a certificate and its key',
        '1:1: tls_server_config: `key_file` is missing: TLS needs a certificate and its key',
      ],
    ],
    [
      `${pair}  min_version: TLS13\n  max_version: TLS12\n`,
      ['4:16: tls_server_config.min_version: no version is between TLS13 and TLS12'],
    ],
    [
      `${pair}  min_version: TLS14\n`,
      ['4:16: tls_server_config.min_version: unknown value `TLS14`, did you mean `TLS10`?'],
    ],
    [
      `${pair}  client_ca_file: authority.pem\n`,
      [
        '4:19: tls_server_config.client_ca_file: has no effect without `client_auth_type`: write `client_auth_type: RequireAndVerifyClientCert`',
      ],
    ],
    [
      `${pair}  client_auth_type: RequireAndVerifyClientCert\n`,
      [
        "4:21: tls_server_config.client_auth_type: RequireAndVerifyClientCert needs `client_ca_file`: the authority that signs the clients' certificates",
      ],
    ],
    [
      `${pair}  client_allowed_sans: [a]\n`,
      [
        '4:24: tls_server_config.client_allowed_sans: proves nothing unless certificates are verified: write `client_auth_type: RequireAndVerifyClientCert`',
      ],
    ],
    [
      'http_server_config: { headers: { X-Frame-Options: allow } }',
      ['1:51: http_server_config.headers.X-Frame-Options: unknown value `allow`: must be `deny` or `sameorigin`'],
    ],
    ['http_server_config: { headers: { Server: x } }', [expect.stringContaining('1:34: unknown key `Server`')]],
    [
      'rate_limit: { interval: 1s }',
      ['1:13: rate_limit.burst: must be at least 1: with 0, no request would ever be answered'],
    ],
    [
      'basic_auth_users: { alice: hunter2 }',
      ['1:28: basic_auth_users.alice: is no bcrypt hash of a password: make one with `htpasswd -nBC 10 ""`'],
    ],
    ['basic_auth_users: { alice: 12345678 }', ['1:28: basic_auth_users.alice: must be text in quotes']],
    ['basic_auth_users: [alice]', [expect.stringContaining('1:19: basic_auth_users: must be a mapping')]],
    ['hWkNKCp3fvIx3jKnsaBI', [expect.stringContaining('1:1: must be a mapping')]],
  ])('says what is wrong, and where: %j', (text, faults) => {
    expect(faultsOf(text)).toEqual(faults);
  });

  it('says what is wrong with a certificate or a key', () => {
    const other = authority.issue('other', []);
    writeFileSync(join(folder, 'junk.pem'), 'junk');
    writeFileSync(join(folder, 'damaged.pem'), '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    const locked = createPrivateKey(readFileSync(server.key)).export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'secret',
    });
    writeFileSync(join(folder, 'locked.key'), locked);
    mkdirSync(join(folder, 'folder'), { recursive: true });
    const faultOf = (cert: string, key: string): string[] =>
      faultsOf(`tls_server_config: { cert_file: ${cert}, key_file: ${key} }`);
    expect(faultOf('none.pem', server.key)).toEqual([
      `1:33: tls_server_config.cert_file: ${folder}/none.pem does not exist`,
    ]);
    expect(faultOf('folder', server.key)).toEqual([
      `1:33: tls_server_config.cert_file: ${folder}/folder is a directory, not a file`,
    ]);
    expect(faultOf('junk.pem', server.key)).toEqual([
      `1:33: tls_server_config.cert_file: ${folder}/junk.pem holds no certificate in PEM format`,
    ]);
    expect(faultOf('damaged.pem', server.key)).toEqual([
      `1:33: tls_server_config.cert_file: ${folder}/damaged.pem holds a certificate that is damaged`,
    ]);
    expect(faultOf(server.cert, other.key)[0]).toContain(
      'tls_server_config.key_file: is not the key of the certificate',
    );
    expect(faultOf(server.cert, 'junk.pem')[0]).toContain('junk.pem holds no private key in PEM format');
    expect(faultOf(server.cert, 'locked.key')[0]).toContain(
      'locked.key is encrypted: a key without a passphrase is needed',
    );
  });

  it('repeats no secret', () => {
    const secrets = ['hunter2', '12345678', 'MIGHAgEA'];
    const text = `tls_server_config: { cert_file: server.pem, key: "MIGHAgEA" }\nbasic_auth_users: { alice: hunter2, bob: 12345678 }\n`;
    const said = JSON.stringify(load(text));
    for (const secret of secrets) expect(said).not.toContain(secret);
  });
});

interface LoggedLine {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields | undefined;
}

function recordingLogger(): { log: Logger; lines: LoggedLine[] } {
  const lines: LoggedLine[] = [];
  const at =
    (level: string) =>
    (message: string, fields?: LogFields): void =>
      void lines.push({ level, message, fields });
  return { log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, lines };
}

describe('SettingsFile', () => {
  function open(text: string) {
    const file = join(temporaryFolder(), 'web.yml');
    writeFileSync(file, text);
    const first = loadWebSettings(file, nowMs);
    if (first.settings === null) throw new Error(first.faults.map(formatFault).join());
    const { log, lines } = recordingLogger();
    const clock = { ms: 0 };
    const loads: boolean[] = [];
    const onLoad = (success: boolean): void => void loads.push(success);
    const effects = { log, nowMs: () => nowMs, monotonicMs: () => clock.ms, onLoad };
    const source = new SettingsFile(file, { ...first, settings: first.settings }, effects);
    return { file, source, lines, clock, loads };
  }
  const users = (name: string): string => `basic_auth_users: { ${name}: "${hash}" }\n`;
  const namesOf = ({ users: known }: WebSettings): string[] => [...known.keys()];

  it('gives the same settings as long as nothing changes, and others at once when the file does', () => {
    const { file, source, lines } = open(users('alice'));
    const first = source.current();
    expect(source.current()).toBe(first);
    writeFileSync(file, users('bob'));
    expect(namesOf(source.current())).toEqual(['bob']);
    expect(lines).toEqual([{ level: 'info', message: 'Loaded the web configuration', fields: { file } }]);
  });

  it('keeps the old settings when the file is bad, says so once, and takes it when it is mended', () => {
    const { file, source, lines, loads } = open(users('alice'));
    source.current();
    expect(new Set(loads)).toEqual(new Set([true]));
    loads.length = 0;
    writeFileSync(file, 'basic_auth_users: { alice: hunter2 }\n');
    for (let i = 0; i < 5; i++) expect(namesOf(source.current())).toEqual(['alice']);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({
      level: 'error',
      message: 'The web configuration could not be loaded; the old one stays in force',
    });
    expect(lines[0]?.fields?.['error']).toContain(`${file}:1:28: basic_auth_users.alice`);
    renameSync(file, `${file}.away`);
    for (let i = 0; i < 5; i++) expect(namesOf(source.current())).toEqual(['alice']);
    expect(lines).toHaveLength(2);
    writeFileSync(file, users('carol'));
    expect(namesOf(source.current())).toEqual(['carol']);
    expect(loads).toEqual([false, false, true]);
  });

  it('does not open the door in the moment in which a file is being rewritten', () => {
    const { file, source, clock } = open(users('alice'));
    writeFileSync(file, '');
    expect(namesOf(source.current())).toEqual(['alice']);
    clock.ms = 1000;
    expect(namesOf(source.current())).toEqual(['alice']);
    writeFileSync(file, users('bob'));
    expect(namesOf(source.current())).toEqual(['bob']);
  });

  it('takes protection away when the file says so for good', () => {
    const { file, source, clock } = open(users('alice'));
    writeFileSync(file, '');
    expect(namesOf(source.current())).toEqual(['alice']);
    clock.ms = 2000;
    expect(namesOf(source.current())).toEqual([]);
  });

  it('does not change between TLS and plain HTTP while it runs', () => {
    const { file, source, lines, clock } = open(users('alice'));
    writeFileSync(file, `tls_server_config: { cert_file: ${server.cert}, key_file: ${server.key} }\n`);
    clock.ms = 10_000;
    expect(source.current().tls).toBeNull();
    expect(namesOf(source.current())).toEqual(['alice']);
    expect(lines[0]?.fields?.['error']).toContain('when the exporter is started again');
  });

  it('notices when a file that is named changes, and when it can not be read', () => {
    const own = temporaryFolder();
    const cert = join(own, 'c.pem');
    const key = join(own, 'k.pem');
    const copy = (from: CertificateFiles): void => {
      writeFileSync(cert, readFileSync(from.cert));
      writeFileSync(key, readFileSync(from.key));
    };
    copy(server);
    const { source, lines } = open(`tls_server_config: { cert_file: ${cert}, key_file: ${key} }\n`);
    const first = source.current();
    copy(authority.issue('next', []));
    const next = source.current();
    expect(next.tls?.context.cert).not.toEqual(first.tls?.context.cert);
    renameSync(key, `${key}.away`);
    expect(source.current()).toBe(next);
    expect(lines.at(-1)).toMatchObject({ level: 'error' });
    renameSync(`${key}.away`, key);
    chmodSync(key, 0o600);
    expect(source.current().tls?.context.cert).toEqual(next.tls?.context.cert);
  });

  it('costs little when nothing changed', () => {
    const { source } = open(
      `tls_server_config: { cert_file: ${server.cert}, key_file: ${server.key} }\n${users('alice')}`,
    );
    source.current();
    const begunMs = performance.now();
    for (let i = 0; i < 1000; i++) source.current();
    expect((performance.now() - begunMs) / 1000).toBeLessThan(1);
  });
});
