import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import workerThreads from 'node:worker_threads';
import { certify, copyKey, type RealAgent, startAgent } from '../../test/ssh/openssh-tools';
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
import { strings, uint32 } from './wire';

describeWithSshd('Logging in at OpenSSH', () => {
  let directory: string;
  let hostKey: KeyFiles;
  let authority: KeyFiles;
  let ed25519: KeyFiles;
  let ecdsa: KeyFiles;
  let rsa: KeyFiles;
  let stranger: KeyFiles;
  let sshd: RealSshd;
  let knownHosts: string;
  let transport: SshTransport;

  beforeAll(async () => {
    directory = privateDirectory();
    hostKey = keygen(directory, 'host', 'ed25519');
    authority = keygen(directory, 'authority', 'ed25519');
    ed25519 = keygen(directory, 'ed25519', 'ed25519');
    ecdsa = keygen(directory, 'ecdsa', 'ecdsa', ['-b', '384']);
    rsa = keygen(directory, 'rsa', 'rsa', ['-b', '2048']);
    stranger = keygen(directory, 'stranger', 'ed25519');
    writeFileSync(join(directory, 'user-authorities'), `${authority.publicKey}\n`);
    sshd = await start([ed25519, ecdsa, rsa]);
    knownHosts = join(directory, 'known_hosts');
    writeFileSync(knownHosts, `[127.0.0.1]:* ${hostKey.publicKey}\n`);
  });

  afterAll(async () => {
    await sshd.stop();
    removeDirectory(directory);
  });

  beforeEach(() => {
    transport = new SshTransport();
  });

  afterEach(() => transport.close());

  describe('with encrypted keys', () => {
    let passphraseFile: string;

    beforeAll(() => {
      passphraseFile = secret('passphrase', 'correct horse \n');
    });

    it.each([
      ["OpenSSH's format", () => ed25519, ['-a', '4']],
      ["OpenSSH's format with GCM", () => rsa, ['-a', '4', '-Z', 'aes256-gcm@openssh.com']],
      ['PKCS #8', () => rsa, ['-m', 'PKCS8']],
      ['traditional PEM', () => ecdsa, ['-m', 'PEM']],
    ])('opens %s, and says where the passphrase is wrong or missing', async (_, key, options) => {
      const locked = lockedCopy(key(), options);
      expect(await transport.run(to({ identityFiles: [locked], passphraseFile }))).toMatchObject({ status: 0 });
      const wrong = secret('wrong', 'incorrect horse');
      expect(await failed({ identityFiles: [locked], passphraseFile: wrong })).toMatchObject({
        reason: 'auth',
        message: expect.stringContaining(`with the passphrase in ${wrong}: the passphrase does not open it`),
      });
      expect(await failed({ identityFiles: [locked] })).toMatchObject({
        reason: 'auth',
        message: expect.stringContaining('it is protected by a passphrase; name the file that holds it'),
      });
    });

    it('refuses a passphrase file that others can read, is empty, has two lines or is missing', async () => {
      const locked = lockedCopy(ed25519, ['-a', '1']);
      for (const [path, words] of [
        [secret('open', 'correct horse ', 0o644), 'permissions 0644'],
        [secret('empty', '\n'), 'it is empty'],
        [secret('two', 'one\ntwo\n'), 'on one line'],
        [join(directory, 'none'), 'it does not exist'],
      ] as const) {
        const failure = await failed({ identityFiles: [locked], passphraseFile: path });
        expect(failure).toMatchObject({ reason: 'auth', message: expect.stringContaining(words) });
        expect(failure.message).not.toContain('correct horse');
      }
    });

    it('tries again when key or passphrase have changed, and not before', async () => {
      let nowMs = 0;
      const aging = new SshTransport({ nowMs: () => (nowMs += 1001) });
      const locked = lockedCopy(ed25519, ['-a', '1']);
      const passphrase = secret('changing', 'not this one');
      const host = { identityFiles: [locked], passphraseFile: passphrase };
      try {
        await expect(aging.run(to(host))).rejects.toMatchObject({ reason: 'auth' });
        secret('changing', 'correct horse ');
        expect(await aging.run(to(host))).toMatchObject({ status: 0 });
        const threads = countedThreads();
        for (let time = 0; time < 3; time += 1) await aging.run(to(host));
        expect(threads).not.toHaveBeenCalled();
        execFileSync('ssh-keygen', ['-q', '-p', '-P', 'correct horse ', '-N', 'another', '-a', '1', '-f', locked]);
        await expect(aging.run(to(host))).rejects.toMatchObject({ reason: 'auth' });
        expect(threads).toHaveBeenCalledTimes(1);
        threads.mockRestore();
      } finally {
        await aging.close();
      }
    });

    it('does not hold up others while it opens a key, and opens it once for all that wait', async () => {
      const locked = lockedCopy(ed25519, ['-a', '64']);
      const threads = countedThreads();
      let longestMs = 0;
      let lastMs = performance.now();
      const ticking = setInterval(() => {
        longestMs = Math.max(longestMs, performance.now() - lastMs);
        lastMs = performance.now();
      }, 5);
      const hosts = Array.from({ length: 8 }, (_, at) => ({
        name: `web-${at}`,
        identityFiles: [locked],
        passphraseFile,
      }));
      const results = await Promise.all(hosts.map((host) => transport.run(to(host)))).finally(() =>
        clearInterval(ticking),
      );
      expect(results.every(({ status }) => status === 0)).toBe(true);
      expect(threads).toHaveBeenCalledTimes(1);
      threads.mockRestore();
      // In this thread 64 rounds would take more than a second and a half.
      expect(longestMs).toBeLessThan(800);
    });

    it('does not open a key that asks for too many rounds', async () => {
      const locked = lockedCopy(ed25519, ['-a', '1']);
      const text = readFileSync(locked, 'utf8');
      const body = Buffer.from(text.split('\n').slice(1, -2).join(''), 'base64');
      // PROTOCOL.key: the magic, then cipher, function and its options, in which the rounds follow the salt.
      body.writeUInt32BE(1_000_000, 15 + (4 + 'aes256-ctr'.length) + (4 + 'bcrypt'.length) + 4 + (4 + 16));
      const slow = secret(
        'slow',
        `-----BEGIN OPENSSH PRIVATE KEY-----\n${body.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`,
      );
      expect(await failed({ identityFiles: [slow], passphraseFile })).toMatchObject({
        reason: 'auth',
        message: expect.stringContaining('goes through 1000000 rounds'),
      });
    });
  });

  describe('with an agent', () => {
    let agent: RealAgent;

    beforeEach(() => {
      agent = startAgent(directory, `agent-${(files += 1)}`);
    });

    afterEach(() => agent.stop());

    it.each([
      ['ed25519', () => ed25519],
      ['ECDSA', () => ecdsa],
      ['RSA', () => rsa],
    ])('has it sign with %s', async (_, key) => {
      agent.add('-q', key().privateKeyPath);
      const result = await transport.run(to({ identityFiles: [], identityAgent: agent.socket }));
      expect(result).toMatchObject({ status: 0 });
    });

    it('finds it by the variable, too', async () => {
      agent.add('-q', ed25519.privateKeyPath);
      const told = new SshTransport({ environment: { SSH_AUTH_SOCK: agent.socket, OTHER: agent.socket } });
      for (const identityAgent of ['SSH_AUTH_SOCK', '$OTHER']) {
        expect(await told.run(to({ identityFiles: [], identityAgent }))).toMatchObject({ status: 0 });
      }
      await expect(told.run(to({ identityFiles: [], identityAgent: '$NONE' }))).rejects.toMatchObject({
        reason: 'auth',
        message: 'no agent can be asked: the variable NONE is not set',
      });
      await told.close();
    });

    it('shows only the key that is named, by its public half or by its encrypted private one', async () => {
      agent.add('-q', stranger.privateKeyPath, ed25519.privateKeyPath, rsa.privateKeyPath);
      const before = sshd.log().length;
      const locked = lockedCopy(rsa, ['-a', '1', '-m', 'PKCS8']);
      for (const identity of [`${ed25519.privateKeyPath}.pub`, lockedCopy(ed25519, ['-a', '1']), locked]) {
        const host = { identityFiles: [identity], identityAgent: agent.socket };
        expect(await transport.run(to(host))).toMatchObject({ status: 0 });
      }
      expect(sshd.log().slice(before)).not.toContain('Failed publickey');
      expect(
        await failed({ identityFiles: [`${ecdsa.privateKeyPath}.pub`], identityAgent: agent.socket }),
      ).toMatchObject({
        reason: 'auth',
        message: expect.stringContaining(`does not have it (${ecdsa.fingerprint})`),
      });
      expect(await failed({ identityFiles: [`${ed25519.privateKeyPath}.pub`] })).toMatchObject({
        reason: 'auth',
        message: expect.stringContaining('it holds a public key; the private one is needed, or identity_agent'),
      });
    });

    it('does not need it for a key that is in a file', async () => {
      const host = { identityFiles: [ed25519.privateKeyPath], identityAgent: join(directory, 'no-agent') };
      expect(await transport.run(to(host))).toMatchObject({ status: 0 });
    });

    it('says that it is gone, has no key, or is locked', async () => {
      const host = { identityFiles: [], identityAgent: agent.socket };
      const empty = `the agent at ${agent.socket} has no key, or is locked; see ssh-add -l`;
      expect(await failed(host)).toMatchObject({ reason: 'auth', message: empty });
      agent.stop();
      await untilGone(agent.socket);
      const later = new SshTransport();
      await expect(later.run(to(host))).rejects.toMatchObject({
        reason: 'auth',
        message: `the agent at ${agent.socket} can't be used: the socket does not exist`,
      });
      await later.close();
      agent = startAgent(directory, `agent-${(files += 1)}`);
    });

    it('says that it would not sign: the key was taken out meanwhile', async () => {
      agent.add('-q', ed25519.privateKeyPath);
      const host = { identityFiles: [], identityAgent: agent.socket };
      expect(await transport.run(to(host))).toMatchObject({ status: 0 });
      agent.add('-q', '-D');
      expect(await failed(host)).toMatchObject({
        reason: 'auth',
        message: `the agent at ${agent.socket} can't sign with ssh-ed25519 ${ed25519.fingerprint}: it refused to sign`,
      });
    });

    it('does not use a connection that was made with a key which the agent has no more', async () => {
      let nowMs = 0;
      const aging = new SshTransport({ nowMs: () => (nowMs += 6000) });
      agent.add('-q', ed25519.privateKeyPath, rsa.privateKeyPath);
      const host = { identityFiles: [], identityAgent: agent.socket, connection: 'keep' as const };
      await aging.run(to(host));
      expect(await aging.run(to(host))).toMatchObject({ reused: true });
      agent.add('-q', '-d', ed25519.privateKeyPath);
      expect(await aging.run(to(host))).toMatchObject({ status: 0, reused: false });
      await aging.close();
    });

    it('that never signs ends with the deadline, and is left then', async () => {
      const socket = join(directory, `hung-${(files += 1)}`);
      const open = new Set<Socket>();
      const blob = Buffer.from(ed25519.publicKey.split(' ')[1] ?? '', 'base64');
      // To 11, SSH_AGENTC_REQUEST_IDENTITIES, it answers with 12; to 13, SSH_AGENTC_SIGN_REQUEST, with nothing.
      const server = createServer((client) => {
        open.add(client);
        client.once('close', () => open.delete(client));
        client.on('data', (asked) => {
          if (asked[4] === 11)
            client.write(strings(Buffer.concat([Buffer.from([12]), uint32(1), strings(blob, 'key')])));
        });
      });
      await new Promise<void>((resolve) => server.listen(socket, resolve));
      try {
        const request = { ...to({ identityFiles: [], identityAgent: socket }), signal: AbortSignal.timeout(1500) };
        await expect(transport.run(request)).rejects.toMatchObject({
          reason: 'timeout',
          message: expect.stringMatching(
            new RegExp(`while waiting for the agent at ${socket} to sign for 127.0.0.1:${sshd.port}`),
          ),
        });
        for (let attempt = 0; attempt < 100 && open.size > 0; attempt += 1) await pause(20);
        expect(open.size).toBe(0);
      } finally {
        server.close();
      }
    });

    it('uses the certificates that it has, before the keys', async () => {
      const own = copyKey(stranger, `certified-${(files += 1)}`);
      certify(authority, own, ['-I', 'probe', '-n', sshd.user, '-V', '-1h:+1h']);
      agent.add('-q', own.privateKeyPath);
      expect(agent.add('-l')).toContain('ED25519-CERT');
      const before = sshd.log().length;
      const host = { identityAgent: agent.socket };
      expect(await transport.run(to({ ...host, identityFiles: [] }))).toMatchObject({ status: 0 });
      for (const identity of [`${own.privateKeyPath}.pub`, `${own.privateKeyPath}-cert.pub`]) {
        expect(await transport.run(to({ ...host, identityFiles: [identity] }))).toMatchObject({ status: 0 });
      }
      expect(sshd.log().slice(before)).not.toContain('Failed publickey');
      expect(
        sshd
          .log()
          .slice(before)
          .match(/Accepted publickey.* ED25519-CERT/g),
      ).toHaveLength(3);
    });
  });

  describe('with several keys', () => {
    it('says why where the host counts too many tries', async () => {
      const strict = await start([ed25519], ['MaxAuthTries 3']);
      const strangers = Array.from(
        { length: 6 },
        () => keygen(directory, `s-${(files += 1)}`, 'ed25519').privateKeyPath,
      );
      try {
        const failure = await failed({ port: strict.port, identityFiles: [...strangers, ed25519.privateKeyPath] });
        expect(failure.reason).toBe('auth');
        expect(failure.message).toMatch(
          /hung up during authentication after [34] keys .*Too many authentication failures/,
        );
        const few = { port: strict.port, identityFiles: [...strangers.slice(0, 2), ed25519.privateKeyPath] };
        expect(await transport.run(to(few))).toMatchObject({ status: 0 });
      } finally {
        await strict.stop();
      }
    });
  });

  describe('with certificates', () => {
    const valid = (): string[] => ['-I', 'probe', '-n', sshd.user, '-V', '-1h:+1h'];

    it.each([
      ['ed25519', 'ED25519-CERT', []],
      ['ecdsa', 'ECDSA-CERT', ['-b', '521']],
      ['rsa', 'RSA-CERT', ['-b', '2048']],
    ])('is let in by the one beside a key of %s', async (type, logged, options) => {
      const key = keygen(directory, `beside-${(files += 1)}`, type, options);
      certify(authority, key, valid());
      const before = sshd.log().length;
      expect(await transport.run(to({ identityFiles: [key.privateKeyPath] }))).toMatchObject({ status: 0 });
      const logged_ = sshd.log().slice(before);
      expect(logged_).toContain(logged);
      expect(logged_).not.toContain('Failed publickey');
    });

    it('is let in where only RSA certificates with SHA-256 are taken', async () => {
      const strict = await start([], ['PubkeyAcceptedAlgorithms rsa-sha2-256-cert-v01@openssh.com']);
      const key = copyKey(rsa, `rsa-${(files += 1)}`);
      certify(authority, key, valid());
      try {
        const host = { port: strict.port, identityFiles: [key.privateKeyPath] };
        expect(await transport.run(to(host))).toMatchObject({ status: 0 });
      } finally {
        await strict.stop();
      }
    });

    it('is let in by one that is named', async () => {
      const key = copyKey(stranger, `named-${(files += 1)}`);
      const elsewhere = join(directory, `elsewhere-${(files += 1)}`);
      renameSync(certify(authority, key, valid()), elsewhere);
      const host = { identityFiles: [key.privateKeyPath], certificateFiles: [elsewhere] };
      expect(await transport.run(to(host))).toMatchObject({ status: 0 });
      expect(await failed({ ...host, identityFiles: [ed25519.privateKeyPath] })).toMatchObject({
        reason: 'auth',
        message: `the certificate ${elsewhere} can't be used: it is for another key, ${key.fingerprint}`,
      });
      expect(await failed({ ...host, certificateFiles: [`${key.privateKeyPath}.pub`] })).toMatchObject({
        reason: 'auth',
        message: expect.stringContaining('it holds no certificate'),
      });
    });

    it('shows the plain key after a certificate that is refused', async () => {
      const foreign = keygen(directory, `foreign-${(files += 1)}`, 'ed25519');
      const key = copyKey(ed25519, `both-${(files += 1)}`);
      certify(foreign, key, valid());
      const before = sshd.log().length;
      expect(await transport.run(to({ identityFiles: [key.privateKeyPath] }))).toMatchObject({ status: 0 });
      expect(sshd.log().slice(before)).toMatch(/Accepted publickey .* ED25519 SHA256/);
    });

    it('names the one that was refused, and the key', async () => {
      const key = copyKey(stranger, `other-user-${(files += 1)}`);
      certify(authority, key, ['-I', 'probe', '-n', 'somebody-else', '-V', '-1h:+1h', '-z', '77']);
      const failure = await failed({ identityFiles: [key.privateKeyPath] });
      expect(failure.reason).toBe('auth');
      expect(failure.message).toContain(
        `ssh-ed25519 certificate ${key.fingerprint} serial 77 signed by ${authority.fingerprint}`,
      );
    });

    it.each([
      ['has expired', ['-V', '20250101000000Z:20250102000000Z'], 'it expired at 2025-01-02T00:00:00Z'],
      ['is not valid yet', ['-V', '21000101000000Z:21000102000000Z'], 'it is not valid before 2100-01-01T00:00:00Z'],
    ])('says that a certificate %s, and when', async (_, validity, words) => {
      const key = copyKey(stranger, `time-${(files += 1)}`);
      certify(authority, key, ['-I', 'probe', '-n', sshd.user, ...validity]);
      expect(await failed({ identityFiles: [key.privateKeyPath] })).toMatchObject({
        reason: 'auth',
        message: expect.stringContaining(words),
      });
      // ssh, too, goes on with the key itself.
      const welcome = copyKey(ed25519, `time-${(files += 1)}`);
      certify(authority, welcome, ['-I', 'probe', '-n', sshd.user, ...validity]);
      expect(await transport.run(to({ identityFiles: [welcome.privateKeyPath] }))).toMatchObject({ status: 0 });
    });

    it('says why one beside the key is of no use', async () => {
      const key = copyKey(stranger, `stale-${(files += 1)}`);
      const path = `${key.privateKeyPath}-cert.pub`;
      copyFileSync(certify(authority, copyKey(ed25519, `e-${(files += 1)}`), valid()), path);
      const failure = await failed({ identityFiles: [key.privateKeyPath] });
      expect(failure.message).toContain(`${path} was not used: it is for another key, ${ed25519.fingerprint}`);
      certify(authority, key, ['-h', '-I', 'probe']);
      const later = new SshTransport();
      await expect(later.run(to({ identityFiles: [key.privateKeyPath] }))).rejects.toMatchObject({
        message: expect.stringContaining('its certificate is one for a host, not for a user'),
      });
      await later.close();
    });

    it('makes a new connection when a certificate is renewed, and none when it ran out', async () => {
      let nowMs = 0;
      let unixSeconds = Date.now() / 1000;
      const aging = new SshTransport({ nowMs: () => (nowMs += 1001), unixSeconds: () => unixSeconds });
      const key = copyKey(stranger, `short-${(files += 1)}`);
      certify(authority, key, valid());
      const host = { identityFiles: [key.privateKeyPath], connection: 'keep' as const };
      await aging.run(to(host));
      expect(await aging.run(to(host))).toMatchObject({ reused: true });
      rmSync(`${key.privateKeyPath}-cert.pub`);
      certify(authority, key, valid());
      expect(await aging.run(to(host))).toMatchObject({ status: 0, reused: false });
      unixSeconds += 2 * 3600;
      await expect(aging.run(to(host))).rejects.toMatchObject({
        reason: 'auth',
        message: expect.stringContaining('it expired at'),
      });
      await aging.close();
    });
  });

  let files = 0;

  function start(keys: readonly KeyFiles[], options: readonly string[] = []): Promise<RealSshd> {
    return startSshd(
      directory,
      [hostKey],
      keys.map((key) => key.publicKey),
      [...options, `TrustedUserCAKeys ${join(directory, 'user-authorities')}`, 'LogLevel VERBOSE'],
    );
  }

  function to(more: Partial<Target>): ReturnType<typeof requestFor> {
    const host = hostAt({ port: sshd.port, user: sshd.user, identityFiles: [], knownHosts, ...more });
    return requestFor(host, 'true\n');
  }

  async function failed(more: Partial<Target>): Promise<ProbeFailure> {
    const outcome: unknown = await transport.run(to(more)).catch((error: unknown) => error);
    expect(outcome).toBeInstanceOf(ProbeFailure);
    return outcome as ProbeFailure;
  }

  function secret(name: string, text: string, mode = 0o600): string {
    const path = join(directory, name);
    writeFileSync(path, text, { mode });
    chmodSync(path, mode);
    return path;
  }

  function lockedCopy(key: KeyFiles, options: readonly string[]): string {
    const { privateKeyPath } = copyKey(key, `locked-${(files += 1)}`);
    execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'correct horse ', '-f', privateKeyPath, ...options]);
    return privateKeyPath;
  }
});

/** Counts the threads that are started from now on. */
function countedThreads(): jest.SpyInstance {
  const { Worker } = workerThreads;
  return jest.spyOn(workerThreads, 'Worker').mockImplementation((...args) => new Worker(...args));
}

async function untilGone(path: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    try {
      readFileSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${path} is still there`);
}
