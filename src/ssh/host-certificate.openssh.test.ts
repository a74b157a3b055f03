import { spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { certify, copyKey } from '../../test/ssh/openssh-tools';
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
import { type Certificate, parseCertificate, parsePublicLine } from './certificate';
import { SshTransport } from './ssh-transport';

/** How a host's certificate is made, and what is known of it; ssh and this exporter have to say the same. */
interface Case {
  /** ssh-keygen's options, by which the authority signs. */
  readonly signed: readonly string[];
  readonly known: (lines: Lines) => string;
  /** `null`: accepted. */
  readonly refused: RegExp | null;
}

interface Lines {
  readonly authority: string;
  readonly other: string;
  readonly key: string;
  readonly certificate: string;
}

const valid = ['-I', 'host', '-h', '-V', '-1h:+1h'];
const right = [...valid, '-n', '127.0.0.1,web-1.example.com'];
const vouches = ({ authority }: Lines): string => `@cert-authority * ${authority}`;

describeWithSshd('Host certificates of OpenSSH', () => {
  let directory: string;
  let authority: KeyFiles;
  let other: KeyFiles;
  let user: KeyFiles;
  let transport: SshTransport;
  let files = 0;

  beforeAll(() => {
    directory = privateDirectory();
    authority = keygen(directory, 'authority', 'ed25519');
    other = keygen(directory, 'other', 'ecdsa');
    user = keygen(directory, 'user', 'ed25519');
  });

  afterAll(() => removeDirectory(directory));

  beforeEach(() => {
    transport = new SshTransport();
  });

  afterEach(() => transport.close());

  describe('are judged as ssh judges them', () => {
    let hostKey: KeyFiles;

    beforeAll(() => {
      hostKey = keygen(directory, 'host', 'ed25519');
    });

    const cases: Record<string, Case> = {
      'a good one': { signed: right, known: vouches, refused: null },
      'one for every host': { signed: valid, known: vouches, refused: null },
      'one with a pattern': {
        signed: [...valid, '-n', '127.0.0.*'],
        known: vouches,
        refused: /it is made out to "127.0.0.\*", not to 127.0.0.1/,
      },
      'one by a line with the port': {
        signed: right,
        known: ({ authority }) => `@cert-authority [127.0.0.1]:* ${authority}`,
        refused: null,
      },
      'one by a line with a hashed name': {
        signed: right,
        known: ({ authority }) => `@cert-authority ${hashed('127.0.0.1')} ${authority}`,
        refused: null,
      },
      'one by a line with another hashed name': {
        signed: right,
        known: ({ authority }) => `@cert-authority ${hashed('127.0.0.2')} ${authority}`,
        refused: /is not in/,
      },
      'one that has expired': {
        signed: [...right.slice(0, 3), '-V', '20200101000000Z:20200102000000Z', '-n', '127.0.0.1'],
        known: vouches,
        refused: /is not accepted: it expired at 2020-01-02T00:00:00Z; nor is its key in/,
      },
      'one that is not valid yet': {
        signed: [...right.slice(0, 3), '-V', '21000101000000Z:21000102000000Z', '-n', '127.0.0.1'],
        known: vouches,
        refused: /it is not valid before 2100-01-01T00:00:00Z/,
      },
      'one for another host': {
        signed: [...valid, '-n', 'db-1.example.com,db-2'],
        known: vouches,
        refused: /it is made out to "db-1.example.com, db-2", not to 127.0.0.1/,
      },
      'one of another authority': {
        signed: right,
        known: ({ other }) => `@cert-authority * ${other}`,
        refused: /its authority SHA256:\S+ is none of those that may vouch for this host/,
      },
      'one of an authority for other hosts': {
        signed: right,
        known: ({ authority, other }) => `@cert-authority *.example.org ${authority}\n@cert-authority * ${other}`,
        refused: /none of those that may vouch/,
      },
      'one of an authority that is revoked': {
        signed: right,
        known: ({ authority }) => `@cert-authority * ${authority}\n@revoked * ${authority}`,
        refused: /its authority SHA256:\S+ is revoked/,
      },
      'one whose key is revoked': {
        signed: right,
        known: ({ authority, key }) => `@cert-authority * ${authority}\n@revoked * ${key}`,
        refused: /its key is revoked/,
      },
      'one that is revoked itself': {
        signed: right,
        known: ({ authority, certificate }) => `@cert-authority * ${authority}\n@revoked * ${certificate}`,
        refused: /its key is revoked/,
      },
      'one that is revoked and whose key is known': {
        signed: right,
        known: ({ authority, key }) => `@cert-authority * ${authority}\n@revoked * ${authority}\n* ${key}`,
        refused: /is revoked/,
      },
      'one that has expired and whose key is known': {
        signed: [...right.slice(0, 3), '-V', '20200101000000Z:20200102000000Z'],
        known: ({ authority, key }) => `@cert-authority * ${authority}\n[127.0.0.1]:* ${key}`,
        refused: null,
      },
      'one of another authority whose key is known': {
        signed: right,
        known: ({ other, key }) => `@cert-authority * ${other}\n[127.0.0.1]:* ${key}`,
        refused: null,
      },
      "a user's": {
        signed: ['-I', 'user', '-V', '-1h:+1h', '-n', '127.0.0.1'],
        known: vouches,
        refused: /it is a certificate for a user, not for a host/,
      },
      'one with a critical option': {
        signed: [...right, '-O', 'critical:unheard-of@example.com=x'],
        known: vouches,
        refused: /it has critical options, of which hosts have none/,
      },
    };

    it.each(Object.entries(cases))('%s', async (_, { signed, known, refused }) => {
      const key = copyKey(hostKey, `host-${(files += 1)}`);
      const certificate = readFileSync(certify(authority, key, signed), 'utf8').trim();
      const sshd = await start(key);
      const path = knownHosts(
        known({ authority: authority.publicKey, other: other.publicKey, key: key.publicKey, certificate }),
      );
      try {
        const theirs = await sshAccepts(sshd, path);
        const ours: unknown = await transport.run(to(sshd, path)).then(
          (result) => result,
          (error: unknown) => error,
        );
        expect({ accepted: theirs }).toEqual({ accepted: refused === null });
        if (refused === null) expect(ours).toMatchObject({ status: 0, hostKeyFingerprint: key.fingerprint });
        else expect(ours).toMatchObject({ reason: 'host_key', message: expect.stringMatching(refused) });
      } finally {
        await sshd.stop();
      }
    });
  });

  describe('that were tampered with on the way', () => {
    let key: KeyFiles;
    let sshd: RealSshd;
    let certificate: Certificate;

    beforeAll(async () => {
      key = keygen(directory, 'tampered', 'ed25519');
      certificate = certificateIn(certify(authority, key, right));
      sshd = await start(key);
    });

    afterAll(() => sshd.stop());

    it.each([
      ['the signature', () => certificate.signature.subarray(-20), 'its signature is not by the authority'],
      ['a principal', () => Buffer.from('web-1.example.com'), 'its signature is not by the authority'],
      ['the authority', () => certificate.authority.subarray(-20), 'is none of those that may vouch'],
      ['the key', () => certificate.key.subarray(-20), 'its signature is not by the authority'],
    ])('in %s are not accepted, even of a host whose key is known', async (what, part, words) => {
      const before = part();
      const after = Buffer.from(before);
      after[3] = (after[3] ?? 0) ^ 1;
      const proxy = await replacing(sshd.port, before, after);
      try {
        const known = what === 'the authority' ? '' : `\n[127.0.0.1]:* ${key.publicKey}`;
        const path = knownHosts(`@cert-authority * ${authority.publicKey}${known}`);
        expect(await sshAccepts(proxy, path)).toBe(false);
        await expect(transport.run(to(proxy, path))).rejects.toMatchObject({
          reason: 'host_key',
          message: expect.stringContaining(words),
        });
      } finally {
        proxy.stop();
      }
    });

    it('by putting the good one of another host in its place are of no use without its private key', async () => {
      const impostor = keygen(directory, 'impostor', 'ed25519');
      const own = certificateIn(certify(other, impostor, [...valid, '-n', 'x']));
      const server = await start(impostor);
      // Both are strings in the same message, whose lengths stand before them; padding takes up the difference.
      const proxy = await replacing(server.port, own.blob, certificate.blob);
      try {
        const path = knownHosts(`@cert-authority * ${authority.publicKey}`);
        expect(await sshAccepts({ ...proxy, user: sshd.user }, path)).toBe(false);
        const failure: unknown = await transport.run(to(proxy, path)).catch((error: unknown) => error);
        expect(failure).toMatchObject({
          reason: 'host_key',
          message: expect.stringContaining('could not prove that its host key is its own'),
        });
      } finally {
        proxy.stop();
        await server.stop();
      }
    });
  });

  it.each([
    ['ecdsa', ['-b', '256'], 'ed25519', []],
    ['ecdsa', ['-b', '521'], 'ecdsa', ['-b', '384']],
    ['rsa', ['-b', '2048'], 'rsa', ['-b', '2048']],
    ['ed25519', [], 'rsa', ['-b', '2048']],
  ])('of a key of %s %j signed by %s %j', async (type, options, by, byOptions) => {
    const key = keygen(directory, `kind-${(files += 1)}`, type, options);
    const signer = keygen(directory, `kind-${(files += 1)}`, by, byOptions);
    certify(signer, key, right);
    const sshd = await start(key);
    try {
      const path = knownHosts(`@cert-authority * ${signer.publicKey}`);
      expect(await transport.run(to(sshd, path))).toMatchObject({ hostKeyFingerprint: key.fingerprint });
    } finally {
      await sshd.stop();
    }
  });

  it('signed with SHA-1 are not accepted', async () => {
    const key = keygen(directory, `sha1-${(files += 1)}`, 'ed25519');
    const signer = keygen(directory, `sha1-${(files += 1)}`, 'rsa', ['-b', '2048']);
    certify(signer, key, ['-t', 'ssh-rsa', ...right]);
    const sshd = await start(key);
    try {
      const path = knownHosts(`@cert-authority * ${signer.publicKey}`);
      expect(await sshAccepts(sshd, path)).toBe(false);
      await expect(transport.run(to(sshd, path))).rejects.toMatchObject({
        reason: 'host_key',
        message: expect.stringContaining('its signature is not by the authority that it names'),
      });
    } finally {
      await sshd.stop();
    }
  });

  it('may be had by the inventory name, which both known_hosts and certificate have to know', async () => {
    const key = keygen(directory, `named-${(files += 1)}`, 'ed25519');
    certify(authority, key, [...valid, '-n', 'web-1.example.com']);
    const sshd = await start(key);
    try {
      const path = knownHosts(`@cert-authority *.example.com ${authority.publicKey}`);
      const named = { name: 'web-1.example.com' };
      expect(await transport.run(to(sshd, path, named))).toMatchObject({ status: 0 });
      await expect(transport.run(to(sshd, path, { name: 'web-2.example.com' }))).rejects.toMatchObject({
        message: expect.stringContaining('not to web-2.example.com'),
      });
      const byAddress = knownHosts(`@cert-authority 127.0.0.1 ${authority.publicKey}`);
      await expect(transport.run(to(sshd, byAddress, named))).rejects.toMatchObject({
        message: expect.stringContaining('not to 127.0.0.1'),
      });
    } finally {
      await sshd.stop();
    }
  });

  it('are not asked for where no authority may vouch for the host', async () => {
    const key = keygen(directory, `plain-${(files += 1)}`, 'ed25519');
    certify(authority, key, right);
    const sshd = await start(key);
    try {
      const path = knownHosts(`@cert-authority db-* ${authority.publicKey}\n[127.0.0.1]:* ${key.publicKey}`);
      expect(await transport.run(to(sshd, path))).toMatchObject({ hostKeyFingerprint: key.fingerprint });
      expect(sshd.log()).toMatch(/kex: host key algorithm: ssh-ed25519 /);
      expect(sshd.log()).not.toMatch(/host key algorithm: \S+-cert/);
    } finally {
      await sshd.stop();
    }
  });

  it('are judged again for a connection that was kept', async () => {
    let nowMs = 0;
    let unixSeconds = Date.now() / 1000;
    const aging = new SshTransport({ nowMs: () => (nowMs += 1001), unixSeconds: () => unixSeconds });
    const key = keygen(directory, `kept-${(files += 1)}`, 'ed25519');
    certify(authority, key, right);
    const sshd = await start(key, ['RekeyLimit 600K']);
    const path = knownHosts(`@cert-authority * ${authority.publicKey}`);
    const keep = { connection: 'keep' as const };
    const run = async (): Promise<unknown> => {
      const { reused } = await aging.run(to(sshd, path, keep, 'head -c 250000 /dev/zero\n'));
      return reused;
    };
    try {
      expect([await run(), await run()]).toEqual([false, true]);
      expect(sshd.log().match(/SSH2_MSG_KEXINIT sent/g)?.length).toBeGreaterThan(2);
      writeFileSync(path, `@cert-authority * ${authority.publicKey}\n@revoked * ${authority.publicKey}\n`);
      await expect(run()).rejects.toMatchObject({ reason: 'host_key' });
      writeFileSync(path, `@cert-authority * ${authority.publicKey}\n`);
      expect([await run(), await run()]).toEqual([false, true]);
      unixSeconds += 7200;
      await expect(run()).rejects.toMatchObject({ message: expect.stringContaining('it expired at') });
    } finally {
      await aging.close();
      await sshd.stop();
    }
  });

  function start(key: KeyFiles, options: readonly string[] = []): Promise<RealSshd> {
    const certificate = `HostCertificate ${key.privateKeyPath}-cert.pub`;
    return startSshd(directory, [key], [user.publicKey], [...options, certificate, 'LogLevel DEBUG2']);
  }

  function to(sshd: Pick<RealSshd, 'port' | 'user'>, path: string, more: Partial<Target> = {}, program = 'true\n') {
    const host = { port: sshd.port, user: sshd.user, identityFiles: [user.privateKeyPath], knownHosts: path };
    return requestFor(hostAt({ ...host, ...more }), program);
  }

  function knownHosts(text: string): string {
    const path = join(directory, `known_hosts-${(files += 1)}`);
    writeFileSync(path, `${text}\n`);
    return path;
  }

  /** Whether OpenSSH's own client trusts the host by the same file. */
  async function sshAccepts(sshd: Pick<RealSshd, 'port' | 'user'>, path: string): Promise<boolean> {
    const options = [
      `UserKnownHostsFile=${path}`,
      'GlobalKnownHostsFile=none',
      'StrictHostKeyChecking=yes',
      'BatchMode=yes',
    ];
    const args = [
      '-F',
      'none',
      '-p',
      `${sshd.port}`,
      '-i',
      user.privateKeyPath,
      ...options.flatMap((one) => ['-o', one]),
    ];
    const child = spawn('ssh', [...args, `${sshd.user}@127.0.0.1`, 'echo in'], {
      timeout: 10_000,
      killSignal: 'SIGKILL',
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await once(child, 'close');
    if (said.includes('in\n') && child.exitCode === 0) return true;
    expect(said).toMatch(/Host key verification failed|incorrect signature|error in libcrypto|revoked|invalid/);
    return false;
  }
});

/** A name as `ssh-keygen -H` writes it. */
function hashed(name: string): string {
  const salt = randomBytes(20);
  const hash = createHmac('sha1', salt).update(name).digest();
  return `|1|${salt.toString('base64')}|${hash.toString('base64')}`;
}

/** The certificate in a file. */
function certificateIn(path: string): Certificate {
  const certificate = parseCertificate(parsePublicLine(readFileSync(path, 'utf8')) ?? Buffer.alloc(0));
  if (certificate === null) throw new Error(`${path} holds no certificate`);
  return certificate;
}

/**
 * Stands between a client and a server and puts one sequence of bytes in the place of another, once a connection, in what the
 * server says before it is encrypted: the message with the host's key. Where that has another length, all lengths are mended.
 */
async function replacing(port: number, before: Buffer, after: Buffer) {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    sockets.add(client).add(upstream);
    let done = false;
    upstream.on('data', (chunk: Buffer) => {
      const at = done ? -1 : chunk.indexOf(before);
      done ||= at >= 0;
      client.write(at < 0 ? chunk : replaced(chunk, at, before, after));
    });
    client.on('data', (chunk) => upstream.write(chunk));
    for (const [one, peer] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => undefined);
      one.on('close', () => peer.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const stop = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  const { port: own } = server.address() as AddressInfo;
  return { port: own, user: userInfo().username, stop };
}

function replaced(chunk: Buffer, at: number, before: Buffer, after: Buffer): Buffer {
  if (before.length === after.length) {
    return Buffer.concat([chunk.subarray(0, at), after, chunk.subarray(at + before.length)]);
  }
  // The packet (RFC 4253, section 6): its length, that of its padding, the message's number, then the string with the key.
  const start = at - 4 - 1 - 1 - 4;
  const length = chunk.readUInt32BE(start);
  const padding = chunk.readUInt8(start + 4);
  const rest = chunk.subarray(at + before.length, start + 4 + length - padding);
  const string = Buffer.concat([Buffer.alloc(4), after]);
  string.writeUInt32BE(after.length);
  const payload = Buffer.concat([chunk.subarray(start + 5, start + 6), string, rest]);
  const needed = 8 - ((5 + payload.length) % 8);
  const pad = needed < 4 ? needed + 8 : needed;
  const header = Buffer.alloc(5);
  header.writeUInt32BE(1 + payload.length + pad);
  header.writeUInt8(pad, 4);
  return Buffer.concat([
    chunk.subarray(0, start),
    header,
    payload,
    Buffer.alloc(pad),
    chunk.subarray(start + 4 + length),
  ]);
}
