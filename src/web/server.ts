import { createServer as createHttpServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Logger } from '../logging/logger';
import { shareOpenFiles } from '../open-files';
import { boundReceiving } from './limits/answers';
import { boundConnections, type OpenConnections } from './limits/connections';
import type { SettingsSource } from './settings/settings-file';
import { keepTls, tlsServerOptions } from './tls/tls-upkeep';

/** An address to listen on; an empty host is every address. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Reads `:10066`, `127.0.0.1:10066` or `[::1]:10066`; null when it is anything else. */
export function parseListenAddress(text: string): ListenAddress | null {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^[\]:]*)):([0-9]{1,5})$/.exec(text);
  if (match === null) return null;
  const port = Number(match[3]);
  return port > 65535 ? null : { host: match[1] ?? match[2] ?? '', port };
}

/** An HTTP server that listens. */
export interface WebServer {
  /** For people: `http://127.0.0.1:10066`. */
  readonly url: string;
  /** Takes no new connection, lets requests under way end for `boundMs`, then closes every connection. */
  close(boundMs: number): Promise<void>;
}

/** Bounds on what clients may take. Times are in milliseconds. */
export interface WebLimits {
  readonly maxConnections: number;
  /** For a TLS handshake, and from the first byte of a request to the end of its headers. */
  readonly headersMs: number;
  /** From the first byte of a request to its last. */
  readonly requestMs: number;
  /** From the end of the answer's making to its last byte's being taken. */
  readonly receivingMs: number;
  /** How long a connection is kept for another request. Longer than usual scrape intervals, which spares handshakes. */
  readonly keepAliveMs: number;
  readonly maxHeaderBytes: number;
  readonly maxHeaders: number;
}

export const defaultLimits: WebLimits = {
  maxConnections: 2048,
  headersMs: 10_000,
  requestMs: 30_000,
  receivingMs: 120_000,
  keepAliveMs: 120_000,
  maxHeaderBytes: 16_384,
  maxHeaders: 100,
};

/** How often slow clients are looked for, in milliseconds; Node's default would let them have half a minute more. */
const checkIntervalMs = 2000;

export interface ListenOptions {
  readonly settings: SettingsSource;
  readonly log: Logger;
  readonly limits?: WebLimits;
}

/** Resolves once it listens; rejects with the system's error. */
export function listen(address: ListenAddress, handler: RequestListener, options: ListenOptions): Promise<WebServer> {
  const { settings, log, limits = defaultLimits } = options;
  const { server, scheme } = createServer(handler, settings, log, limits);
  server.maxHeadersCount = limits.maxHeaders;
  const connections = boundConnections(server, Math.min(limits.maxConnections, shareOpenFiles().web));
  boundReceiving(server, limits.receivingMs);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: address.port, ...(address.host === '' ? {} : { host: address.host }) }, () => {
      server.off('error', reject);
      server.on('error', (error) => log.error('Connections could not be taken', { error: error.message }));
      const url = `${scheme}://${hostOf(server.address() as AddressInfo)}`;
      resolve({ url, close: (boundMs) => close(server, connections, boundMs) });
    });
  });
}

function createServer(
  handler: RequestListener,
  settings: SettingsSource,
  log: Logger,
  limits: WebLimits,
): { server: Server | HttpsServer; scheme: 'http' | 'https' } {
  const options: ServerOptions = {
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    maxHeaderSize: limits.maxHeaderBytes,
    connectionsCheckingInterval: Math.min(checkIntervalMs, limits.headersMs / 2),
  };
  const { tls } = settings.current();
  if (tls === null) return { server: createHttpServer(options, handler), scheme: 'http' };
  const server = createHttpsServer({ ...options, ...tlsServerOptions(tls, limits.headersMs) });
  const admit = keepTls(server, tls, settings, log);
  server.on('request', (request, response) => {
    if (admit(request, response)) handler(request, response);
  });
  return { server, scheme: 'https' };
}

function hostOf({ address, family, port }: AddressInfo): string {
  const host = address === '::' || address === '0.0.0.0' ? 'localhost' : family === 'IPv6' ? `[${address}]` : address;
  return `${host}:${port}`;
}

function close(server: Server | HttpsServer, connections: OpenConnections, boundMs: number): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => connections.closeAll(), boundMs);
    server.close(() => {
      clearTimeout(force);
      resolve();
    });
    connections.drain();
  });
}
