import { lookup } from 'node:dns/promises';
import { ProbeFailure } from '../failure';
import type { Host } from '../inventory/host';
import { AddressBook, type Lookup } from './address';
import { offeredAlgorithms } from './algorithms';
import type { CommandOutcome } from './command';
import { HostKeyRefused, SshConnection } from './connection';
import { dial, endpoint } from './dial';
import { keyFingerprint, keyTypeOf } from './host-key';
import { findKnownKeys, refusalOf } from './host-verification';
import { IdentityFiles } from './identity';
import { hostNames, type HostNames, type KnownHosts } from './known-hosts';
import { KnownHostsFiles } from './known-hosts-file';
import type { PrivateKey } from './private-key';
import { ProbeProgress } from './progress';
import type { CommandRequest, CommandResult, Transport } from './transport';
import { Turns } from './turns';

/** What an SSH transport can be told; everything has a default. */
export interface SshTransportOptions {
  /** Handshakes at a time; more than 16 buy no throughput and block the event loop longer. */
  readonly handshakes?: number;
  /** A monotonic clock in milliseconds. */
  readonly nowMs?: () => number;
  /** How names become addresses. */
  readonly lookup?: Lookup;
}

/** Carries commands over SSH connections of its own. */
export class SshTransport implements Transport {
  readonly #nowMs: () => number;
  readonly #addresses: AddressBook;
  readonly #knownHosts: KnownHostsFiles;
  readonly #identities: IdentityFiles;
  readonly #handshakes: Turns;
  readonly #connections = new Set<SshConnection>();

  constructor(options: SshTransportOptions = {}) {
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#addresses = new AddressBook(options.lookup ?? ((name) => lookup(name, { all: true })), this.#nowMs);
    this.#knownHosts = new KnownHostsFiles(this.#nowMs);
    this.#identities = new IdentityFiles(this.#nowMs);
    this.#handshakes = new Turns(options.handshakes ?? 16);
  }

  async run(request: CommandRequest): Promise<CommandResult> {
    const progress = new ProbeProgress(request.signal, this.#nowMs);
    try {
      return await this.#runFresh(request, progress);
    } catch (error) {
      if (error instanceof ProbeFailure) throw error;
      const words = error instanceof Error ? error.message : String(error);
      throw new ProbeFailure('internal', `${words}, ${progress.doing}`, { cause: error });
    }
  }

  async close(): Promise<void> {
    const open = [...this.#connections];
    for (const connection of open) connection.destroy();
    await Promise.all(open.map((connection) => connection.gone));
  }

  async #runFresh(request: CommandRequest, progress: ProbeProgress): Promise<CommandResult> {
    const connection = await this.#connect(request.host, progress);
    const outcome = await connection.run(request, progress);
    connection.close();
    return resultOf(outcome, connection, progress, false);
  }

  /** An authenticated connection to a host whose key was verified. */
  async #connect(host: Host, progress: ProbeProgress): Promise<SshConnection> {
    progress.enter('while reading known_hosts and the private keys');
    const knownHosts = await progress.wait(this.#knownHosts.read(host.ssh.knownHosts));
    const keys = await progress.wait(this.#identities.read(host.ssh.identityFiles));
    const names = hostNames({ name: host.name, address: host.address, port: host.ssh.port });
    for (;;) {
      const searched = knownHosts.remembered(names) !== null;
      try {
        return await this.#shakeHands(host, names, knownHosts, keys, progress);
      } catch (error) {
        if (!(error instanceof HostKeyRefused)) throw error;
        const known = await findKnownKeys(knownHosts, names, progress);
        // Which key types are known under hashed names shows only in the search. A host that presented
        // a key of another type is asked again, for one of those.
        const types = knownHosts.keyTypes(names);
        const presented = keyTypeOf(error.hostKey);
        if (!searched && types.length > 0 && types.every((type) => type !== presented)) continue;
        throw refusalOf(
          {
            hostKey: error.hostKey,
            names,
            host: host.name,
            peer: error.peer,
            knownHosts,
            knownHostsPath: host.ssh.knownHosts,
          },
          known,
        );
      }
    }
  }

  async #shakeHands(
    host: Host,
    names: HostNames,
    knownHosts: KnownHosts,
    keys: readonly PrivateKey[],
    progress: ProbeProgress,
  ): Promise<SshConnection> {
    progress.enter(`while resolving ${host.address}`);
    const addresses = await progress.wait(this.#addresses.addressesOf(host.address));
    const socket = await dial(addresses, host.ssh.port, host.name, progress);
    const remoteAddress = socket.remoteAddress ?? host.address;
    const connection = await SshConnection.open({
      socket,
      peer: endpoint(remoteAddress, host.ssh.port),
      remoteAddress,
      user: host.ssh.user,
      keys,
      algorithms: offeredAlgorithms(knownHosts.keyTypes(names)),
      verify: (hostKey) => knownHosts.verify(names, hostKey.toString('base64')) === 'match',
      handshakes: this.#handshakes,
      progress,
    });
    this.#connections.add(connection);
    void connection.gone.then(() => this.#connections.delete(connection));
    return connection;
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
    hostKeyFingerprint: keyFingerprint(connection.hostKey),
    remoteAddress: connection.remoteAddress,
    durationSeconds: progress.elapsedSeconds,
    reused,
  };
}
