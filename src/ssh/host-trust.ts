import { type Certificate, isCertificate, isSignedByItsAuthority, parseCertificate, timeFault } from './certificate';
import { quoted } from './foreign-text';
import { keyFingerprint } from './host-key';
import type { HostNames, KnownHosts } from './known-hosts';

/** What a host is judged by. */
export interface Knowledge {
  readonly names: HostNames;
  readonly knownHosts: KnownHosts;
  /** Seconds since 1970. */
  readonly nowSeconds: number;
  /** Whether a certificate is judged once more, whose signature was found good before. */
  readonly again: boolean;
}

/** Why a host is not trusted to be who it should be. */
export interface Distrust {
  /** What it presented in place of a plain key; null where it was one, or no certificate that can be read. */
  readonly certificate: Certificate | null;
  /** Whether known_hosts says that it must not be trusted, rather than nothing. */
  readonly revoked: boolean;
  /** What is wrong with the certificate, for people; null where it was a plain key. */
  readonly why: string | null;
}

/**
 * Whether a host may be trusted, by the key or certificate that it presents, in base64: null if so. It still has to prove that
 * the key is its own. A certificate is judged as OpenSSH does it (check_host_key in sshconnect.c, sshkey_cert_check_host in
 * sshkey.c): a revoked key or authority is the end of it; where no authority vouches for it, the key in it counts as if it
 * had been presented by itself.
 */
export function distrustOf(presented: string, knowledge: Knowledge): Distrust | null {
  const { names, knownHosts } = knowledge;
  const verdict = knownHosts.verify(names, presented);
  if (verdict === 'match') return null;
  const blob = Buffer.from(presented, 'base64');
  const revoked = verdict === 'revoked';
  if (revoked || !isCertificate(blob)) return { certificate: null, revoked, why: null };
  const certificate = parseCertificate(blob);
  if (certificate === null) {
    return { certificate, revoked: false, why: 'it is damaged, or of a kind that is not supported' };
  }
  const plain = knownHosts.verify(names, certificate.key.toString('base64'));
  if (plain === 'revoked') return { certificate, revoked: true, why: 'its key is revoked' };
  if (knownHosts.verify(names, certificate.authority.toString('base64')) === 'revoked') {
    return { certificate, revoked: true, why: `its authority ${keyFingerprint(certificate.authority)} is revoked` };
  }
  const why = certificateFault(certificate, knowledge);
  if (why === null || (plain === 'match' && why !== forged)) return null;
  return { certificate, revoked: false, why };
}

/** What ssh takes for a broken key exchange, whatever else it knows of the host. */
const forged = 'its signature is not by the authority that it names';

/** Why no authority vouches for the host by this certificate; null where one does. */
function certificateFault(
  certificate: Certificate,
  { names, knownHosts, nowSeconds, again }: Knowledge,
): string | null {
  const authority = certificate.authority.toString('base64');
  const vouched = certificateNames(names).filter(({ lookups }) =>
    knownHosts.authorities(lookups).some((line) => line.key === authority),
  );
  // Signatures are checked of known authorities alone: whatever key a stranger makes up, it costs nothing.
  if (vouched.length === 0) {
    return `its authority ${keyFingerprint(certificate.authority)} is none of those that may vouch for this host`;
  }
  if (!again && !isSignedByItsAuthority(certificate)) return forged;
  if (certificate.usage !== 'host') return 'it is a certificate for a user, not for a host';
  const untimely = timeFault(certificate, nowSeconds);
  if (untimely !== null) return untimely;
  if (!vouched.some(({ name }) => isMadeOutTo(certificate, name))) {
    const listed = quoted(certificate.principals.join(', '));
    return `it is made out to ${listed}, not to ${vouched.map(({ name }) => name).join(' or ')}`;
  }
  // PROTOCOL.certkeys defines none for hosts, and who does not know one must refuse the certificate.
  return certificate.criticalOptions.length === 0 ? null : 'it has critical options, of which hosts have none';
}

/**
 * One without principals is made out to every host (PROTOCOL.certkeys); ssh-keygen makes such where no `-n` is given. Others name
 * hosts in full: ssh takes no patterns there.
 */
function isMadeOutTo({ principals }: Certificate, name: string): boolean {
  return principals.length === 0 || principals.includes(name);
}

/** Each name that a host goes by, without a port as certificates have it, and how known_hosts may have it. */
function certificateNames({ exact, withoutPort }: HostNames): { readonly name: string; readonly lookups: string[] }[] {
  if (withoutPort.length === 0) return exact.map((name) => ({ name, lookups: [name] }));
  return withoutPort.map((name, at) => ({ name, lookups: [name, ...exact.slice(at, at + 1)] }));
}

/** Whether certificates are to be asked of a host: an authority may vouch for it by one of its names. */
export function mayPresentCertificate({ names, knownHosts }: Pick<Knowledge, 'names' | 'knownHosts'>): boolean {
  return certificateNames(names).some(({ lookups }) => knownHosts.authorities(lookups).length > 0);
}

/** The key that a host proves to be its own, of what it presented. */
export function provenKey(presented: Buffer): Buffer {
  return isCertificate(presented) ? (parseCertificate(presented)?.key ?? presented) : presented;
}
