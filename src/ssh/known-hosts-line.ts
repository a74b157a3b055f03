import { isCertificate, parseCertificate } from './certificate';
import { keyTypeOf } from './host-key';

/** What a line is for: a host's own key, a key that must never be accepted, or an authority that signs host keys. */
export type LineMark = 'key' | 'revoked' | 'cert-authority';

/** The names of a line: patterns in lower case, or one hashed name (`|1|salt|hash`, HMAC-SHA1). */
export type LineNames =
  | { readonly hashed: false; readonly patterns: readonly string[] }
  | { readonly hashed: true; readonly salt: Buffer; readonly hash: Buffer };

/** One key of a known_hosts file. */
export interface KnownHostsLine {
  /** Counted from 1. */
  readonly lineNumber: number;
  readonly mark: LineMark;
  readonly names: LineNames;
  readonly keyType: string;
  /** The public key blob in base64 with padding: equal keys are equal strings. */
  readonly key: string;
}

/** A line that says nothing (`null`), a key, or why the line can't be read. */
export type ParsedLine = KnownHostsLine | { readonly fault: string } | null;

/** OpenSSH reads lines of any length; no real one comes near this. */
const maxLineLength = 64 * 1024;
const maxPatterns = 1024;
const sha1Bytes = 20;

const marks: Readonly<Record<string, LineMark>> = { '@revoked': 'revoked', '@cert-authority': 'cert-authority' };

/**
 * Reads one line of a known_hosts file.
 * Source: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT; OpenSSH's hostfile.c.
 */
export function parseKnownHostsLine(line: string, lineNumber: number): ParsedLine {
  if (line.length > maxLineLength) return { fault: 'the line is too long' };
  const fields = line.split(/[ \t\r]/).filter((field) => field !== '');
  const first = fields[0];
  if (first === undefined || first.startsWith('#')) return null;

  let mark: LineMark = 'key';
  if (first.startsWith('@')) {
    const found = marks[first];
    if (found === undefined) return { fault: `the marker ${printable(first)} is unknown` };
    mark = found;
    fields.shift();
  }
  const [nameField, keyType, keyField] = fields;
  if (nameField === undefined || keyType === undefined || keyField === undefined) {
    return { fault: 'a line needs names, a key type and a key' };
  }
  // The first protocol version wrote bits, exponent and modulus instead of a type and a key.
  if (/^[0-9]+$/.test(keyType)) return { fault: 'keys of SSH protocol 1 are not supported' };

  const names = parseNames(nameField);
  if ('fault' in names) return names;
  const blob = decodeBase64(keyField);
  if (blob === null) return { fault: 'the key is not base64' };
  if (isCertificate(blob)) return ofCertificate(blob, { lineNumber, mark, names });
  const named = keyTypeOf(blob);
  if (named === null) return { fault: 'the key is damaged or cut off' };
  if (named !== keyType) {
    return { fault: `the line says ${printable(keyType)}, but the key is of type ${printable(named)}` };
  }
  return { lineNumber, mark, names, keyType, key: blob.toString('base64') };
}

/** To revoke a certificate is to revoke the key in it, as with ssh; as a key of a host it would never match. */
function ofCertificate(blob: Buffer, line: Pick<KnownHostsLine, 'lineNumber' | 'mark' | 'names'>): ParsedLine {
  const certificate = parseCertificate(blob);
  if (certificate === null) return { fault: 'the certificate is damaged, or of a kind that is not supported' };
  if (line.mark !== 'revoked') return { fault: 'a certificate stands where a key is needed' };
  return { ...line, keyType: certificate.keyType, key: certificate.key.toString('base64') };
}

function parseNames(field: string): LineNames | { readonly fault: string } {
  if (field.startsWith('|')) return parseHashedName(field);
  const patterns = field.toLowerCase().split(',');
  if (patterns.length > maxPatterns) return { fault: 'the line names too many hosts' };
  if (patterns.some((pattern) => pattern === '' || pattern === '!')) return { fault: 'a host name is empty' };
  return { hashed: false, patterns };
}

function parseHashedName(field: string): LineNames | { readonly fault: string } {
  const parts = field.split('|');
  const [, version, saltField, hashField] = parts;
  if (version !== '1' || parts.length !== 4 || saltField === undefined || hashField === undefined) {
    return { fault: 'a hashed name is not of the form |1|salt|hash' };
  }
  const salt = decodeBase64(saltField);
  const hash = decodeBase64(hashField);
  if (salt === null || hash === null || salt.length !== sha1Bytes || hash.length !== sha1Bytes) {
    return { fault: 'a hashed name holds no SHA-1 hash and salt' };
  }
  return { hashed: true, salt, hash };
}

/** Decodes strictly: Node's own decoder skips what it does not know. */
function decodeBase64(field: string): Buffer | null {
  if (field.length % 4 === 1 || !/^[A-Za-z0-9+/]+={0,2}$/.test(field)) return null;
  return Buffer.from(field, 'base64');
}

function printable(word: string): string {
  return JSON.stringify(word.slice(0, 60));
}
