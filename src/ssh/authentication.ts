import type { AuthHandlerMiddleware, Client } from 'ssh2';
import { ProbeFailure } from '../failure';
import { refusedLogin } from './connection-fault';
import type { Login } from './login';
import { OfferQueue } from './offer-queue';
import { asFailure } from './progress';
import { hearSignatureAlgorithms, shownKey, signBy } from './ssh2-inside';

/** For whom and with what to log in. */
export interface AuthenticationOptions {
  readonly user: string;
  readonly login: Login;
  /** The endpoint, for messages. */
  readonly peer: string;
  /** It can't succeed any more. */
  readonly fail: (failure: ProbeFailure) => void;
  /** An agent is being waited for, and may be asking its user. */
  readonly onWait: (agent: string) => void;
}

/** The login of one connection: shows a host what there is to show, one after the other, and signs for what it would accept. */
export class Authentication {
  readonly #options: AuthenticationOptions;
  readonly #queue: OfferQueue;
  /** Ends the wait for an agent. */
  #waiting: AbortController | null = null;
  #isOver = false;

  constructor(options: AuthenticationOptions) {
    this.#options = options;
    this.#queue = new OfferQueue(options.login.offers);
  }

  /** How many were shown. */
  get shown(): number {
    return this.#queue.shown;
  }

  /** To be called right after `connect`. */
  attach(client: Client): void {
    hearSignatureAlgorithms(client, (names) => this.#queue.narrow(names));
    signBy(client, (data, send) => void this.#sign(data, send));
  }

  /** Signs nothing more. */
  stop(): void {
    this.#isOver = true;
    this.#waiting?.abort();
  }

  showNext(...[methodsLeft, partial, next]: Parameters<AuthHandlerMiddleware>): void {
    const { peer, user, login, fail } = this.#options;
    const methods: readonly string[] | null = methodsLeft;
    const offer = methods === null || methods.includes('publickey') ? this.#queue.next() : null;
    if (offer === null) fail(refusedLogin(peer, user, login, methods ?? [], partial === true));
    else next({ type: 'publickey', username: user, key: shownKey(offer) });
  }

  /** Answers a host that would accept a key if we prove that we have it. */
  async #sign(data: Buffer, send: (signature: Buffer) => void): Promise<void> {
    const { peer, fail, onWait } = this.#options;
    if (this.#isOver) return;
    const offer = this.#queue.toSign();
    if (offer === null) {
      fail(new ProbeFailure('protocol', `${peer} asks for a signature again and again`));
      return;
    }
    const { signer, signatureAlgorithm } = offer;
    const waiting = new AbortController();
    this.#waiting = waiting;
    if (signer.agent !== null) onWait(signer.agent);
    try {
      const signature = await signer.sign(signatureAlgorithm, data, waiting.signal);
      if (!this.#isOver) send(signature);
    } catch (error) {
      if (!this.#isOver) fail(asFailure(error));
    } finally {
      this.#waiting = null;
    }
  }
}
