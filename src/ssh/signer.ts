import { type Certificate, certificateAlgorithms, certificateText } from './certificate';
import { rsaWithSha1, signatureAlgorithms } from './signature';

/** Whoever has the private half of a key and signs with it: a file that was read, or an agent. */
export interface Signer {
  /** As `ssh-keygen -lf` prints it. */
  readonly fingerprint: string;
  /** The key type, such as `ssh-ed25519`. */
  readonly type: string;
  /** The public key. */
  readonly blob: Buffer;
  /** The agent that is asked for each signature, as messages call it; null where the key is here. */
  readonly agent: string | null;
  /** A signature as SSH writes it, the algorithm's name and the bytes. Rejects with a ProbeFailure where an agent fails. */
  sign(algorithm: string, data: Buffer, signal: AbortSignal): Promise<Buffer>;
}

/** One thing to show to a host in order to be let in, and who signs for it. */
export interface LoginOffer {
  /** As the request names it, such as `rsa-sha2-512-cert-v01@openssh.com`. */
  readonly algorithm: string;
  /** As the signature names it, such as `rsa-sha2-512`. */
  readonly signatureAlgorithm: string;
  /** The public key or the certificate. */
  readonly blob: Buffer;
  /** For messages: type and fingerprint. */
  readonly text: string;
  readonly signer: Signer;
}

const plain = new WeakMap<Signer, readonly LoginOffer[]>();
const old = new WeakMap<Signer, readonly LoginOffer[]>();
const certified = new WeakMap<Certificate, WeakMap<Signer, readonly LoginOffer[]>>();

/** What there is to show of a key, best first: the same objects each time, since every kept connection holds on to them. */
export function keyOffers(signer: Signer): readonly LoginOffer[] {
  const known = plain.get(signer);
  if (known !== undefined) return known;
  const { type, blob, fingerprint } = signer;
  const text = `${type} ${fingerprint}`;
  const made = signatureAlgorithms(type).map((name) => ({
    algorithm: name,
    signatureAlgorithm: name,
    blob,
    text,
    signer,
  }));
  plain.set(signer, made);
  return made;
}

/** What there is to show of a key to a host that opted into RSA with SHA-1: that as well, after all else. */
export function oldOffers(signer: Signer): readonly LoginOffer[] {
  const usual = keyOffers(signer);
  const [first] = usual;
  if (signer.type !== 'ssh-rsa' || first === undefined) return usual;
  const known = old.get(signer);
  if (known !== undefined) return known;
  const made = [...usual, { ...first, algorithm: rsaWithSha1, signatureAlgorithm: rsaWithSha1 }];
  old.set(signer, made);
  return made;
}

/** What there is to show of a certificate. */
export function certificateOffers(certificate: Certificate, signer: Signer): readonly LoginOffer[] {
  const bySigner = certified.get(certificate) ?? new WeakMap<Signer, readonly LoginOffer[]>();
  certified.set(certificate, bySigner);
  const known = bySigner.get(signer);
  if (known !== undefined) return known;
  const text = certificateText(certificate);
  const made = certificateAlgorithms(certificate.keyType).map(({ algorithm, signature }) => ({
    algorithm,
    signatureAlgorithm: signature,
    blob: certificate.blob,
    text,
    signer,
  }));
  bySigner.set(signer, made);
  return made;
}
