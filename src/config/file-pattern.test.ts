import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expandPattern, matchesPattern } from './file-pattern';
import { cpuMsOf } from '../../test/config/cpu-time';

describe('matchesPattern', () => {
  test.each([
    ['a.yml', 'a.yml', true],
    ['a.yml', '*.yml', true],
    ['.yml', '*.yml', false],
    ['.a.yml', '.*.yml', true],
    ['a.yaml', '*.yml', false],
    ['web-1.yml', 'web-*.y*ml', true],
    ['ab', 'a*b', true],
    ['a', 'a*a', false],
    ['aXbXc', 'a*b*c', true],
    ['acb', 'a*b*c', false],
    ['a+b', 'a+b', true],
    ['aab', 'a+b', false],
    ['', '*', true],
  ])('%j fits %j: %s', (name, pattern, expected) => {
    expect(matchesPattern(name, pattern)).toBe(expected);
  });

  test('agrees with a regular expression', () => {
    const word = fc.array(fc.constantFrom('a', 'b', '*'), { maxLength: 8 }).map((chars) => chars.join(''));
    fc.assert(
      fc.property(word, word, (text, pattern) => {
        const name = text.replaceAll('*', 'b');
        expect(matchesPattern(name, pattern)).toBe(new RegExp(`^${pattern.replace(/\*+/g, '.*')}$`).test(name));
      }),
      { numRuns: 2000 },
    );
  });

  test('takes no time over a pattern that would make a regular expression backtrack', async () => {
    const match = (): boolean => matchesPattern('a'.repeat(255), `${'a*'.repeat(100)}b`);
    expect(match()).toBe(false);
    expect(await cpuMsOf(match)).toBeLessThan(100);
  });
});

describe('expandPattern', () => {
  const folder = mkdtempSync(join(tmpdir(), 'reboot-exporter-pattern-'));
  beforeAll(() => {
    for (const name of ['b.yml', 'a.yml', '.hidden.yml', 'c.json']) writeFileSync(join(folder, name), '');
    mkdirSync(join(folder, 'empty'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  test('gives matches by name', () => {
    expect(expandPattern(join(folder, '*.yml'))).toEqual({
      ok: true,
      value: ['a.yml', 'b.yml'].map((name) => join(folder, name)),
    });
    expect(expandPattern(join(folder, 'empty/*'))).toEqual({ ok: true, value: [] });
  });

  test('a path without `*` is itself, there or not', () => {
    expect(expandPattern('/nowhere/a[1]?.yml')).toEqual({ ok: true, value: ['/nowhere/a[1]?.yml'] });
  });

  test('says what is wrong', () => {
    expect(expandPattern('/etc/*/x.yml')).toMatchObject({
      ok: false,
      message: '`*` can only be in the last part of a path',
    });
    expect(expandPattern('/nowhere/*.yml')).toMatchObject({ ok: false, message: 'its folder /nowhere does not exist' });
  });
});
