import { z } from 'zod';
import { duration, line, path } from '../../config/schema-fields';
import { clientAuthTypes } from './settings';
import { cipherSuiteNames, curveNames, tlsVersionNames } from './tls-names';

/** Text that is a secret: what is wrong with it is said without repeating any of it. */
function secret(check: (text: string) => string | null) {
  return z.unknown().transform((value, context): string => {
    const fault = typeof value === 'string' ? check(value) : 'must be text in quotes';
    if (fault === null) return value as string;
    context.addIssue({ code: 'custom', message: fault });
    return z.NEVER;
  });
}

/** bcrypt's modular crypt format: the version, the cost, 22 characters of salt and 31 of hash. */
const bcryptHash = /^\$2[aby]\$(0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{53}$/;

function checkHash(text: string): string | null {
  return bcryptHash.test(text) ? null : 'is no bcrypt hash of a password: make one with `htpasswd -nBC 10 ""`';
}

function checkKeyText(text: string): string | null {
  return text.includes('-----BEGIN') ? null : 'must be a private key in PEM format';
}

const pem = z.string().refine((text) => text.includes('-----BEGIN CERTIFICATE-----'), {
  error: 'must be a certificate in PEM format',
});

const tlsSchema = z.strictObject({
  cert_file: path().optional(),
  key_file: path().optional(),
  cert: pem.optional(),
  key: secret(checkKeyText).optional(),
  client_auth_type: z.enum([...clientAuthTypes, 'RequireClientCert']).optional(),
  client_ca_file: path().optional(),
  client_ca: pem.optional(),
  client_allowed_sans: z.array(line()).min(1).optional(),
  min_version: z.enum(tlsVersionNames).optional(),
  max_version: z.enum(tlsVersionNames).optional(),
  cipher_suites: z.array(z.enum(cipherSuiteNames)).nullish(),
  prefer_server_cipher_suites: z.boolean().optional(),
  curve_preferences: z.array(z.enum(curveNames)).nullish(),
});

/** A header's value; YAML takes the `1` of `X-XSS-Protection: 1` for a number. */
const headerValue = z.union([line(8192), z.number().transform(String)]);

const httpSchema = z.strictObject({
  /** Taken so that files are the same for every exporter; Node's servers for Express speak HTTP/1.1 only. */
  http2: z.boolean().optional(),
  headers: z
    .strictObject({
      'Content-Security-Policy': headerValue.optional(),
      'X-Frame-Options': z.enum(['deny', 'sameorigin']).optional(),
      'X-Content-Type-Options': z.enum(['nosniff']).optional(),
      'X-XSS-Protection': headerValue.optional(),
      'Strict-Transport-Security': headerValue.optional(),
    })
    .nullish(),
});

const rateLimitSchema = z.strictObject({
  interval: duration().optional(),
  burst: z.int().min(0).max(1_000_000).optional(),
});

/**
 * The exporter-toolkit's web configuration file, version 0.14 and later:
 * https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md.
 */
export const webConfigSchema = z
  .strictObject({
    tls_server_config: tlsSchema.nullish(),
    http_server_config: httpSchema.nullish(),
    basic_auth_users: z.record(z.string(), secret(checkHash)).nullish(),
    rate_limit: rateLimitSchema.nullish(),
  })
  .nullish();

export type WebConfigInput = NonNullable<z.output<typeof webConfigSchema>>;
export type TlsInput = z.output<typeof tlsSchema>;
