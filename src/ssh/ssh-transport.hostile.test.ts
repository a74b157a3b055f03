import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Socket } from 'node:net';
import { type Connection, type ServerChannel, utils } from 'ssh2';
import {
  type HostileServer,
  knownHostsOf,
  letIn,
  type MessageLayer,
  messages,
  serveSsh,
  serveTcp,
} from '../../test/ssh/hostile-server';
import { makeKeyPair } from '../../test/lab/ssh-keys';
import { freePort } from '../../test/fixture/free-port';
import { privateDirectory, removeDirectory } from '../../test/ssh/real-sshd';
import { hostAt, requestFor } from '../../test/ssh/target';
import { type FailureReason, ProbeFailure } from '../failure';
import { SshTransport } from './ssh-transport';
import type { CommandResult } from './transport';

const deadlineMs = 700;
const maxOutputBytes = 256 * 1024;

interface Misbehaviour {
  readonly does: string;
  readonly serve: () => Promise<HostileServer>;
  readonly reason: FailureReason;
  readonly says: string | RegExp;
  /** Whether nothing but the deadline ends it. */
  readonly stalls?: boolean;
  /** The deadline, where it is another. */
  readonly withinMs?: number;
}

const toGreet: readonly Misbehaviour[] = [
  {
    does: 'accepts the connection and says nothing',
    serve: () => serveTcp(() => undefined),
    reason: 'timeout',
    says: 'to greet',
    stalls: true,
  },
  {
    does: 'closes the connection at once',
    serve: () => serveTcp((socket) => socket.end()),
    reason: 'connect',
    says: 'closed the connection before it said anything',
  },
  {
    does: 'resets the connection at once',
    serve: () => serveTcp((socket) => socket.resetAndDestroy()),
    reason: 'connect',
    says: 'reset the connection',
  },
  {
    does: 'has too many clients',
    serve: () => serveTcp((socket) => socket.end('Exceeded MaxStartups\r\n')),
    reason: 'connect',
    says: 'Exceeded MaxStartups',
  },
  {
    does: 'speaks HTTP',
    serve: () => serveTcp((socket) => socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')),
    reason: 'protocol',
    says: 'does not speak SSH; it said "HTTP/1.1 400 Bad Request',
  },
  {
    does: 'speaks SSH 1',
    serve: () => serveTcp((socket) => socket.write('SSH-1.5-old\r\n')),
    reason: 'protocol',
    says: 'Invalid identification',
  },
  {
    does: 'greets without end',
    serve: () => serveTcp((socket) => repeat(socket, Buffer.from('welcome to this machine\r\n'.repeat(40)))),
    reason: 'protocol',
    says: /too much|does not speak SSH/,
  },
  {
    does: 'greets in one line without end',
    serve: () => serveTcp((socket) => repeat(socket, Buffer.alloc(1000, 'x'))),
    reason: 'protocol',
    says: 'does not speak SSH',
  },
  {
    does: 'greets byte by byte',
    serve: () => serveTcp((socket) => drip(socket, 'x')),
    reason: 'timeout',
    says: 'to greet',
    stalls: true,
  },
];

const toExchangeKeys: readonly Misbehaviour[] = [
  {
    does: 'says who it is and no more',
    serve: () => serveTcp((socket) => socket.write('SSH-2.0-silent\r\n')),
    reason: 'timeout',
    says: 'during key exchange',
    stalls: true,
  },
  {
    does: 'says who it is and hangs up',
    serve: () => serveTcp((socket) => socket.end('SSH-2.0-gone\r\n')),
    reason: 'protocol',
    says: 'closed the connection during key exchange',
  },
  {
    does: 'says who it is and resets',
    serve: () =>
      serveTcp((socket) => {
        socket.write('SSH-2.0-gone\r\n');
        setTimeout(() => socket.resetAndDestroy(), 50);
      }),
    reason: 'protocol',
    says: /during key exchange/,
  },
  {
    does: 'sends garbage for packets',
    serve: () => serveTcp((socket) => socket.write(`SSH-2.0-garbage\r\n${'\xff'.repeat(500)}`)),
    reason: 'protocol',
    says: 'Bad packet length',
  },
  {
    does: 'sends packets to ignore without end',
    serve: () =>
      serveTcp((socket) => {
        socket.write('SSH-2.0-chatter\r\n');
        repeat(socket, ignorePacket());
      }),
    reason: 'protocol',
    says: 'sent too much during key exchange',
  },
  {
    does: 'drips its packets',
    serve: () =>
      serveTcp((socket) => {
        socket.write('SSH-2.0-slow\r\n\0\0\u0001\u0004');
        drip(socket, '\0');
      }),
    reason: 'timeout',
    says: 'during key exchange',
    stalls: true,
  },
  {
    does: 'has no algorithm in common with us',
    serve: () => serveSsh(letIn, { algorithms: { kex: ['diffie-hellman-group14-sha1'] } }),
    reason: 'protocol',
    says: 'no matching key exchange algorithm',
  },
  {
    does: 'has only ciphers of old',
    serve: () => serveSsh(letIn, { algorithms: { cipher: ['aes128-cbc'] } }),
    reason: 'protocol',
    says: 'no matching C->S cipher',
  },
];

const toAuthenticate: readonly Misbehaviour[] = [
  {
    does: 'never answers a login',
    serve: () => serveSsh((client) => client.on('authentication', () => undefined)),
    reason: 'timeout',
    says: 'during authentication as probe',
    stalls: true,
  },
  {
    does: 'wants passwords and prompts',
    serve: () =>
      serveSsh((client) =>
        client.on('authentication', (attempt) => attempt.reject(['password', 'keyboard-interactive'])),
      ),
    reason: 'auth',
    says: 'it offers "password, keyboard-interactive"',
  },
  {
    does: 'wants a prompt after the key',
    serve: () =>
      serveSsh((client) => client.on('authentication', (attempt) => attempt.reject(['keyboard-interactive'], true))),
    reason: 'auth',
    says: 'accepted a key, but asks for more',
  },
  {
    does: 'prompts although nobody asked it',
    serve: () =>
      serveSsh((client) => {
        client.on('authentication', () => {
          const layer = messages(client) as unknown as { authInfoReq(t: string, i: string, p: unknown[]): void };
          layer.authInfoReq('Password', 'please', [{ prompt: 'Password: ', echo: false }]);
        });
      }),
    // ssh2 takes the prompt for the permission to prove the key, and no answer comes to that.
    reason: 'timeout',
    says: 'during authentication',
    stalls: true,
  },
  {
    does: 'hangs up at the login',
    serve: () => serveSsh((client) => client.on('authentication', () => client.end())),
    reason: 'protocol',
    says: 'closed the connection during authentication',
  },
  {
    does: 'says goodbye at the login',
    serve: () => serveSsh((client) => client.on('authentication', () => messages(client).disconnect(14))),
    reason: 'auth',
    says: 'hung up during authentication',
  },
  {
    does: 'shows a banner without end',
    serve: () =>
      serveSsh((client) =>
        client.on('authentication', () => {
          for (let line = 0; line < 50; line += 1) messages(client).channelExtData(0, Buffer.alloc(30_000), 1);
        }),
      ),
    reason: 'protocol',
    says: 'sent too much during authentication',
  },
];

const toRun: readonly Misbehaviour[] = [
  {
    does: 'never answers to a session',
    serve: () => raw(() => undefined),
    reason: 'timeout',
    says: 'while opening a session',
    stalls: true,
  },
  {
    does: 'refuses a session',
    serve: () => raw((layer, theirs) => layer.channelOpenFail(theirs, 1, 'no more\nsessions "here"')),
    reason: 'command',
    says: `opened no session: "no more sessions 'here'"`,
  },
  {
    does: 'refuses the command',
    serve: () =>
      serveSsh((client) => letIn(client).on('session', (accept) => accept().on('exec', (_, reject) => reject()))),
    reason: 'command',
    says: 'would not run /bin/sh',
  },
  {
    does: 'takes packets of no bytes, for which ssh2 would cut our input for ever',
    serve: () => raw((layer, theirs) => layer.channelOpenConfirm(theirs, 0, 1_000_000, 0)),
    reason: 'protocol',
    says: 'packets of 0 bytes',
  },
  {
    does: 'never opens its window',
    serve: () => raw((layer, theirs) => layer.channelOpenConfirm(theirs, 0, 0, 32_768)),
    reason: 'timeout',
    says: 'while /bin/sh ran',
    stalls: true,
  },
  {
    does: 'runs the command and says nothing',
    serve: () => exec(() => undefined),
    reason: 'timeout',
    says: 'while /bin/sh ran',
    stalls: true,
  },
  {
    does: 'writes without end',
    serve: () => exec((channel) => flood(channel)),
    reason: 'output',
    says: `more than ${maxOutputBytes} bytes on standard output`,
  },
  {
    does: 'writes errors without end',
    serve: () => exec((channel) => flood(channel.stderr)),
    reason: 'output',
    says: 'on standard error',
  },
  {
    does: 'writes without end and without regard to the window',
    serve: () =>
      raw(confirm, (layer, theirs, client) => storm(client, () => layer.channelData(theirs, Buffer.alloc(30_000)))),
    reason: 'output',
    says: /more than|too much/,
  },
  {
    does: 'drips its output',
    serve: () =>
      exec((channel, client) => {
        const timer = setInterval(() => channel.write('.'), 20);
        client.once('close', () => clearInterval(timer));
      }),
    reason: 'timeout',
    says: 'while /bin/sh ran',
    stalls: true,
  },
  {
    does: 'hangs up in the middle of its output',
    serve: () =>
      exec((channel, client) => {
        channel.write('half of');
        setTimeout(() => client.end(), 50);
      }),
    reason: 'protocol',
    says: 'closed the connection during session',
  },
  {
    does: 'sends requests of its own without end',
    serve: () => raw(confirm, (layer, _, client) => storm(client, () => layer.ping())),
    reason: 'output',
    says: 'sent too much during session',
    withinMs: 10_000,
  },
  {
    does: 'exchanges keys without end',
    serve: () =>
      serveSsh((client) => {
        client.on('rekey', () => messages(client).rekey());
        letIn(client).on('session', (accept) => accept().on('exec', () => messages(client).rekey()));
      }),
    reason: 'protocol',
    says: 'exchanges keys again and again',
  },
];

describe('SshTransport against hosts that misbehave', () => {
  let directory: string;
  let transport: SshTransport;
  let server: HostileServer | null = null;
  let identity: string;

  beforeAll(() => {
    directory = privateDirectory();
    identity = join(directory, 'id');
    writeFileSync(identity, makeKeyPair('ed25519').privateKey, { mode: 0o600 });
  });

  afterAll(() => removeDirectory(directory));

  beforeEach(() => {
    transport = new SshTransport();
  });

  afterEach(async () => {
    await transport.close();
    await server?.stop();
    server = null;
    await eventually(() => openSockets() === 0);
  });

  describe.each([
    ['greeting', toGreet],
    ['key exchange', toExchangeKeys],
    ['authentication', toAuthenticate],
    ['session', toRun],
  ])('at %s', (_, misbehaviours) => {
    it.each(misbehaviours)('one that $does', async ({ serve, reason, says, stalls, withinMs = deadlineMs }) => {
      server = await serve();
      const startedMs = performance.now();
      const before = process.memoryUsage().rss;
      const failure = await failed(server, withinMs);
      const tookMs = performance.now() - startedMs;
      expect(failure.message).toMatch(says);
      expect(failure.reason).toBe(reason);
      expect(failure.message).toMatch(/^[\x20-\x7e…]*$/);
      expect(tookMs).toBeLessThan(withinMs + 1000);
      if (stalls === true) expect(tookMs).toBeGreaterThan(deadlineMs - 50);
      expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024);
      await gone(server);
    });
  });

  it('one that is not there', async () => {
    const host = hostAt({ port: await freePort(), identityFiles: [identity], knownHosts: '/dev/null' });
    const path = join(directory, 'empty');
    writeFileSync(path, '');
    const there = { ...host, ssh: { ...host.ssh, knownHosts: path } };
    await expect(transport.run(requestFor(there, 'true\n'))).rejects.toMatchObject({
      reason: 'connect',
      message: expect.stringContaining('refused the connection'),
    });
  });

  it("one that presents another's key, but can not sign with it", async () => {
    const known = makeKeyPair('ed25519');
    const impostor = makeKeyPair('ed25519');
    server = await serveSsh(letIn, { hostKeys: [{ key: forged(known.privateKey, impostor.privateKey) }] });
    const path = join(directory, 'forged');
    writeFileSync(path, `[127.0.0.1]:${server.port} ${known.publicKey}\n`);
    const host = hostAt({ port: server.port, identityFiles: [identity], knownHosts: path });
    await expect(transport.run(requestFor(host, 'true\n'))).rejects.toMatchObject({
      reason: 'host_key',
      message: expect.stringContaining('could not prove'),
    });
  });

  describe('that end their answer in their own way', () => {
    it('exit status, and the channel stays open', async () => {
      server = await exec((channel) => {
        channel.write('all of it');
        channel.exit(3);
      });
      expect(await answer(server)).toMatchObject({ output: Buffer.from('all of it'), status: 3 });
      await gone(server);
    });

    it('end of output, and neither status nor close', async () => {
      server = await raw(confirm, (layer, theirs) => {
        layer.channelData(theirs, Buffer.from('all of it'));
        (layer as unknown as { channelEOF(channel: number): void }).channelEOF(theirs);
      });
      expect(await answer(server)).toMatchObject({ output: Buffer.from('all of it'), status: null });
      await gone(server);
    });

    it('close without a status', async () => {
      server = await exec((channel) => {
        channel.write('all of it');
        channel.close();
      });
      expect(await answer(server)).toMatchObject({ output: Buffer.from('all of it'), status: null });
    });

    it('a connection that stays open after our goodbye', async () => {
      server = await serveSsh((client) => {
        letIn(client).on('session', (accept) =>
          accept().on('exec', (run) => {
            const channel = run();
            channel.exit(0);
            channel.end('all of it');
          }),
        );
        messages(client)._handlers['DISCONNECT'] = () => undefined;
      });
      const first = await answer(server);
      expect(first.output.toString()).toBe('all of it');
      expect(first.durationSeconds).toBeLessThan(0.5);
      await gone(server);
    });
  });

  describe('that have their connections kept open', () => {
    it('and refuse a second session: a fresh connection is made at once, and from then on', async () => {
      let sessions = 0;
      server = await serveSsh((client) => {
        let mine = 0;
        letIn(client).on('session', (accept, reject) => {
          mine += 1;
          if (mine > 1) reject();
          else accept().on('exec', (run) => finish(run(), `session ${(sessions += 1)}`));
        });
      });
      const outputs: string[] = [];
      for (let time = 0; time < 3; time += 1) {
        const result = await answerKept(server);
        outputs.push(result.output.toString());
        expect(result.reused).toBe(false);
      }
      expect(outputs).toEqual(['session 1', 'session 2', 'session 3']);
      await gone(server);
    });

    it('and hang up at a second session', async () => {
      server = await serveSsh((client) => {
        let mine = 0;
        letIn(client).on('session', (accept) => {
          mine += 1;
          if (mine > 1) client.end();
          else accept().on('exec', (run) => finish(run(), 'fine'));
        });
      });
      for (let time = 0; time < 4; time += 1)
        expect(await answerKept(server)).toMatchObject({ reused: false, status: 0 });
      await gone(server);
    });

    it('and say nothing any more, as one that restarted without a word', async () => {
      server = await serveSsh((client) => {
        letIn(client).on('session', (accept) =>
          accept().on('exec', (run) => {
            finish(run(), 'fine');
            messages(client)._handlers['CHANNEL_OPEN'] = () => undefined;
          }),
        );
      });
      await answerKept(server);
      const second = await answerKept(server);
      expect(second).toMatchObject({ reused: false, status: 0 });
      expect(second.durationSeconds).toBeGreaterThan(1.9);
      expect(second.durationSeconds).toBeLessThan(4);
    });

    it('and talk without end while nobody asks', async () => {
      const dropped: string[] = [];
      const watching = new SshTransport({ onDrop: (host) => dropped.push(host.name) });
      server = await serveSsh((client) => {
        letIn(client).on('session', (accept) =>
          accept().on('exec', (run) => {
            finish(run(), 'fine');
            setTimeout(() => storm(client, () => messages(client).ping()), 50);
          }),
        );
      });
      await answerKept(server, watching);
      await gone(server);
      expect(dropped).toEqual(['web-1']);
      await watching.close();
    });

    it('and begin the command, but break it off: it is not run twice', async () => {
      let runs = 0;
      server = await serveSsh((client) => {
        let mine = 0;
        letIn(client).on('session', (accept) =>
          accept().on('exec', (run) => {
            runs += 1;
            mine += 1;
            const channel = run();
            if (mine > 1) client.end();
            else finish(channel, 'fine');
          }),
        );
      });
      await answerKept(server);
      await expect(answerKept(server)).rejects.toMatchObject({ reason: 'protocol' });
      expect(runs).toBe(2);
    });
  });

  it('none of them keeps the next probe of a good host from success', async () => {
    const stalling = await Promise.all(
      Array.from({ length: 40 }, () => serveTcp((socket) => socket.write('SSH-2.0-silent\r\n'))),
    );
    const good = await exec((channel) => {
      channel.exit(0);
      channel.end('fine');
    });
    const probes = stalling.map((each) => failed(each, 4000));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const result = await answer(good, 4000);
    expect(result.output.toString()).toBe('fine');
    // Forty stalled handshakes, sixteen at a time, a second each.
    expect(result.durationSeconds).toBeLessThan(3.5);
    for (const failure of await Promise.all(probes)) expect(failure.reason).toBe('timeout');
    for (const each of [...stalling, good]) await each.stop();
  });

  it('four hundred probes leave nothing behind', async () => {
    server = await exec((channel) => {
      channel.exit(0);
      channel.end('fine');
    });
    const path = knownHostsOf(directory, server);
    const host = hostAt({ port: server.port, identityFiles: [identity], knownHosts: path });
    for (let round = 0; round < 8; round += 1) {
      await Promise.all(Array.from({ length: 50 }, () => transport.run(requestFor(host, 'true\n'))));
    }
    await gone(server);
    expect(process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length).toBeLessThan(30);
  });

  function failed(from: HostileServer, milliseconds = deadlineMs): Promise<ProbeFailure> {
    return answer(from, milliseconds).then(
      (result) => {
        throw new Error(`it answered ${result.output.toString()}`);
      },
      (error: unknown) => {
        expect(error).toBeInstanceOf(ProbeFailure);
        return error as ProbeFailure;
      },
    );
  }

  function answerKept(from: HostileServer, through = transport): Promise<CommandResult> {
    const knownHosts = knownHostsOf(directory, from);
    const host = hostAt({ port: from.port, identityFiles: [identity], knownHosts, connection: 'keep' });
    return through.run(requestFor(host, 'true\n', { maxOutputBytes }));
  }

  function answer(from: HostileServer, milliseconds = 5000): Promise<CommandResult> {
    const host = hostAt({ port: from.port, identityFiles: [identity], knownHosts: knownHostsOf(directory, from) });
    const signal = AbortSignal.timeout(milliseconds);
    return transport.run(requestFor(host, 'true\n', { maxOutputBytes, signal }));
  }
});

