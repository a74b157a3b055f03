import type { LoginOffer } from './signer';

/** What is shown to one host, one after the other: each is signed for once at most. */
export class OfferQueue {
  #left: readonly LoginOffer[];
  #last: LoginOffer | null = null;
  #shown = 0;

  constructor(offers: readonly LoginOffer[]) {
    this.#left = offers;
  }

  /** How many were shown. */
  get shown(): number {
    return this.#shown;
  }

  /**
   * Leaves out the signatures with RSA that a host does not take, by the names of those it does: it counts each try. One that it
   * names may still be refused, since sshd names what it can, not what PubkeyAcceptedAlgorithms lets it.
   */
  narrow(accepted: readonly string[]): void {
    this.#left = this.#left.filter(
      ({ signatureAlgorithm }) => !signatureAlgorithm.startsWith('rsa-') || accepted.includes(signatureAlgorithm),
    );
  }

  /** The next to show; null when there is none left. */
  next(): LoginOffer | null {
    const [first = null, ...left] = this.#left;
    if (first !== null) this.#shown += 1;
    this.#left = left;
    this.#last = first;
    return first;
  }

  /** The one shown last, if it was not signed for already. */
  toSign(): LoginOffer | null {
    const offer = this.#last;
    this.#last = null;
    return offer;
  }
}
