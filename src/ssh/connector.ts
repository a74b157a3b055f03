import { ProbeFailure } from '../failure';
import type { Host } from '../inventory/host';
import type { AddressBook } from './address';
import { offeredAlgorithms } from './algorithms';
import { SshConnection } from './connection';
import { HostKeyRefused } from './connection-fault';
import { dial, endpoint } from './dial';
import { keyTypeOf } from './host-key';
import { findKnownKeys, refusalOf } from './host-verification';
import type { Identities } from './identity';
import { hostNames, type HostNames, type KnownHosts } from './known-hosts';
import type { KnownHostsFiles } from './known-hosts-file';
import { type Login, sameOffers } from './login';
import type { ProbeProgress } from './progress';
import type { Turns } from './turns';

/** What is known beforehand about a host: the keys it may present, and with what we log in. */
export interface Credentials {
  readonly names: HostNames;
  readonly knownHosts: KnownHosts;
  readonly login: Login;
}

/** Makes connections to hosts: reads the files they name, finds their addresses, dials, verifies and logs in. */
export class Connector {
  readonly #addresses: AddressBook;
  readonly #knownHosts: KnownHostsFiles;
  readonly #identities: Identities;
  readonly #handshakes: Turns;

  constructor(addresses: AddressBook, knownHosts: KnownHostsFiles, identities: Identities, handshakes: Turns) {
    this.#addresses = addresses;
    this.#knownHosts = knownHosts;
    this.#identities = identities;
    this.#handshakes = handshakes;
  }

  /** Reads what the host's files hold now. Throws a ProbeFailure `host_key` or `auth`. */
  async credentialsFor(host: Host, progress: ProbeProgress): Promise<Credentials> {
    progress.enter('while reading known_hosts');
    const knownHosts = await progress.wait(this.#knownHosts.read(host.ssh.knownHosts));
    progress.enter(
      host.ssh.identityAgent === null ? 'while reading the private keys' : 'while asking the agent for its keys',
    );
    const login = await progress.wait(this.#identities.read(host.ssh));
    if (login.offers.length === 0) {
      const why = ['no private key is configured', ...login.notes].join('; ');
      throw new ProbeFailure('auth', `${why} for ${host.name}`);
    }
    const names = hostNames({ name: host.name, address: host.address, port: host.ssh.port });
    return { names, knownHosts, login };
  }

  /** Whether a connection made earlier would be made in the same way now. */
  stillGood(connection: SshConnection, { names, knownHosts, login }: Credentials): boolean {
    return sameOffers(connection.offers, login.offers) && knownHosts.verify(names, connection.hostKey) === 'match';
  }

  /** An authenticated connection to a host whose key was verified. */
  async connect(host: Host, credentials: Credentials, progress: ProbeProgress): Promise<SshConnection> {
    const { names, knownHosts } = credentials;
    const searched = knownHosts.remembered(names) !== null;
    try {
      return await this.#shakeHands(host, credentials, progress);
    } catch (error) {
      if (!(error instanceof HostKeyRefused)) throw error;
      const known = await findKnownKeys(knownHosts, names, progress);
      // Which key types are known under hashed names shows only in the search. A host that presented
      // a key of another type is asked again, for one of those.
      const types = knownHosts.keyTypes(names);
      const presented = keyTypeOf(error.hostKey);
      if (!searched && types.length > 0 && types.every((type) => type !== presented)) {
        return await this.connect(host, credentials, progress);
      }
      throw refusalOf(host, error, credentials, known);
    }
  }

  async #shakeHands(host: Host, credentials: Credentials, progress: ProbeProgress): Promise<SshConnection> {
    const { names, knownHosts, login } = credentials;
    progress.enter(`while resolving ${host.address}`);
    const addresses = await progress.wait(this.#addresses.addressesOf(host.address));
    const socket = await dial(addresses, host.ssh.port, host.name, progress);
    const remoteAddress = socket.remoteAddress ?? host.address;
    return SshConnection.open({
      socket,
      peer: endpoint(remoteAddress, host.ssh.port),
      remoteAddress,
      user: host.ssh.user,
      login,
      algorithms: offeredAlgorithms(knownHosts.keyTypes(names)),
      trusts: (hostKey) => knownHosts.verify(names, hostKey) === 'match',
      handshakes: this.#handshakes,
      progress,
    });
  }
}
