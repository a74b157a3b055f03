import { type Certificate, isCertificate, parseCertificate, parsePublicLine } from './certificate';
import { keyTypeOf } from './host-key';
import { type Lock, lockOf, PrivateKey, PrivateKeyFault } from './private-key';
import { signatureAlgorithms } from './signature';
import { FileFault, type FileStamp } from './watched-file';

/** An RSA key of 16384 bits takes about 13 KiB; a certificate with many principals some more. */
export const maxKeyFileBytes = 64 * 1024;

/** What a file that is named as an identity holds. */
export type KeyFile =
  | { readonly kind: 'private'; readonly key: PrivateKey }
  | { readonly kind: 'locked'; readonly lock: Lock; readonly bytes: Buffer }
  /** A public key or a certificate: the private half has to be an agent's. */
  | { readonly kind: 'public'; readonly blob: Buffer };

/** Whose a file is, and who may read it. */
export type Ownership = Pick<FileStamp, 'mode' | 'ownerId'>;

/** Reads the content of an identity file. The bytes are zeroed where they were a private key's. Throws a FileFault. */
export function parseKeyFile(bytes: Buffer, owner: Ownership): KeyFile {
  const text = bytes.toString('latin1');
  const blob = parsePublicLine(text);
  if (blob !== null) return { kind: 'public', blob };
  checkClosed(owner);
  try {
    const lock = lockOf(text);
    if (lock !== null) return { kind: 'locked', lock, bytes: Buffer.from(bytes) };
    return { kind: 'private', key: PrivateKey.parse(text) };
  } catch (error) {
    if (error instanceof PrivateKeyFault) throw new FileFault(error.message);
    throw error;
  } finally {
    bytes.fill(0);
  }
}

/** Reads the content of a `.pub` file: the key's blob. Throws a FileFault. */
export function parsePublicFile(bytes: Buffer): Buffer {
  const blob = parsePublicLine(bytes.toString('latin1'));
  if (blob === null || signatureAlgorithms(keyTypeOf(blob) ?? '').length === 0) {
    throw new FileFault('it holds no public key of a kind that is supported');
  }
  return blob;
}

/** Reads the content of a `-cert.pub` file. Throws a FileFault. */
export function parseCertificateFile(bytes: Buffer): Certificate {
  const blob = parsePublicLine(bytes.toString('latin1'));
  if (blob === null || !isCertificate(blob)) throw new FileFault('it holds no certificate');
  const certificate = parseCertificate(blob);
  if (certificate === null) throw new FileFault('its certificate is damaged, or of a kind that is not supported');
  if (certificate.usage !== 'user') throw new FileFault('its certificate is one for a host, not for a user');
  return certificate;
}

/** Checks the content of a passphrase file, and zeroes it. Throws a FileFault. */
export function checkPassphrase(bytes: Buffer, owner: Ownership): void {
  try {
    checkClosed(owner);
    if (passphraseLength(bytes) === 0) throw new FileFault('it is empty: it must hold the passphrase');
    if (bytes.subarray(0, passphraseLength(bytes)).includes(10)) {
      throw new FileFault('it must hold the passphrase on one line');
    }
  } finally {
    bytes.fill(0);
  }
}

/** How long the passphrase in a file is: without the line's end, with every space. */
export function passphraseLength(bytes: Buffer): number {
  let length = bytes.length;
  if (length > 0 && bytes[length - 1] === 10) length -= 1;
  if (length > 0 && length < bytes.length && bytes[length - 1] === 13) length -= 1;
  return length;
}

function checkClosed({ mode, ownerId }: Ownership): void {
  const open = permissionFault(mode, ownerId, process.getuid?.() ?? ownerId);
  if (open !== null) throw new FileFault(open);
}

/**
 * Why a key with these permissions is not safe, or null. As ssh, it refuses a key
 * of our own that anyone else can read. One that belongs to another user, as
 * secrets mounted into a container do, may be readable by a group, through which
 * we read it, but not by everyone.
 */
export function permissionFault(mode: number, ownerId: number, userId: number): string | null {
  const forbidden = ownerId === userId ? 0o077 : 0o007;
  if ((mode & forbidden) === 0) return null;
  const shown = (mode & 0o777).toString(8).padStart(4, '0');
  return `its permissions ${shown} let others at it; run chmod ${ownerId === userId ? '600' : '640'} on it`;
}
