import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { ProbeFailure } from '../failure';
import type { AddressFamily } from '../inventory/host';
import { errorCode } from './error-code';
import { errorWords, quoted } from './foreign-text';

/** Finds all addresses of a name, as `dns.promises.lookup(name, { all: true })` does. */
export type Lookup = (name: string) => Promise<readonly LookupAddress[]>;

/** A server with more addresses than this is tried at the first ones only. */
const maxAddresses = 8;
/** So many of each name are kept: those of the family that is wanted may come last. */
const maxKnownAddresses = 64;

/** How long an answer is used again; getaddrinfo(3) does not tell the record's time to live. */
const answerTrustMs = 60_000;

/** A look-up slower than this, or a failed one, puts its name on the slow lane. */
const slowMs = 1000;

/**
 * The system's look-ups run on libuv's pool of four threads, which file access
 * needs as well, and can't be cancelled. So only three run at a time; names whose last look-up
 * was slow or failed share one of them, lest a dead name server for a few names hold up all the others.
 */
const fastLanes = 2;
const slowLanes = 1;

interface Answer {
  readonly addresses: readonly LookupAddress[];
  readonly atMs: number;
}

interface Lane {
  free: number;
  readonly queue: (() => void)[];
}

/** Turns names into addresses by the system's own means (hosts file, DNS, whatever nsswitch.conf names). */
export class AddressBook {
  readonly #lookup: Lookup;
  readonly #nowMs: () => number;
  readonly #answers = new Map<string, Answer>();
  readonly #underWay = new Map<string, Promise<readonly LookupAddress[]>>();
  readonly #slowNames = new Set<string>();
  readonly #fast: Lane = { free: fastLanes, queue: [] };
  readonly #slow: Lane = { free: slowLanes, queue: [] };

  constructor(lookup: Lookup, nowMs: () => number) {
    this.#lookup = lookup;
    this.#nowMs = nowMs;
  }

  /**
   * The addresses of a host that are of a family, in the order to try them. Throws a ProbeFailure `dns`; the caller bounds
   * the wait.
   */
  async addressesOf(host: string, family: AddressFamily = 'any'): Promise<readonly LookupAddress[]> {
    const own = isIP(host);
    const all = own === 0 ? await this.#addressesOfName(host) : [{ address: host, family: own }];
    if (family === 'any') return all.slice(0, maxAddresses);
    const wanted = all.filter((one) => one.family === (family === 'inet' ? 4 : 6)).slice(0, maxAddresses);
    if (wanted.length > 0) return wanted;
    const kind = family === 'inet' ? 'IPv4' : 'IPv6';
    const what = own === 0 ? `${quoted(host)} has no ${kind} address` : `${host} is no ${kind} address`;
    throw new ProbeFailure('dns', `${what}, and address_family is ${family}`);
  }

  async #addressesOfName(host: string): Promise<readonly LookupAddress[]> {
    const known = this.#answers.get(host);
    if (known !== undefined && this.#nowMs() - known.atMs < answerTrustMs) return known.addresses;
    let underWay = this.#underWay.get(host);
    if (underWay === undefined) {
      underWay = this.#resolve(host).finally(() => this.#underWay.delete(host));
      this.#underWay.set(host, underWay);
    }
    return underWay;
  }

  /** Forgets an answer, as when nothing answered at its addresses. */
  forget(host: string): void {
    this.#answers.delete(host);
  }

  async #resolve(host: string): Promise<readonly LookupAddress[]> {
    const lane = this.#slowNames.has(host) ? this.#slow : this.#fast;
    if (lane.free > 0) lane.free -= 1;
    else await new Promise<void>((turn) => lane.queue.push(turn));
    const startedMs = this.#nowMs();
    try {
      const addresses = (await this.#lookup(host)).slice(0, maxKnownAddresses);
      if (addresses.length === 0) throw new ProbeFailure('dns', `${host} has no address`);
      if (this.#nowMs() - startedMs < slowMs) this.#slowNames.delete(host);
      else this.#slowNames.add(host);
      this.#answers.set(host, { addresses, atMs: this.#nowMs() });
      return addresses;
    } catch (error) {
      this.#slowNames.add(host);
      if (error instanceof ProbeFailure) throw error;
      throw new ProbeFailure('dns', `${quoted(host)} could not be resolved: ${lookupWords(error)}`, { cause: error });
    } finally {
      const next = lane.queue.shift();
      if (next === undefined) lane.free += 1;
      else next();
    }
  }
}

const lookupFaults: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the name does not exist',
  EAI_AGAIN: 'the name server did not answer',
  EAI_FAIL: 'the name server failed',
  ENODATA: 'the name has no address',
};

function lookupWords(error: unknown): string {
  const code = errorCode(error);
  return lookupFaults[code] ?? (code === '' ? errorWords(error) : code);
}
