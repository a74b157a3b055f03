import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject, sign } from 'node:crypto';
import { type ParsedKey, utils } from 'ssh2';
import { keyFingerprint } from './host-key';

/** A private key can't be used; `message` is for people and holds nothing of the key. */
export class PrivateKeyFault extends Error {}

const supported = 'ed25519, ECDSA (nistp256, nistp384, nistp521) and RSA of 2048 bits and more are supported';
const minRsaBits = 2048;

/** How a key signs: the algorithm's name on the wire, and the digest, where the key does not settle it. */
interface Signing {
  readonly algorithm: string;
  readonly digest: string | null;
}

/**
 * A private key, ready to sign. The secret stays inside OpenSSL's key object:
 * no property, no JSON, no inspection shows it.
 */
export class PrivateKey {
  /** As `ssh-keygen -lf` prints it. */
  readonly fingerprint: string;
  /** The key type, such as `ssh-ed25519`. */
  readonly type: string;
  /** What ssh2 is to try with this key, in this order. */
  readonly offers: readonly ParsedKey[];

  private constructor(type: string, publicBlob: Buffer, offers: readonly ParsedKey[]) {
    this.type = type;
    this.fingerprint = keyFingerprint(publicBlob);
    this.offers = offers;
  }

  /** Reads OpenSSH's format, PKCS #1, SEC 1 or PKCS #8, as text. Throws a PrivateKeyFault. */
  static parse(text: string): PrivateKey {
    const secret = readSecret(text);
    const { type, blob, signings } = describe(secret);
    const offers = signings.map((signing) => offer(secret, type, blob, signing));
    return new PrivateKey(type, blob, offers);
  }

  toString(): string {
    return `${this.type} ${this.fingerprint}`;
  }

  toJSON(): string {
    return this.toString();
  }
}

function readSecret(text: string): KeyObject {
  const label = /-----BEGIN ([A-Z0-9 ]{1,40})-----/.exec(text)?.[1];
  if (label === undefined) throw new PrivateKeyFault('it holds no private key');
  if (label.endsWith('PUBLIC KEY') || label === 'CERTIFICATE') {
    throw new PrivateKeyFault('it holds a public key; the private one is needed');
  }
  if (label === 'ENCRYPTED PRIVATE KEY' || text.includes('Proc-Type: 4,ENCRYPTED')) throw encrypted();
  const pem = label === 'OPENSSH PRIVATE KEY' ? fromOpenSsh(text) : text;
  try {
    return createPrivateKey(pem);
  } catch {
    // OpenSSL's own words may quote the input, so they go no further.
    throw new PrivateKeyFault(`it is damaged, or of a kind that is not supported: ${supported}`);
  }
}

/** OpenSSL can't read OpenSSH's own format (PROTOCOL.key); ssh2 turns it into PEM. */
function fromOpenSsh(text: string): string {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]*)-----END/.exec(text)?.[1] ?? '';
  const header = Buffer.from(body, 'base64').subarray(0, 64);
  // "openssh-key-v1\0", then the name of the cipher as a length-prefixed string.
  const cipherLength = header.length >= 19 ? header.readUInt32BE(15) : 0;
  const cipher = header.subarray(19, 19 + Math.min(cipherLength, 45)).toString('latin1');
  if (header.toString('latin1', 0, 14) === 'openssh-key-v1' && cipher !== 'none') throw encrypted();
  const parsed = parseOpenSsh(text);
  const pem = parsed?.getPrivatePEM() ?? null;
  if (pem === null) throw new PrivateKeyFault(`it is damaged, or of a kind that is not supported: ${supported}`);
  return pem;
}

function parseOpenSsh(text: string): ParsedKey | null {
  try {
    const parsed = utils.parseKey(text);
    return parsed instanceof Error ? null : parsed;
  } catch {
    return null;
  }
}

function encrypted(): PrivateKeyFault {
  return new PrivateKeyFault('it is protected by a passphrase; use a key without one that only the exporter can read');
}

/** The SSH public key of a secret (RFC 4253, RFC 5656, RFC 8709), and how it signs. */
function describe(secret: KeyObject): { type: string; blob: Buffer; signings: readonly Signing[] } {
  const kind = secret.asymmetricKeyType ?? 'unknown';
  if (!['ed25519', 'ec', 'rsa'].includes(kind)) {
    throw new PrivateKeyFault(`a key of type ${kind} is not supported: ${supported}`);
  }
  const jwk = publicJwk(secret);
  const field = (name: 'x' | 'y' | 'n' | 'e'): Buffer => Buffer.from(jwk[name] ?? '', 'base64url');
  if (kind === 'ed25519') {
    const type = 'ssh-ed25519';
    return { type, blob: strings(Buffer.from(type), field('x')), signings: [{ algorithm: type, digest: null }] };
  }
  if (kind === 'ec') {
    const curve = curves[jwk.crv ?? ''];
    if (curve === undefined) throw new PrivateKeyFault(`its curve is not supported: ${supported}`);
    const type = `ecdsa-sha2-${curve.name}`;
    const point = Buffer.concat([Buffer.from([4]), field('x'), field('y')]);
    const blob = strings(Buffer.from(type), Buffer.from(curve.name), point);
    return { type, blob, signings: [{ algorithm: type, digest: curve.digest }] };
  }
  const bits = secret.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < minRsaBits) throw new PrivateKeyFault(`its ${bits} bits are too few: ${supported}`);
  const type = 'ssh-rsa';
  // The algorithm named ssh-rsa signs with SHA-1, so it is never used; RFC 8332 has the two that replace it.
  const signings = [
    { algorithm: 'rsa-sha2-512', digest: 'sha512' },
    { algorithm: 'rsa-sha2-256', digest: 'sha256' },
  ];
  return { type, blob: strings(Buffer.from(type), mpint(field('e')), mpint(field('n'))), signings };
}

function publicJwk(secret: KeyObject): JsonWebKey {
  try {
    return createPublicKey(secret).export({ format: 'jwk' });
  } catch {
    // Curves that JSON has no name for.
    return {};
  }
}

const curves: Readonly<Record<string, { readonly name: string; readonly digest: string }>> = {
  'P-256': { name: 'nistp256', digest: 'sha256' },
  'P-384': { name: 'nistp384', digest: 'sha384' },
  'P-521': { name: 'nistp521', digest: 'sha512' },
};

/**
 * The key as ssh2 takes it: its public half, with a `sign` of our own. Handed a
 * private key, ssh2 would parse the PEM again for each signature, ten times the
 * price of signing, and keep the secret where an inspection shows it. Naming the
 * signature algorithm as the type keeps ssh2 from falling back to SHA-1 with RSA.
 */
function offer(secret: KeyObject, type: string, blob: Buffer, signing: Signing): ParsedKey {
  const publicHalf = utils.parseKey(`${type} ${blob.toString('base64')}`);
  if (publicHalf instanceof Error) throw new PrivateKeyFault(publicHalf.message);
  return Object.create(publicHalf, {
    type: { value: signing.algorithm },
    isPrivateKey: { value: () => true },
    sign: { value: (data: Buffer) => sign(signing.digest, data, secret) },
  }) as ParsedKey;
}

function strings(...fields: Buffer[]): Buffer {
  return Buffer.concat(fields.flatMap((field) => [uint32(field.length), field]));
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A positive number as RFC 4251, section 5, writes it: a leading zero keeps the sign bit clear. */
function mpint(magnitude: Buffer): Buffer {
  return (magnitude[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.from([0]), magnitude]) : magnitude;
}
