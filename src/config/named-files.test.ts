import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeKeyFiles } from '../../test/config/key-files';
import { hostOf } from '../../test/fixture/fake-fleet';
import { hostAt } from '../../test/ssh/target';
import type { Host } from '../inventory/host';
import { fileStart, formatFault } from './fault';
import { NamedFiles } from './named-files';
import { resolveExposure, resolveSsh } from './resolve-host';

const folder = mkdtempSync(join(tmpdir(), 'reboot-exporter-named-'));

beforeAll(() => {
  writeKeyFiles(folder);
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

async function check(identity: string, knownHosts: string): Promise<{ faults: string[]; warnings: string[] }> {
  const files = new NamedFiles();
  const ssh = resolveSsh([{ identityFiles: [join(folder, identity)], knownHosts: join(folder, knownHosts) }]);
  const exposure = resolveExposure([]);
  const host = { address: 'a', stack: 'default', labels: {}, ssh, exposure };
  files.addHosts('/c.yml', [
    { ...host, name: 'a' },
    { ...host, name: 'b' },
  ]);
  const told = await files.check();
  const text = (list: typeof told.faults): string[] => list.map((one) => formatFault(one).replaceAll(folder, ''));
  return { faults: text(told.faults), warnings: text(told.warnings) };
}

test('files that hosts have by default are checked, each once', async () => {
  expect(await check('id_ed25519', 'known_hosts')).toEqual({ faults: [], warnings: [] });
  expect(await check('none', 'nothing')).toEqual({
    faults: [
      "/c.yml:1:1: ssh.identity_file of a: the private key /none can't be used: it does not exist",
      '/c.yml:1:1: ssh.known_hosts of a: /nothing does not exist',
    ],
    warnings: [],
  });
});

test('a line of known_hosts that is broken is told where it is', async () => {
  writeFileSync(join(folder, 'broken'), '# fine\nweb-1 ssh-ed25519\n');
  const { faults, warnings } = await check('id_ed25519', 'broken');
  expect(faults).toEqual([]);
  expect(warnings).toEqual([
    '/c.yml:1:1: ssh.known_hosts of a: /broken holds no key: every host will be refused',
    expect.stringMatching(/^\/broken:2:1: /),
  ]);
});

test('an encrypted key is opened with the passphrase of each host that uses it', async () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'right' });
  for (const [name, text] of [
    ['locked', pem.toString()],
    ['right', 'right\n'],
    ['wrong', 'wrong\n'],
  ] as const)
    writeFileSync(join(folder, name), text, { mode: 0o600 });
  const told = async (...passphrases: (string | null)[]): Promise<string[]> => {
    const files = new NamedFiles();
    const host = (passphrase: string | null, at: number): Host => {
      const passphraseFile = passphrase === null ? null : join(folder, passphrase);
      const { ssh } = hostAt({
        port: 22,
        identityFiles: [join(folder, 'locked')],
        knownHosts: join(folder, 'known_hosts'),
      });
      return { ...hostOf(`h${at}`), ssh: { ...ssh, passphraseFile } };
    };
    files.addHosts('/c.yml', passphrases.map(host));
    return (await files.check()).faults.map((one) => one.message.replaceAll(folder, ''));
  };
  expect(await told('right')).toEqual([]);
  expect(await told('right', 'wrong')).toEqual([
    expect.stringContaining(
      "the private key /locked can't be used: with the passphrase in /wrong: the passphrase does not open it",
    ),
  ]);
  expect(await told(null)).toEqual([expect.stringContaining('it is protected by a passphrase')]);
  expect(await told('missing')).toEqual([expect.stringContaining('it does not exist')]);
});

test('a certificate has to be one, and of a key of every host that uses it', async () => {
  for (const name of ['user', 'authority'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, name)]);
  const sign = (name: string, ...options: string[]): string => {
    execFileSync('ssh-keygen', [
      '-q',
      '-s',
      join(folder, 'authority'),
      '-I',
      'x',
      ...options,
      join(folder, 'user.pub'),
    ]);
    renameSync(join(folder, 'user-cert.pub'), join(folder, name));
    return join(folder, name);
  };
  const good = sign('good');
  const told = async (certificate: string, key: string): Promise<{ faults: string[]; warnings: string[] }> => {
    const text = { file: '/c.yml', value: null, placeOf: () => fileStart, sourceOf: () => null };
    const files = new NamedFiles();
    files.addSsh(text, ['ssh'], { certificate_file: certificate });
    const { ssh } = hostAt({ port: 22, identityFiles: [join(folder, key)], knownHosts: join(folder, 'known_hosts') });
    files.addHosts('/c.yml', [{ ...hostOf('a'), ssh: { ...ssh, certificateFiles: [certificate] } }]);
    const { faults, warnings } = await files.check();
    const plain = (list: typeof faults): string[] => list.map((one) => one.message.replaceAll(folder, ''));
    return { faults: plain(faults), warnings: plain(warnings) };
  };
  expect(await told(good, 'user')).toEqual({ faults: [], warnings: [] });
  expect(await told(good, 'id_ed25519')).toMatchObject({
    faults: [expect.stringContaining("the certificate /good can't be used: it is for another key, SHA256:")],
  });
  expect(await told(join(folder, 'user.pub'), 'user')).toMatchObject({
    faults: [expect.stringContaining('it holds no certificate')],
  });
  expect(await told(sign('host', '-h'), 'user')).toMatchObject({
    faults: [expect.stringContaining('its certificate is one for a host, not for a user')],
  });
  expect(await told(sign('late', '-V', '20200101000000Z:20200102000000Z'), 'user')).toEqual({
    faults: [],
    warnings: ['ssh.certificate_file: the certificate /late is not used: it expired at 2020-01-02T00:00:00Z'],
  });
});
