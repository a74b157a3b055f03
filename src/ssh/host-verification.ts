import { setImmediate as pause } from 'node:timers/promises';
import { ProbeFailure } from '../failure';
import type { SshServer } from '../inventory/host';
import type { HostKeyRefused } from './connection-fault';
import { certificateText } from './certificate';
import { keyFingerprint, keyTypeOf } from './host-key';
import type { Distrust } from './host-trust';
import { type HostNames, type KnownHosts, type KnownKeys, knownHostsLine } from './known-hosts';
import type { KnownHostsLine } from './known-hosts-line';
import type { ProbeProgress } from './progress';

/** Finds all keys of a host, letting others run in between: in a file of many hashed names that takes its time. */
export async function findKnownKeys(
  knownHosts: KnownHosts,
  names: HostNames,
  progress: ProbeProgress,
): Promise<KnownKeys> {
  const search = knownHosts.search(names);
  for (;;) {
    const step = search.next();
    if (step.done === true) return step.value;
    await progress.wait(pause());
  }
}

/** The failure that says why a key was refused and what to do about it. It names all fingerprints concerned. */
export function refusalOf(
  host: SshServer,
  { peer, hostKey }: HostKeyRefused,
  { names, knownHosts }: { readonly names: HostNames; readonly knownHosts: KnownHosts },
  known: KnownKeys,
  distrust: Distrust | null,
): ProbeFailure {
  const path = host.ssh.knownHosts;
  const key = hostKey.toString('base64');
  const type = keyTypeOf(hostKey) ?? 'unknown';
  const presented = `${type} ${keyFingerprint(hostKey)}`;
  const who = `${host.name} (${peer})`;
  if (distrust?.why !== undefined && distrust.why !== null) return certificateRefusal(who, path, distrust);
  if (knownHosts.verify(names, key) === 'revoked') {
    return new ProbeFailure('host_key', `${who} presents the key ${presented}, which ${path} revokes`);
  }
  if (known.keys.length > 0) {
    return new ProbeFailure(
      'host_key',
      `the host key of ${who} is not the one in ${path}: it presents ${presented}, expected was ` +
        `${known.keys.map(described).join(' or ')}. Either the host was set up anew, or someone is in between: ` +
        'find out which before you replace the line',
    );
  }
  const authority = known.authorities[0];
  const aside =
    authority === undefined
      ? ''
      : `; line ${authority.lineNumber} names an authority, but the host presents no certificate`;
  return new ProbeFailure(
    'host_key',
    `the host key of ${who} is not in ${path}${aside}. It presents ${presented}: compare that with what ` +
      `"ssh-keygen -lf /etc/ssh/ssh_host_${fileWord(type)}_key.pub" prints on the host itself, and only if they are the ` +
      `same add this line to ${path}: ${knownHostsLine(names, type, key)}`,
  );
}

function certificateRefusal(who: string, path: string, { certificate, revoked, why }: Distrust): ProbeFailure {
  const what = certificate === null ? '' : ` (${certificateText(certificate)})`;
  const aside = revoked || certificate === null ? '' : `; nor is its key in ${path}`;
  return new ProbeFailure('host_key', `the certificate of ${who}${what} is not accepted: ${why}${aside}`);
}

function described(line: KnownHostsLine): string {
  const fingerprint = keyFingerprint(Buffer.from(line.key, 'base64'));
  return `${line.keyType} ${fingerprint} (line ${line.lineNumber})`;
}

/** How sshd names the file of a key of this type. */
function fileWord(type: string): string {
  if (type.startsWith('ecdsa')) return 'ecdsa';
  return type === 'ssh-rsa' ? 'rsa' : 'ed25519';
}
