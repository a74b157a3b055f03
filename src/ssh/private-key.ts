import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { utils, type ParsedKey } from 'ssh2';
import { keyFingerprint } from './host-key';
import { signatureBy } from './signature';
import type { Signer } from './signer';
import { mpint, strings, WireReader } from './wire';

/** A private key can't be used; `message` is for people and holds nothing of the key. */
export class PrivateKeyFault extends Error {}

const supported = 'ed25519, ECDSA (nistp256, nistp384, nistp521) and RSA of 2048 bits and more are supported';
const minRsaBits = 2048;

/**
 * A private key, ready to sign. The secret stays inside OpenSSL's key object:
 * no property, no JSON, no inspection shows it.
 */
export class PrivateKey implements Signer {
  readonly fingerprint: string;
  readonly type: string;
  readonly blob: Buffer;
  readonly agent = null;
  readonly #secret: KeyObject;

  /** Throws a PrivateKeyFault where SSH has no use for such a key. */
  constructor(secret: KeyObject) {
    const { type, blob } = describe(secret);
    this.#secret = secret;
    this.type = type;
    this.blob = blob;
    this.fingerprint = keyFingerprint(blob);
  }

  /** Reads OpenSSH's format, PKCS #1, SEC 1 or PKCS #8, as text. Throws a PrivateKeyFault. */
  static parse(text: string): PrivateKey {
    if (lockOf(text) !== null) throw new PrivateKeyFault('it is protected by a passphrase');
    const pem = labelOf(text) === openSshLabel ? fromOpenSsh(text) : text;
    try {
      return new PrivateKey(createPrivateKey(pem));
    } catch (error) {
      if (error instanceof PrivateKeyFault) throw error;
      // OpenSSL's own words may quote the input, so they go no further.
      throw damaged();
    }
  }

  async sign(algorithm: string, data: Buffer): Promise<Buffer> {
    return signatureBy(this.#secret, this.type, algorithm, data);
  }

  toString(): string {
    return `${this.type} ${this.fingerprint}`;
  }

  toJSON(): string {
    return this.toString();
  }
}

/** What can be seen of an encrypted key without its passphrase. */
export interface Lock {
  /** The public half, where the format shows it. */
  readonly publicBlob: Buffer | null;
  /** How many rounds of bcrypt its passphrase goes through; 0 where another function is used. */
  readonly rounds: number;
}

const openSshLabel = 'OPENSSH PRIVATE KEY';

/** The lock of an encrypted private key; null where there is none. Throws a PrivateKeyFault for what is no private key. */
export function lockOf(text: string): Lock | null {
  const label = labelOf(text);
  if (label.endsWith('PUBLIC KEY') || label === 'CERTIFICATE') {
    throw new PrivateKeyFault('it holds a public key; the private one is needed');
  }
  if (label === openSshLabel) return openSshLock(text);
  const locked = label === 'ENCRYPTED PRIVATE KEY' || text.includes('Proc-Type: 4,ENCRYPTED');
  return locked ? { publicBlob: null, rounds: 0 } : null;
}

function labelOf(text: string): string {
  const label = /-----BEGIN ([A-Z0-9 ]{1,40})-----/.exec(text)?.[1];
  if (label === undefined) throw new PrivateKeyFault('it holds no private key');
  return label;
}

/** The header of OpenSSH's own format is readable: cipher, key derivation and public keys (PROTOCOL.key). */
function openSshLock(text: string): Lock | null {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]*)-----END/.exec(text)?.[1] ?? '';
  const bytes = Buffer.from(body, 'base64');
  if (bytes.toString('latin1', 0, 15) !== 'openssh-key-v1\0') return null;
  const reader = new WireReader(bytes.subarray(15));
  const cipher = reader.string().toString('latin1');
  const derivation = reader.string().toString('latin1');
  const options = new WireReader(reader.string());
  if (cipher === 'none') return null;
  options.string(); // The salt.
  const rounds = options.uint32();
  reader.uint32(); // How many keys: one.
  const publicBlob = reader.string();
  return { publicBlob: reader.failed ? null : publicBlob, rounds: derivation === 'bcrypt' ? rounds : 0 };
}

/** OpenSSL can't read OpenSSH's own format; ssh2 turns it into PEM. */
function fromOpenSsh(text: string): string {
  const pem = parseOpenSsh(text)?.getPrivatePEM() ?? null;
  if (pem === null) throw damaged();
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

function damaged(): PrivateKeyFault {
  return new PrivateKeyFault(`it is damaged, or of a kind that is not supported: ${supported}`);
}

/** The SSH public key of a secret (RFC 4253, RFC 5656, RFC 8709). */
function describe(secret: KeyObject): { type: string; blob: Buffer } {
  const kind = secret.asymmetricKeyType ?? 'unknown';
  if (!['ed25519', 'ec', 'rsa'].includes(kind)) {
    throw new PrivateKeyFault(`a key of type ${kind} is not supported: ${supported}`);
  }
  const jwk = publicJwk(secret);
  const field = (name: 'x' | 'y' | 'n' | 'e'): Buffer => Buffer.from(jwk[name] ?? '', 'base64url');
  if (kind === 'ed25519') return { type: 'ssh-ed25519', blob: strings('ssh-ed25519', field('x')) };
  if (kind === 'ec') {
    const curve = curves[jwk.crv ?? ''];
    if (curve === undefined) throw new PrivateKeyFault(`its curve is not supported: ${supported}`);
    const type = `ecdsa-sha2-${curve}`;
    return { type, blob: strings(type, curve, Buffer.concat([Buffer.from([4]), field('x'), field('y')])) };
  }
  const bits = secret.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < minRsaBits) throw new PrivateKeyFault(`its ${bits} bits are too few: ${supported}`);
  return { type: 'ssh-rsa', blob: strings('ssh-rsa', mpint(field('e')), mpint(field('n'))) };
}

function publicJwk(secret: KeyObject): JsonWebKey {
  try {
    return createPublicKey(secret).export({ format: 'jwk' });
  } catch {
    // Curves that JSON has no name for.
    return {};
  }
}

const curves: Readonly<Record<string, string>> = { 'P-256': 'nistp256', 'P-384': 'nistp384', 'P-521': 'nistp521' };
