import { isIP } from 'node:net';
import { ProbeFailure } from '../failure';
import type { SshServer } from '../inventory/host';
import type { Bastions } from './bastions';
import { dial, endpoint } from './dial';
import type { ProbeProgress } from './progress';
import { dialBySocks, type SocksMeans } from './socks';
import type { TransportStream } from './transport-stream';

/** What leads to a server: a stream to its port, from which nothing has been read. */
export interface Way {
  readonly stream: TransportStream;
  /** The server, for messages. */
  readonly peer: string;
  /** The IP address that was dialled, by us or for us; null where a name was, which only a bastion or proxy resolved. */
  readonly remoteAddress: string | null;
}

/** By what servers are reached. */
export interface Ways extends SocksMeans {
  readonly bastions: Bastions;
}

/** Opens the way to a server. Throws a ProbeFailure; what a bastion failed with is a BastionFailure. */
export function reach(server: SshServer, ways: Ways, progress: ProbeProgress): Promise<Way> {
  const { connectTimeoutSeconds } = server.ssh;
  if (connectTimeoutSeconds === null) return reachInTime(server, ways, progress);
  return progress.within(
    connectTimeoutSeconds * 1000,
    (part) => reachInTime(server, ways, part),
    (doing) => new ProbeFailure('timeout', `${server.name} was not reached in ${connectTimeoutSeconds} s, ${doing}`),
  );
}

async function reachInTime({ name, address, ssh }: SshServer, ways: Ways, progress: ProbeProgress): Promise<Way> {
  if (ssh.via !== null) {
    const stream = await ways.bastions.stream(ssh.via, address, ssh.port, progress);
    return {
      stream,
      peer: `${endpoint(address, ssh.port)} via ${ssh.via.name}`,
      remoteAddress: isIP(address) === 0 ? null : address,
    };
  }
  if (ssh.proxy !== null) {
    const { socket, remoteAddress } = await dialBySocks({ name, address, ssh }, ssh.proxy, ways, progress);
    const peer = `${endpoint(remoteAddress ?? address, ssh.port)} via proxy ${ssh.proxy.host}`;
    return { stream: socket, peer, remoteAddress };
  }
  progress.enter(`while resolving ${address}`);
  const addresses = await progress.wait(ways.addresses.addressesOf(address, ssh.addressFamily));
  const socket = await dial(addresses, ssh.port, name, progress);
  const remoteAddress = socket.remoteAddress ?? address;
  return { stream: socket, peer: endpoint(remoteAddress, ssh.port), remoteAddress };
}
