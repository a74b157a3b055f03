import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { PrivateKey } from '../../src/ssh/private-key';
import { signatureBy } from '../../src/ssh/signature';
import { readStrings, strings, uint32 } from '../../src/ssh/wire';

const authority = generateKeyPairSync('ed25519').privateKey;
const subject = new PrivateKey(generateKeyPairSync('ed25519').privateKey);

/** What a certificate is made of; all of it has a default. */
export interface CertificateParts {
  readonly key: PrivateKey;
  readonly by: KeyObject;
  readonly authorityBlob: Buffer;
  /** 1: a user, 2: a host. */
  readonly usage: number;
  readonly serial: bigint;
  readonly keyId: string;
  readonly principals: readonly string[];
  readonly validAfter: bigint;
  readonly validBefore: bigint;
  readonly critical: Buffer;
  readonly extensions: Buffer;
  readonly trailer: Buffer;
}

/** A certificate, field by field as PROTOCOL.certkeys has them. */
export function certificateOf(more: Partial<CertificateParts>): Buffer {
  const { key = subject, by = authority } = more;
  const signer = new PrivateKey(by);
  const keyFields = (readStrings(key.blob) ?? []).slice(1);
  const signed = Buffer.concat([
    strings(`${key.type}-cert-v01@openssh.com`, 'a nonce of some bytes', ...keyFields),
    uint64(more.serial ?? 0n),
    uint32(more.usage ?? 1),
    strings(more.keyId ?? 'id', strings(...(more.principals ?? []))),
    uint64(more.validAfter ?? 100n),
    uint64(more.validBefore ?? 200n),
    strings(more.critical ?? '', more.extensions ?? strings('permit-pty', ''), '', more.authorityBlob ?? signer.blob),
  ]);
  const algorithm = signer.type === 'ssh-rsa' ? 'rsa-sha2-512' : signer.type;
  const signature = signatureBy(by, signer.type, algorithm, signed);
  return Buffer.concat([signed, strings(signature), more.trailer ?? Buffer.alloc(0)]);
}

function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}
