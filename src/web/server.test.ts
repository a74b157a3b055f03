import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { silentLogger } from '../logging/logger';
import { dropOldestBeyond, refuseBeyond } from './limits/answers';
import { defaultLimits, listen, parseListenAddress, type WebLimits, type WebServer } from './server';
import { openSettings } from './settings/settings';

const settings = { current: () => openSettings };
const sockets: Socket[] = [];
const servers: WebServer[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) await server.close(0);
});

async function start(
  handler: RequestListener,
  limits: Partial<WebLimits> = {},
): Promise<{ server: WebServer; port: number }> {
  const options = { settings, log: silentLogger, limits: { ...defaultLimits, ...limits } };
  const server = await listen({ host: '127.0.0.1', port: 0 }, handler, options);
  servers.push(server);
  return { server, port: Number(new URL(server.url).port) };
}

interface Client {
  readonly socket: Socket;
  text(): string;
  /** Resolves to the milliseconds after which the connection was ended. */
  readonly ended: Promise<number>;
}

function open(port: number, first = ''): Promise<Client> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    let text = '';
    const begunMs = performance.now();
    const ended = new Promise<number>((end) => socket.once('close', () => end(performance.now() - begunMs)));
    socket.on('data', (data: Buffer) => (text += data.toString()));
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.on('error', () => undefined);
      socket.write(first);
      resolve({ socket, text: () => text, ended });
    });
  });
}

const ok: RequestListener = (_request, response) => void response.end('fine');
const get = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
}

it.each([
  [':10066', { host: '', port: 10066 }],
  ['127.0.0.1:80', { host: '127.0.0.1', port: 80 }],
  ['[::1]:0', { host: '::1', port: 0 }],
  ['localhost:65535', { host: 'localhost', port: 65535 }],
  ['localhost:65536', null],
  ['10066', null],
  ['::1:80', null],
  ['a:b', null],
])('reads the address %j', (text, expected) => {
  expect(parseListenAddress(text)).toEqual(expected);
});

it('rejects with the reason when the address is in use', async () => {
  const { port } = await start(ok);
  await expect(listen({ host: '127.0.0.1', port }, ok, { settings, log: silentLogger })).rejects.toThrow('EADDRINUSE');
});

