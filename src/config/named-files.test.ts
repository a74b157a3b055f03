import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeKeyFiles } from '../../test/config/key-files';
import { hostOf } from '../../test/fixture/fake-fleet';
import { hostAt } from '../../test/ssh/target';
import type { Host } from '../inventory/host';
import { formatFault } from './fault';
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