/** A server that runs a command as told. */
function exec(handle: (channel: ServerChannel, client: Connection) => void): Promise<HostileServer> {
  return serveSsh((client) => {
    letIn(client).on('session', (accept) => accept().on('exec', (run) => handle(run(), client)));
  });
}

function finish(channel: ServerChannel, output: string): void {
  channel.exit(0);
  channel.end(output);
}

/** A server that answers the messages of a session by hand. */
function raw(
  onOpen: (layer: MessageLayer, theirs: number) => void,
  onExec: (layer: MessageLayer, theirs: number, client: Connection) => void = () => undefined,
): Promise<HostileServer> {
  return serveSsh((client) => {
    letIn(client);
    const layer = messages(client);
    let theirs = 0;
    layer._handlers['CHANNEL_OPEN'] = (_: unknown, info: { sender: number }) => {
      theirs = info.sender;
      onOpen(layer, theirs);
    };
    layer._handlers['CHANNEL_REQUEST'] = () => {
      layer.channelSuccess(theirs);
      onExec(layer, theirs, client);
    };
  });
}

function confirm(layer: MessageLayer, theirs: number): void {
  layer.channelOpenConfirm(theirs, 0, 1_000_000, 32_768);
}

/** Sends again and again, as fast as the event loop allows, until the client is gone. */
function storm(client: Connection, send: () => void): void {
  let over = false;
  client.once('close', () => (over = true));
  const again = (): void => {
    for (let message = 0; message < 200 && !over; message += 1) send();
    if (!over) setImmediate(again);
  };
  again();
}

