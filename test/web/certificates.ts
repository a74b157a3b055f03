import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { secretKey } from '../secrets/seen';

/** A certificate and its key, as files in PEM format. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** An authority that signs certificates, for tests. */
export interface TestAuthority extends CertificateFiles {
  /** `names` as in openssl's subjectAltName: `DNS:localhost`, `IP:127.0.0.1`. */
  issue(commonName: string, names: readonly string[], options?: { readonly days?: number }): CertificateFiles;
}

/** A folder of its own for the files of a test. */
export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'reboot-exporter-web-'));
}

/** Makes an authority with openssl(1) in a folder. */
export function createAuthority(folder: string, name: string): TestAuthority {
  const cert = join(folder, `${name}.pem`);
  const key = join(folder, `${name}.key`);
  openssl([
    ...newKey(key),
    '-x509',
    '-days',
    '30',
    '-subj',
    `/CN=${name}`,
    '-addext',
    'basicConstraints=critical,CA:TRUE',
    '-out',
    cert,
  ]);
  return {
    cert,
    key,
    issue(commonName, names, { days = 30 } = {}) {
      const own = { cert: join(folder, `${commonName}.pem`), key: join(folder, `${commonName}.key`) };
      const request = join(folder, `${commonName}.csr`);
      const extensions = join(folder, `${commonName}.ext`);
      openssl([...newKey(own.key), '-subj', `/CN=${commonName}`, '-out', request]);
      writeFileSync(extensions, names.length === 0 ? '' : `subjectAltName=${names.join(',')}\n`);
      execFileSync(
        'openssl',
        [
          'x509',
          '-req',
          '-in',
          request,
          '-CA',
          cert,
          '-CAkey',
          key,
          '-CAcreateserial',
          '-days',
          String(days),
          '-extfile',
          extensions,
          '-out',
          own.cert,
        ],
        { stdio: 'pipe' },
      );
      return own;
    },
  };
}

function newKey(path: string): string[] {
  return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', path];
}

function openssl(options: readonly string[]): void {
  execFileSync('openssl', ['req', ...options], { stdio: 'pipe' });
  const key = options.indexOf('-keyout');
  if (key >= 0) secretKey(readFileSync(options[key + 1] ?? '', 'utf8'));
}
