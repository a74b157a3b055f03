import { createPublicKey, type JsonWebKey, type KeyObject, sign, verify } from 'node:crypto';
import { mpint, readStrings, strings, withoutLeadingZeros } from './wire';

/** A way to sign: its name on the wire, and the digest where the key does not settle it. */
interface Signing {
  readonly algorithm: string;
  readonly digest: string | null;
}

/** The sizes of a coordinate on the curves of RFC 5656. */
const curves: ReadonlyMap<string, { readonly crv: string; readonly bytes: number }> = new Map([
  ['nistp256', { crv: 'P-256', bytes: 32 }],
  ['nistp384', { crv: 'P-384', bytes: 48 }],
  ['nistp521', { crv: 'P-521', bytes: 66 }],
]);

/**
 * How each type of key signs (RFC 5656, RFC 8332, RFC 8709), best first. The algorithm that is named ssh-rsa, as the type of
 * the key is, signs with SHA-1, so it is not among them; neither is DSA.
 */
const signings: ReadonlyMap<string, readonly Signing[]> = new Map([
  ['ssh-ed25519', [{ algorithm: 'ssh-ed25519', digest: null }]],
  ['ecdsa-sha2-nistp256', [{ algorithm: 'ecdsa-sha2-nistp256', digest: 'sha256' }]],
  ['ecdsa-sha2-nistp384', [{ algorithm: 'ecdsa-sha2-nistp384', digest: 'sha384' }]],
  ['ecdsa-sha2-nistp521', [{ algorithm: 'ecdsa-sha2-nistp521', digest: 'sha512' }]],
  [
    'ssh-rsa',
    [
      { algorithm: 'rsa-sha2-512', digest: 'sha512' },
      { algorithm: 'rsa-sha2-256', digest: 'sha256' },
    ],
  ],
]);

/** The algorithm that signs with RSA and SHA-1, for hosts that opted into it. */
export const rsaWithSha1 = 'ssh-rsa';

/** OpenSSH's RequiredRSASize; it takes no shorter signature for good either. */
const minRsaBits = 1024;

/** The algorithms with which a key of this type signs, best first; empty where it is of a type that is not supported. */
export function signatureAlgorithms(keyType: string): readonly string[] {
  return signings.get(keyType)?.map(({ algorithm }) => algorithm) ?? [];
}

/** A signature as SSH writes it, the algorithm's name and the bytes. Throws what OpenSSL throws. */
export function signatureBy(secret: KeyObject, keyType: string, algorithm: string, data: Buffer): Buffer {
  const old = keyType === 'ssh-rsa' && algorithm === rsaWithSha1 ? { algorithm, digest: 'sha1' } : undefined;
  const signing = old ?? signings.get(keyType)?.find((one) => one.algorithm === algorithm);
  if (signing === undefined) throw new Error(`a key of type ${keyType} does not sign with ${algorithm}`);
  if (!keyType.startsWith('ecdsa-')) return strings(algorithm, sign(signing.digest, data, secret));
  const raw = sign(signing.digest, data, { key: secret, dsaEncoding: 'ieee-p1363' });
  const half = raw.length / 2;
  return strings(algorithm, strings(mpint(raw.subarray(0, half)), mpint(raw.subarray(half))));
}

/** The algorithm that a signature names; null where the bytes are no signature. */
export function algorithmOf(signature: Buffer): string | null {
  const fields = readStrings(signature);
  return fields?.length === 2 ? (fields[0]?.toString('latin1') ?? null) : null;
}

/** Whether a signature over these bytes is by the public key of this blob. Never throws. */
export function isSignedBy(keyBlob: Buffer, data: Buffer, signature: Buffer): boolean {
  const [name, bytes] = readStrings(signature) ?? [];
  const keyType = readStrings(keyBlob)?.[0]?.toString('latin1') ?? '';
  const signing = signings.get(keyType)?.find(({ algorithm }) => algorithm === name?.toString('latin1'));
  if (signing === undefined || bytes === undefined) return false;
  try {
    const key = publicKeyOf(keyBlob);
    if (key === null) return false;
    if (!keyType.startsWith('ecdsa-')) return verify(signing.digest, data, key, bytes);
    const raw = fixedWidth(bytes, curves.get(keyType.slice('ecdsa-sha2-'.length))?.bytes ?? 0);
    return raw !== null && verify(signing.digest, data, { key, dsaEncoding: 'ieee-p1363' }, raw);
  } catch {
    return false;
  }
}

/** The public key of a blob (RFC 4253, section 6.6); null where it is not one that can be used. Throws what OpenSSL throws. */
export function publicKeyOf(blob: Buffer): KeyObject | null {
  const [type = Buffer.alloc(0), first, second, ...more] = readStrings(blob) ?? [];
  const jwk = jwkOf(type.toString('latin1'), first, second);
  if (jwk === null || more.length > 0) return null;
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  const bits = key.asymmetricKeyDetails?.modulusLength;
  return bits !== undefined && bits < minRsaBits ? null : key;
}

function jwkOf(type: string, first: Buffer | undefined, second: Buffer | undefined): JsonWebKey | null {
  if (first === undefined) return null;
  if (type === 'ssh-ed25519') return second === undefined ? { kty: 'OKP', crv: 'Ed25519', x: text(first) } : null;
  if (second === undefined) return null;
  if (type === 'ssh-rsa') {
    return { kty: 'RSA', e: text(withoutLeadingZeros(first)), n: text(withoutLeadingZeros(second)) };
  }
  const name = first.toString('latin1');
  const curve = curves.get(name);
  // Points are uncompressed: RFC 5656 allows the others, OpenSSH does not write them.
  if (curve === undefined || type !== `ecdsa-sha2-${name}`) return null;
  if (second.length !== 1 + 2 * curve.bytes || second[0] !== 4) return null;
  return {
    kty: 'EC',
    crv: curve.crv,
    x: text(second.subarray(1, 1 + curve.bytes)),
    y: text(second.subarray(1 + curve.bytes)),
  };
}

function text(bytes: Buffer): string {
  return bytes.toString('base64url');
}

/** The two numbers of an ECDSA signature (RFC 5656, section 3.1.2), each as wide as the curve. */
function fixedWidth(bytes: Buffer, width: number): Buffer | null {
  const numbers = readStrings(bytes)?.map(withoutLeadingZeros);
  if (numbers?.length !== 2 || numbers.some((number) => number.length > width)) return null;
  return Buffer.concat(numbers.flatMap((number) => [Buffer.alloc(width - number.length), number]));
}
