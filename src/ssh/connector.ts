import { ProbeFailure } from '../failure';
import type { SshServer } from '../inventory/host';
import type { AddressBook } from './address';
import { offeredAlgorithms } from './algorithms';
import { Bastions } from './bastions';
import { SshConnection } from './connection';
import { HostKeyRefused } from './connection-fault';
import { keyTypeOf } from './host-key';
import { certificateHostAlgorithms } from './host-certificate-exchange';
import { distrustOf, type Knowledge, mayPresentCertificate, provenKey } from './host-trust';
import { findKnownKeys, refusalOf } from './host-verification';
import type { Identities } from './identity';
import { hostNames, type HostNames, type KnownHosts } from './known-hosts';
import type { KnownHostsFiles } from './known-hosts-file';
import { type Login, sameOffers } from './login';
import type { ProbeProgress } from './progress';
import { ProxyPasswords } from './proxy-password';
import type { Turns } from './turns';
import { reach } from './way';

/** What is known beforehand about a host: the keys it may present, and with what we log in. */
export interface Credentials {
  readonly names: HostNames;
  readonly knownHosts: KnownHosts;
  readonly login: Login;
}

/** What a connector works with. */
export interface ConnectorOptions {
  readonly addresses: AddressBook;
  readonly knownHosts: KnownHostsFiles;
  readonly identities: Identities;
  /** Bounds the handshakes that run at a time. */
  readonly handshakes: Turns;
  /** Is told of every connection that was made, to a host or a bastion. */
  readonly onConnection: (connection: SshConnection) => void;
  /** A connection to a bastion that carried nothing for so long is closed. */
  readonly bastionIdleMs: number;
  /** Hosts that may wait for bastions at a time. */
  readonly maxWaiting: () => number;
  /** A monotonic clock in milliseconds. */
  readonly nowMs: () => number;
  /** The time of day in seconds since 1970, by which certificates are valid. */
  readonly unixSeconds: () => number;
}

/** How often a bastion is asked whether it is still there: one that is gone without a word holds up all the hosts behind it. */
const bastionCheckMs = 3000;

/** Makes connections to hosts: reads the files they name, finds the way to them, verifies and logs in. */
export class Connector {
  readonly addresses: AddressBook;
  readonly passwords: ProxyPasswords;
  readonly bastions: Bastions;
  readonly #options: ConnectorOptions;

  constructor(options: ConnectorOptions) {
    this.#options = options;
    this.addresses = options.addresses;
    this.passwords = new ProxyPasswords(options.nowMs);
    this.bastions = new Bastions({
      connect: async (bastion, progress) =>
        this.connect(bastion, await this.credentialsFor(bastion, progress), progress, bastionCheckMs),
      stillGood: async (bastion, connection, progress) =>
        this.stillGood(connection, await this.credentialsFor(bastion, progress)),
      idleMs: options.bastionIdleMs,
      maxWaiting: options.maxWaiting,
      nowMs: options.nowMs,
    });
  }

  /** Reads what the host's files hold now. Throws a ProbeFailure `host_key` or `auth`. */
  async credentialsFor(host: SshServer, progress: ProbeProgress): Promise<Credentials> {
    progress.enter('while reading known_hosts');
    const knownHosts = await progress.wait(this.#options.knownHosts.read(host.ssh.knownHosts));
    progress.enter(
      host.ssh.identityAgent === null ? 'while reading the private keys' : 'while asking the agent for its keys',
    );
    const login = await progress.wait(this.#options.identities.read(host.ssh));
    if (login.offers.length === 0) {
      const why = ['no private key is configured', ...login.notes].join('; ');
      throw new ProbeFailure('auth', `${why} for ${host.name}`);
    }
    return { names: namesOf(host), knownHosts, login };
  }

  /** Whether a connection made earlier would be made in the same way now. */
  stillGood(connection: SshConnection, { names, knownHosts, login }: Credentials): boolean {
    return (
      sameOffers(connection.offers, login.offers) &&
      distrustOf(connection.hostKey, this.#knowledge(names, knownHosts, true)) === null
    );
  }

  /** An authenticated connection to a host whose key was verified. `keepaliveMs` is for those that are in use all the time. */
  async connect(
    host: SshServer,
    credentials: Credentials,
    progress: ProbeProgress,
    keepaliveMs = 0,
  ): Promise<SshConnection> {
    const { names, knownHosts } = credentials;
    const searched = knownHosts.remembered(names) !== null;
    try {
      return await this.#shakeHands(host, credentials, progress, keepaliveMs);
    } catch (error) {
      if (!(error instanceof HostKeyRefused)) throw error;
      const known = await findKnownKeys(knownHosts, names, progress);
      // Which key types are known under hashed names shows only in the search. A host that presented
      // a key of another type is asked again, for one of those.
      const types = knownHosts.keyTypes(names);
      const presented = keyTypeOf(provenKey(error.hostKey));
      if (!searched && types.length > 0 && types.every((type) => type !== presented)) {
        return await this.connect(host, credentials, progress, keepaliveMs);
      }
      const distrust = distrustOf(error.hostKey.toString('base64'), this.#knowledge(names, knownHosts, false));
      throw refusalOf(host, error, credentials, known, distrust);
    }
  }

  async #shakeHands(
    host: SshServer,
    { names, knownHosts, login }: Credentials,
    progress: ProbeProgress,
    keepaliveMs: number,
  ): Promise<SshConnection> {
    const { stream, peer, remoteAddress } = await reach(host, this, progress);
    // The way may have ended between two turns of the event loop, and nobody would hear of that any more.
    if (stream.destroyed) throw stream.errored ?? new ProbeFailure('connect', `${peer} closed the connection at once`);
    const connection = await SshConnection.open({
      socket: stream,
      peer,
      remoteAddress,
      user: host.ssh.user,
      login,
      algorithms: offeredAlgorithms(knownHosts.keyTypes(names), host.ssh),
      certificates: mayPresentCertificate({ names, knownHosts })
        ? certificateHostAlgorithms(host.ssh.algorithms?.hostKey ?? null)
        : [],
      trusts: (hostKey) => distrustOf(hostKey, this.#knowledge(names, knownHosts, false)) === null,
      handshakes: this.#options.handshakes,
      keepaliveMs,
      progress,
    });
    this.#options.onConnection(connection);
    return connection;
  }

  #knowledge(names: HostNames, knownHosts: KnownHosts, again: boolean): Knowledge {
    return { names, knownHosts, nowSeconds: this.#options.unixSeconds(), again };
  }
}

/** The names that a server's keys may stand under in known_hosts. An alias stands alone, whatever the port (ssh_config(5), HostKeyAlias). */
function namesOf({ name, address, ssh }: SshServer): HostNames {
  if (ssh.hostKeyAlias === null) return hostNames({ name, address, port: ssh.port });
  return { exact: [ssh.hostKeyAlias.toLowerCase()], withoutPort: [] };
}
