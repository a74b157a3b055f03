import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
import { SshTransport } from './ssh-transport';

describeWithSshd('SshTransport against OpenSSH', () => {
  let directory: string;
  let hostKeys: { ed25519: KeyFiles; ecdsa: KeyFiles; rsa: KeyFiles };
  let userKeys: Record<string, KeyFiles>;
  let sshd: RealSshd;
  let transport: SshTransport;
  let files = 0;

  beforeAll(async () => {
    directory = privateDirectory();
    hostKeys = {
      ed25519: keygen(directory, 'host-ed25519', 'ed25519'),
      ecdsa: keygen(directory, 'host-ecdsa', 'ecdsa'),
      rsa: keygen(directory, 'host-rsa', 'rsa', ['-b', '2048']),
    };
    userKeys = {
      ed25519: keygen(directory, 'user-ed25519', 'ed25519'),
      'ecdsa nistp256': keygen(directory, 'user-ecdsa', 'ecdsa'),
      'ecdsa nistp384': keygen(directory, 'user-ecdsa384', 'ecdsa', ['-b', '384']),
      'ecdsa nistp521': keygen(directory, 'user-ecdsa521', 'ecdsa', ['-b', '521']),
      'ecdsa in PEM': keygen(directory, 'user-ecdsa-pem', 'ecdsa', ['-m', 'PEM']),
      'ecdsa in PKCS #8': keygen(directory, 'user-ecdsa-pkcs8', 'ecdsa', ['-m', 'PKCS8']),
      rsa: keygen(directory, 'user-rsa', 'rsa', ['-b', '3072']),
      'rsa in PEM': keygen(directory, 'user-rsa-pem', 'rsa', ['-b', '2048', '-m', 'PEM']),
      'rsa in PKCS #8': keygen(directory, 'user-rsa-pkcs8', 'rsa', ['-b', '2048', '-m', 'PKCS8']),
    };
    sshd = await start();
  });

  afterAll(async () => {
    await sshd.stop();
    removeDirectory(directory);
  });

  beforeEach(() => {
    transport = new SshTransport();
  });

  afterEach(async () => {
    await transport.close();
  });

  it.each([
    'ed25519',
    'ecdsa nistp256',
    'ecdsa nistp384',
    'ecdsa nistp521',
    'ecdsa in PEM',
    'ecdsa in PKCS #8',
    'rsa',
    'rsa in PEM',
    'rsa in PKCS #8',
  ])('logs in with a key of %s', async (kind) => {
    const key = userKeys[kind];
    const result = await transport.run(requestFor(to({ identityFiles: [key?.privateKeyPath ?? ''] }), 'echo hello\n'));
    expect(result).toMatchObject({ status: 0, endedBySignal: null, errorHead: '', reused: false });
    expect(result.output.toString()).toBe('hello\n');
    expect(result.remoteAddress).toBe('127.0.0.1');
    expect(result.hostKeyFingerprint).toBe(hostKeys.ed25519.fingerprint);
  });

  it('never signs with SHA-1: a server that only takes ssh-rsa refuses it', async () => {
    const old = await start(['PubkeyAcceptedAlgorithms ssh-rsa']);
    try {
      const request = requestFor(to({ port: old.port, identityFiles: [path('rsa')] }), 'true\n');
      await expect(transport.run(request)).rejects.toMatchObject({ reason: 'auth' });
    } finally {
      await old.stop();
    }
  });

  it.each(['rsa-sha2-256', 'rsa-sha2-512'])('logs in with RSA where only %s is taken', async (algorithm) => {
    const strict = await start([`PubkeyAcceptedAlgorithms ${algorithm}`]);
    try {
      const request = requestFor(to({ port: strict.port, identityFiles: [path('rsa')] }), 'true\n');
      expect(await transport.run(request)).toMatchObject({ status: 0 });
    } finally {
      await strict.stop();
    }
  });

  it('tries several keys in their order', async () => {
    const strange = keygen(directory, 'strange', 'ed25519');
    const host = to({ identityFiles: [strange.privateKeyPath, path('ed25519')] });
    expect(await transport.run(requestFor(host, 'true\n'))).toMatchObject({ status: 0 });
  });

  it('says which key was refused, for whom, and what is offered instead', async () => {
    const strange = keygen(directory, 'stranger', 'ed25519');
    const failure = await failed(to({ identityFiles: [strange.privateKeyPath] }));
    expect(failure.reason).toBe('auth');
    expect(failure.message).toContain(`refused the key for user ${sshd.user}`);
    expect(failure.message).toContain(strange.fingerprint);
    expect(failure.message).toContain('publickey');
  });

  it('asks the name service, and goes on to the next address when one refuses', async () => {
    const asked: string[] = [];
    const naming = new SshTransport({
      lookup: (name) => {
        asked.push(name);
        return Promise.resolve([
          { address: '127.0.0.2', family: 4 },
          { address: '127.0.0.1', family: 4 },
        ]);
      },
    });
    const line = `[web-1.example.com]:${sshd.port} ${hostKeys.ed25519.publicKey}`;
    const result = await naming.run(
      requestFor(to({ address: 'web-1.example.com', knownHosts: known(line) }), 'true\n'),
    );
    expect(result).toMatchObject({ status: 0, remoteAddress: '127.0.0.1' });
    expect(asked).toEqual(['web-1.example.com']);
    await naming.close();
  });

  it('needs a key', async () => {
    expect(await failed(to({ identityFiles: [] }))).toMatchObject({
      reason: 'auth',
      message: 'no private key is configured for web-1',
    });
  });

  it('passes on status, signal and the beginning of standard error, and all of the output', async () => {
    const program = 'head -c 300000 /dev/zero; echo "no \\"such\\" file" >&2; printf "\\033[31m" >&2; exit 42\n';
    const result = await transport.run(requestFor(to(), program));
    expect(result.output.equals(Buffer.alloc(300_000))).toBe(true);
    expect(result).toMatchObject({ status: 42, endedBySignal: null, errorHead: `"no 'such' file [31m"` });
    const killed = await transport.run(requestFor(to(), 'kill -KILL $$\n'));
    expect(killed).toMatchObject({ status: null, endedBySignal: 'SIGKILL' });
  });

  it('sends a program larger than the window of the channel', async () => {
    const program = `${'# a comment that takes up room\n'.repeat(100_000)}echo done\n`;
    const result = await transport.run(requestFor(to(), program));
    expect(result.output.toString()).toBe('done\n');
  });

  it('does not wait for a background process that holds the output open', async () => {
    const result = await transport.run(requestFor(to(), 'echo before\nsleep 30 &\nexit 0\n'));
    expect(result.output.toString()).toBe('before\n');
    expect(result.status).toBe(0);
    expect(result.durationSeconds).toBeLessThan(6);
  });

  describe('host keys', () => {
    it.each(['ed25519', 'ecdsa', 'rsa'] as const)('asks for the %s key where the file has only that', async (type) => {
      const host = to({ knownHosts: known(hostLine(hostKeys[type])) });
      const result = await transport.run(requestFor(host, 'true\n'));
      expect(result.hostKeyFingerprint).toBe(hostKeys[type].fingerprint);
    });

    it.each(['ed25519', 'ecdsa', 'rsa'] as const)('does so under a hashed name with %s', async (type) => {
      const others = Array.from({ length: 3 }, (_, at) => `other-${at} ${hostKeys.ed25519.publicKey}`);
      const path = known([...others, hostLine(hostKeys[type])].join('\n'));
      execFileSync('ssh-keygen', ['-q', '-H', '-f', path], { stdio: 'ignore' });
      expect(readFileSync(path, 'utf8')).toMatch(/^\|1\|/);
      const result = await transport.run(requestFor(to({ knownHosts: path }), 'true\n'));
      expect(result.hostKeyFingerprint).toBe(hostKeys[type].fingerprint);
    });

    it('takes one of several keys', async () => {
      const replaced = keygen(directory, `replaced-${(files += 1)}`, 'ed25519');
      const path = known(`${hostLine(replaced)}\n${hostLine(hostKeys.ed25519)}`);
      expect(await transport.run(requestFor(to({ knownHosts: path }), 'true\n'))).toMatchObject({ status: 0 });
    });

    it('finds the key under the inventory name', async () => {
      const path = known(`[web-1]:${sshd.port} ${hostKeys.ed25519.publicKey}`);
      expect(await transport.run(requestFor(to({ knownHosts: path }), 'true\n'))).toMatchObject({ status: 0 });
    });

    it('names both fingerprints when the key is another', async () => {
      const replaced = keygen(directory, `replaced-${(files += 1)}`, 'ed25519');
      for (const line of [hostLine(replaced), `[127.0.0.1]:* ${replaced.publicKey}`]) {
        const failure = await failed(to({ knownHosts: known(line) }));
        expect(failure.reason).toBe('host_key');
        expect(failure.message).toContain('is not the one');
        expect(failure.message).toContain(replaced.fingerprint);
        expect(failure.message).toContain(hostKeys.ed25519.fingerprint);
      }
    });

    it('calls it a mismatch too when the host has no key of the known type', async () => {
      const path = known(hostLine(keygen(directory, `dsa-like-${(files += 1)}`, 'ecdsa', ['-b', '521'])));
      const failure = await failed(to({ knownHosts: path }));
      expect(failure).toMatchObject({ reason: 'host_key' });
      expect(failure.message).toContain('is not the one');
    });

    it('tells how to add an unknown key, and accepts it once that line is added', async () => {
      const path = known('');
      const failure = await failed(to({ knownHosts: path }));
      expect(failure.reason).toBe('host_key');
      expect(failure.message).toContain(hostKeys.ed25519.fingerprint);
      expect(failure.message).toContain('ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub');
      const line = failure.message.slice(
        failure.message.indexOf(`${path}: `, failure.message.indexOf('add this line')) + path.length + 2,
      );
      expect(line).toBe(`[127.0.0.1]:${sshd.port} ${hostKeys.ed25519.publicKey}`);
      const added = known(line);
      expect(await transport.run(requestFor(to({ knownHosts: added }), 'true\n'))).toMatchObject({ status: 0 });
    });

    it('refuses a revoked key', async () => {
      const path = known(`${hostLine(hostKeys.ed25519)}\n@revoked * ${hostKeys.ed25519.publicKey}`);
      const failure = await failed(to({ knownHosts: path }));
      expect(failure.reason).toBe('host_key');
      expect(failure.message).toContain('revokes');
    });

    it('does not take an authority for the key itself', async () => {
      const path = known(`@cert-authority * ${hostKeys.ed25519.publicKey}`);
      const failure = await failed(to({ knownHosts: path }));
      expect(failure.reason).toBe('host_key');
      expect(failure.message).toContain('line 1 names an authority');
    });

    it('reads the file again when it has changed, and not an older version when it is gone', async () => {
      const path = known(hostLine(hostKeys.ed25519));
      let nowMs = 0;
      const aging = new SshTransport({ nowMs: () => (nowMs += 1001) });
      const host = to({ knownHosts: path });
      try {
        expect(await aging.run(requestFor(host, 'true\n'))).toMatchObject({ status: 0 });
        writeFileSync(path, '# nothing\n');
        await expect(aging.run(requestFor(host, 'true\n'))).rejects.toMatchObject({ reason: 'host_key' });
        writeFileSync(path, `${hostLine(hostKeys.ed25519)}\n`);
        expect(await aging.run(requestFor(host, 'true\n'))).toMatchObject({ status: 0 });
        renameSync(path, `${path}.gone`);
        await expect(aging.run(requestFor(host, 'true\n'))).rejects.toMatchObject({
          reason: 'host_key',
          message: expect.stringContaining('it does not exist'),
        });
      } finally {
        await aging.close();
      }
    });
  });

  describe('private keys', () => {
    it('reads a key again when its file has changed', async () => {
      const path = join(directory, 'swapped');
      copyFileSync(keygen(directory, 'unwelcome', 'ed25519').privateKeyPath, path);
      chmodSync(path, 0o600);
      let nowMs = 0;
      const aging = new SshTransport({ nowMs: () => (nowMs += 1001) });
      try {
        const host = to({ identityFiles: [path] });
        await expect(aging.run(requestFor(host, 'true\n'))).rejects.toMatchObject({ reason: 'auth' });
        copyFileSync(userKeys['rsa']?.privateKeyPath ?? '', path);
        expect(await aging.run(requestFor(host, 'true\n'))).toMatchObject({ status: 0 });
      } finally {
        await aging.close();
      }
    });

    it('does not leave out a key that can not be used', async () => {
      const failure = await failed(to({ identityFiles: [join(directory, 'missing'), path('ed25519')] }));
      expect(failure).toMatchObject({ reason: 'auth' });
      expect(failure.message).toContain('it does not exist');
    });
  });

  describe('connections kept open', () => {
    it('runs one command after another on one connection', async () => {
      const host = to({ connection: 'keep' });
      const before = sshd.log().length;
      const first = await transport.run(requestFor(host, 'echo $PPID\n'));
      const second = await transport.run(requestFor(host, 'echo $PPID\n'));
      expect([first.reused, second.reused]).toEqual([false, true]);
      expect(second.output.equals(first.output)).toBe(true);
      expect(
        sshd
          .log()
          .slice(before)
          .match(/Accepted publickey/g),
      ).toHaveLength(1);
    });

    it('keeps them with auto where the period is short, and only there', async () => {
      for (const [periodSeconds, reused] of [
        [60, true],
        [300, true],
        [3600, false],
      ] as const) {
        const periodic = new SshTransport({ periodSeconds });
        const host = to({ connection: 'auto' });
        await periodic.run(requestFor(host, 'true\n'));
        expect(await periodic.run(requestFor(host, 'true\n'))).toMatchObject({ reused });
        await periodic.close();
      }
    });

    it('does so on a host that allows one session at a time', async () => {
      const narrow = await start(['MaxSessions 1']);
      const host = to({ port: narrow.port, connection: 'keep' });
      await transport.run(requestFor(host, 'true\n'));
      // sshd counts a session as ended only a moment after it was closed.
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(await transport.run(requestFor(host, 'true\n'))).toMatchObject({ status: 0, reused: true });
      await narrow.stop();
    });

    it('reports a connection that the host drops, and makes another', async () => {
      const dropped: string[] = [];
      const watching = new SshTransport({ onDrop: (host) => dropped.push(host.name) });
      const host = to({ connection: 'keep' });
      await watching.run(requestFor(host, 'true\n'));
      const { output } = await watching.run(requestFor(host, 'echo $PPID\n'));
      process.kill(Number(output.toString()), 'SIGKILL');
      await eventually(() => dropped.length > 0);
      expect(dropped).toEqual(['web-1']);
      expect(await watching.run(requestFor(host, 'true\n'))).toMatchObject({ status: 0, reused: false });
      await watching.close();
    });

    it('does not use one whose host key was revoked meanwhile', async () => {
      const path = known(hostLine(hostKeys.ed25519));
      let nowMs = 0;
      const aging = new SshTransport({ nowMs: () => (nowMs += 1001) });
      const host = to({ knownHosts: path, connection: 'keep' });
      await aging.run(requestFor(host, 'true\n'));
      writeFileSync(path, `${hostLine(hostKeys.ed25519)}\n@revoked * ${hostKeys.ed25519.publicKey}\n`);
      await expect(aging.run(requestFor(host, 'true\n'))).rejects.toMatchObject({ reason: 'host_key' });
      await aging.close();
    });

    it('makes another when the user of the host has changed', async () => {
      await transport.run(requestFor(to({ connection: 'keep' }), 'true\n'));
      const failure = await failed(to({ connection: 'keep', user: 'nobody-of-that-name' }));
      expect(failure.reason).toBe('auth');
    });

    it('closes those of hosts that are gone from the inventory', async () => {
      const host = to({ connection: 'keep' });
      const { output } = await transport.run(requestFor(host, 'echo $PPID\n'));
      const pid = Number(output.toString());
      transport.retain(new Set(['another']));
      await eventually(() => !alive(pid));
      expect(await transport.run(requestFor(host, 'true\n'))).toMatchObject({ reused: false });
    });
  });

  it('closes every connection, and none of its processes stays on the host', async () => {
    const host = to({ connection: 'keep' });
    const { output } = await transport.run(requestFor(host, 'echo $PPID\n'));
    const under = transport.run(requestFor(to({ name: 'web-2' }), 'sleep 20\n'));
    const ended = expect(under).rejects.toMatchObject({ reason: 'internal' });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const startedMs = performance.now();
    await transport.close();
    await ended;
    expect(performance.now() - startedMs).toBeLessThan(1000);
    await eventually(() => !alive(Number(output.toString())));
    await expect(transport.run(requestFor(host, 'true\n'))).rejects.toMatchObject({ reason: 'internal' });
  });

  it('says that a host would not run the command', async () => {
    const closed = await start(['MaxSessions 0']);
    const failure = await failed(to({ port: closed.port }));
    expect(failure.reason).toBe('command');
    await closed.stop();
  });

  function start(options: readonly string[] = []): Promise<RealSshd> {
    return startSshd(
      directory,
      Object.values(hostKeys),
      Object.values(userKeys).map((key) => key.publicKey),
      options,
    );
  }

  function to(more: Partial<Target> = {}): ReturnType<typeof hostAt> {
    const port = more.port ?? sshd.port;
    const line = `[127.0.0.1]:${port} ${hostKeys.ed25519.publicKey}`;
    return hostAt({
      port,
      user: sshd.user,
      identityFiles: [path('ed25519')],
      ...more,
      knownHosts: more.knownHosts ?? known(line),
    });
  }

  function path(kind: string): string {
    return userKeys[kind]?.privateKeyPath ?? '';
  }

  function hostLine(key: KeyFiles): string {
    return `[127.0.0.1]:${sshd.port} ${key.publicKey}`;
  }

  function known(text: string): string {
    const file = join(directory, `known_hosts-${(files += 1)}`);
    writeFileSync(file, `${text}\n`);
    return file;
  }

  async function failed(host: ReturnType<typeof hostAt>): Promise<ProbeFailure> {
    const outcome: unknown = await transport.run(requestFor(host, 'true\n')).catch((error: unknown) => error);
    expect(outcome).toBeInstanceOf(ProbeFailure);
    return outcome as ProbeFailure;
  }
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function eventually(holds: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 250; attempt += 1) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it did not come true');
}
