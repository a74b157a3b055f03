import fc from 'fast-check';
import { section } from '../../test/fixture/said';
import { cleanText, readFields, readLines, readNumber } from './fields';

function fieldsOf(text: string | Buffer): [string, string][] {
  return [...readFields(section('x', text))];
}

describe('readFields', () => {
  test('takes lines of the form key=value, the first of a key', () => {
    expect(fieldsOf('a=1\nnonsense\n=2\nb=x=y\na=3\n\nc=\n')).toEqual([
      ['a', '1'],
      ['b', 'x=y'],
      ['c', ''],
    ]);
  });

  test('has none for a section that was not sent', () => {
    expect(readFields(undefined).size).toBe(0);
  });

  test('bounds how many fields there are, and how long each is', () => {
    const many = Array.from({ length: 5000 }, (_, at) => `k${at}=v`).join('\n');
    expect(readFields(section('x', many)).size).toBe(1000);
    expect(readFields(section('x', `k=${'v'.repeat(100_000)}`)).get('k')).toHaveLength(4096);
  });

  test('never throws, whatever bytes come', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        const fields = readFields(section('x', Buffer.from(bytes)));
        expect(fields.size).toBeLessThanOrEqual(1000);
      }),
    );
  });
});

describe('readLines', () => {
  test('leaves out empty lines and needs no line break at the end', () => {
    expect(readLines(section('x', '\na\n\nb'))).toEqual(['a', 'b']);
  });

  test('stops at the bound', () => {
    expect(readLines(section('x', 'a\n'.repeat(1000)), 10)).toHaveLength(10);
  });

  test('is what splitting and filtering gives', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', 'b', '\n', '\r', '=', '\0') }), (text) => {
        expect(readLines(section('x', text))).toEqual(text.split('\n').filter((line) => line !== ''));
      }),
    );
  });
});

describe('readNumber', () => {
  test.each([
    ['0', 0],
    ['1795305600', 1_795_305_600],
    ['1795305600.123456789', 1_795_305_600.123_457],
    ['0012', 12],
    ['9999999999999999', 1e16],
  ])('%s is %d', (text, expected) => {
    expect(readNumber(text)).toBeCloseTo(expected, 6);
  });

  test.each([
    '',
    '-',
    '-1',
    '+1',
    'W',
    '1e5',
    '0x10',
    ' 1',
    '1 ',
    '1.',
    '.5',
    'NaN',
    'Infinity',
    '12345678901234567',
    '١',
  ])('%j is none: never NaN, never a guess', (text) => {
    expect(readNumber(text)).toBeNull();
  });

  test('is none for what is not there', () => {
    expect(readNumber(undefined)).toBeNull();
  });

  test('is finite for any text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.double().map(String)), (text) => {
        const number = readNumber(text);
        expect(number === null || (Number.isFinite(number) && number >= 0)).toBe(true);
      }),
    );
  });
});

describe('cleanText', () => {
  test('turns what could move a cursor or reorder text into spaces', () => {
    expect(cleanText('a\u001b[31mb\u009b2Jc\u202ed\u2028e\tf\ng\u0000h', 100)).toBe('a [31mb 2Jc d e f g h');
  });

  test('keeps letters of any script', () => {
    expect(cleanText('Größe 日本 🐧', 100)).toBe('Größe 日本 🐧');
  });

  test('cuts with an ellipsis, and no character in half', () => {
    expect(cleanText('abcdef', 4)).toBe('abc…');
    expect(cleanText('ab🐧def', 4)).toBe('ab…');
    expect(cleanText('a🐧def', 4)).toBe('a🐧…');
  });

  test('is bounded, of one line and well formed, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 2, max: 50 }), (text, max) => {
        const clean = cleanText(text, max);
        expect(clean.length).toBeLessThanOrEqual(max);
        expect(clean).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/);
        expect(Buffer.from(clean).toString()).toBe(clean);
      }),
    );
  });
});
