import type { Algorithms, Client } from 'ssh2';

/** Members of ssh2's client that its types do not show. */
interface Inside {
  _remoteVer?: string;
  _protocol?: { _offer?: unknown };
}

/** The lists of algorithms that a connection would send if keys were exchanged again; never changed once made. */
const offers = new WeakMap<Algorithms, unknown>();

/**
 * OpenSSH announces all its host keys after the login, and ssh2 has each of them proven, which costs the host a signature and
 * us a verification for an event that nobody hears. It does so only where the host's version says OpenSSH.
 */
export function forgetRemoteVersion(client: Client): void {
  (client as unknown as Inside)._remoteVer = '';
}

/** Has connections that offer the same share the lists, some forty objects each: a fleet keeps thousands of connections. */
export function shareOffer(client: Client, algorithms: Algorithms): void {
  const protocol = (client as unknown as Inside)._protocol;
  if (protocol?._offer === undefined) return;
  const shared = offers.get(algorithms);
  if (shared === undefined) offers.set(algorithms, protocol._offer);
  else protocol._offer = shared;
}
