import { keyFingerprint } from './host-key';
import { isSignedBy, signatureAlgorithms } from './signature';
import { readStrings, strings, WireReader } from './wire';

/** What the names of all certificate types end in. */
export const certificateSuffix = '-cert-v01@openssh.com';

/** Whom a certificate is made out to. */
export type CertificateUsage = 'user' | 'host';

/** A certificate as OpenSSH's PROTOCOL.certkeys describes it. That its signature is good is not said by its being here. */
export interface Certificate {
  /** The whole of it, as it goes over the wire. */
  readonly blob: Buffer;
  /** The type of the key in it, such as `ssh-ed25519`. */
  readonly keyType: string;
  /** The public key in it, as a blob. */
  readonly key: Buffer;
  readonly usage: CertificateUsage;
  readonly serial: bigint;
  /** What the authority calls it; free text. */
  readonly keyId: string;
  /** Users or hosts; none: all of them. */
  readonly principals: readonly string[];
  /** Seconds since 1970; the first second in which it is valid. */
  readonly validAfter: number;
  /** The first second in which it is not valid any more; Infinity: for ever. */
  readonly validBefore: number;
  /** The names of options that whoever does not know them has to refuse. */
  readonly criticalOptions: readonly string[];
  /** The public key of the authority, as a blob. */
  readonly authority: Buffer;
  readonly signature: Buffer;
  /** What is signed. */
  readonly signed: Buffer;
}

/** Larger ones are not read; principals and options take the most. */
const maxCertificateBytes = 64 * 1024;
/** SSHKEY_CERT_MAX_PRINCIPALS of OpenSSH's sshkey.h. */
const maxPrincipals = 256;
const maxOptions = 256;
const forever = 0xffff_ffff_ffff_ffffn;
const usages: ReadonlyMap<number, CertificateUsage> = new Map([
  [1, 'user'],
  [2, 'host'],
]);
/** How many strings the public key is made of, by its type. */
const keyFields: ReadonlyMap<string, number> = new Map([
  ['ssh-ed25519', 1],
  ['ecdsa-sha2-nistp256', 2],
  ['ecdsa-sha2-nistp384', 2],
  ['ecdsa-sha2-nistp521', 2],
  ['ssh-rsa', 2],
]);

/** Whether a blob says that it is a certificate, of whatever kind. */
export function isCertificate(blob: Buffer): boolean {
  const type = new WireReader(blob).string();
  return type.toString('latin1').endsWith(certificateSuffix);
}

/** Reads a certificate; null where it is damaged, or of a kind that is not supported. Never throws. */
export function parseCertificate(blob: Buffer): Certificate | null {
  if (blob.length > maxCertificateBytes) return null;
  const reader = new WireReader(blob);
  const type = reader.string().toString('latin1');
  const keyType = type.endsWith(certificateSuffix) ? type.slice(0, -certificateSuffix.length) : '';
  const fields = keyFields.get(keyType);
  if (fields === undefined) return null;
  reader.string(); // The nonce makes what is signed unpredictable, and says nothing.
  const key = strings(keyType, ...Array.from({ length: fields }, () => reader.string()));
  const serial = reader.uint64();
  const usage = usages.get(reader.uint32());
  const keyId = reader.string().toString('latin1');
  const principals = readStrings(reader.string());
  const validAfter = reader.uint64();
  const validBefore = reader.uint64();
  const criticalOptions = optionNames(reader.string());
  const extensions = optionNames(reader.string());
  reader.string(); // Reserved.
  const authority = reader.string();
  const signed = blob.subarray(0, reader.at);
  const signature = reader.string();
  if (!reader.complete || usage === undefined || criticalOptions === null || extensions === null) return null;
  if (principals === null || principals.length > maxPrincipals) return null;
  // OpenSSH refuses NUL bytes in these: names must not end early for one reader and later for another.
  if (keyId.includes('\0') || principals.some((name) => name.includes(0))) return null;
  return {
    blob,
    keyType,
    key,
    usage,
    serial,
    keyId,
    principals: principals.map((name) => name.toString('latin1')),
    validAfter: Number(validAfter),
    validBefore: validBefore === forever ? Infinity : Number(validBefore),
    criticalOptions,
    authority,
    signature,
    signed,
  };
}

/** The names in a list of options, which are pairs of strings (PROTOCOL.certkeys, Critical options). */
function optionNames(list: Buffer): string[] | null {
  const fields = readStrings(list);
  if (fields === null || fields.length % 2 !== 0 || fields.length > 2 * maxOptions) return null;
  return fields.filter((_, index) => index % 2 === 0).map((name) => name.toString('latin1'));
}

/**
 * Whether the authority that a certificate names signed it, with an algorithm that ssh takes by default
 * (CASignatureAlgorithms in ssh_config(5)): no SHA-1, no DSA. An authority's key may not itself be a certificate.
 */
export function isSignedByItsAuthority({ authority, signed, signature }: Certificate): boolean {
  return isSignedBy(authority, signed, signature);
}

/** Why a certificate is of no use now, for people; null where its time has come and has not passed. */
export function timeFault({ validAfter, validBefore }: Certificate, nowSeconds: number): string | null {
  if (nowSeconds < validAfter) return `it is not valid before ${timeText(validAfter)}`;
  return nowSeconds >= validBefore ? `it expired at ${timeText(validBefore)}` : null;
}

/** The algorithms for a certificate's key: what the request names, and what the signature is made with. */
export function certificateAlgorithms(keyType: string): { readonly algorithm: string; readonly signature: string }[] {
  return signatureAlgorithms(keyType).map((signature) => ({ algorithm: signature + certificateSuffix, signature }));
}

/** A certificate for a message: the kind, what it was called, and by whom it was signed. */
export function certificateText({ keyType, key, serial, authority }: Certificate): string {
  return `${keyType} certificate ${keyFingerprint(key)} serial ${serial} signed by ${keyFingerprint(authority)}`;
}

/** A public key in the first line of a text, as `.pub` files have it: the type, the key in base64, a comment. Null where it is none. */
export function parsePublicLine(text: string): Buffer | null {
  const [type, body] = (text.trimStart().split('\n', 1)[0] ?? '').split(/[ \t\r]+/, 2);
  if (type === undefined || body === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(body)) return null;
  const blob = Buffer.from(body, 'base64');
  return new WireReader(blob).string().toString('latin1') === type ? blob : null;
}

function timeText(seconds: number): string {
  const time = new Date(seconds * 1000);
  return Number.isNaN(time.getTime()) ? `second ${seconds}` : time.toISOString().replace('.000Z', 'Z');
}
