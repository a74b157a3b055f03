import { ProbeFailure } from '../failure';
import type { SshServer } from '../inventory/host';
import { BastionFailure } from './bastion-failure';
import { BastionLink } from './bastion-link';
import type { ChannelStream } from './channel-stream';
import type { SshConnection } from './connection';
import { asFailure, ProbeProgress } from './progress';

/** How connections to bastions are made, and looked after. */
export interface BastionsOptions {
  /** Connects and logs in to a bastion. Throws a ProbeFailure. */
  readonly connect: (bastion: SshServer, progress: ProbeProgress) => Promise<SshConnection>;
  /** Whether a connection made earlier would be made in the same way now. Throws a ProbeFailure. */
  readonly stillGood: (bastion: SshServer, connection: SshConnection, progress: ProbeProgress) => Promise<boolean>;
  /** A connection that carried nothing for so long is closed. */
  readonly idleMs: number;
  /** Hosts that wait for bastions at a time; more of them wait for a moment only, lest they take the place of others. */
  readonly maxWaiting: () => number;
  /** A monotonic clock in milliseconds. */
  readonly nowMs: () => number;
}

/**
 * Channels on one connection. Each is an open file of the bastion's sshd, which may have 1024 of them (systemd.exec(5),
 * LimitNOFILE).
 */
const maxChannels = 500;
/** Connections to one bastion: with each one full, as many channels as connections are kept at most. */
const maxLinks = 20;
/** How long connecting to a bastion may take, whoever waits for it. */
const attemptMs = 30_000;
/** How long to wait for a bastion that may well not come. */
const shortPatienceMs = 1000;
const firstPauseMs = 1000;
const longestPauseMs = 60_000;

interface Attempt {
  readonly startedMs: number;
  readonly progress: ProbeProgress;
  readonly link: Promise<BastionLink>;
}

interface Bastion {
  readonly links: Set<BastionLink>;
  /** Hosts that are on their way through it. */
  users: number;
  attempt: Attempt | null;
  /** The last attempt, where it failed, and how many did in a row. */
  failed: { readonly failure: BastionFailure; readonly atMs: number; readonly inRow: number } | null;
}

/**
 * The connections to bastions, each shared by all the hosts behind it. Who needs one that is being made waits for that. One that
 * can't be made is tried again after a pause, by one host; all the others fail at once meanwhile, so that a thousand
 * hosts behind a bastion that is dead take no turns from those that are not.
 */
export class Bastions {
  readonly #options: BastionsOptions;
  readonly #bastions = new Map<string, Bastion>();
  readonly #keys = new WeakMap<SshServer, string>();
  #waiting = 0;
  #closed = false;

  constructor(options: BastionsOptions) {
    this.#options = options;
  }

