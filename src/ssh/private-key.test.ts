import { createPublicKey, generateKeyPairSync, type KeyObject, verify } from 'node:crypto';
import { inspect } from 'node:util';
import { makeKeyPair } from '../../test/lab/ssh-keys';
import { keyFingerprint, keyTypeOf } from './host-key';
import { PrivateKey } from './private-key';
import { isSignedBy } from './signature';
import { keyOffers } from './signer';
import { readStrings } from './wire';

const message = Buffer.from('to be signed');

describe('PrivateKey', () => {
  it.each(['ed25519', 'ecdsa', 'rsa'] as const)(
    "reads OpenSSH's format with %s, and agrees on the public key",
    (type) => {
      for (let time = 0; time < (type === 'ed25519' ? 300 : 2); time += 1) {
        const pair = makeKeyPair(type);
        const key = PrivateKey.parse(pair.privateKey);
        const blob = Buffer.from(pair.publicKey.split(' ')[1] ?? '', 'base64');
        expect(key.type).toBe(pair.publicKey.split(' ')[0]);
        expect(key.fingerprint).toBe(keyFingerprint(blob));
        expect(key.blob.equals(blob)).toBe(true);
      }
    },
  );

  it.each([
    ['ed25519 in PKCS #8', generateKeyPairSync('ed25519'), 'pkcs8', ['ssh-ed25519']],
    ['nistp256 in SEC 1', generateKeyPairSync('ec', { namedCurve: 'P-256' }), 'sec1', ['ecdsa-sha2-nistp256']],
    ['nistp384 in PKCS #8', generateKeyPairSync('ec', { namedCurve: 'P-384' }), 'pkcs8', ['ecdsa-sha2-nistp384']],
    ['nistp521 in SEC 1', generateKeyPairSync('ec', { namedCurve: 'P-521' }), 'sec1', ['ecdsa-sha2-nistp521']],
  ] as const)('reads %s and signs what its public half verifies', async (_, pair, type, algorithms) => {
    const key = PrivateKey.parse(exported(pair.privateKey, type));
    expect(keyOffers(key).map((offer) => offer.algorithm)).toEqual(algorithms);
    expect(keyTypeOf(key.blob)).toBe(key.type);
    for (const algorithm of algorithms) {
      const signature = await key.sign(algorithm, message);
      expect(isSignedBy(key.blob, message, signature)).toBe(true);
      expect(isSignedBy(key.blob, Buffer.from('other'), signature)).toBe(false);
    }
  });

  it.each(['pkcs1', 'pkcs8'] as const)(
    'signs with SHA-512 and SHA-256 where the key is RSA in %s, never with SHA-1',
    async (type) => {
      const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const key = PrivateKey.parse(exported(pair.privateKey, type));
      expect(key.type).toBe('ssh-rsa');
      expect(keyOffers(key).map((offer) => offer.algorithm)).toEqual(['rsa-sha2-512', 'rsa-sha2-256']);
      const bytes = async (algorithm: string): Promise<Buffer> =>
        readStrings(await key.sign(algorithm, message))?.[1] ?? Buffer.alloc(0);
      expect(verify('sha512', message, pair.publicKey, await bytes('rsa-sha2-512'))).toBe(true);
      expect(verify('sha256', message, pair.publicKey, await bytes('rsa-sha2-256'))).toBe(true);
      await expect(key.sign('ssh-dss', message)).rejects.toThrow('does not sign with ssh-dss');
    },
  );

  it.each([
    ['nothing', '', 'holds no private key'],
    ['garbage', 'not a key at all', 'holds no private key'],
    ['a public key', makeKeyPair('ed25519').publicKey, 'holds no private key'],
    ['a public key in PEM', publicPem(), 'holds a public key'],
    ['a key cut in half', makeKeyPair('ed25519').privateKey.slice(0, 150), 'damaged'],
    ['a key with a wrong letter', damaged(makeKeyPair('ed25519').privateKey), 'damaged'],
    ['PEM with nothing in it', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----', 'damaged'],
    [
      'DSA',
      exported(generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }).privateKey, 'pkcs8'),
      'dsa is not supported',
    ],
    [
      'a curve that SSH has not',
      exported(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey, 'pkcs8'),
      'curve',
    ],
    [
      'RSA that is too short',
      exported(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey, 'pkcs8'),
      '1024 bits',
    ],
    [
      'X25519, which can not sign',
      exported(generateKeyPairSync('x25519').privateKey, 'pkcs8'),
      'x25519 is not supported',
    ],
    ['an encrypted key in PKCS #8', encrypted('pkcs8'), 'passphrase'],
    ['an encrypted key in PEM', encrypted('sec1'), 'passphrase'],
    ["an encrypted key in OpenSSH's format", encryptedOpenSsh(), 'passphrase'],
  ])('says what is wrong with %s', (_, text, words) => {
    expect(() => PrivateKey.parse(text)).toThrow(words);
  });

  it('shows nothing of the secret, however it is looked at', () => {
    const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = PrivateKey.parse(exported(pair.privateKey, 'pkcs8'));
    const jwk = pair.privateKey.export({ format: 'jwk' });
    const shown = [
      String(key),
      JSON.stringify(key),
      JSON.stringify({ ...key }),
      inspect(key, { depth: null, showHidden: true, getters: true }),
      ...keyOffers(key).flatMap((offer) => [
        JSON.stringify(offer),
        inspect(offer, { depth: null, showHidden: true, getters: true }),
      ]),
    ].join('\n');
    for (const part of ['d', 'p', 'q', 'dp', 'dq', 'qi'] as const) {
      const bytes = Buffer.from(jwk[part] ?? '', 'base64url');
      expect(bytes.length).toBeGreaterThan(100);
      for (const encoding of ['base64', 'base64url', 'hex', 'latin1'] as const) {
        expect(shown).not.toContain(bytes.toString(encoding).slice(10, 40));
      }
    }
    expect(shown).not.toContain('PRIVATE KEY-----');
  });
});

function exported(key: KeyObject, type: 'pkcs1' | 'pkcs8' | 'sec1'): string {
  return key.export({ type: type as 'pkcs8', format: 'pem' }).toString();
}

function encrypted(type: 'pkcs8' | 'sec1'): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: type as 'pkcs8', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'secret' });
  return pem.toString();
}

/** As `ssh-keygen -t ed25519 -N secret` writes it: its header names the cipher (OpenSSH's PROTOCOL.key). */
function encryptedOpenSsh(): string {
  const text = (value: string): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(value.length);
    return Buffer.concat([length, Buffer.from(value)]);
  };
  const body = Buffer.concat([Buffer.from('openssh-key-v1\0'), text('aes256-ctr'), text('bcrypt'), Buffer.alloc(200)]);
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${body.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

function publicPem(): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  return createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString();
}

function damaged(text: string): string {
  const at = text.indexOf('\n') + 20;
  return `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
}
