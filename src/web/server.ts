import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RequestListener } from 'node:http';

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

/** Bounds on what a client may take its time with, in milliseconds. */
const headersTimeoutMs = 10_000;
const requestTimeoutMs = 30_000;
const maxConnections = 1000;

/** Resolves once it listens; rejects with the system's error. */
export function listen(address: ListenAddress, handler: RequestListener): Promise<WebServer> {
  const server = createServer({ headersTimeout: headersTimeoutMs, requestTimeout: requestTimeoutMs }, handler);
  server.maxConnections = maxConnections;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: address.port, ...(address.host === '' ? {} : { host: address.host }) }, () => {
      server.off('error', reject);
      resolve({ url: urlOf(server.address() as AddressInfo), close: (boundMs) => close(server, boundMs) });
    });
  });
}

function urlOf({ address, family, port }: AddressInfo): string {
  const host = address === '::' || address === '0.0.0.0' ? 'localhost' : family === 'IPv6' ? `[${address}]` : address;
  return `http://${host}:${port}`;
}

function close(server: Server, boundMs: number): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), boundMs);
    server.close(() => {
      clearTimeout(force);
      resolve();
    });
    server.closeIdleConnections();
  });
}
