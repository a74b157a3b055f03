import { lookup } from 'node:dns/promises';
import { ProbeFailure } from '../failure';
import type { Host } from '../inventory/host';
import { AddressBook, type Lookup } from './address';
import { Agents } from './agent';
import { BastionFailure } from './bastion-failure';
import type { CommandOutcome } from './command';
import type { SshConnection } from './connection';
import { type Credentials, Connector } from './connector';
import { keyFingerprint } from './host-key';
import { provenKey } from './host-trust';
import { verifyWithParsedKeys } from './host-signature';
import { Identities } from './identity';
import { KeptConnections } from './kept-connections';
import { KnownHostsFiles } from './known-hosts-file';
import { asFailure, ProbeProgress } from './progress';
import type { CommandRequest, CommandResult, Transport } from './transport';
import { Turns } from './turns';

/** What an SSH transport can be told; everything has a default. */
export interface SshTransportOptions {
  /** How often each host is probed; `auto` keeps connections where that is 5 minutes or less. Default: never. */
  readonly periodSeconds?: number;
  /** Handshakes at a time, 16; more buy no throughput and block the event loop longer. */
  readonly handshakes?: number;
  /** Connections kept open at a time, 10000; one takes about 30 KB here and a process on the host. */
  readonly maxKept?: number;
  /** How many probes may run at a time, 64; half of them may wait for bastions. */
  readonly probesAtATime?: () => number;
  /** Called when a host ends a connection that was kept to it: it may be restarting. */
  readonly onDrop?: (host: Host) => void;
  /** A monotonic clock in milliseconds. */
  readonly nowMs?: () => number;
  /** The time of day in seconds since 1970, by which certificates are valid; the system's by default. */
  readonly unixSeconds?: () => number;
  /** The variables that may name an agent's socket; this process's own by default. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** How names become addresses; the system's way by default. */
  readonly lookup?: Lookup;
}

/** With `auto` connections are kept where a host is probed at least this often. */
const maxKeptPeriodSeconds = 300;
/** A kept connection that was left out this many periods in a row is not needed any more. */
const idlePeriods = 2.5;
const minIdleMs = 60_000;
/** Bastions are used far more often than each host. */
const maxBastionIdleMs = 600_000;
const defaultProbesAtATime = 64;

/** Carries commands over SSH connections of its own, made afresh or kept open, as each host's `connection` says. */
export class SshTransport implements Transport {
  readonly #nowMs: () => number;
  readonly #periodSeconds: number;
  readonly #connector: Connector;
  readonly #kept: KeptConnections<SshConnection>;
  readonly #connections = new Set<SshConnection>();
  readonly #underWay = new Set<ProbeProgress>();
  #closed = false;

