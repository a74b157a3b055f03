import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { makeKeyPair } from '../../test/lab/ssh-keys';
import { Agent, agentPath, Agents } from './agent';
import { strings, uint32 } from './wire';

const key = Buffer.from(makeKeyPair('ed25519').publicKey.split(' ')[1] ?? '', 'base64');
const never = new AbortController().signal;

describe('an agent', () => {
  let directory: string;
  let server: Server | null = null;
  let sockets: Set<Socket>;
  let asked: number;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'reboot-exporter-agent-'));
    sockets = new Set();
    asked = 0;
  });

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => (server === null ? resolve(null) : server.close(resolve)));
    server = null;
    rmSync(directory, { recursive: true });
  });

  it('is asked for its keys once in five seconds, however many want to know', async () => {
    let nowMs = 0;
    const agents = new Agents(() => nowMs, {});
    const path = await serve((socket) => socket.write(answer(identities(key))));
    const lists = await Promise.all(Array.from({ length: 500 }, () => agents.find(path).keys()));
    expect(asked).toBe(1);
    expect(lists.every((list) => list === lists[0])).toBe(true);
    nowMs = 4999;
    await agents.find(path).keys();
    expect(asked).toBe(1);
    nowMs = 5001;
    const [before] = lists;
    // The same keys are the same objects: connections that were made with them stay good.
    expect(await agents.find(path).keys()).toBe(before);
    expect(asked).toBe(2);
  });

  it('that failed is asked again after a second', async () => {
    let nowMs = 0;
    const agent = new Agent(join(directory, 'none'), () => nowMs);
    await expect(agent.keys()).rejects.toMatchObject({ reason: 'auth' });
    const path = await serve((socket) => socket.write(answer(identities(key))), 'none');
    expect(path).toBe(agent.path);
    await expect(agent.keys()).rejects.toMatchObject({ reason: 'auth' });
    nowMs = 1001;
    expect((await agent.keys()).signers).toHaveLength(1);
  });

  it('tells of kinds that are not supported, which are left out', async () => {
    const odd = [
      strings('sk-ssh-ed25519@openssh.com', 'x', 'ssh:'),
      strings('ssh-dss', 'a', 'b', 'c', 'd'),
      Buffer.alloc(3),
    ];
    const path = await serve((socket) => socket.write(answer(identities(...odd, key))));
    const { signers, certified, others } = await new Agent(path, () => 0).keys();
    expect([signers.map(({ type }) => type), certified, others]).toEqual([['ssh-ed25519'], [], 3]);
  });

  it('that has no others says so', async () => {
    const path = await serve((socket) =>
      socket.write(answer(identities(strings('sk-ssh-ed25519@openssh.com', 'x', '')))),
    );
    await expect(new Agent(path, () => 0).someKeys()).rejects.toMatchObject({
      reason: 'auth',
      message: `the agent at ${path} has only keys of kinds that are not supported; see ssh-add -l`,
    });
  });

  it.each([
    ['closes at once', (socket: Socket) => socket.end(), 'it hung up'],
    ['closes in the middle', (socket: Socket) => socket.end(answer(identities(key)).subarray(0, 20)), 'it hung up'],
    ['announces too much', (socket: Socket) => socket.write(uint32(0x7fff_ffff)), 'an answer of 2147483647 bytes'],
    ['announces nothing', (socket: Socket) => socket.write(uint32(0)), 'an answer of 0 bytes'],
    ['fails', (socket: Socket) => socket.write(answer(Buffer.from([5]))), 'does not tell which keys'],
    [
      'has too many keys',
      (socket: Socket) => socket.write(answer(Buffer.concat([Buffer.from([12]), uint32(5000)]))),
      'it has 5000 keys',
    ],
    [
      'has fewer keys than it says',
      (socket: Socket) => socket.write(answer(Buffer.concat([Buffer.from([12]), uint32(3), strings(key, '')]))),
      'no list of keys',
    ],
    [
      'says more than that',
      (socket: Socket) => socket.write(answer(Buffer.concat([identities(key), Buffer.alloc(9)]))),
      'no list of keys',
    ],
  ])('that %s is an auth failure', async (_, behave, words) => {
    const path = await serve(behave);
    await expect(new Agent(path, () => 0).keys()).rejects.toMatchObject({
      reason: 'auth',
      message: expect.stringContaining(words),
    });
    await eventually(() => sockets.size === 0);
  });

  it('that says nothing is given five seconds', async () => {
    const path = await serve(() => undefined);
    const startedMs = performance.now();
    await expect(new Agent(path, () => 0).keys()).rejects.toMatchObject({
      reason: 'auth',
      message: `the agent at ${path} can't be used: it did not answer within 5 s`,
    });
    expect(performance.now() - startedMs).toBeLessThan(6500);
    await eventually(() => sockets.size === 0);
  });

  it('that drips byte by byte is understood', async () => {
    const bytes = answer(identities(key));
    const path = await serve((socket) => {
      let at = 0;
      const drip = (): void => {
        socket.write(bytes.subarray(at, (at += 1)));
        if (at < bytes.length) setImmediate(drip);
      };
      drip();
    });
    expect((await new Agent(path, () => 0).keys()).signers).toHaveLength(1);
  });

  it.each([
    ['refuses', Buffer.from([5]), 'it refused to sign'],
    ['answers with something else', identities(key), 'no signature'],
    ['signs with SHA-1', signatureAnswer('ssh-rsa'), 'it does not sign with ssh-ed25519'],
    [
      'answers with half a signature',
      Buffer.concat([Buffer.from([14]), strings('half').subarray(0, 6)]),
      'no signature',
    ],
  ])('that %s when it is to sign is an auth failure', async (_, reply, words) => {
    const path = await serve((socket) => socket.write(answer(asked === 1 ? identities(key) : reply)));
    const [signer] = (await new Agent(path, () => 0).keys()).signers;
    await expect(signer?.sign('ssh-ed25519', Buffer.from('data'), never)).rejects.toMatchObject({
      reason: 'auth',
      message: expect.stringContaining(words),
    });
  });

  it('is left when nobody waits for its signature any more', async () => {
    const path = await serve((socket) => {
      if (asked === 1) socket.write(answer(identities(key)));
    });
    const [signer] = (await new Agent(path, () => 0).keys()).signers;
    const waiting = new AbortController();
    const signature = expect(signer?.sign('ssh-ed25519', Buffer.from('data'), waiting.signal)).rejects.toThrow();
    await eventually(() => asked === 2);
    waiting.abort();
    await signature;
    await eventually(() => sockets.size === 0);
  });

  it('may say anything', async () => {
    let reply: Buffer = Buffer.alloc(0);
    const path = await serve((socket) => socket.end(reply));
    const message = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
    const likely = message.map((bytes) => answer(Buffer.concat([Buffer.from([12]), bytes])));
    await fc.assert(
      fc.asyncProperty(fc.oneof(message, likely), async (bytes) => {
        reply = bytes;
        const outcome: unknown = await new Agent(path, () => 0).keys().catch((error: unknown) => error);
        expect(outcome).toMatchObject(outcome instanceof Error ? { reason: 'auth' } : { signers: [] });
      }),
      { numRuns: 200 },
    );
  });

  async function serve(behave: (socket: Socket) => void, name = 'agent'): Promise<string> {
    const path = join(directory, name);
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => sockets.delete(socket));
      socket.once('data', () => {
        asked += 1;
        behave(socket);
      });
    });
    await new Promise<void>((resolve) => server?.listen(path, resolve));
    return path;
  }
});

describe('agentPath', () => {
  it.each([
    ['/run/agent', '/run/agent'],
    ['SSH_AUTH_SOCK', '/tmp/a'],
    ['$SSH_AUTH_SOCK', '/tmp/a'],
    ['$UNSET', null],
    ['$EMPTY', null],
  ])('%s', (written, path) => {
    expect(agentPath(written, { SSH_AUTH_SOCK: '/tmp/a', EMPTY: '' })).toBe(path);
  });
});

function answer(body: Buffer): Buffer {
  return strings(body);
}

function identities(...blobs: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from([12]), uint32(blobs.length), ...blobs.map((blob) => strings(blob, 'a comment'))]);
}

function signatureAnswer(algorithm: string): Buffer {
  return Buffer.concat([Buffer.from([14]), strings(strings(algorithm, Buffer.alloc(64)))]);
}

async function eventually(holds: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 250; attempt += 1) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it did not come true');
}
