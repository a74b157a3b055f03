import { constants } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server, ServerOptions } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { Logger } from '../../logging/logger';
import type { SettingsSource } from '../settings/settings-file';
import type { TlsSettings } from '../settings/settings';
import { clientFault } from './client-certificate';

/** At most one refused client is logged in this time, in milliseconds: they could fill the disk. */
const refusalLogPauseMs = 10_000;

/** Options for a server that speaks TLS by these settings, and ends handshakes that take longer than the bound. */
export function tlsServerOptions(tls: TlsSettings, handshakeMs: number): ServerOptions {
  return {
    ...contextOf(tls),
    handshakeTimeout: handshakeMs,
    requestCert: asksForCertificate(tls),
    // Whom to let in is decided by clientFault: Node knows but one of the five ways of asking.
    rejectUnauthorized: false,
  };
}

/** Whether a request may be answered over the connection that it came by; else the connection is ended. */
export type AdmitRequest = (request: IncomingMessage, response: ServerResponse) => boolean;

/**
 * Keeps a TLS server by the settings in force, which are looked at for each new connection, and turns away clients
 * that they do not let in. Answers how to hold each request against the settings once more: a connection that was
 * made under others ends, so that a client which was taken off the list is out at once.
 */
export function keepTls(server: Server, first: TlsSettings, source: SettingsSource, log: Logger): AdmitRequest {
  let inForce = first;
  let refusalLoggedAtMs = -Infinity;
  const admitted = new WeakMap<object, TlsSettings>();

  server.prependListener('connection', () => {
    const { tls } = source.current();
    if (tls === null || tls === inForce) return;
    server.setSecureContext(contextOf(tls));
    // Not in the documentation, but what the listener that runs next reads; were it ignored, clientFault would refuse.
    (server as Server & { requestCert: boolean }).requestCert = asksForCertificate(tls);
    inForce = tls;
  });
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    const fault = clientFault(socket, inForce);
    if (fault === null) {
      admitted.set(socket, inForce);
      return;
    }
    const nowMs = performance.now();
    if (nowMs - refusalLoggedAtMs >= refusalLogPauseMs) {
      refusalLoggedAtMs = nowMs;
      log.warn('Refused a client', { address: socket.remoteAddress, error: fault });
    }
    socket.destroy();
  });
  return (request, response) => {
    const { tls } = source.current();
    if (admitted.get(request.socket) === tls) return true;
    if (tls !== null && !asksForCertificate(tls)) {
      response.shouldKeepAlive = false;
      return true;
    }
    request.socket.destroy();
    return false;
  };
}

function contextOf(tls: TlsSettings) {
  // A session that is taken up again skips the verification of the client's certificate.
  const secureOptions = asksForCertificate(tls) ? { secureOptions: constants.SSL_OP_NO_TICKET } : {};
  return { ...tls.context, ...secureOptions };
}

function asksForCertificate({ clientAuth }: TlsSettings): boolean {
  return clientAuth !== 'NoClientCert';
}