  constructor(options: SshTransportOptions = {}) {
    verifyWithParsedKeys();
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#periodSeconds = options.periodSeconds ?? Number.POSITIVE_INFINITY;
    const idlePeriodMs = Number.isFinite(this.#periodSeconds) ? idlePeriods * 1000 * this.#periodSeconds : 0;
    const idleMs = Math.max(minIdleMs, idlePeriodMs);
    const unixSeconds = options.unixSeconds ?? (() => Date.now() / 1000);
    const probesAtATime = options.probesAtATime ?? (() => defaultProbesAtATime);
    this.#connector = new Connector({
      addresses: new AddressBook(options.lookup ?? ((name) => lookup(name, { all: true })), this.#nowMs),
      knownHosts: new KnownHostsFiles(this.#nowMs),
      identities: new Identities(new Agents(this.#nowMs, options.environment ?? process.env), this.#nowMs, unixSeconds),
      handshakes: new Turns(options.handshakes ?? 16),
      onConnection: (connection) => this.#remember(connection),
      bastionIdleMs: Math.min(idleMs, maxBastionIdleMs),
      maxWaiting: () => Math.max(1, Math.floor(probesAtATime() / 2)),
      nowMs: this.#nowMs,
      unixSeconds,
    });
    this.#kept = new KeptConnections({
      maxOpen: options.maxKept ?? 10_000,
      idleMs,
      nowMs: this.#nowMs,
      onDrop: options.onDrop ?? (() => undefined),
    });
  }

  async run(request: CommandRequest): Promise<CommandResult> {
    if (this.#closed) throw new ProbeFailure('internal', 'the exporter is shutting down');
    const progress = new ProbeProgress(request.signal, this.#nowMs);
    this.#underWay.add(progress);
    try {
      return await this.#run(request, progress);
    } catch (error) {
      throw asFailure(error);
    } finally {
      progress.finish();
      this.#underWay.delete(progress);
    }
  }

  /** Closes what is kept for hosts that are not in the inventory any more. */
  retain(hostNames: ReadonlySet<string>): void {
    this.#kept.retain(hostNames);
  }

  /** Open connections to bastions. */
  get bastionConnections(): number {
    return this.#connector.bastions.links;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#kept.retain(new Set());
    for (const progress of this.#underWay) {
      progress.abort(new ProbeFailure('internal', `the exporter was shut down ${progress.doing}`));
    }
    this.#connector.bastions.close();
    await Promise.all([...this.#connections].map((connection) => connection.gone));
  }

  async #run(request: CommandRequest, progress: ProbeProgress): Promise<CommandResult> {
    const { host } = request;
    const credentials = await this.#connector.credentialsFor(host, progress);
    const keep = this.#keeps(host);
    if (keep) {
      const result = await this.#runOnKept(request, credentials, progress);
      if (result !== null) return result;
    }
    const connection = await this.#connector.connect(host, credentials, progress);
    const outcome = await connection.run(request, false, progress);
    if (keep && this.#keeps(host)) this.#kept.keep(host, connection, false);
    else connection.close();
    return resultOf(outcome, connection, progress, false);
  }

  /** Runs a command on the connection kept for a host. Null when there is none, or it turned out to be of no use any more. */
  async #runOnKept(
    request: CommandRequest,
    credentials: Credentials,
    progress: ProbeProgress,
  ): Promise<CommandResult | null> {
    const connection = this.#kept.take(request.host);
    if (connection === null) return null;
    if (!this.#connector.stillGood(connection, credentials)) {
      connection.close();
      return null;
    }
    try {
      const outcome = await connection.run(request, true, progress);
      this.#kept.keep(request.host, connection, true);
      return resultOf(outcome, connection, progress, true);
    } catch (error) {
      const failure = asFailure(error);
      if (connection.started || progress.over !== null) throw failure;
      // The host had closed it, or will have no second session on it. Nothing was run, so a fresh connection is a fair second try.
      if (failure.reason === 'command') this.#kept.refused(request.host);
      else if (!(failure instanceof BastionFailure)) this.#kept.unusable(request.host);
      return null;
    }
  }

  #remember(connection: SshConnection): void {
    this.#connections.add(connection);
    void connection.gone.then(() => this.#connections.delete(connection));
  }

  #keeps(host: Host): boolean {
    const { connection } = host.ssh;
    if (connection === 'fresh' || !this.#kept.welcomes(host)) return false;
    return connection === 'keep' || this.#periodSeconds <= maxKeptPeriodSeconds;
  }
}

function resultOf(
  outcome: CommandOutcome,
  connection: SshConnection,
  progress: ProbeProgress,
  reused: boolean,
): CommandResult {
  const { output, status, endedBySignal, errorHead } = outcome;
  return {
    output,
    status,
    endedBySignal,
    errorHead,
    hostKeyFingerprint: keyFingerprint(provenKey(Buffer.from(connection.hostKey, 'base64'))),
    remoteAddress: connection.remoteAddress,
    durationSeconds: progress.elapsedSeconds,
    reused,
  };
}
