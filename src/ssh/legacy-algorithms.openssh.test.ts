import { writeFileSync } from 'node:fs';
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
import { hostAt, requestFor } from '../../test/ssh/target';
import { ProbeFailure } from '../failure';
import { legacyAlgorithms } from './legacy-algorithms';
import { SshTransport } from './ssh-transport';

/** What a server of 2009 has: OpenSSH 5.3, as in CentOS 6, with nothing that came later. */
const ancient = [
  'HostKeyAlgorithms ssh-rsa',
  'KexAlgorithms diffie-hellman-group14-sha1',
  'Ciphers aes128-cbc,aes256-cbc',
  'MACs hmac-sha1',
  'PubkeyAcceptedAlgorithms ssh-rsa',
];

const needed = ['ssh-rsa', 'diffie-hellman-group14-sha1', 'aes128-cbc', 'hmac-sha1'];

describeWithSshd('old servers', () => {
  let directory: string;
  let hostKey: KeyFiles;
  let userKey: KeyFiles;
  let transport: SshTransport;
  let sshd: RealSshd;

  beforeAll(() => {
    directory = privateDirectory();
    hostKey = keygen(directory, 'host-rsa', 'rsa', ['-b', '2048']);
    userKey = keygen(directory, 'user-rsa', 'rsa', ['-b', '2048']);
  });

  afterAll(() => removeDirectory(directory));

  beforeEach(() => {
    transport = new SshTransport();
  });

  afterEach(async () => {
    await transport.close();
    await sshd.stop();
  });

  it('are logged in to where their algorithms are opted into, and kept', async () => {
    sshd = await start(ancient);
    const host = to(needed, 'keep');
    const first = await transport.run(requestFor(host, 'echo old\n'));
    expect(first.output.toString()).toBe('old\n');
    expect(first.hostKeyFingerprint).toBe(hostKey.fingerprint);
    expect(await transport.run(requestFor(host, 'true\n'))).toMatchObject({ status: 0, reused: true });
  });

  it.each([
    ['diffie-hellman-group14-sha1', 'KexAlgorithms diffie-hellman-group14-sha1', 'key exchange algorithm'],
    ['ssh-rsa', 'HostKeyAlgorithms ssh-rsa', 'host key format'],
    ['aes128-cbc', 'Ciphers aes128-cbc', 'C->S cipher'],
    ['aes192-cbc', 'Ciphers aes192-cbc', 'C->S cipher'],
    ['aes256-cbc', 'Ciphers aes256-cbc', 'C->S cipher'],
  ])('that have only %s say so, and what to set', async (name, option, what) => {
    sshd = await start([option]);
    const failure = await failed([]);
    expect(failure.reason).toBe('protocol');
    expect(failure.message).toContain(`offers no ${what} that is used here`);
    expect(failure.message).toContain(`ssh: { legacy_algorithms: [${name}] }`);
    expect(await transport.run(requestFor(to([name]), 'true\n'))).toMatchObject({ status: 0 });
  });

  it.each(['hmac-sha1', 'hmac-sha1-etm@openssh.com'])('that have only %s say so, and what to set', async (name) => {
    sshd = await start(['Ciphers aes128-ctr', `MACs ${name}`]);
    expect((await failed([])).message).toContain(`ssh: { legacy_algorithms: [${name}] }`);
    expect(await transport.run(requestFor(to([name]), 'true\n'))).toMatchObject({ status: 0 });
  });

  it('name all that is to be set at once', async () => {
    sshd = await start(ancient);
    const failure = await failed([]);
    expect(failure.message).toContain(
      'legacy_algorithms: [diffie-hellman-group14-sha1, ssh-rsa, aes128-cbc, hmac-sha1]',
    );
  });

  it('have nothing offered that was not named', async () => {
    sshd = await start(ancient);
    for (const left of needed) expect((await failed(needed.filter((name) => name !== left))).reason).toBe('protocol');
  });

  it('of which nothing can be opted into say that', async () => {
    sshd = await start(['KexAlgorithms diffie-hellman-group18-sha512']);
    const failure = await failed([...legacyAlgorithms]);
    expect(failure.reason).toBe('protocol');
    expect(failure.message).toContain('nor one that can be opted into; it offers "diffie-hellman-group18-sha512');
  });

  it('take a signature with SHA-1 only where that is opted into', async () => {
    sshd = await start(['PubkeyAcceptedAlgorithms ssh-rsa']);
    expect((await failed([])).reason).toBe('auth');
    expect((await failed(['diffie-hellman-group14-sha1'])).reason).toBe('auth');
    expect(await transport.run(requestFor(to(['ssh-rsa']), 'true\n'))).toMatchObject({ status: 0 });
  });

  it('do without what is old where they have something newer', async () => {
    sshd = await start(['LogLevel DEBUG1']);
    await transport.run(requestFor(to([...legacyAlgorithms]), 'true\n'));
    expect(sshd.log()).toContain('kex: algorithm: ecdh-sha2-nistp256');
    expect(sshd.log()).toContain('kex: host key algorithm: rsa-sha2-512');
    expect(sshd.log()).toContain('cipher: aes128-gcm@openssh.com');
    expect(sshd.log()).toMatch(/Accepted publickey|Accepted key/);
    expect(sshd.log()).not.toContain('kex: host key algorithm: ssh-rsa');
  });

  function start(options: readonly string[]): Promise<RealSshd> {
    return startSshd(directory, [hostKey], [userKey.publicKey], options);
  }

  function to(names: readonly string[], connection: 'keep' | 'fresh' = 'fresh'): ReturnType<typeof hostAt> {
    const knownHosts = join(directory, `known_hosts-${sshd.port}`);
    writeFileSync(knownHosts, `[127.0.0.1]:${sshd.port} ${hostKey.publicKey}\n`);
    return hostAt({
      port: sshd.port,
      user: sshd.user,
      identityFiles: [userKey.privateKeyPath],
      knownHosts,
      connection,
      ssh: { legacyAlgorithms: names },
    });
  }

  async function failed(names: readonly string[]): Promise<ProbeFailure> {
    const outcome: unknown = await transport.run(requestFor(to(names), 'true\n')).catch((error: unknown) => error);
    expect(outcome).toBeInstanceOf(ProbeFailure);
    return outcome as ProbeFailure;
  }
});
