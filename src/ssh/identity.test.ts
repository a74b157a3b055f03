import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeKeyPair } from '../../test/lab/ssh-keys';
import { Agents } from './agent';
import { Identities } from './identity';
import { permissionFault } from './key-file';
import { checkIdentityFile } from './login-check';
import type { Signer } from './signer';

describe('key files', () => {
  let directory: string;
  let identities: Identities;
  let nowMs: number;
  const agents = new Agents(() => 0, {});
  const surroundings = { agents, unixSeconds: () => 1e9 };
  const none = { identityFiles: [], passphraseFile: null, identityAgent: null };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'reboot-exporter-identity-'));
    nowMs = 0;
    identities = new Identities(
      agents,
      () => nowMs,
      () => 1e9,
    );
  });

  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('reads several in their order', async () => {
    const keys = await signersOf([written('one'), written('two')]);
    expect(keys).toHaveLength(2);
    expect(keys[0]?.fingerprint).not.toBe(keys[1]?.fingerprint);
  });

  it('parses a key once while its file stays the same, and again when it changes', async () => {
    const path = written('one');
    const [first] = await signersOf([path]);
    nowMs += 5000;
    expect((await signersOf([path]))[0]).toBe(first);
    written('one');
    nowMs += 5000;
    expect((await signersOf([path]))[0]?.fingerprint).not.toBe(first?.fingerprint);
  });

  it('notices a change of permissions alone', async () => {
    const path = written('one');
    await signersOf([path]);
    chmodSync(path, 0o644);
    nowMs += 5000;
    await expect(signersOf([path])).rejects.toMatchObject({ reason: 'auth' });
    chmodSync(path, 0o600);
    nowMs += 5000;
    expect(await signersOf([path])).toHaveLength(1);
  });

  it.each([
    ['is missing', () => join(directory, 'missing'), 'it does not exist'],
    ['is a directory', () => made('directory'), /directory|regular file/],
    ['is a pipe', () => pipe('pipe'), 'not a regular file'],
    ['is empty', () => written('empty', ''), 'holds no private key'],
    ['is huge', () => written('huge', 'x'.repeat(100_000)), 'larger than'],
    ['can be read by others', () => written('open', undefined, 0o644), 'permissions 0644'],
    ['can be read by a group', () => written('group', undefined, 0o640), 'permissions 0640'],
  ])('both refuse a file that %s, in the same words', async (_, make, words) => {
    const path = make();
    const { fault } = await checkIdentityFile(path, none, surroundings);
    expect(fault).toMatch(words);
    expect(fault).toContain(path);
    await expect(signersOf([path])).rejects.toMatchObject({ reason: 'auth', message: fault });
  });

  it('finds nothing wrong with a good one', async () => {
    for (const path of [written('good'), written('read-only', undefined, 0o400)]) {
      expect(await checkIdentityFile(path, none, surroundings)).toEqual({ fault: null, warnings: [] });
    }
  });

  async function signersOf(identityFiles: readonly string[]): Promise<readonly Signer[]> {
    const { offers } = await identities.read({ ...none, identityFiles, certificateFiles: [] });
    return offers.map(({ signer }) => signer);
  }

  function written(name: string, text = makeKeyPair('ed25519').privateKey, mode = 0o600): string {
    const path = join(directory, name);
    writeFileSync(path, text, { mode });
    chmodSync(path, mode);
    return path;
  }

  function made(name: string): string {
    mkdirSync(join(directory, name));
    return join(directory, name);
  }

  function pipe(name: string): string {
    execFileSync('mkfifo', [join(directory, name)]);
    return join(directory, name);
  }
});

describe('permissionFault', () => {
  it.each([
    [0o600, 1000, 1000, true],
    [0o400, 1000, 1000, true],
    [0o640, 1000, 1000, false],
    [0o604, 1000, 1000, false],
    [0o440, 0, 1000, true],
    [0o640, 0, 1000, true],
    [0o444, 0, 1000, false],
    [0o600, 0, 0, true],
    [0o640, 0, 0, false],
  ])('mode %o of user %d for user %d: %s', (mode, owner, user, fine) => {
    expect(permissionFault(mode, owner, user) === null).toBe(fine);
  });
});
