import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server as TcpServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type Connection, Server, type ServerConfig } from 'ssh2';
import { makeKeyPair } from '../lab/ssh-keys';

/** A server on loopback, and what it still holds. */
export interface HostileServer {
  readonly port: number;
  /** Type and key, as known_hosts has them; empty where the server speaks no SSH. */
  readonly publicKey: string;
  /** Connections that clients have not closed. */
  open(): number;
  /** Serves a connection that was taken elsewhere. */
  take(socket: Socket): void;
  stop(): Promise<void>;
}

/** What ssh2's server knows of a client, beyond its types: the message layer, to break its rules with. */
export interface MessageLayer {
  channelOpenConfirm(remote: number, local: number, window: number, packetBytes: number): void;
  channelSuccess(channel: number): void;
  channelWindowAdjust(channel: number, bytes: number): void;
  channelData(channel: number, data: Buffer): void;
  channelExtData(channel: number, data: Buffer, type: number): void;
  channelOpenFail(channel: number, reason: number, words: string): void;
  ping(): void;
  rekey(): void;
  disconnect(reason: number): void;
  _handlers: Record<string, unknown>;
}

/** A server that does with each TCP connection what it likes. */
export async function serveTcp(handle: (socket: Socket) => void): Promise<HostileServer> {
  const sockets = new Set<Socket>();
  const take = (socket: Socket): void => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    // What a client sends is read and dropped: else its end would not be noticed.
    socket.resume();
    handle(socket);
  };
  const server = createServer(take);
  const port = await listening(server);
  return { port, publicKey: '', open: () => sockets.size, take, stop: () => stopped(server, sockets) };
}

/** An SSH server that does with each client what it likes; every key may log in unless `handle` sees to it. */
export async function serveSsh(
  handle: (client: Connection) => void,
  config: Partial<ServerConfig> = {},
): Promise<HostileServer> {
  const key = makeKeyPair('ed25519');
  const sockets = new Set<Socket>();
  const ssh = new Server({ hostKeys: [key.privateKey], ...config }, (client) => {
    client.on('error', () => undefined);
    handle(client);
  });
  const take = (socket: Socket): void => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    ssh.injectSocket(socket);
  };
  const server = createServer(take);
  const port = await listening(server);
  return { port, publicKey: key.publicKey, open: () => sockets.size, take, stop: () => stopped(server, sockets) };
}

/** Lets every key in. */
export function letIn(client: Connection): Connection {
  return client.on('authentication', (attempt) => attempt.accept());
}

/** The message layer under a client. */
export function messages(client: Connection): MessageLayer {
  return (client as unknown as { _protocol: MessageLayer })._protocol;
}

/** Writes a known_hosts file that has a server's key. */
export function knownHostsOf(directory: string, server: HostileServer): string {
  const path = join(directory, `known_hosts-${server.port}`);
  writeFileSync(path, server.publicKey === '' ? '' : `[127.0.0.1]:${server.port} ${server.publicKey}\n`);
  return path;
}

function listening(server: TcpServer): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function stopped(server: TcpServer, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of sockets) socket.destroy();
  });
}
