import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { resolveInside } from './host-files';

describe('a path inside a root', () => {
  let root: string;

  beforeEach(() => {
    root = fs.mkdtempSync(path.join(os.tmpdir(), 'root-'));
    fs.mkdirSync(path.join(root, 'usr/lib'), { recursive: true });
    fs.mkdirSync(path.join(root, 'var'));
    fs.symlinkSync('usr/lib', path.join(root, 'lib'));
    fs.symlinkSync('/run', path.join(root, 'var/run'));
    fs.symlinkSync('../../../../etc', path.join(root, 'var/etc'));
    fs.symlinkSync('loop', path.join(root, 'loop'));
  });

  afterEach(() => fs.rmSync(root, { recursive: true }));

  test.each([
    ['/etc/passwd', '/etc/passwd'],
    ['/lib/modules', '/usr/lib/modules'],
    ['/var/run/reboot-required', '/run/reboot-required'],
    ['/var/etc/shadow', '/etc/shadow'],
    ['../../etc/./shadow', '/etc/shadow'],
    ['/', '/'],
  ])('%s is %s', (file, inside) => {
    expect(resolveInside(root, file, true)).toBe(inside);
  });

  test('keeps a last link when it is the link that is meant', () => {
    expect(resolveInside(root, '/var/run', false)).toBe('/var/run');
  });

  test('refuses links in a circle', () => {
    expect(() => resolveInside(root, '/loop/x', true)).toThrow('too many symbolic links');
  });
});
