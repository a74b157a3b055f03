import { createSocket, type Socket as Datagram } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { type Server, type Socket, connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import type { SceneListener } from './scene';

// Runs inside a network namespace and does what it is told, a line of JSON at a time.

/** A packet to be sent; `id` is what the listener must see of a datagram. */
export interface Knock {
  readonly id: number;
  readonly proto: 'tcp' | 'udp';
  readonly from: string;
  readonly fromPort: number;
  readonly to: string;
  readonly port: number;
}

export type Order =
  | { readonly do: 'listen'; readonly listeners: readonly SceneListener[] }
  | { readonly do: 'close' }
  | { readonly do: 'received' }
  | { readonly do: 'write'; readonly files: Readonly<Record<string, string>> }
  | { readonly do: 'knock'; readonly knocks: readonly Knock[]; readonly waitMs: number };

const open: (Server | Datagram)[] = [];
const peers = new Set<Socket>();
const received = new Set<number>();

function listen(wanted: SceneListener): Promise<string | null> {
  return wanted.proto === 'tcp' ? listenTcp(wanted) : listenUdp(wanted);
}

function listenTcp({ address, port, ipv6Only }: SceneListener): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      peers.add(socket);
      socket.on('close', () => peers.delete(socket));
      socket.on('error', () => socket.destroy());
      socket.end('hello\n');
    });
    server.on('error', (error) => resolve(error.message));
    const only = address === '::' ? { ipv6Only } : {};
    server.listen({ host: address, port, ...only, backlog: 511 }, () => resolve(null));
    open.push(server);
  });
}

function listenUdp({ address, port, ipv6Only }: SceneListener): Promise<string | null> {
  return new Promise((resolve) => {
    const six = address.includes(':');
    const socket = createSocket(six ? { type: 'udp6', ipv6Only } : { type: 'udp4' });
    socket.on('message', (message) => received.add(Number(message.toString())));
    socket.on('error', (error) => resolve(error.message));
    socket.bind({ address, port, exclusive: true }, () => resolve(null));
    open.push(socket);
  });
}

function closeAll(): Promise<unknown> {
  for (const socket of peers) socket.resetAndDestroy();
  const closing = open.splice(0).map((one) => new Promise<void>((resolve) => one.close(() => resolve())));
  received.clear();
  return Promise.all(closing);
}

/** Ends after the wait, and later on a machine that is too busy to keep time. */
async function patience(waitMs: number): Promise<void> {
  const step = 20;
  let late = 0;
  for (let waited = 0; waited < waitMs + Math.min(late, 2000); waited += step) {
    const before = performance.now();
    await new Promise((resolve) => setTimeout(resolve, step));
    late += 2 * Math.max(0, performance.now() - before - step - 2);
  }
}

function knockTcp(knock: Knock, over: Promise<void>): Promise<boolean> {
  return new Promise((resolve) => {
    const { from, fromPort, to, port } = knock;
    const socket = connect({ host: to, port, localAddress: from, ...(fromPort === 0 ? {} : { localPort: fromPort }) });
    let ended = false;
    const end = (reached: boolean): void => {
      if (ended) return;
      ended = true;
      // A reset leaves no TIME_WAIT behind, so that a source port can be had again.
      socket.resetAndDestroy();
      resolve(reached);
    };
    void over.then(() => end(false));
    socket.on('data', () => end(true));
    socket.on('error', () => end(false));
    socket.on('end', () => end(false));
  });
}

function knockUdp({ id, from, fromPort, to, port }: Knock): Promise<void> {
  return new Promise((resolve) => {
    const socket = createSocket({ type: to.includes(':') ? 'udp6' : 'udp4', reuseAddr: true });
    const end = (): void => {
      socket.close();
      resolve();
    };
    socket.on('error', end);
    socket.bind({ address: from, port: fromPort }, () => socket.send(String(id), port, to, end));
  });
}

async function knock(knocks: readonly Knock[], waitMs: number): Promise<readonly number[]> {
  const reached: number[] = [];
  const over = patience(waitMs);
  await Promise.all(
    knocks.map(async (one) => {
      if (one.proto === 'udp') await knockUdp(one);
      else if (await knockTcp(one, over)) reached.push(one.id);
    }),
  );
  await over;
  return reached;
}

async function obey(order: Order): Promise<unknown> {
  if (order.do === 'listen') return (await Promise.all(order.listeners.map(listen))).filter((error) => error !== null);
  if (order.do === 'close') return closeAll();
  if (order.do === 'received') return [...received];
  if (order.do === 'knock') return knock(order.knocks, order.waitMs);
  for (const [path, text] of Object.entries(order.files)) {
    try {
      writeFileSync(path, text);
    } catch {
      // A kernel without the setting does not have what it would change either.
    }
  }
  return null;
}

process.on('uncaughtException', () => undefined);
createInterface({ input: process.stdin })
  .on('line', (line) => {
    void obey(JSON.parse(line) as Order).then((answer) => process.stdout.write(`${JSON.stringify(answer ?? null)}\n`));
  })
  // Whoever gave the orders is gone.
  .on('close', () => process.exit());
