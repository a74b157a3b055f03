import type { SecureContextOptions } from 'node:tls';

/** What clients are asked for by way of certificates: the names and meanings of Go's crypto/tls ClientAuthType. */
export const clientAuthTypes = [
  'NoClientCert',
  'RequestClientCert',
  'RequireAnyClientCert',
  'VerifyClientCertIfGiven',
  'RequireAndVerifyClientCert',
] as const;
export type ClientAuthType = (typeof clientAuthTypes)[number];

/** How TLS is served. */
export interface TlsSettings {
  /** Certificate, key, authority of clients, versions, cipher suites and curves. */
  readonly context: SecureContextOptions;
  readonly clientAuth: ClientAuthType;
  /** A client's certificate must carry one of these names; null: any name will do. */
  readonly clientAllowedSans: readonly string[] | null;
}

/** A token bucket over all requests but those for health. */
export interface RateLimit {
  readonly intervalSeconds: number;
  readonly burst: number;
}

/** What a web configuration file says, every file that it names read. */
export interface WebSettings {
  /** null: plain HTTP. */
  readonly tls: TlsSettings | null;
  /** Headers that every answer carries, in place of this program's own of the same name. */
  readonly headers: Readonly<Record<string, string>>;
  /** bcrypt hashes of passwords by user; empty: no password is asked for. */
  readonly users: ReadonlyMap<string, string>;
  readonly rateLimit: RateLimit | null;
}

/** Without a web configuration file: plain HTTP, open to whoever can connect. */
export const openSettings: WebSettings = { tls: null, headers: {}, users: new Map(), rateLimit: null };
