import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bearerOf, isToken } from './bearer';

const file = join(mkdtempSync(join(tmpdir(), 'bearer-')), 'token');

it('finds the token of a header', () => {
  expect(bearerOf('Bearer abc')).toBe('abc');
  expect(bearerOf('bearer  abc')).toBe('abc');
  expect(bearerOf('Basic abc')).toBeNull();
  expect(bearerOf('Bearer a b')).toBeNull();
  expect(bearerOf('Bearer ')).toBeNull();
  expect(bearerOf(undefined)).toBeNull();
});

it('holds a token against the file as it is now', async () => {
  writeFileSync(file, 'first\n');
  expect(await isToken(file, 'first')).toBe(true);
  expect(await isToken(file, 'firs')).toBe(false);
  expect(await isToken(file, null)).toBe(false);
  writeFileSync(file, 'second');
  expect(await isToken(file, 'first')).toBe(false);
  expect(await isToken(file, 'second')).toBe(true);
});

it('matches nothing with an empty file, and fails where there is none', async () => {
  writeFileSync(file, '\n');
  expect(await isToken(file, '')).toBe(false);
  await expect(isToken(`${file}.none`, 'x')).rejects.toThrow('ENOENT');
});
