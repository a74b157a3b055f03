import type { ProbeFailure } from '../failure';
import type { Host, SshServer } from '../inventory/host';
import { BastionFailure } from './bastion-failure';

/** What has to be known of a connection to keep it. */
export interface Keepable {
  /** Whether it can carry another command. */
  readonly usable: boolean;
  /** Why it ended; null while it has not. */
  readonly ended: ProbeFailure | null;
  /** Called when the host ends it while nothing runs. */
  onIdleEnd: () => void;
  /** Has the kernel notice when the host goes away while nothing runs. */
  watchPeer(): void;
  /** Says goodbye and closes. */
  close(): void;
}

export interface KeptConnectionsOptions {
  /** No more than this are kept; hosts beyond get a fresh connection each time. */
  readonly maxOpen: number;
  /** One that was not used for this long is closed. */
  readonly idleMs: number;
  /** A monotonic clock in milliseconds. */
  readonly nowMs: () => number;
  /** A host ended a connection that was kept to it: it may be restarting. */
  readonly onDrop: (host: Host) => void;
}

interface Kept<Connection> {
  readonly connection: Connection;
  readonly host: Host;
  /** Whether it carried a command beyond its first. */
  readonly reused: boolean;
  readonly sinceMs: number;
}

/** A host that won't have its connections kept is left in peace for this long. */
const refusalMs = 3600 * 1000;
/** Connections lost in a row, none of them ever used again, after which a host counts as one of those. */
const maxLosses = 2;

/** The connections kept open between probes, at most one a host. */
export class KeptConnections<Connection extends Keepable> {
  readonly #options: KeptConnectionsOptions;
  /** Those that are idle for the longest time come first. */
  readonly #kept = new Map<string, Kept<Connection>>();
  /** Until the first of them was idle for too long; one for all, for there are thousands. */
  #timer: NodeJS.Timeout | null = null;
  readonly #refusedAtMs = new Map<string, number>();
  readonly #losses = new Map<string, number>();

  constructor(options: KeptConnectionsOptions) {
    this.#options = options;
  }

  /** How many are kept and not in use. */
  get size(): number {
    return this.#kept.size;
  }

  /** Whether it makes sense to keep a connection to this host. */
  welcomes(host: Host): boolean {
    const refusedAtMs = this.#refusedAtMs.get(host.name);
    if (refusedAtMs === undefined) return true;
    if (this.#options.nowMs() - refusedAtMs < refusalMs) return false;
    this.#refusedAtMs.delete(host.name);
    return true;
  }

  /** The connection kept for a host, which from now on is the caller's; null if there is none for these settings. */
  take(host: Host): Connection | null {
    const kept = this.#remove(host.name);
    if (kept === null) return null;
    if (kept.connection.usable && sameServer(kept.host, host)) return kept.connection;
    kept.connection.close();
    return null;
  }

  /** Keeps a connection until it is taken, or closes it. `reused`: it carried a command beyond its first. */
  keep(host: Host, connection: Connection, reused: boolean): void {
    if (reused) this.#losses.delete(host.name);
    const full = this.#kept.size >= this.#options.maxOpen;
    if (full || !connection.usable || this.#kept.has(host.name)) {
      connection.close();
      return;
    }
    const kept = { connection, host, reused, sinceMs: this.#options.nowMs() };
    connection.onIdleEnd = () => this.#lost(kept);
    connection.watchPeer();
    this.#kept.set(host.name, kept);
    if (this.#timer === null) this.#wakeIn(this.#options.idleMs);
  }

  /** The host would not run a second command on one connection, so none is kept to it for a while. */
  refused(host: Host): void {
    this.#refusedAtMs.set(host.name, this.#options.nowMs());
    this.#losses.delete(host.name);
  }

  /** A kept connection broke before another command began on it. */
  unusable(host: Host): void {
    const losses = (this.#losses.get(host.name) ?? 0) + 1;
    if (losses >= maxLosses) this.refused(host);
    else this.#losses.set(host.name, losses);
  }

  /** Closes what is kept for a host. */
  forget(hostName: string): void {
    this.#remove(hostName)?.connection.close();
  }

  /** Closes what is kept for hosts that are not among these, and forgets them. */
  retain(hostNames: ReadonlySet<string>): void {
    for (const name of [...this.#kept.keys()]) if (!hostNames.has(name)) this.forget(name);
    for (const name of [...this.#refusedAtMs.keys()]) if (!hostNames.has(name)) this.#refusedAtMs.delete(name);
    for (const name of [...this.#losses.keys()]) if (!hostNames.has(name)) this.#losses.delete(name);
  }

  #wakeIn(delayMs: number): void {
    this.#timer = setTimeout(() => this.#closeIdle(), delayMs);
    // The exporter may end while connections are idle.
    this.#timer.unref();
  }

  #closeIdle(): void {
    this.#timer = null;
    const nowMs = this.#options.nowMs();
    for (const [name, { sinceMs }] of this.#kept) {
      const restMs = sinceMs + this.#options.idleMs - nowMs;
      // Timers are whole milliseconds.
      if (restMs >= 1) return this.#wakeIn(restMs);
      this.forget(name);
    }
  }

  #lost(kept: Kept<Connection>): void {
    const { host } = kept;
    if (this.#kept.get(host.name) !== kept) return;
    this.#remove(host.name);
    // A bastion took the connections of all the hosts behind it along: they did nothing.
    if (kept.connection.ended instanceof BastionFailure) return;
    // A host that ends every connection as soon as it is idle tells nothing by it.
    if (!kept.reused) this.unusable(host);
    if (this.welcomes(host)) this.#options.onDrop(host);
  }

  #remove(name: string): Kept<Connection> | null {
    const kept = this.#kept.get(name);
    if (kept === undefined) return null;
    this.#kept.delete(name);
    kept.connection.onIdleEnd = () => undefined;
    return kept;
  }
}

/** Whether a connection made with one set of settings is what the other asks for. */
function sameServer(one: Host, other: Host): boolean {
  return (
    one.address === other.address &&
    one.ssh.port === other.ssh.port &&
    one.ssh.user === other.ssh.user &&
    one.ssh.knownHosts === other.ssh.knownHosts &&
    one.ssh.hostKeyAlias === other.ssh.hostKeyAlias &&
    (one.ssh.via === other.ssh.via || wayOf(one) === wayOf(other))
  );
}

/** By what a server is reached, as text: a configuration that is read again has other objects for the same. */
function wayOf({ ssh }: SshServer): string {
  return JSON.stringify([ssh.via, ssh.proxy]);
}
