import { generateKeyPairSync, sign } from 'node:crypto';
import { type ParsedKey, utils } from 'ssh2';
import { makeKeyPair } from '../../test/lab/ssh-keys';
import { acceptSha1, verifyWithParsedKeys } from './host-signature';

const data = Buffer.from('what both sides know of the exchange');

function parse(text: string): ParsedKey {
  const key = utils.parseKey(text);
  if (key instanceof Error) throw key;
  return Array.isArray(key) ? (key[0] as ParsedKey) : key;
}

function pairOf(type: 'ed25519' | 'ecdsa' | 'rsa'): { readonly secret: ParsedKey; readonly open: ParsedKey } {
  const pair = makeKeyPair(type);
  return { secret: parse(pair.privateKey), open: parse(pair.publicKey) };
}

function signature(key: ParsedKey, digest?: string): Buffer {
  const made = key.sign(data, digest) as unknown;
  if (!Buffer.isBuffer(made)) throw new Error(`no signature: ${String(made)}`);
  return made;
}

describe('verifying what hosts sign', () => {
  beforeAll(() => verifyWithParsedKeys());

  it.each(['ed25519', 'ecdsa'] as const)('takes the signature of an %s key, again and again', (type) => {
    const { secret, open } = pairOf(type);
    for (let time = 0; time < 3; time++) expect(open.verify(data, signature(secret))).toBe(true);
  });

  it.each(['sha256', 'sha512'])('takes the signature of an RSA key with %s', (digest) => {
    const { secret, open } = pairOf('rsa');
    expect(open.verify(data, signature(secret, digest), digest)).toBe(true);
    expect(open.verify(data, signature(secret, 'sha256'), 'sha512')).toBe(false);
  });

  it('takes no RSA signature with SHA-1, named or by default', () => {
    const { secret, open } = pairOf('rsa');
    expect(open.verify(data, signature(secret, 'sha1'), 'sha1')).toBeInstanceOf(Error);
    expect(open.verify(data, signature(secret, 'sha1'))).toBeInstanceOf(Error);
  });

  it('takes one with SHA-1 of a host that opted into it, by default and not where it is named', () => {
    const { secret, open } = pairOf('rsa');
    acceptSha1(true);
    expect(open.verify(data, signature(secret, 'sha1'))).toBe(true);
    expect(open.verify(data, signature(secret, 'sha1'), 'sha1')).toBeInstanceOf(Error);
    expect(open.verify(data, signature(secret, 'sha256'), 'sha256')).toBe(true);
    acceptSha1(false);
    expect(open.verify(data, signature(secret, 'sha1'))).toBeInstanceOf(Error);
  });

  it.each(['ed25519', 'ecdsa'] as const)('refuses what another %s key signed, and other data', (type) => {
    const { secret, open } = pairOf(type);
    const other = pairOf(type);
    expect(open.verify(data, signature(secret))).toBe(true);
    expect(open.verify(data, signature(other.secret))).toBe(false);
    expect(open.verify(Buffer.from('other data'), signature(secret))).toBe(false);
    expect(other.open.verify(data, signature(secret))).toBe(false);
  });

  it('refuses garbage', () => {
    const { open } = pairOf('ecdsa');
    expect(open.verify(data, Buffer.alloc(0))).not.toBe(true);
    expect(open.verify(data, Buffer.alloc(4096, 255))).not.toBe(true);
  });

  it('agrees with Node on a key of every curve', () => {
    for (const [namedCurve, digest] of [
      ['prime256v1', 'sha256'],
      ['secp384r1', 'sha384'],
      ['secp521r1', 'sha512'],
    ] as const) {
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
      const open = parse(privateKey.export({ type: 'sec1', format: 'pem' }).toString());
      expect(publicKey.asymmetricKeyType).toBe('ec');
      expect(open.verify(data, sign(digest, data, privateKey))).toBe(true);
    }
  });
});
