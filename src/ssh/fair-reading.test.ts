import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { readFairly } from './fair-reading';

const megabyte = 1024 * 1024;

/** Reads so many bytes from each of some servers that send without pause; tells which socket each full piece came from. */
async function readAll(
  sockets: number,
  bytesOfEach: number,
  fairly: boolean,
): Promise<{ order: number[]; bytes: number }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(Buffer.alloc(bytesOfEach));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const order: number[] = [];
  let bytes = 0;
  const read = async (number: number): Promise<void> => {
    const socket: Socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('data', (piece) => {
      if (fairly) readFairly(socket, piece);
      bytes += piece.length;
      order.push(number);
    });
    await new Promise((resolve) => socket.once('close', resolve));
  };
  await Promise.all(Array.from({ length: sockets }, (_, number) => read(number)));
  await new Promise((resolve) => server.close(resolve));
  return { order, bytes };
}

describe('readFairly', () => {
  it('reads everything, from all in turn', async () => {
    const { order, bytes } = await readAll(3, 4 * megabyte, true);
    expect(bytes).toBe(12 * megabyte);
    let longest = 0;
    let run = 0;
    order.forEach((number, at) => {
      run = number === order[at - 1] ? run + 1 : 1;
      if (new Set(order.slice(at)).size > 1) longest = Math.max(longest, run);
    });
    // One that is being read, and one that libuv had read before it was told to stop.
    expect(longest).toBeLessThanOrEqual(4);
  });

  it('leaves the event loop to others between two pieces', async () => {
    let rounds = 0;
    let over = false;
    const count = (): void => {
      rounds += 1;
      if (!over) setImmediate(count);
    };
    count();
    const { order } = await readAll(1, 16 * megabyte, true);
    over = true;
    expect(rounds).toBeGreaterThan(order.length / 4);
  });

  it('does not wake a connection that was closed meanwhile', async () => {
    const server = createServer((socket) => socket.on('error', () => undefined).write(Buffer.alloc(megabyte)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const pieces: number[] = [];
    socket.on('data', (piece) => {
      readFairly(socket, piece);
      pieces.push(piece.length);
      socket.destroy();
    });
    await new Promise((resolve) => socket.once('close', resolve));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(pieces).toHaveLength(1);
    await new Promise((resolve) => server.close(resolve));
  });
});
