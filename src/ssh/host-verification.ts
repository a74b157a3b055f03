import { setImmediate as pause } from 'node:timers/promises';
import { ProbeFailure } from '../failure';
import { keyFingerprint, keyTypeOf } from './host-key';
import { type HostNames, type KnownHosts, type KnownKeys, knownHostsLine } from './known-hosts';
import type { KnownHostsLine } from './known-hosts-line';
import type { ProbeProgress } from './progress';

/** A host key that was refused, and what it is compared with. */
export interface RefusedKey {
  readonly hostKey: Buffer;
  readonly names: HostNames;
  /** The inventory name and the endpoint, for messages. */
  readonly host: string;
  readonly peer: string;
  readonly knownHosts: KnownHosts;
  readonly knownHostsPath: string;
}

/** Finds all keys of a host, letting others run in between: in a file of hashed names that takes its time. */
export async function findKnownKeys(
  knownHosts: KnownHosts,
  names: HostNames,
  progress: ProbeProgress,
): Promise<KnownKeys> {
  const search = knownHosts.search(names);
  for (;;) {
    const step = search.next();
    if (step.done === true) return step.value;
    await pause();
    progress.check();
  }
}

/** The failure that says why the key was refused and what to do about it. It names all fingerprints concerned. */
export function refusalOf(refused: RefusedKey, known: KnownKeys): ProbeFailure {
  const { hostKey, names, host, peer, knownHosts, knownHostsPath } = refused;
  const key = hostKey.toString('base64');
  const type = keyTypeOf(hostKey) ?? 'unknown';
  const presented = `${type} ${keyFingerprint(hostKey)}`;
  const who = `${host} (${peer})`;
  if (knownHosts.verify(names, key) === 'revoked') {
    return new ProbeFailure('host_key', `${who} presents the key ${presented}, which ${knownHostsPath} revokes`);
  }
  if (known.keys.length > 0) {
    return new ProbeFailure(
      'host_key',
      `the host key of ${who} has changed: it presents ${presented}, but ${knownHostsPath} expects ` +
        `${known.keys.map(described).join(' or ')}. Either the host was set up anew, or someone is in between: ` +
        'find out which before you replace the line',
    );
  }
  const file = shortName(type);
  const authority = known.authorities[0];
  const aside =
    authority === undefined
      ? ''
      : ` (line ${authority.lineNumber} has an authority for it, but host certificates are not supported)`;
  return new ProbeFailure(
    'host_key',
    `the host key of ${who} is not in ${knownHostsPath}${aside}: it presents ${presented}. Compare it with what ` +
      `"ssh-keygen -lf /etc/ssh/ssh_host_${file}_key.pub" prints on the host itself; if they are the same, add this line ` +
      `to ${knownHostsPath}: ${knownHostsLine(names, type, key)}`,
  );
}

function described(line: KnownHostsLine): string {
  const fingerprint = keyFingerprint(Buffer.from(line.key, 'base64'));
  return `${line.keyType} ${fingerprint} (line ${line.lineNumber})`;
}

/** How sshd names the file of a key of this type. */
function shortName(type: string): string {
  if (type.startsWith('ecdsa')) return 'ecdsa';
  return type === 'ssh-rsa' ? 'rsa' : 'ed25519';
}
