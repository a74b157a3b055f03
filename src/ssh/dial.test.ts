import { type ChildProcess, spawn } from 'node:child_process';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { until } from '../../test/e2e/until';
import { dial, endpoint } from './dial';
import { ProbeProgress } from './progress';

const four = (address: string) => ({ address, family: 4 });

test('endpoint', () => {
  expect(endpoint('203.0.113.10', 22)).toBe('203.0.113.10:22');
  expect(endpoint('2001:db8::10', 2222)).toBe('[2001:db8::10]:2222');
});

describe('dial', () => {
  let server: Server;
  let port: number;
  const accepted: Socket[] = [];

  beforeAll(async () => {
    server = createServer((socket) => void accepted.push(socket.on('error', () => undefined)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });

  afterAll(async () => {
    for (const socket of accepted) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  it('connects, without delay for small packets', async () => {
    const socket = await dial([four('127.0.0.1')], port, 'web-1', progress());
    expect(socket.remoteAddress).toBe('127.0.0.1');
    expect(socket.readyState).toBe('open');
    socket.destroy();
  });

  it('keeps what comes from many at once apart, and as it was for whoever holds on to it', async () => {
    const before = accepted.length;
    const sockets = await Promise.all(
      Array.from({ length: 20 }, () => dial([four('127.0.0.1')], port, 'web-1', progress())),
    );
    const ports = sockets.map(({ localPort }) => localPort);
    const pieces = sockets.map((): Buffer[] => []);
    for (const [at, socket] of sockets.entries()) socket.on('data', (piece: Buffer) => pieces[at]?.push(piece));
    await until(5, () => expect(accepted).toHaveLength(before + sockets.length), 10);
    const hosts = accepted.slice(before);
    for (let round = 0; round < 50; round++) {
      for (const host of hosts) host.write(`${host.remotePort} ${round}\n`.repeat(round * 20));
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const host of hosts) host.end();
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('end', resolve))));
    for (const [at, port] of ports.entries()) {
      const sent = Array.from({ length: 50 }, (_, round) => `${port} ${round}\n`.repeat(round * 20));
      expect(Buffer.concat(pieces[at] ?? []).toString()).toBe(sent.join(''));
    }
  });

  it('goes on to the next address when one refuses', async () => {
    const socket = await dial([four('127.0.0.2'), four('127.0.0.3'), four('127.0.0.1')], port, 'web-1', progress());
    expect(socket.remoteAddress).toBe('127.0.0.1');
    socket.destroy();
  });

  it('names every address that failed', async () => {
    await expect(dial([four('127.0.0.2'), four('127.0.0.3')], port, 'web-1', progress())).rejects.toMatchObject({
      reason: 'connect',
      message: `no connection to web-1: 127.0.0.2:${port} refused the connection; 127.0.0.3:${port} refused the connection`,
    });
  });

  describe('an address that does not answer', () => {
    let silent: ChildProcess;
    const filling: Socket[] = [];

    beforeAll(async () => {
      silent = await listenAndFreeze('127.0.0.2', port);
      for (let at = 0; at < 8; at += 1) filling.push(connect(port, '127.0.0.2').on('error', () => undefined));
      await new Promise((resolve) => setTimeout(resolve, 200));
    });

    afterAll(() => {
      for (const socket of filling) socket.destroy();
      silent.kill('SIGKILL');
    });

    it('gets a head start and no more', async () => {
      const startedMs = performance.now();
      const socket = await dial([four('127.0.0.2'), four('127.0.0.1')], port, 'web-1', progress());
      expect(socket.remoteAddress).toBe('127.0.0.1');
      expect(performance.now() - startedMs).toBeGreaterThan(250);
      expect(performance.now() - startedMs).toBeLessThan(2000);
      socket.destroy();
    });

    it('is given up at the deadline, and nothing stays open', async () => {
      const deadline = AbortSignal.timeout(500);
      const attempt = dial([four('127.0.0.2')], port, 'web-1', new ProbeProgress(deadline, () => performance.now()));
      await expect(attempt).rejects.toMatchObject({
        reason: 'timeout',
        message: expect.stringMatching(
          new RegExp(`^timed out after 0\\.[4-9] s while connecting to 127\\.0\\.0\\.2:${port}$`),
        ),
      });
      await new Promise((resolve) => setImmediate(resolve));
      const connecting = process.getActiveResourcesInfo().filter((kind) => kind === 'TCPConnectWrap');
      expect(connecting.length).toBeLessThanOrEqual(filling.filter((socket) => socket.connecting).length);
    });
  });
});

function progress(): ProbeProgress {
  return new ProbeProgress(AbortSignal.timeout(10_000), () => performance.now());
}

/** A process that listens and is stopped: once its queue is full the kernel drops what else would connect. */
function listenAndFreeze(address: string, port: number): Promise<ChildProcess> {
  const program = `require('node:net').createServer().listen({ host: '${address}', port: ${port}, backlog: 1 }, () => console.log('up'))`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve) => {
    child.stdout.once('data', () => {
      child.kill('SIGSTOP');
      resolve(child);
    });
  });
}
