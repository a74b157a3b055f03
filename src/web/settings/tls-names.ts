import { DEFAULT_CIPHERS, type SecureVersion } from 'node:tls';

/** TLS versions by the names of the exporter-toolkit. */
export const tlsVersions = {
  TLS10: 'TLSv1',
  TLS11: 'TLSv1.1',
  TLS12: 'TLSv1.2',
  TLS13: 'TLSv1.3',
} as const satisfies Readonly<Record<string, SecureVersion>>;
export type TlsVersionName = keyof typeof tlsVersions;
export const tlsVersionNames = ['TLS10', 'TLS11', 'TLS12', 'TLS13'] as const satisfies readonly TlsVersionName[];

/**
 * What Go's tls.CipherSuites() lists, by the names that OpenSSL gives them. Go offers the three of TLS 1.3 always,
 * whatever a configuration names (https://pkg.go.dev/crypto/tls#Config, CipherSuites).
 */
const tls12Suites = {
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: 'ECDHE-ECDSA-AES128-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: 'ECDHE-ECDSA-AES256-SHA',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 'ECDHE-RSA-AES128-SHA',
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 'ECDHE-RSA-AES256-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
} as const;
const tls13Suites = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'] as const;

export type CipherSuiteName = keyof typeof tls12Suites | (typeof tls13Suites)[number];
export const cipherSuiteNames: readonly CipherSuiteName[] = [
  ...(Object.keys(tls12Suites) as (keyof typeof tls12Suites)[]),
  ...tls13Suites,
];

/** Curves for the key exchange, by the names that OpenSSL gives them. */
const curves = { CurveP256: 'P-256', CurveP384: 'P-384', CurveP521: 'P-521', X25519: 'X25519' } as const;
export type CurveName = keyof typeof curves;
export const curveNames = ['CurveP256', 'CurveP384', 'CurveP521', 'X25519'] as const satisfies readonly CurveName[];

/**
 * The list of cipher suites as OpenSSL reads it; undefined: Node's own choice. TLS 1.0 and 1.1 need SHA-1 signatures,
 * which OpenSSL 3 allows only at security level 0 (its migration guide, "TLS changes").
 */
export function openSslCiphers(names: readonly CipherSuiteName[], minVersion: TlsVersionName): string | undefined {
  const isOld = minVersion === 'TLS10' || minVersion === 'TLS11';
  if (names.length === 0) return isOld ? `${DEFAULT_CIPHERS}:@SECLEVEL=0` : undefined;
  const older = names.flatMap((name) => (name in tls12Suites ? [tls12Suites[name as keyof typeof tls12Suites]] : []));
  return [...tls13Suites, ...older].join(':') + (isOld ? ':@SECLEVEL=0' : '');
}

/** The list of curves as OpenSSL reads it; undefined: its own choice. */
export function openSslCurves(names: readonly CurveName[]): string | undefined {
  return names.length === 0 ? undefined : names.map((name) => curves[name]).join(':');
}
