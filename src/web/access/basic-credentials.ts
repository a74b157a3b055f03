/** A user and a password as a client gave them. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** Longer headers are no login. */
const maxHeaderLength = 4096;

/** Reads an `Authorization: Basic …` header; null where it is something else. RFC 7617. */
export function basicCredentialsOf(authorization: string | undefined): Credentials | null {
  if (authorization === undefined || authorization.length > maxHeaderLength) return null;
  const encoded = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(authorization)?.[1];
  if (encoded === undefined) return null;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? null : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
