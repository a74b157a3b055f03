import type { Client } from 'ssh2';
import { certificateAlgorithms, parseCertificate } from './certificate';
import { hostKeyTypes } from './host-key';

/** What ssh2 1.17 has in lib/protocol/kex.js, as far as it is used here. */
interface KeyExchange {
  readonly negotiated: { serverHostKey: string };
  _hostKey: Buffer | undefined;
  finish(partly?: boolean): unknown;
}

interface Lists {
  readonly kex: List;
  readonly serverHostKey: List;
  readonly cs: Direction;
  readonly sc: Direction;
}

interface List {
  readonly array: readonly string[];
}

type Direction = Readonly<Record<'cipher' | 'mac' | 'compress' | 'lang', List>>;

interface Offer {
  readonly lists: Lists;
  readonly constructor: new (lists: unknown) => Offer;
}

interface Protocol {
  _offer: Offer;
  _kex: KeyExchange | undefined;
}

/** How a host may prove itself with a certificate, in ssh's order. */
const algorithms = hostKeyTypes.flatMap((keyType) =>
  certificateAlgorithms(keyType).map((names) => ({ ...names, type: `${keyType}-cert-v01@openssh.com` })),
);

/** By which algorithms to ask a host for a certificate: all, or those whose keys it may prove itself with by its settings. */
export function certificateHostAlgorithms(chosen: readonly string[] | null): readonly string[] {
  return algorithms
    .filter(({ algorithm, signature }) => chosen === null || chosen.includes(algorithm) || chosen.includes(signature))
    .map(({ algorithm }) => algorithm);
}

/** Offers with the certificates' algorithms, by the names in the offer that they were added to. */
const offers = new Map<string, Offer>();
const maxOffers = 100;

/**
 * Has ssh2 ask a host for a certificate before it asks for a plain key, and check the host's proof with the key in the
 * certificate. ssh2 knows nothing of certificates: it takes the whole of it for a key, and wants signatures to be named after it. To
 * be called right after `connect`.
 *
 * Nothing here decides whom to trust. The certificate itself is judged where plain keys are, by `hostVerifier`, which ssh2 asks first; what
 * remains is the host's signature over the exchange, in which the certificate is (PROTOCOL.certkeys, section 2).
 */
export function askForCertificates(client: Client, asked: readonly string[]): void {
  const protocol = (client as unknown as { _protocol?: Protocol })._protocol;
  if (protocol === undefined) return;
  protocol._offer = withCertificates(protocol._offer, asked);
  let current: KeyExchange | undefined;
  // Each exchange of keys is an object of its own, made when both sides have said what they offer.
  Object.defineProperty(protocol, '_kex', {
    get: () => current,
    set: (exchange: KeyExchange | undefined) => {
      current = exchange;
      if (exchange !== undefined) expectCertificate(exchange);
    },
  });
}

function withCertificates(offer: Offer, asked: readonly string[]): Offer {
  const { kex, serverHostKey, cs, sc } = offer.lists;
  const names = (direction: Direction): unknown =>
    Object.fromEntries(Object.entries(direction).map(([what, { array }]) => [what, array]));
  const lists = {
    kex: kex.array,
    serverHostKey: [...asked, ...serverHostKey.array],
    cs: names(cs),
    sc: names(sc),
  };
  const id = JSON.stringify(lists);
  const known = offers.get(id);
  if (known !== undefined) return known;
  const made = new offer.constructor(lists);
  if (offers.size >= maxOffers) offers.clear();
  offers.set(id, made);
  return made;
}

function expectCertificate(exchange: KeyExchange): void {
  const { negotiated } = exchange;
  const expected = algorithms.find(({ algorithm }) => algorithm === negotiated.serverHostKey);
  if (expected === undefined) return;
  // What the host presents names the type of the key; ssh2 compares that with the name of the algorithm.
  negotiated.serverHostKey = expected.type;
  const { finish } = exchange;
  exchange.finish = (partly) => {
    exchange.finish = finish;
    // The signature names the plain algorithm, as it does without a certificate.
    negotiated.serverHostKey = expected.signature;
    showKeyAfterCertificate(exchange);
    return finish.call(exchange, partly);
  };
}

/**
 * ssh2 reads what the host presented twice: for the hash that the host signed, which is over the certificate, and then to check
 * the signature, for which it needs the key in it. If it ever read them otherwise, the signature would not be found good.
 */
function showKeyAfterCertificate(exchange: KeyExchange): void {
  const certificate = exchange._hostKey;
  const key = certificate === undefined ? undefined : parseCertificate(certificate)?.key;
  let hashed = false;
  Object.defineProperty(exchange, '_hostKey', {
    configurable: true,
    get: () => {
      if (hashed) return key;
      hashed = true;
      return certificate;
    },
    // It is forgotten when the exchange is over.
    set: (value: Buffer | undefined) => {
      Object.defineProperty(exchange, '_hostKey', { value, writable: true, configurable: true });
    },
  });
}