  /** Open connections to bastions. */
  get links(): number {
    let links = 0;
    for (const bastion of this.#bastions.values()) links += bastion.links.size;
    return links;
  }

  /** A stream to a server behind a bastion. Throws a BastionFailure, or what ends the probe. */
  async stream(server: SshServer, address: string, port: number, progress: ProbeProgress): Promise<ChannelStream> {
    const bastion = this.#bastionOf(server);
    bastion.users += 1;
    try {
      const open = await this.#openLink(server, bastion, progress);
      const link = open ?? (await this.#newLink(server, bastion, progress));
      return await link.stream(address, port, progress);
    } finally {
      bastion.users -= 1;
    }
  }

  /** Ends everything, what is being connected to as well. */
  close(): void {
    this.#closed = true;
    for (const { links, attempt } of this.#bastions.values()) {
      attempt?.progress.abort(shutDown());
      for (const link of [...links]) link.close();
    }
  }

  /** A connection with room for a channel; those that would not be made again as they are take none. */
  async #openLink(server: SshServer, bastion: Bastion, progress: ProbeProgress): Promise<BastionLink | null> {
    for (const link of [...bastion.links]) {
      if (!link.open || link.channels >= maxChannels) continue;
      try {
        if (await this.#options.stillGood(server, link.connection, progress)) {
          // Others may have come meanwhile.
          if (link.open && link.channels < maxChannels) return link;
        } else {
          bastion.links.delete(link);
          link.retire();
        }
      } catch (error) {
        throw progress.over ?? BastionFailure.at(server.name, asFailure(error));
      }
    }
    return null;
  }

  async #newLink(server: SshServer, bastion: Bastion, progress: ProbeProgress): Promise<BastionLink> {
    const { failed } = bastion;
    if (bastion.attempt === null) {
      if (failed !== null && this.#options.nowMs() - failed.atMs < pauseMs(failed)) throw this.#again(failed);
      if (bastion.links.size >= maxLinks) {
        const words = `all ${maxLinks} connections to it are in use, with ${maxChannels} hosts each`;
        throw BastionFailure.at(server.name, new ProbeFailure('connect', words));
      }
      this.#begin(server, bastion);
      // Who tries again is the one that waits for it.
      if (bastion.attempt !== null) return this.#join(server, bastion.attempt, null, progress);
    }
    const attempt = bastion.attempt;
    if (attempt === null) throw shutDown();
    const crowded = this.#waiting >= this.#options.maxWaiting();
    if (failed === null && !crowded) return this.#join(server, attempt, null, progress);
    const restMs = Math.max(0, shortPatienceMs - (this.#options.nowMs() - attempt.startedMs));
    return this.#join(server, attempt, { restMs, failure: () => this.#impatience(server, attempt, failed) }, progress);
  }

  async #join(
    server: SshServer,
    attempt: Attempt,
    patience: { readonly restMs: number; readonly failure: () => ProbeFailure } | null,
    progress: ProbeProgress,
  ): Promise<BastionLink> {
    progress.enter(() => `via bastion ${server.name}: ${attempt.progress.doing}`);
    this.#waiting += 1;
    try {
      const wait = (part: ProbeProgress): Promise<BastionLink> => part.wait(attempt.link);
      if (patience === null) return await wait(progress);
      return await progress.within(patience.restMs, wait, patience.failure);
    } finally {
      this.#waiting -= 1;
    }
  }

  #begin(server: SshServer, bastion: Bastion): void {
    const controller = new AbortController();
    const progress = new ProbeProgress(controller.signal, this.#options.nowMs);
    const timer = setTimeout(() => controller.abort(), attemptMs);
    timer.unref();
    const link = this.#options
      .connect(server, progress)
      .then((connection) => {
        if (this.#closed) {
          connection.close();
          throw shutDown();
        }
        bastion.failed = null;
        const made = new BastionLink(connection, {
          name: server.name,
          idleMs: this.#options.idleMs,
          nowMs: this.#options.nowMs,
          onEnd: (ended) => bastion.links.delete(ended),
        });
        bastion.links.add(made);
        return made;
      })
      .catch((error: unknown) => {
        const failure = BastionFailure.at(server.name, asFailure(error));
        bastion.failed = { failure, atMs: this.#options.nowMs(), inRow: (bastion.failed?.inRow ?? 0) + 1 };
        throw failure;
      })
      .finally(() => {
        clearTimeout(timer);
        progress.finish();
        bastion.attempt = null;
      });
    // Those who waited for it may all have given up.
    link.catch(() => undefined);
    bastion.attempt = { startedMs: this.#options.nowMs(), progress, link };
  }

  #again({ failure, atMs }: NonNullable<Bastion['failed']>): ProbeFailure {
    return BastionFailure.again(failure, (this.#options.nowMs() - atMs) / 1000);
  }

  #impatience(server: SshServer, attempt: Attempt, failed: Bastion['failed']): ProbeFailure {
    if (failed !== null) return this.#again(failed);
    const words = `still ${attempt.progress.doing}, and more hosts wait for bastions than may wait long`;
    return BastionFailure.at(server.name, new ProbeFailure('timeout', words));
  }

  #bastionOf(server: SshServer): Bastion {
    if (this.#closed) throw shutDown();
    const key = this.#keyOf(server);
    const known = this.#bastions.get(key);
    if (known !== undefined) return known;
    this.#forgetUnused();
    const bastion: Bastion = { links: new Set(), users: 0, attempt: null, failed: null };
    this.#bastions.set(key, bastion);
    return bastion;
  }

  /** Bastions that a configuration named before. */
  #forgetUnused(): void {
    for (const [key, { links, users, attempt, failed }] of this.#bastions) {
      const resting = failed === null || this.#options.nowMs() - failed.atMs > longestPauseMs;
      if (links.size === 0 && users === 0 && attempt === null && resting) this.#bastions.delete(key);
    }
  }

  /** A configuration that is read again has other objects for the same bastions. */
  #keyOf(server: SshServer): string {
    const known = this.#keys.get(server);
    if (known !== undefined) return known;
    const key = JSON.stringify(server);
    this.#keys.set(server, key);
    return key;
  }
}

/** A bastion that refuses us is not bothered soon: it may lock us out. */
function pauseMs({ failure, inRow }: { readonly failure: ProbeFailure; readonly inRow: number }): number {
  if (failure.reason === 'auth' || failure.reason === 'host_key') return longestPauseMs;
  return Math.min(firstPauseMs * 2 ** Math.min(inRow - 1, 10), longestPauseMs);
}

function shutDown(): ProbeFailure {
  return new ProbeFailure('internal', 'the exporter is shutting down');
}