function flood(stream: NodeJS.WritableStream): void {
  const piece = Buffer.alloc(30_000, 'x');
  let rounds = 0;
  const again = (): void => {
    rounds += 1;
    if (rounds > 1000 || !stream.writable) return;
    stream.write(piece);
    setImmediate(again);
  };
  again();
}

function repeat(socket: Socket, piece: Buffer): void {
  const again = (): void => {
    if (!socket.destroyed) socket.write(piece, again);
  };
  again();
}

function drip(socket: Socket, text: string): void {
  const timer = setInterval(() => socket.write(text), 10);
  socket.once('close', () => clearInterval(timer));
}

/** SSH_MSG_IGNORE with a kilobyte in it, before any encryption (RFC 4253, sections 6 and 11.2). */
function ignorePacket(): Buffer {
  const data = Buffer.alloc(1000);
  const payload = Buffer.concat([Buffer.from([2, 0, 0, 3, 232]), data]);
  const padding = 16 - ((payload.length + 5) % 8);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(payload.length + padding + 1);
  head.writeUInt8(padding, 4);
  return Buffer.concat([head, payload, Buffer.alloc(padding)]);
}

/** A host key that shows one public key and signs with another. */
function forged(shown: string, signing: string): never {
  const face = utils.parseKey(shown);
  const hand = utils.parseKey(signing);
  if (face instanceof Error || hand instanceof Error) throw new Error('no keys');
  return Object.create(face, {
    sign: { value: (data: Buffer, algorithm?: string) => hand.sign(data, algorithm) },
  }) as never;
}

function gone(server: HostileServer): Promise<void> {
  return eventually(() => server.open() === 0);
}

async function eventually(holds: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it did not come true');
}

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
}
