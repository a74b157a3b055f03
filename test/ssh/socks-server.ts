import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A SOCKS5 proxy on loopback that wants a user and password (RFC 1929), and what it was asked for. */
export interface SocksServer {
  readonly port: number;
  /** What clients asked to be connected to, as `host:port`. */
  readonly asked: readonly string[];
  stop(): Promise<void>;
}

/** Reads a socket a number of bytes at a time. */
class Reader {
  #waiting: { bytes: number; give: (bytes: Buffer) => void } | null = null;
  #had = Buffer.alloc(0);

  constructor(private readonly socket: Socket) {
    socket.on('data', this.#take);
  }

  read(bytes: number): Promise<Buffer> {
    return new Promise((give) => {
      this.#waiting = { bytes, give };
      this.#serve();
    });
  }

  /** Leaves the socket to another; gives what it did not use. */
  leave(): Buffer {
    this.socket.removeListener('data', this.#take);
    return this.#had;
  }

  readonly #take = (piece: Buffer): void => {
    this.#had = Buffer.concat([this.#had, piece]);
    this.#serve();
  };

  #serve(): void {
    const waiting = this.#waiting;
    if (waiting === null || this.#had.length < waiting.bytes) return;
    this.#waiting = null;
    const given = this.#had.subarray(0, waiting.bytes);
    this.#had = this.#had.subarray(waiting.bytes);
    waiting.give(given);
  }
}

/** Starts a proxy that lets one user in, by RFC 1928 and RFC 1929; names are all resolved to 127.0.0.1. */
export async function startSocksServer(user: string, password: string): Promise<SocksServer> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    void serve(socket, user, password, asked);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    stop: () =>
      new Promise((stopped) => {
        server.close(() => stopped());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

async function serve(socket: Socket, user: string, password: string, asked: string[]): Promise<void> {
  const reader = new Reader(socket);
  const text = async (): Promise<string> => (await reader.read((await reader.read(1))[0] ?? 0)).toString();
  await reader.read(1);
  const methods = await reader.read((await reader.read(1))[0] ?? 0);
  if (!methods.includes(2)) {
    socket.end(Buffer.from([5, 0xff]));
    return;
  }
  socket.write(Buffer.from([5, 2]));
  await reader.read(1);
  const right = (await text()) === user && (await text()) === password;
  socket.write(Buffer.from([1, right ? 0 : 1]));
  if (!right) {
    socket.end();
    return;
  }
  const request = await reader.read(4);
  const host = request[3] === 3 ? await text() : (await reader.read(request[3] === 4 ? 16 : 4)).join('.');
  const port = (await reader.read(2)).readUInt16BE();
  asked.push(`${host}:${port}`);
  const onward = connect(port, '127.0.0.1');
  onward.on('error', () => socket.end(Buffer.from([5, 5, 0, 1, 0, 0, 0, 0, 0, 0])));
  onward.once('connect', () => {
    // The answer and the first that the server says come in one piece, as they may.
    onward.once('data', (greeting: Buffer) => {
      socket.write(Buffer.concat([Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0]), greeting]));
      onward.write(reader.leave());
      onward.pipe(socket).pipe(onward);
    });
  });
}
