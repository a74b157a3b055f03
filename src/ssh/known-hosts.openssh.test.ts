import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeKeyPair } from '../../test/lab/ssh-keys';
import { describeWithSshd, privateDirectory, removeDirectory } from '../../test/ssh/real-sshd';
import { type HostNames, KnownHosts } from './known-hosts';

const names = [
  'web-1',
  'web-2',
  'web-1.example.com',
  'db.example.com',
  'a.b.example.com',
  '10.0.0.1',
  '10.0.10.1',
  '2001:db8::1',
  '[web-1]:2222',
  '[web-1]:22',
  '[10.0.0.1]:2222',
  '[2001:db8::1]:2222',
  'hashed-1',
  '[hashed-2]:2222',
  'none',
];

const fields = [
  'web-1',
  'WEB-2,10.0.0.1',
  '*.example.com',
  '*.example.com,!db.example.com',
  '!db.example.com,*.example.com',
  '!web-1',
  '10.0.?.1',
  '10.0.*',
  '[web-1]:2222,[10.0.0.1]:2222',
  '[*]:2222',
  '2001:db8::1,[2001:db8::1]:2222',
  '*',
  'web-?',
  'web-*.example.com',
];

describeWithSshd('KnownHosts and ssh-keygen -F', () => {
  it('find the same lines for every name', () => {
    const directory = privateDirectory();
    try {
      const path = join(directory, 'known_hosts');
      const { publicKey } = makeKeyPair('ed25519');
      const hashed = hashedLines(directory, ['hashed-1', '[hashed-2]:2222', 'web-1'], publicKey);
      const readable = fields.map((field) => `${field} ${publicKey} comment`);
      const text = [
        '# a comment',
        '',
        ...readable,
        `@cert-authority web-* ${publicKey}`,
        ...hashed,
        'broken line here',
        '',
      ];
      writeFileSync(path, text.join('\n'));
      const file = KnownHosts.parse(text.join('\n'));
      expect(file.lineCount).toBe(fields.length + 4);
      const ours = names.map((name) => [name, foundByUs(file, name)]);
      const theirs = names.map((name) => [name, foundByKeygen(path, name)]);
      expect(ours).toEqual(theirs);
      expect(ours.filter(([, lines]) => (lines?.length ?? 0) > 1).length).toBeGreaterThan(10);
    } finally {
      removeDirectory(directory);
    }
  });
});

function hashedLines(directory: string, hosts: readonly string[], publicKey: string): string[] {
  const path = join(directory, 'to-hash');
  writeFileSync(path, hosts.map((host) => `${host} ${publicKey}\n`).join(''));
  return hosts.flatMap((host) => {
    const { stdout } = spawnSync('ssh-keygen', ['-H', '-F', host, '-f', path], { encoding: 'utf8' });
    return stdout.split('\n').filter((line) => line.startsWith('|1|'));
  });
}

function foundByUs(file: KnownHosts, name: string): number[] {
  const host: HostNames = { exact: [name.toLowerCase()], withoutPort: [] };
  const search = file.search(host);
  for (;;) {
    const step = search.next();
    if (step.done !== true) continue;
    const lines = [...step.value.keys, ...step.value.authorities].map((line) => line.lineNumber);
    return lines.sort((one, other) => one - other);
  }
}

function foundByKeygen(path: string, name: string): number[] {
  const { stdout } = spawnSync('ssh-keygen', ['-F', name, '-f', path], { encoding: 'utf8' });
  return [...stdout.matchAll(/^# Host .* found: line (\d+)/gm)].map((match) => Number(match[1]));
}
