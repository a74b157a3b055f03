import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { freePort } from '../../test/fixture/free-port';
import { knownHostsOf, letIn, serveSsh } from '../../test/ssh/hostile-server';
import {
  describeWithSshd,
  keygen,
  type KeyFiles,
  privateDirectory,
  type RealSshd,
  removeDirectory,
  startSshd,
} from '../../test/ssh/real-sshd';
import { hostAt, requestFor, type Target } from '../../test/ssh/target';
import { ProbeFailure } from '../failure';
import type { AddressFamily, SshServer } from '../inventory/host';
import { SshTransport } from './ssh-transport';

describeWithSshd('bastions of OpenSSH', () => {
  let directory: string;
  let keys: { bastion: KeyFiles; target: KeyFiles; user: KeyFiles; stranger: KeyFiles };
  let bastion: RealSshd;
  let target: RealSshd;
  let transport: SshTransport;
  const files = new Map<string, string>();

  beforeAll(async () => {
    directory = privateDirectory();
    keys = {
      bastion: keygen(directory, 'bastion', 'ed25519'),
      target: keygen(directory, 'target', 'ed25519'),
      user: keygen(directory, 'user', 'ed25519'),
      stranger: keygen(directory, 'stranger', 'ed25519'),
    };
    target = await start(keys.target);
  });

  afterAll(async () => {
    await target.stop();
    removeDirectory(directory);
  });

  beforeEach(async () => {
    bastion = await start(keys.bastion);
    transport = new SshTransport();
  });

  afterEach(async () => {
    await transport.close();
    await bastion.stop();
  });

  it('lead to a host, whose key is checked end to end', async () => {
    const result = await transport.run(requestFor(host(), 'echo $SSH_CONNECTION\n'));
    expect(result).toMatchObject({ status: 0, reused: false, remoteAddress: '127.0.0.1' });
    expect(result.hostKeyFingerprint).toBe(keys.target.fingerprint);
    expect(bastion.log()).toMatch(/Accepted publickey/);
  });

  it('stand in a row, each reached by the one before', async () => {
    const second = await start(keys.stranger);
    const via = server({ name: 'b2', port: second.port, hostKey: keys.stranger, via: server() });
    const result = await transport.run(requestFor(host({ ssh: { via } }), 'true\n'));
    expect(result).toMatchObject({ status: 0 });
    expect([logins(bastion), logins(second)]).toEqual([1, 1]);
    expect(transport.bastionConnections).toBe(2);
    await transport.close();
    expect(transport.bastionConnections).toBe(0);
    await second.stop();
  });

  it('carry 200 hosts at a time on one connection', async () => {
    const echo = await serveSsh((client) =>
      letIn(client).on('session', (accept) =>
        accept().on('exec', (run) => {
          const channel = run();
          channel
            .on('data', () => undefined)
            .on('end', () => {
              channel.write('hello\n');
              channel.exit(0);
              channel.end();
            });
        }),
      ),
    );
    const hosts = Array.from({ length: 200 }, (_, at) =>
      host({ name: `web-${at}`, port: echo.port, knownHosts: knownHostsOf(directory, echo) }),
    );
    const results = await Promise.all(
      hosts.map((one) => transport.run(requestFor(one, 'echo hello\n', { signal: AbortSignal.timeout(30_000) }))),
    );
    expect(results.filter(({ output }) => output.toString() === 'hello\n')).toHaveLength(200);
    expect(logins(bastion)).toBe(1);
    expect(transport.bastionConnections).toBe(1);
    await echo.stop();
  }, 30_000);

  it('keep connections to hosts open, and are not blamed on hosts when they go', async () => {
    const dropped: string[] = [];
    const keeping = new SshTransport({ onDrop: ({ name }) => dropped.push(name) });
    const hosts = ['web-1', 'web-2', 'web-3'].map((name) => host({ name, connection: 'keep' }));
    for (const one of hosts) await keeping.run(requestFor(one, 'true\n'));
    const reused = await Promise.all(hosts.map((one) => keeping.run(requestFor(one, 'true\n'))));
    expect(reused.map((result) => result.reused)).toEqual([true, true, true]);
    const under = keeping.run(requestFor(host({ name: 'web-4' }), 'sleep 20\n'));
    const broken = expect(under).rejects.toMatchObject({
      reason: 'protocol',
      message: expect.stringMatching(/^via bastion b1: 127\.0\.0\.1:\d+ (closed|reset) the connection/) as string,
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    bastion.killConnections();
    await broken;
    expect(dropped).toEqual([]);
    // The bastion is there still: it is connected to again, and the hosts are too.
    const again = await Promise.all(hosts.map((one) => keeping.run(requestFor(one, 'true\n'))));
    expect(again.map((result) => result.reused)).toEqual([false, false, false]);
    expect(logins(bastion)).toBe(2);
    const kept = await Promise.all(hosts.map((one) => keeping.run(requestFor(one, 'true\n'))));
    expect(kept.map((result) => result.reused)).toEqual([true, true, true]);
    await keeping.close();
  });

  it('are verified: a wrong key is a failure of each host behind, and no login is tried', async () => {
    const via = server({ hostKey: keys.stranger });
    const [first, second] = await Promise.all([failed(host({ ssh: { via } })), failed(host({ ssh: { via } }))]);
    expect(first.reason).toBe('host_key');
    expect(first.message).toMatch(/^via bastion b1: the host key of b1 \(127.0.0.1:\d+\) is not the one/);
    expect(second.message).toBe(first.message);
    expect(logins(bastion)).toBe(0);
    const later = await failed(host({ ssh: { via } }));
    expect(later).toMatchObject({ reason: 'host_key', message: expect.stringContaining('tried again soon') as string });
  });

  it('can not pass for the host', async () => {
    const failure = await failed(host({ hostKey: keys.stranger }));
    expect(failure.reason).toBe('host_key');
    expect(failure.message).toContain(`web-1 (127.0.0.1:${target.port} via b1) is not the one`);
  });

  it('are logged in to with the same keys, and that fails as such', async () => {
    const via = server({ identityFiles: [keys.stranger.privateKeyPath] });
    const failure = await failed(host({ ssh: { via } }));
    expect(failure).toMatchObject({ reason: 'auth', message: expect.stringMatching(/^via bastion b1: /) as string });
  });

  it('say that a host refused them, and which of them', async () => {
    const port = await freePort();
    const failure = await failed(host({ port }));
    expect(failure.reason).toBe('connect');
    expect(failure.message).toBe(`via bastion b1: it could not connect to 127.0.0.1:${port}: "Connection refused"`);
  });

  it('say that forwarding is forbidden', async () => {
    const closed = await start(keys.bastion, ['AllowTcpForwarding no']);
    const failure = await failed(host({ ssh: { via: server({ port: closed.port }) } }));
    expect(failure.reason).toBe('connect');
    expect(failure.message).toMatch(/via bastion b1: it forbids a connection to .*AllowTcpForwarding/);
    await closed.stop();
  });

  it.each(['::1', '::1%lo'])('and hosts can have addresses such as %s', async (address) => {
    const six = await start(keys.bastion, ['ListenAddress 127.0.0.1', 'ListenAddress ::1']);
    const there = { address, port: six.port, knownHosts: known(`[${address}]:${six.port} ${keys.bastion.publicKey}`) };
    const via = server({ ...there, addressFamily: 'inet6' });
    expect(await transport.run(requestFor(host({ ssh: { via } }), 'true\n'))).toMatchObject({ status: 0 });
    // And from there on to itself; where a scope counts is on the bastion.
    if (address.includes('%')) return six.stop();
    const result = await transport.run(requestFor(host({ ...there, ssh: { via } }), 'true\n'));
    expect(result).toMatchObject({ status: 0, remoteAddress: address });
    return six.stop();
  });

  it('resolve names of hosts themselves', async () => {
    const naming = new SshTransport({ lookup: () => Promise.reject(new Error('asked')) });
    const result = await naming.run(requestFor(host({ address: 'localhost' }), 'true\n'));
    expect(result).toMatchObject({ status: 0, remoteAddress: null });
    const failure = await failed(host({ address: 'nowhere.invalid' }), naming);
    expect(failure).toMatchObject({ reason: 'connect' });
    expect(failure.message).toMatch(/it could not connect to nowhere\.invalid:\d+: "Name or service not known"/);
    await naming.close();
  });

  it('that refuse connections are named, and tried by one host at a time', async () => {
    const via = server({ port: await freePort() });
    const failures = await Promise.all(Array.from({ length: 20 }, () => failed(host({ ssh: { via } }))));
    expect(new Set(failures.map(({ reason }) => reason))).toEqual(new Set(['connect']));
    expect(failures[0]?.message).toMatch(
      /^via bastion b1: no connection to b1: 127\.0\.0\.1:\d+ refused the connection$/,
    );
  });

  it('that are silent hold up half of the probes at most, and no host that is reached without them', async () => {
    const mute = createServer((socket) => socket.on('error', () => undefined));
    const port = await new Promise<number>((resolve) =>
      mute.listen(0, '127.0.0.1', () => resolve((mute.address() as { port: number }).port)),
    );
    const few = new SshTransport({ probesAtATime: () => 8 });
    const startedMs = performance.now();
    const behind = Array.from({ length: 30 }, () =>
      failed(host({ ssh: { via: server({ port }) } }), few, 4000).then(({ reason, message }) => ({
        reason,
        message,
        ms: performance.now() - startedMs,
      })),
    );
    await few.run(requestFor(host({ ssh: { via: null } }), 'true\n'));
    expect(performance.now() - startedMs).toBeLessThan(3900);
    const outcomes = await Promise.all(behind);
    expect(new Set(outcomes.map(({ reason }) => reason))).toEqual(new Set(['timeout']));
    expect(outcomes.filter(({ ms }) => ms >= 3900)).toHaveLength(4);
    expect(outcomes.filter(({ ms }) => ms < 3900)).toHaveLength(26);
    expect(outcomes[0]?.message).toMatch(
      /^timed out after 4\.0 s via bastion b1: while waiting for 127\.0\.0\.1:\d+ to greet$/,
    );
    await few.close();
    mute.close();
  });

  it('are left when their key is revoked', async () => {
    let nowMs = 0;
    const aging = new SshTransport({ nowMs: () => (nowMs += 1001) });
    const path = known(`[127.0.0.1]:${bastion.port} ${keys.bastion.publicKey}`);
    const via = server({ knownHosts: path });
    await aging.run(requestFor(host({ ssh: { via } }), 'true\n'));
    writeFileSync(path, `@revoked * ${keys.bastion.publicKey}\n`);
    expect(await failed(host({ ssh: { via } }), aging)).toMatchObject({ reason: 'host_key' });
    await aging.close();
  });

  it('are left when nothing needs them, and on shutdown', async () => {
    await transport.run(requestFor(host(), 'true\n'));
    const startedMs = performance.now();
    await transport.close();
    expect(performance.now() - startedMs).toBeLessThan(1000);
    expect(await failed(host())).toMatchObject({ reason: 'internal' });
  });

  function start(hostKey: KeyFiles, options: readonly string[] = []): Promise<RealSshd> {
    return startSshd(directory, [hostKey], [keys.user.publicKey], options);
  }

  function server(
    more: Partial<Target> & {
      readonly hostKey?: KeyFiles;
      readonly via?: SshServer;
      readonly addressFamily?: AddressFamily;
    } = {},
  ): SshServer {
    const { hostKey = keys.bastion, via = null, port = bastion.port, addressFamily = 'any' } = more;
    return hostAt({
      name: 'b1',
      user: bastion.user,
      identityFiles: [keys.user.privateKeyPath],
      knownHosts: known(`[127.0.0.1]:${port} ${hostKey.publicKey}`),
      ...more,
      port,
      ssh: { via, addressFamily },
    });
  }

  function host(more: Partial<Target> & { readonly hostKey?: KeyFiles } = {}): ReturnType<typeof hostAt> {
    const { hostKey = keys.target, port = target.port, address = '127.0.0.1' } = more;
    return hostAt({
      user: target.user,
      identityFiles: [keys.user.privateKeyPath],
      knownHosts: known(`[${address}]:${port} ${hostKey.publicKey}`),
      ...more,
      port,
      ssh: { via: more.ssh?.via === undefined ? server() : more.ssh.via },
    });
  }

  /** A known_hosts file; the same text is the same file, as hosts share their bastions only with all their settings. */
  function known(text: string): string {
    const file = files.get(text) ?? join(directory, `known_hosts-${files.size}`);
    files.set(text, file);
    writeFileSync(file, `${text}\n`);
    return file;
  }

  async function failed(one: ReturnType<typeof hostAt>, by = transport, deadlineMs = 10_000): Promise<ProbeFailure> {
    const request = requestFor(one, 'true\n', { signal: AbortSignal.timeout(deadlineMs) });
    const outcome: unknown = await by.run(request).catch((error: unknown) => error);
    expect(outcome).toBeInstanceOf(ProbeFailure);
    return outcome as ProbeFailure;
  }
});

function logins(sshd: RealSshd): number {
  return sshd.log().match(/Accepted publickey/g)?.length ?? 0;
}
