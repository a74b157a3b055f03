import type { LookupAddress } from 'node:dns';
import { isIP, type Socket } from 'node:net';
import { ProbeFailure } from '../failure';
import type { SocksProxy, SshServer } from '../inventory/host';
import type { AddressBook } from './address';
import { dial, endpoint } from './dial';
import { asFailure, type ProbeProgress } from './progress';
import type { ProxyPasswords } from './proxy-password';
import { negotiateSocks } from './socks-negotiation';

/** What it takes to use proxies. */
export interface SocksMeans {
  readonly addresses: AddressBook;
  readonly passwords: ProxyPasswords;
}

/** A connection that a proxy made. */
export interface Proxied {
  readonly socket: Socket;
  /** The IP address that the proxy was asked for; null where it was a name. */
  readonly remoteAddress: string | null;
}

/**
 * A connection to a server by a SOCKS proxy. Where names are resolved here, the server's addresses are tried one after the
 * other. Throws a ProbeFailure that names the proxy.
 */
export async function dialBySocks(
  { address, ssh }: SshServer,
  proxy: SocksProxy,
  { addresses, passwords }: SocksMeans,
  progress: ProbeProgress,
): Promise<Proxied> {
  const place = endpoint(proxy.host, proxy.port);
  const login = await progress.wait(passwords.read(proxy.passwordFile));
  const asName = proxy.resolvesNames && isIP(address) === 0;
  const hosts = asName ? [address] : await resolved(address, ssh.addressFamily, addresses, progress);
  const faults: ProbeFailure[] = [];
  for (const host of hosts) {
    const socket = await dialProxy(proxy, addresses, progress);
    try {
      await negotiateSocks(socket, { proxy: place, login, host, port: ssh.port }, progress);
      return { socket, remoteAddress: asName ? null : host };
    } catch (error) {
      socket.on('error', () => undefined);
      socket.destroy();
      const failure = asFailure(error);
      if (progress.over !== null || failure.reason !== 'connect') throw failure;
      faults.push(failure);
    }
  }
  const [first] = faults;
  if (faults.length === 1 && first !== undefined) throw first;
  throw new ProbeFailure('connect', faults.map(({ message }) => message).join('; '));
}

async function resolved(
  address: string,
  family: SshServer['ssh']['addressFamily'],
  addresses: AddressBook,
  progress: ProbeProgress,
): Promise<readonly string[]> {
  progress.enter(`while resolving ${address}`);
  const found = await progress.wait(addresses.addressesOf(address, family));
  return found.map((one: LookupAddress) => one.address);
}

async function dialProxy(proxy: SocksProxy, addresses: AddressBook, progress: ProbeProgress): Promise<Socket> {
  progress.enter(`while resolving proxy ${proxy.host}`);
  try {
    const found = await progress.wait(addresses.addressesOf(proxy.host));
    return await dial(found, proxy.port, `proxy ${proxy.host}`, progress);
  } catch (error) {
    const { reason, message } = asFailure(error);
    if (progress.over !== null || reason === 'internal') throw error;
    throw new ProbeFailure(reason, reason === 'dns' ? `proxy ${message}` : message);
  }
}
