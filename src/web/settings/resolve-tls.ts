import type { SecureContextOptions } from 'node:tls';
import { faultAt, type Fault } from '../../config/fault';
import { resolvePath } from '../../config/path-text';
import type { Reading } from '../../config/reading';
import type { YamlText } from '../../config/yaml-text';
import {
  checkCertificates,
  checkKey,
  pairFault,
  readCertificates,
  readKey,
  validityWarning,
} from './certificate-files';
import type { TlsInput } from './schema';
import type { ClientAuthType, TlsSettings } from './settings';
import { openSslCiphers, openSslCurves, tlsVersionNames, tlsVersions } from './tls-names';

const section = 'tls_server_config';

export interface ResolvedTls {
  /** null when there are faults. */
  readonly tls: TlsSettings | null;
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
}

/** Reads the files that the section names and checks that its parts go together. */
export function resolveTls(text: YamlText, input: TlsInput, nowMs: number): ResolvedTls {
  const faults: Fault[] = [];
  const warnings: Fault[] = [];
  const at = (key: keyof TlsInput, message: string): Fault =>
    faultAt(text.file, text.placeOf([section, key]), `${section}.${key}: ${message}`);

  const read = (fileKey: PemFileKey, textKey: PemTextKey): Buffer | null => {
    const outcome = readPem(text.file, input, fileKey, textKey);
    if (outcome === null) return null;
    if (outcome.reading.ok) return outcome.reading.value;
    faults.push(at(outcome.key, outcome.reading.message));
    return null;
  };
  const cert = read('cert_file', 'cert');
  const key = read('key_file', 'key');
  const ca = read('client_ca_file', 'client_ca');
  faults.push(...missing(text, input, at));

  const mismatch = cert !== null && key !== null ? pairFault(cert, key) : null;
  if (mismatch !== null) faults.push(at(input.key === undefined ? 'key_file' : 'key', mismatch));
  const validity = cert === null ? null : validityWarning(cert, nowMs);
  if (validity !== null) warnings.push(at(input.cert === undefined ? 'cert_file' : 'cert', validity));

  const minVersion = input.min_version ?? 'TLS12';
  const maxVersion = input.max_version ?? 'TLS13';
  if (tlsVersionNames.indexOf(minVersion) > tlsVersionNames.indexOf(maxVersion)) {
    faults.push(
      at(
        input.min_version === undefined ? 'max_version' : 'min_version',
        `no version is between ${minVersion} and ${maxVersion}`,
      ),
    );
  }
  const clientAuth = clientAuthOf(input);
  faults.push(...clientAuthFaults(input, clientAuth, at));
  if (clientAuth === 'RequestClientCert' || clientAuth === 'RequireAnyClientCert') {
    warnings.push(at('client_auth_type', `${clientAuth} verifies nothing: anyone can make a certificate that passes`));
  }
  if (faults.length > 0 || cert === null || key === null) return { tls: null, faults, warnings };
  const ciphers = openSslCiphers(input.cipher_suites ?? [], minVersion);
  const ecdhCurve = openSslCurves(input.curve_preferences ?? []);
  const context: SecureContextOptions = {
    cert,
    key,
    minVersion: tlsVersions[minVersion],
    maxVersion: tlsVersions[maxVersion],
    honorCipherOrder: input.prefer_server_cipher_suites ?? true,
    ...(ca === null ? {} : { ca }),
    ...(ciphers === undefined ? {} : { ciphers }),
    ...(ecdhCurve === undefined ? {} : { ecdhCurve }),
  };
  return { tls: { context, clientAuth, clientAllowedSans: input.client_allowed_sans ?? null }, faults, warnings };
}

/** Every file that the section names, as absolute paths. */
export function filesOfTls(configFile: string, input: TlsInput): string[] {
  return [input.cert_file, input.key_file, input.client_ca_file].flatMap((written) =>
    written === undefined ? [] : [resolvePath(configFile, written)],
  );
}

type PemFileKey = 'cert_file' | 'key_file' | 'client_ca_file';
type PemTextKey = 'cert' | 'key' | 'client_ca';
type At = (key: keyof TlsInput, message: string) => Fault;

function readPem(
  configFile: string,
  input: TlsInput,
  fileKey: PemFileKey,
  textKey: PemTextKey,
): { readonly key: keyof TlsInput; readonly reading: Reading<Buffer> } | null {
  const written = input[fileKey];
  if (written !== undefined) {
    const path = resolvePath(configFile, written);
    const reading = fileKey === 'key_file' ? readKey(path) : readCertificates(path);
    return { key: fileKey, reading: reading.ok ? reading : { ok: false, message: `${path} ${reading.message}` } };
  }
  const inline = input[textKey];
  if (inline === undefined) return null;
  const bytes = Buffer.from(inline);
  return { key: textKey, reading: textKey === 'key' ? checkKey(bytes) : checkCertificates(bytes) };
}

function missing(text: YamlText, input: TlsInput, at: At): Fault[] {
  const faults: Fault[] = [];
  for (const name of ['cert', 'key', 'client_ca'] as const) {
    if (input[name] !== undefined && input[`${name}_file`] !== undefined) {
      faults.push(at(name, `give either \`${name}\` or \`${name}_file\`, not both`));
    }
  }
  for (const name of ['cert', 'key'] as const) {
    if (input[name] !== undefined || input[`${name}_file`] !== undefined) continue;
    const place = text.placeOf([section], 'key');
    faults.push(
      faultAt(text.file, place, `${section}: \`${name}_file\` is missing: TLS needs a certificate and its key`),
    );
  }
  return faults;
}

function clientAuthOf({ client_auth_type: type }: TlsInput): ClientAuthType {
  if (type === undefined) return 'NoClientCert';
  return type === 'RequireClientCert' ? 'RequireAnyClientCert' : type;
}

function clientAuthFaults(input: TlsInput, clientAuth: ClientAuthType, at: At): Fault[] {
  const caKey = input.client_ca === undefined ? 'client_ca_file' : 'client_ca';
  const hasCa = input.client_ca !== undefined || input.client_ca_file !== undefined;
  const verifies = clientAuth === 'VerifyClientCertIfGiven' || clientAuth === 'RequireAndVerifyClientCert';
  const faults: Fault[] = [];
  if (hasCa && clientAuth === 'NoClientCert') {
    faults.push(
      at(caKey, 'has no effect without `client_auth_type`: write `client_auth_type: RequireAndVerifyClientCert`'),
    );
  }
  if (verifies && !hasCa) {
    faults.push(
      at(
        'client_auth_type',
        `${clientAuth} needs \`client_ca_file\`: the authority that signs the clients' certificates`,
      ),
    );
  }
  if (input.client_allowed_sans !== undefined && !verifies) {
    faults.push(
      at(
        'client_allowed_sans',
        'proves nothing unless certificates are verified: write `client_auth_type: RequireAndVerifyClientCert`',
      ),
    );
  }
  return faults;
}
