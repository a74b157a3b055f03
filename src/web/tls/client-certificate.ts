import type { TLSSocket } from 'node:tls';
import type { TlsSettings } from '../settings/settings';
import { hasAllowedName } from './alt-names';

/** What is wrong with the certificate that a client gave, or did not give; null: it may come in. */
export function clientFault(socket: TLSSocket, { clientAuth, clientAllowedSans }: TlsSettings): string | null {
  if (clientAuth === 'NoClientCert' || clientAuth === 'RequestClientCert') return null;
  // `authorized` alone is not enough: for a client without a certificate it may be true in a session taken up again.
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) {
    const mayBeMissing = clientAuth === 'VerifyClientCertIfGiven' && clientAllowedSans === null;
    return mayBeMissing ? null : 'it gave no certificate';
  }
  if (clientAuth === 'RequireAnyClientCert') return null;
  if (!socket.authorized) return `its certificate was not verified: ${reasonOf(socket.authorizationError)}`;
  if (clientAllowedSans === null || hasAllowedName(certificate.subjectAltName ?? '', clientAllowedSans)) return null;
  return 'its certificate has none of the names in client_allowed_sans';
}

/** Node gives the code as text, whatever the type says. */
function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
