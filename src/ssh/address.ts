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

/**
 * How long an answer is used while the name servers give no other, as RFC 8767 has it. A host that has moved meanwhile does
 * not have the address any more, and whoever has it does not have the host's key.
 */
const oldAnswerTrustMs = 24 * 3600 * 1000;
/** How long the name servers are given before the old answer is used (RFC 8767, section 5, has 1.8 s for resolvers). */
const oldAnswerAfterMs = 500;
/** The names that surely do not exist, or have no address; other faults say nothing of the name. */
const finalFaults: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA']);

/** A look-up slower than this, or a failed one, puts its name on the slow lane. */
const slowMs = 1000;

/** Threads of libuv's pool; main.ts asks for more than the four that it has by itself. */
const defaultPoolThreads = 4;

/**
 * The system's look-ups run on libuv's pool of threads, which file access and compression
 * need as well, and can't be cancelled: one holds its thread for as long as name servers are silent, ten seconds by default
 * (resolv.conf(5)). So a quarter of the threads is left alone, and names whose last look-up
 * was slow or failed share a third of the others, lest a dead name server for some names hold up all the others.
 */
export function lookupLanes(poolThreads = Number(process.env['UV_THREADPOOL_SIZE'] ?? defaultPoolThreads)): {
  readonly fast: number;
  readonly slow: number;
} {
  const threads = Number.isInteger(poolThreads) && poolThreads > 0 ? poolThreads : defaultPoolThreads;
  const all = Math.max(2, threads - Math.max(1, Math.floor(threads / 4)));
  const slow = Math.max(1, Math.floor(all / 3));
  return { fast: all - slow, slow };
}

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
  readonly #fast: Lane;
  readonly #slow: Lane;

  constructor(lookup: Lookup, nowMs: () => number, lanes = lookupLanes()) {
    this.#lookup = lookup;
    this.#nowMs = nowMs;
    this.#fast = { free: lanes.fast, queue: [] };
    this.#slow = { free: lanes.slow, queue: [] };
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
    return known === undefined ? underWay : this.#orOld(host, underWay);
  }

  /** What the name servers answer or, where they are slow or fail, what they answered last. */
  async #orOld(host: string, underWay: Promise<readonly LookupAddress[]>): Promise<readonly LookupAddress[]> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), oldAnswerAfterMs);
    });
    try {
      return (await Promise.race([underWay, late])) ?? this.#old(host) ?? (await underWay);
    } catch (error) {
      const old = this.#old(host);
      if (old === null) throw error;
      return old;
    } finally {
      clearTimeout(timer);
      // Nobody may be left who waits for it.
      underWay.catch(() => undefined);
    }
  }

  #old(host: string): readonly LookupAddress[] | null {
    const old = this.#answers.get(host);
    return old !== undefined && this.#nowMs() - old.atMs < oldAnswerTrustMs ? old.addresses : null;
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
      if (error instanceof ProbeFailure || finalFaults.has(errorCode(error))) this.#answers.delete(host);
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
