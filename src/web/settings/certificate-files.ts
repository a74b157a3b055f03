import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { readBytes } from '../../config/text-file';
import { right, wrong, type Reading } from '../../config/reading';

/** Certificate chains and bundles of authorities are far smaller. */
const maxPemBytes = 4 * 1024 * 1024;

/** Reads a file that should hold certificates in PEM format. */
export function readCertificates(path: string): Reading<Buffer> {
  const bytes = readBytes(path, maxPemBytes);
  return bytes.ok ? checkCertificates(bytes.value) : bytes;
}

/** Whether the first certificate of a chain or bundle can be read. */
export function checkCertificates(bytes: Buffer): Reading<Buffer> {
  if (!bytes.includes('-----BEGIN CERTIFICATE-----')) return wrong('holds no certificate in PEM format');
  try {
    new X509Certificate(bytes);
    return right(bytes);
  } catch {
    return wrong('holds a certificate that is damaged');
  }
}

/** Reads a file that should hold a private key in PEM format. Nothing of it gets into a message. */
export function readKey(path: string): Reading<Buffer> {
  const bytes = readBytes(path, maxPemBytes);
  return bytes.ok ? checkKey(bytes.value) : bytes;
}

export function checkKey(bytes: Buffer): Reading<Buffer> {
  if (!bytes.includes('-----BEGIN ')) return wrong('holds no private key in PEM format');
  // PKCS #8's armour, and the header that OpenSSL's older one has (RFC 1421, 4.6.1.1).
  if (bytes.includes('BEGIN ENCRYPTED PRIVATE KEY') || bytes.includes('Proc-Type: 4,ENCRYPTED')) {
    return wrong('is encrypted: a key without a passphrase is needed');
  }
  try {
    createPrivateKey(bytes);
    return right(bytes);
  } catch {
    return wrong('holds no private key, or one that is damaged or of an unknown kind');
  }
}

/** What is wrong with a certificate and a key together; null when they belong to each other. */
export function pairFault(cert: Buffer, key: Buffer): string | null {
  try {
    if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) return 'is not the key of the certificate';
    createSecureContext({ cert, key });
    return null;
  } catch (error) {
    return `can't be used with the certificate: ${String(error)}`;
  }
}

/** Something about a certificate's time that its owner should know; null when it is valid now. */
export function validityWarning(cert: Buffer, nowMs: number): string | null {
  const { validFrom, validTo } = new X509Certificate(cert);
  if (Date.parse(validTo) < nowMs) return `the certificate has expired: it was valid until ${validTo}`;
  return Date.parse(validFrom) > nowMs ? `the certificate is not valid yet: it begins ${validFrom}` : null;
}
