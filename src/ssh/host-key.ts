import { createHash } from 'node:crypto';
import { readStrings } from './wire';

/** The key types a server may prove itself with, in the order this exporter prefers them. */
export const hostKeyTypes = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'ssh-rsa',
] as const;

/** A key type this exporter can verify. */
export type HostKeyType = (typeof hostKeyTypes)[number];

/** Public key blobs are below this size; RSA of 16384 bits takes about 2 KiB. */
const maxKeyBlobBytes = 16 * 1024;

/** Whether the word names a key type this exporter can verify. */
export function isHostKeyType(word: string): word is HostKeyType {
  return (hostKeyTypes as readonly string[]).includes(word);
}

/** The fingerprint as `ssh-keygen -lf` prints it: `SHA256:` and unpadded base64. */
export function keyFingerprint(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/**
 * The key type that a public key blob names (RFC 4253, section 6.6), or null if
 * the bytes are not the length-prefixed strings such a blob consists of.
 */
export function keyTypeOf(blob: Buffer): string | null {
  if (blob.length > maxKeyBlobBytes) return null;
  const fields = readStrings(blob);
  const type = fields?.[0];
  if (fields === null || type === undefined || fields.length < 2) return null;
  return type.toString('latin1');
}
