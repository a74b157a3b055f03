import { timingSafeEqual } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import ssh2, { type AuthContext, type Connection, type ServerChannel, type Session } from 'ssh2';
import { answerOf, parseRequest, type SimulatedHost } from './simulated-host';

/** An SSH server on loopback that answers probes as a simulated host would. */
export interface SimulatedServer {
  readonly port: number;
  /** Stops listening and drops every connection, as a host that goes down. */
  close(): Promise<void>;
}

export interface SimulatedServerOptions {
  /** The host's private key, in OpenSSH's format. */
  readonly hostKey: string;
  /** The only public key that may log in. */
  readonly clientKey: Buffer;
  /** 0: any free port. */
  readonly port: number;
  /** How the host is now; asked at each probe. */
  readonly host: () => SimulatedHost;
  /** Milliseconds that the host takes to answer. */
  readonly delayMs?: number;
}

/** Most bytes of a request that are read: the program is a few ten thousand. */
const maxRequestBytes = 1024 * 1024;

export function startSimulatedServer(options: SimulatedServerOptions): Promise<SimulatedServer> {
  const connections = new Set<Connection>();
  const server = new ssh2.Server({ hostKeys: [options.hostKey] }, (connection) => {
    connections.add(connection);
    connection.on('close', () => connections.delete(connection));
    connection.on('error', () => connection.end());
    connection.on('authentication', (context) => authenticate(context, options.clientKey));
    connection.on('session', (accept) => serveSession(accept(), options));
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      const close = (): Promise<void> =>
        new Promise((closed) => {
          server.close(() => closed());
          for (const connection of connections) connection.end();
        });
      resolve({ port, close });
    });
  });
}

function authenticate(context: AuthContext, clientKey: Buffer): void {
  if (context.method !== 'publickey') return context.reject(['publickey']);
  const { data, algo } = context.key;
  if (data.length !== clientKey.length || !timingSafeEqual(data, clientKey)) return context.reject(['publickey']);
  if (context.signature === undefined || context.blob === undefined) return context.accept();
  const key = ssh2.utils.parseKey(`${algo} ${data.toString('base64')}`);
  const parsed = Array.isArray(key) ? key[0] : key;
  if (parsed instanceof Error || parsed === undefined) return context.reject();
  if (parsed.verify(context.blob, context.signature, context.hashAlgo) !== true) return context.reject();
  context.accept();
}

function serveSession(session: Session, options: SimulatedServerOptions): void {
  session.on('exec', (accept) => {
    const channel = accept();
    const pieces: Buffer[] = [];
    let size = 0;
    channel.on('data', (piece: Buffer) => {
      size += piece.length;
      if (size <= maxRequestBytes) pieces.push(piece);
    });
    channel.once('end', () => {
      setTimeout(() => answer(channel, Buffer.concat(pieces).toString('latin1'), options), options.delayMs ?? 0);
    });
    channel.on('error', () => channel.destroy());
  });
}

function answer(channel: ServerChannel, request: string, options: SimulatedServerOptions): void {
  if (channel.destroyed) return;
  const { nonce, exposure } = parseRequest(request);
  channel.write(answerOf(options.host(), nonce, exposure, Date.now() / 1000));
  channel.exit(0);
  channel.end();
}
