import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { utils } from 'ssh2';
import { type HostileServer, knownHostsOf, letIn, messages, serveSsh, serveTcp } from '../../test/ssh/hostile-server';
import {
  confirm,
  exec,
  finish,
  maxOutputBytes,
  raw,
  storm,
  toAuthenticate,
  toExchangeKeys,
  toGreet,
  toRun,
} from '../../test/ssh/misbehaviours';
import { makeKeyPair } from '../../test/lab/ssh-keys';
import { freePort } from '../../test/fixture/free-port';
import { privateDirectory, removeDirectory } from '../../test/ssh/real-sshd';
import { hostAt, requestFor } from '../../test/ssh/target';
import { ProbeFailure } from '../failure';
import { SshTransport } from './ssh-transport';
import type { CommandResult } from './transport';

const deadlineMs = 700;

describe('SshTransport against hosts that misbehave', () => {
  let directory: string;
  let transport: SshTransport;
  let server: HostileServer | null = null;
  let identity: string;
  /** Of other test files in the same process. */
  let openBefore: number;

  beforeAll(() => {
    openBefore = openSockets();
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
    await eventually(() => openSockets() <= openBefore);
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
