import fc from 'fast-check';
import { errorWords, quoted } from './foreign-text';

describe('quoted', () => {
  it.each([
    ['plain words', '"plain words"'],
    ['two\r\nlines', '"two lines"'],
    ['it said "no"', `"it said 'no'"`],
    ['\u001b[31mred\u001b[0m\0', '"[31mred [0m"'],
    ['ends\\', `"ends'"`],
  ])('makes %j into %s', (text, expected) => {
    expect(quoted(text)).toBe(expected);
  });

  it('is one bounded line of printable ASCII in quotes, whatever a host sends', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        const line = quoted(Buffer.from(bytes));
        expect(line).toMatch(/^"[ !#-[\]-~]*…?"$/);
        expect(line.length).toBeLessThan(170);
      }),
    );
  });
});

test('errorWords takes the words of anything that was thrown', () => {
  expect(errorWords(new Error('no\nsuch thing'))).toBe('no such thing');
  expect(errorWords({ message: 'from another realm' })).toBe('from another realm');
  expect(errorWords(undefined)).toBe('undefined');
});
