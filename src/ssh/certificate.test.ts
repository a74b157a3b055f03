import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { certificateOf } from '../../test/ssh/certificate-maker';
import {
  type Certificate,
  certificateAlgorithms,
  isCertificate,
  isSignedByItsAuthority,
  parseCertificate,
  parsePublicLine,
  timeFault,
} from './certificate';
import { PrivateKey } from './private-key';
import { readStrings, strings } from './wire';

const subject = new PrivateKey(generateKeyPairSync('ed25519').privateKey);

describe('parseCertificate', () => {
  it.each([
    ['ed25519', generateKeyPairSync('ed25519').privateKey],
    ['ECDSA', generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey],
    ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
  ])('reads one for a key of %s, signed by any kind', (_, secret) => {
    const key = new PrivateKey(secret);
    for (const by of [
      generateKeyPairSync('ed25519').privateKey,
      generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
      secret,
    ]) {
      const certificate = parsed(certificateOf({ key, by, principals: ['a', 'b'], serial: 7n }));
      expect(certificate).toMatchObject({
        keyType: key.type,
        usage: 'user',
        serial: 7n,
        keyId: 'id',
        principals: ['a', 'b'],
        validAfter: 100,
        validBefore: 200,
        criticalOptions: [],
      });
      expect(certificate.key.equals(key.blob)).toBe(true);
      expect(certificate.authority.equals(new PrivateKey(by).blob)).toBe(true);
      expect(isSignedByItsAuthority(certificate)).toBe(true);
    }
  });

  it('notices every byte that was changed', () => {
    const blob = certificateOf({});
    for (let at = 0; at < blob.length; at += 1) {
      const changed = Buffer.from(blob);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const certificate = parseCertificate(changed);
      expect(certificate !== null && isSignedByItsAuthority(certificate)).toBe(false);
    }
  });

  it('takes no signature of an authority with SHA-1, of another key, or by a certificate', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const blob = certificateOf({ by: rsa });
    const signature = parsed(blob).signature;
    const [, bytes = Buffer.alloc(0)] = readStrings(signature) ?? [];
    const renamed = withSignature(blob, strings('ssh-rsa', bytes));
    expect(isSignedByItsAuthority(parsed(renamed))).toBe(false);
    const other = withSignature(blob, parsed(certificateOf({})).signature);
    expect(isSignedByItsAuthority(parsed(other))).toBe(false);
    const chained = certificateOf({ authorityBlob: certificateOf({}) });
    expect(isSignedByItsAuthority(parsed(chained))).toBe(false);
  });

  it.each([
    ['of no usage', { usage: 3 }],
    ['with NUL in a principal', { principals: ['a\0b'] }],
    ['with NUL in its id', { keyId: 'a\0b' }],
    ['with too many principals', { principals: Array.from({ length: 257 }, (_, at) => `p${at}`) }],
    ['with half an option', { critical: strings('force-command') }],
    ['with garbage for options', { critical: Buffer.from([1, 2, 3]) }],
    ['with garbage for extensions', { extensions: Buffer.from([0, 0, 0, 9]) }],
    ['with something after it', { trailer: Buffer.alloc(1) }],
    ['that is too large', { principals: Array.from({ length: 200 }, (_, at) => `${at}`.repeat(200)) }],
  ])('refuses one %s', (_, more) => {
    expect(parseCertificate(certificateOf(more))).toBeNull();
  });

  it('reads options, and a time without end', () => {
    const certificate = parsed(
      certificateOf({
        critical: strings('force-command', strings('x'), 'unknown', ''),
        validBefore: 0xffff_ffff_ffff_ffffn,
      }),
    );
    expect(certificate.criticalOptions).toEqual(['force-command', 'unknown']);
    expect(certificate.validBefore).toBe(Infinity);
    expect(timeFault(certificate, 1e12)).toBeNull();
  });

  it('knows when it is valid: from the first second on, not in the last', () => {
    const certificate = parsed(certificateOf({}));
    expect([99, 100, 199, 200].map((now) => timeFault(certificate, now))).toEqual([
      'it is not valid before 1970-01-01T00:01:40Z',
      null,
      null,
      'it expired at 1970-01-01T00:03:20Z',
    ]);
    const odd = parsed(certificateOf({ validAfter: 0xffff_ffff_ffff_fff0n }));
    expect(timeFault(odd, 1)).toContain('it is not valid before second');
  });

  it('does not throw on anything, and takes no time', () => {
    const good = certificateOf({});
    const mutated = fc
      .array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 20 })
      .map((changes) => {
        const bytes = Buffer.from(good);
        for (const [at, value] of changes) bytes[at] = value;
        return bytes;
      });
    const cut = fc.nat(good.length).map((length) => good.subarray(0, length));
    const fields = fc
      .array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 })
      .map((list) => strings('ssh-rsa-cert-v01@openssh.com', ...list.map((bytes) => Buffer.from(bytes))));
    const any = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.oneof(mutated, cut, fields, any), (bytes) => {
        const certificate = parseCertificate(bytes);
        expect(certificate === null || !isSignedByItsAuthority(certificate) || bytes.equals(good)).toBe(true);
        expect(typeof isCertificate(bytes)).toBe('boolean');
      }),
      { numRuns: 3000 },
    );
  });
});

describe('parsePublicLine', () => {
  const line = `ssh-ed25519 ${subject.blob.toString('base64')}`;

  it.each([[line], [`${line} a comment with spaces\n`], [`\n  ${line}\r\n`]])('reads %j', (text) => {
    expect(parsePublicLine(text)?.equals(subject.blob)).toBe(true);
  });

  it.each([
    '',
    'ssh-ed25519',
    `ssh-rsa ${subject.blob.toString('base64')}`,
    'ssh-ed25519 !!!!',
    '-----BEGIN X-----\nAAAA',
  ])('finds none in %.40j', (text) => {
    expect(parsePublicLine(text)).toBeNull();
  });
});

test('an RSA certificate is shown with SHA-2 only, by the names of its own algorithms', () => {
  expect(certificateAlgorithms('ssh-rsa')).toEqual([
    { algorithm: 'rsa-sha2-512-cert-v01@openssh.com', signature: 'rsa-sha2-512' },
    { algorithm: 'rsa-sha2-256-cert-v01@openssh.com', signature: 'rsa-sha2-256' },
  ]);
  expect(certificateAlgorithms('constructor')).toEqual([]);
});

function withSignature(blob: Buffer, signature: Buffer): Buffer {
  const { signed } = parsed(blob);
  return Buffer.concat([signed, strings(signature)]);
}

function parsed(blob: Buffer): Certificate {
  const certificate = parseCertificate(blob);
  if (certificate === null) throw new Error('it is no certificate');
  return certificate;
}
