import { type Certificate, timeFault } from './certificate';
import { certificateOffers, keyOffers, type LoginOffer, oldOffers, type Signer } from './signer';

/** A certificate, and who signs with the key in it. */
export interface Certified {
  readonly certificate: Certificate;
  readonly signer: Signer;
}

/** With what a user logs in. */
export interface Login {
  /** What to show to the host, in this order. */
  readonly offers: readonly LoginOffer[];
  /** Why a certificate is not among them; said when the host refuses the rest. */
  readonly notes: readonly string[];
}

/**
 * Puts together what there is to show: as with ssh, certificates come first and the keys themselves after them. A certificate
 * whose time has not come or has passed is left out, since the host would refuse it and count that as a failed try. `withSha1`:
 * the host opted into RSA with SHA-1.
 */
export function loginOf(
  signers: readonly Signer[],
  certified: readonly Certified[],
  notes: readonly string[],
  nowSeconds: number,
  withSha1 = false,
): Login {
  const offers: LoginOffer[] = [];
  const untimely: string[] = [];
  const add = (more: readonly LoginOffer[]): void => {
    const blob = more[0]?.blob;
    if (blob !== undefined && !offers.some((offer) => offer.blob.equals(blob))) offers.push(...more);
  };
  for (const { certificate, signer } of certified) {
    const fault = timeFault(certificate, nowSeconds);
    if (fault === null) add(certificateOffers(certificate, signer));
    else
      untimely.push(
        `the certificate of ${signer.fingerprint} with serial ${certificate.serial} was not used: ${fault}`,
      );
  }
  for (const signer of signers) add(withSha1 ? oldOffers(signer) : keyOffers(signer));
  return { offers, notes: [...notes, ...untimely] };
}

/** Whether one would show a host just what the other shows. */
export function sameOffers(some: readonly LoginOffer[], others: readonly LoginOffer[]): boolean {
  return some.length === others.length && some.every((offer, at) => offer === others[at]);
}
