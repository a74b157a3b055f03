import fc from 'fast-check';
import { isPlainName, matchesPattern, matchesPatternList } from './host-pattern';

describe('matchesPattern', () => {
  it.each([
    ['web-1', 'web-1', true],
    ['web-1', 'web-2', false],
    ['web-1', 'web-', false],
    ['web-1', 'web-10', false],
    ['web-1', 'web-?', true],
    ['web-10', 'web-?', false],
    ['web-1', '*', true],
    ['', '*', true],
    ['', '', true],
    ['a', '', false],
    ['web-1.example.com', '*.example.com', true],
    ['example.com', '*.example.com', false],
    ['a.b.example.com', '*.b.*.com', true],
    ['aXbXc', '*x*', false],
    ['abcabd', '*abd', true],
    ['[web-1]:2222', '[web-1]:2222', true],
    ['[web-1]:2222', '[*]:2222', true],
    ['10.0.0.1', '10.0.0.*', true],
    ['10.0.0.1', '10?0.0.1', true],
  ])('%s against %s: %s', (name, pattern, expected) => {
    expect(matchesPattern(name, pattern)).toBe(expected);
  });

  it('agrees with the definition on any short name and pattern', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 8 });
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), maxLength: 8 });
    fc.assert(
      fc.property(word, pattern, (name, glob) => {
        expect(matchesPattern(name, glob)).toBe(definition(name, glob));
      }),
      { numRuns: 2000 },
    );
  });

  it('takes no exponential time', () => {
    const startedMs = performance.now();
    expect(matchesPattern('a'.repeat(1000), `${'*a'.repeat(500)}b`)).toBe(false);
    expect(performance.now() - startedMs).toBeLessThan(500);
  });
});

describe('matchesPatternList', () => {
  it('lets a negated pattern rule a name out, wherever it stands', () => {
    expect(matchesPatternList('db.example.com', ['*.example.com', '!db.example.com'])).toBe(false);
    expect(matchesPatternList('db.example.com', ['!db.example.com', '*.example.com'])).toBe(false);
    expect(matchesPatternList('web.example.com', ['!db.example.com', '*.example.com'])).toBe(true);
  });

  it('matches nothing by negated patterns alone', () => {
    expect(matchesPatternList('web.example.com', ['!db.example.com'])).toBe(false);
  });
});

test('isPlainName', () => {
  expect(['web-1', '[::1]:2222', '10.0.0.1'].every(isPlainName)).toBe(true);
  expect(['web-*', 'web-?', '!web-1'].some(isPlainName)).toBe(false);
});

/** The obvious recursive definition. */
function definition(name: string, pattern: string): boolean {
  const first = pattern[0];
  if (first === undefined) return name === '';
  const rest = pattern.slice(1);
  if (first === '*') return definition(name, rest) || (name !== '' && definition(name.slice(1), pattern));
  return name !== '' && (first === '?' || first === name[0]) && definition(name.slice(1), rest);
}