describe('slow and greedy clients', () => {
  it('ends a connection whose headers do not arrive in time, however busy it keeps itself', async () => {
    const { port } = await start(ok, { headersMs: 300, requestMs: 600 });
    const drip = await open(port, 'GET / HTTP/1.1\r\n');
    const timer = setInterval(() => drip.socket.write('a: b\r\n'), 20);
    expect(await drip.ended).toBeLessThan(2000);
    clearInterval(timer);
    expect(drip.text()).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('ends a connection whose body does not arrive in time', async () => {
    const { port } = await start((request, response) => request.resume().on('end', () => response.end()), {
      headersMs: 300,
      requestMs: 600,
    });
    const drip = await open(port, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n');
    const timer = setInterval(() => drip.socket.write('x'), 20);
    expect(await drip.ended).toBeLessThan(2000);
    clearInterval(timer);
  });

  it('ends a connection whose client does not take its answer', async () => {
    const body = Buffer.alloc(50_000_000);
    const { port } = await start((_request, response) => void response.end(body), { receivingMs: 300 });
    const client = await open(port, get);
    client.socket.pause();
    const closed = await new Promise<boolean>((resolve) => {
      setTimeout(() => {
        client.socket.resume();
        client.socket.once('close', () => resolve(true));
      }, 800);
    });
    expect(closed).toBe(true);
    expect(client.text().length).toBeLessThan(body.length);
  });

  it('refuses headers beyond the bound', async () => {
    const { port } = await start(ok);
    const long = await open(port, `GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`);
    await long.ended;
    expect(long.text()).toMatch(/^HTTP\/1\.1 431 /);
  });
});

describe('too many connections', () => {
  it('gives a place to a new one by ending the oldest on which nothing is being answered', async () => {
    const { port } = await start(ok, { maxConnections: 3 });
    const first = await open(port);
    const second = await open(port);
    const third = await open(port);
    const fourth = await open(port, get);
    await first.ended;
    await until(() => fourth.text().endsWith('fine'));
    expect([second.socket.destroyed, third.socket.destroyed]).toEqual([false, false]);
  });

  it('turns a new one away when all are being answered', async () => {
    const answers: ServerResponse[] = [];
    const { port } = await start((_request, response) => void answers.push(response), { maxConnections: 2 });
    const busy = [await open(port, get), await open(port, get)];
    await until(() => answers.length === 2);
    const late = await open(port, get).catch(() => null);
    if (late !== null) await late.ended;
    for (const answer of answers) answer.end('fine');
    await until(() => busy.every((client) => client.text().endsWith('fine')));
    // And takes others again.
    const next = await open(port, get);
    await until(() => answers.length === 3);
    answers[2]?.end('fine');
    await until(() => next.text().endsWith('fine'));
  });

  it('answers a scrape while a thousand clients send their headers drop by drop', async () => {
    const { port } = await start(ok, { maxConnections: 200 });
    const drips: Socket[] = [];
    for (let i = 0; i < 1000; i++) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write('GET / HTTP/1.1\r\n');
      drips.push(socket);
      sockets.push(socket);
    }
    const begunMs = performance.now();
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('fine');
    expect(performance.now() - begunMs).toBeLessThan(3000);
  });
});

describe('closing', () => {
  it('lets requests under way end, and does not wait for connections that ask nothing', async () => {
    const answers: ServerResponse[] = [];
    const { server, port } = await start((_request, response) => void answers.push(response));
    const idle = await open(port);
    const asking = await open(port, get);
    await until(() => answers.length === 1);
    let isClosed = false;
    const begunMs = performance.now();
    const closing = server.close(5000).then(() => (isClosed = true));
    await idle.ended;
    expect(isClosed).toBe(false);
    answers[0]?.end('fine');
    await closing;
    await asking.ended;
    expect(asking.text()).toMatch(/fine$/);
    expect(performance.now() - begunMs).toBeLessThan(2000);
  });

  it('ends what does not end by itself', async () => {
    let asked = false;
    const { server, port } = await start(() => void (asked = true));
    const asking = await open(port, get);
    await until(() => asked);
    const begunMs = performance.now();
    await server.close(200);
    expect(performance.now() - begunMs).toBeGreaterThan(190);
    expect(performance.now() - begunMs).toBeLessThan(2000);
    await asking.ended;
  });
});

describe('requests in flight', () => {
  /** Responses of a server that answers nothing by itself. */
  async function openResponses(
    count: number,
  ): Promise<{ responses: ServerResponse[]; clients: Client[]; close(): void }> {
    const responses: ServerResponse[] = [];
    const plain = createServer((_request, response) => void responses.push(response));
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    const address = plain.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const clients: Client[] = [];
    for (let i = 0; i < count; i++) {
      clients.push(await open(port, get));
      await until(() => responses.length === i + 1);
    }
    return { responses, clients, close: () => plain.close() };
  }

  it('refuses beyond the bound, until one has ended', async () => {
    const { responses, clients, close } = await openResponses(4);
    const inFlight = refuseBeyond(2);
    expect(responses.slice(0, 3).map((response) => inFlight.enter(response))).toEqual([true, true, false]);
    clients[0]?.socket.destroy();
    await until(() => responses[0]?.closed === true);
    expect(responses.slice(3).map((response) => inFlight.enter(response))).toEqual([true]);
    close();
  });

  it('lets the oldest give way', async () => {
    const { responses, clients, close } = await openResponses(3);
    const inFlight = dropOldestBeyond(2);
    expect(responses.map((response) => inFlight.enter(response))).toEqual([true, true, true]);
    await clients[0]?.ended;
    expect([clients[1]?.socket.destroyed, clients[2]?.socket.destroyed]).toEqual([false, false]);
    close();
  });
});
