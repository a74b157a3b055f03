import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { type ParsedKey, utils } from 'ssh2';
import { Interned } from '../interned';

/**
 * A key that was used is kept parsed: 10,000 of them take 8 MB. Whoever makes up keys without end is not let in, and must not take
 * the memory either.
 */
const maxKeys = 20_000;

/** The digest of a signature with a key of this type, where the key settles it (RFC 5656, RFC 8709). */
const digests: Readonly<Record<string, string | null>> = {
  'ssh-ed25519': null,
  'ecdsa-sha2-nistp256': 'sha256',
  'ecdsa-sha2-nistp384': 'sha384',
  'ecdsa-sha2-nistp521': 'sha512',
};

/** The digests of rsa-sha2-256 and rsa-sha2-512 (RFC 8332); SHA-1 is not among them. */
const rsaDigests: readonly unknown[] = ['sha256', 'sha512'];

/** Whether what is being read is from a host that may prove itself with SHA-1. */
let sha1Accepted = false;

/**
 * Says whether the host whose data are read next may sign with SHA-1. ssh2 reads, and verifies, within the call that brings the
 * data, and does not tell a key from whom it is; so each connection says this before ssh2 gets a piece. That
 * ssh2 takes no algorithm which was not offered to the host holds as well; this is so that SHA-1 needs two mistakes.
 */
export function acceptSha1(accepted: boolean): void {
  sha1Accepted = accepted;
}

/** Any valid public key: what is wanted of it is its prototype. */
const sample = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea';

/**
 * Has ssh2 verify the signatures of hosts with keys that were parsed once. By itself it has OpenSSL read the host's key from PEM
 * for every handshake, which takes as long as verifying. It gives no other way in than the method of its parsed keys.
 */
export function verifyWithParsedKeys(): void {
  const parsed = utils.parseKey(sample);
  if (parsed instanceof Error) throw parsed;
  const shared = Object.getPrototypeOf(parsed) as { verify: unknown };
  shared.verify = verifyWith(new Interned(maxKeys));
}

function verifyWith(keys: Interned<KeyObject>) {
  return function (this: ParsedKey, data: Buffer, signature: Buffer, digest?: unknown): boolean | Error {
    const ours = this.type === 'ssh-rsa' ? rsaDigest(digest) : digests[this.type];
    if (ours === undefined) return new Error(`no signature by ${this.type} with ${String(digest)} is accepted`);
    try {
      const pem = this.getPublicPEM();
      return verify(
        ours,
        data,
        keys.get(pem, () => createPublicKey(pem)),
        signature,
      );
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  };
}

/** ssh2 names no digest where the algorithm is ssh-rsa, which is that with SHA-1 (RFC 4253, section 6.6). */
function rsaDigest(digest: unknown): string | undefined {
  if (rsaDigests.includes(digest)) return digest as string;
  return digest === undefined && sha1Accepted ? 'sha1' : undefined;
}
