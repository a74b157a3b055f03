import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeKeyFiles } from '../../test/config/key-files';
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

function check(identity: string, knownHosts: string): { faults: string[]; warnings: string[] } {
  const files = new NamedFiles();
  const ssh = resolveSsh([{ identityFiles: [join(folder, identity)], knownHosts: join(folder, knownHosts) }]);
  const exposure = resolveExposure([]);
  const host = { address: 'a', stack: 'default', labels: {}, ssh, exposure };
  files.addHosts('/c.yml', [
    { ...host, name: 'a' },
    { ...host, name: 'b' },
  ]);
  const told = files.check();
  const text = (list: typeof told.faults): string[] => list.map((one) => formatFault(one).replaceAll(folder, ''));
  return { faults: text(told.faults), warnings: text(told.warnings) };
}

test('files that hosts have by default are checked, each once', () => {
  expect(check('id_ed25519', 'known_hosts')).toEqual({ faults: [], warnings: [] });
  expect(check('none', 'nothing')).toEqual({
    faults: [
      "/c.yml:1:1: ssh.identity_file of a: the private key /none can't be used: it does not exist",
      '/c.yml:1:1: ssh.known_hosts of a: /nothing does not exist',
    ],
    warnings: [],
  });
});

test('a line of known_hosts that is broken is told where it is', () => {
  writeFileSync(join(folder, 'broken'), '# fine\nweb-1 ssh-ed25519\n');
  const { faults, warnings } = check('id_ed25519', 'broken');
  expect(faults).toEqual([]);
  expect(warnings).toEqual([
    '/c.yml:1:1: ssh.known_hosts of a: /broken holds no key: every host will be refused',
    expect.stringMatching(/^\/broken:2:1: /),
  ]);
});
