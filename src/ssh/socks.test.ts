import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { freePort } from '../../test/fixture/free-port';
import { type HostileServer, serveTcp } from '../../test/ssh/hostile-server';
import {
  describeWithSshd,
  keygen,
  type KeyFiles,
  privateDirectory,
  type RealSshd,
  removeDirectory,
  startSshd,
  stopped,
} from '../../test/ssh/real-sshd';
import { startSocksServer } from '../../test/ssh/socks-server';
import { hostAt, requestFor, type Target } from '../../test/ssh/target';
import { type FailureReason, ProbeFailure } from '../failure';
import type { SocksProxy } from '../inventory/host';
import { SshTransport } from './ssh-transport';

describeWithSshd('a SOCKS proxy', () => {
  let directory: string;
  let hostKey: KeyFiles;
  let userKey: KeyFiles;
  let sshd: RealSshd;
  let transport: SshTransport;

  beforeAll(async () => {
    directory = privateDirectory();
    hostKey = keygen(directory, 'host', 'ed25519');
    userKey = keygen(directory, 'user', 'ed25519');
    sshd = await startSshd(directory, [hostKey], [userKey.publicKey]);
  });

  afterAll(async () => {
    await sshd.stop();
    removeDirectory(directory);
  });

  beforeEach(() => {
    transport = new SshTransport();
  });

  afterEach(() => transport.close());

  describe('of OpenSSH', () => {
    let dynamic: { readonly child: ChildProcess; readonly port: number };

    beforeAll(async () => {
      dynamic = await startDynamicForward();
    });

    afterAll(() => stopped(dynamic.child));

    it('leads to a host by its address', async () => {
      const result = await transport.run(requestFor(host(at(dynamic.port)), 'echo hello\n'));
      expect(result).toMatchObject({ status: 0, remoteAddress: '127.0.0.1' });
      expect(result.output.toString()).toBe('hello\n');
    });

    it('keeps the connection, as without it', async () => {
      const kept = host(at(dynamic.port), { connection: 'keep' });
      await transport.run(requestFor(kept, 'true\n'));
      expect(await transport.run(requestFor(kept, 'true\n'))).toMatchObject({ reused: true });
    });

    it('is given names with socks5h, and not with socks5', async () => {
      const asked: string[] = [];
      const naming = new SshTransport({
        lookup: (name) => {
          asked.push(name);
          return Promise.resolve([
            { address: '127.0.0.9', family: 4 },
            { address: '127.0.0.1', family: 4 },
          ]);
        },
      });
      const named = { address: 'localhost' };
      const remote = await naming.run(requestFor(host(at(dynamic.port, true), named), 'true\n'));
      expect(remote).toMatchObject({ status: 0, remoteAddress: null });
      expect(asked).toEqual([]);
      // Nothing listens at the first address.
      const local = await naming.run(requestFor(host(at(dynamic.port), named), 'true\n'));
      expect(local).toMatchObject({ status: 0, remoteAddress: '127.0.0.1' });
      expect(asked).toEqual(['localhost']);
      await naming.close();
    });

    it('comes before the first bastion', async () => {
      const via = host(at(dynamic.port), { name: 'b1' });
      const behind = host(null, {}, { via });
      expect(await transport.run(requestFor(behind, 'true\n'))).toMatchObject({ status: 0 });
    });

    it('says that a host refused it', async () => {
      const port = await freePort();
      const failure = await failed(host(at(dynamic.port), { port }));
      expect(failure.reason).toBe('connect');
      expect(failure.message).toMatch(/^proxy 127\.0\.0\.1:\d+ closed its connection, and made none to/);
    });
  });

  describe('with a password', () => {
    it('is told it from its file, which is read again, and nothing shows it', async () => {
      const proxy = await startSocksServer('me', 'a secret: of 🔑');
      const passwordFile = join(directory, 'password');
      writeFileSync(passwordFile, 'me:another secret\n', { mode: 0o600 });
      let nowMs = 0;
      const aging = new SshTransport({ nowMs: () => (nowMs += 1001) });
      const one = host({ ...at(proxy.port, true), passwordFile }, { address: 'somewhere.example' });
      const failure = await failed(one, aging);
      expect(failure).toMatchObject({ reason: 'auth', message: expect.stringContaining('the user was me') as string });
      expect(inspect(failure, { depth: 9, showHidden: true })).not.toContain('secret');
      writeFileSync(passwordFile, 'me:a secret: of 🔑\n');
      // The answer of the proxy and the greeting of the host come in one piece here.
      expect(await aging.run(requestFor(one, 'true\n'))).toMatchObject({ status: 0 });
      expect(proxy.asked).toEqual([`somewhere.example:${sshd.port}`]);
      writeFileSync(passwordFile, 'no colon');
      expect(await failed(one, aging)).toMatchObject({ reason: 'auth' });
      await aging.close();
      await proxy.stop();
    });

    it('says so where there is none', async () => {
      const proxy = await startSocksServer('me', 'secret');
      const failure = await failed(host(at(proxy.port)));
      expect(failure).toMatchObject({ reason: 'auth' });
      expect(failure.message).toContain('set proxy_password_file');
      await proxy.stop();
    });
  });

  const granted = Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0]);

  describe('that misbehaves:', () => {
    let server: HostileServer | null = null;

    afterEach(() => server?.stop());

    it.each<[string, (socket: Socket) => void, FailureReason, RegExp]>([
      ['is silent', () => undefined, 'timeout', /while proxy 127\.0\.0\.1:\d+ connected to 127\.0\.0\.1:\d+$/],
      ['closes', (socket) => socket.end(), 'connect', /closed its connection/],
      ['resets', (socket) => socket.resetAndDestroy(), 'connect', /closed its connection|reset/],
      ['speaks HTTP', (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n'), 'protocol', /does not speak SOCKS5/],
      ['speaks SSH', (socket) => socket.write('SSH-2.0-x\r\n'), 'protocol', /does not speak SOCKS5/],
      ['stops midway', (socket) => socket.end(Buffer.from([5])), 'connect', /closed its connection/],
      ['stops after its first word', (socket) => socket.write(Buffer.from([5, 0])), 'timeout', /while proxy/],
      ['wants another login', (socket) => socket.write(Buffer.from([5, 1])), 'protocol', /unknown authentication/],
      [
        'says things that do not exist',
        (socket) => socket.write(Buffer.from([5, 0, 5, 99, 0, 1, 0])),
        'protocol',
        /does not speak SOCKS5/,
      ],
      [
        'refuses by its rules',
        (socket) => socket.write(Buffer.from([5, 0, 5, 2, 0, 1, 0, 0, 0, 0, 0, 0])),
        'connect',
        /could not connect to 127\.0\.0\.1:\d+: its rules do not allow it/,
      ],
      ['grants and then floods', (socket) => flood(socket), 'protocol', /does not speak SSH|sent too much/],
      [
        'drips the longest answer that there is, and says no more',
        (socket) => drip(socket, Buffer.from([5, 0, 5, 0, 0, 3, 255, ...Array<number>(257).fill(0)])),
        'timeout',
        /to greet$/,
      ],
    ])('%s', async (_, handle, reason, says) => {
      server = await serveTcp(handle);
      const startedMs = performance.now();
      const failure = await failed(host(at(server.port)), transport, 700);
      expect([failure.reason, failure.message]).toEqual([reason, expect.stringMatching(says)]);
      expect(performance.now() - startedMs).toBeLessThan(1500);
      await new Promise((resolve) => setTimeout(resolve, 50));
      expect(server.open()).toBe(0);
    });

    it('drips what is right, and is waited for', async () => {
      server = await serveTcp((socket) => {
        drip(socket, Buffer.concat([Buffer.from([5, 0]), granted]));
        const onward = connect(sshd.port, '127.0.0.1');
        onward.on('error', () => undefined);
        let asked = 0;
        socket.on('data', (piece: Buffer) => {
          // The client's two messages have 3 and 10 bytes.
          if (asked >= 13) onward.write(piece);
          asked += piece.length;
        });
        setTimeout(() => onward.on('data', (piece: Buffer) => socket.write(piece)), 300);
        socket.on('close', () => onward.destroy());
      });
      expect(await transport.run(requestFor(host(at(server.port)), 'true\n'))).toMatchObject({ status: 0 });
    });

    it('is not there', async () => {
      const port = await freePort();
      const failure = await failed(host(at(port)));
      expect(failure).toMatchObject({
        reason: 'connect',
        message: `no connection to proxy 127.0.0.1: 127.0.0.1:${port} refused the connection`,
      });
      const nowhere = await failed(host({ ...at(port), host: 'nowhere.invalid' }));
      expect(nowhere).toMatchObject({
        reason: 'dns',
        message: 'proxy "nowhere.invalid" could not be resolved: the name does not exist',
      });
    });
  });

  function flood(socket: Socket): void {
    socket.write(Buffer.concat([Buffer.from([5, 0]), granted]));
    const timer = setInterval(() => socket.write(Buffer.alloc(100_000, 'x')), 1);
    socket.on('close', () => clearInterval(timer));
  }

  function drip(socket: Socket, bytes: Buffer): void {
    let at = 0;
    const timer = setInterval(() => {
      socket.write(bytes.subarray(at, at + 1));
      at += 1;
      if (at >= bytes.length) clearInterval(timer);
    }, 1);
    socket.on('close', () => clearInterval(timer));
  }

  function at(port: number, resolvesNames = false): SocksProxy {
    return { host: '127.0.0.1', port, resolvesNames, passwordFile: null };
  }

  function host(
    proxy: SocksProxy | null,
    more: Partial<Target> = {},
    ssh: Target['ssh'] = {},
  ): ReturnType<typeof hostAt> {
    const { address = '127.0.0.1', port = sshd.port } = more;
    const knownHosts = join(directory, `known_hosts-${address}-${port}`);
    writeFileSync(knownHosts, `[${address}]:${port} ${hostKey.publicKey}\n`);
    const identityFiles = [userKey.privateKeyPath];
    return hostAt({ user: sshd.user, identityFiles, knownHosts, ...more, port, ssh: { proxy, ...ssh } });
  }

  async function failed(
    one: ReturnType<typeof hostAt>,
    by: SshTransport = transport,
    deadlineMs = 10_000,
  ): Promise<ProbeFailure> {
    const request = requestFor(one, 'true\n', { signal: AbortSignal.timeout(deadlineMs) });
    const outcome: unknown = await by.run(request).catch((error: unknown) => error);
    expect(outcome).toBeInstanceOf(ProbeFailure);
    return outcome as ProbeFailure;
  }

  /** `ssh -D`: OpenSSH's client as a SOCKS proxy, by the tests' sshd. */
  async function startDynamicForward(): Promise<{ readonly child: ChildProcess; readonly port: number }> {
    const port = await freePort();
    const options = ['-N', '-F', 'none', '-i', userKey.privateKeyPath, '-D', `127.0.0.1:${port}`];
    const trust = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR'];
    const child = spawn('ssh', [...options, ...trust, '-p', String(sshd.port), `${sshd.user}@127.0.0.1`], {
      stdio: 'ignore',
    });
    for (let attempt = 0; attempt < 250; attempt += 1) {
      if (await listens(port)) return { child, port };
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await stopped(child);
    throw new Error('ssh -D does not listen');
  }

  function listens(port: number): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
  }
});
