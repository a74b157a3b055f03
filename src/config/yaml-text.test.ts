import fc from 'fast-check';
import { readYamlText } from './yaml-text';
import { cpuMsOf } from '../../test/config/cpu-time';

function read(source: string): ReturnType<typeof readYamlText> {
  return readYamlText('f.yml', source);
}

function messages(source: string): string[] {
  return read(source).faults.map(({ line, col, message }) => `${line}:${col} ${message}`);
}

describe('readYamlText', () => {
  const source = 'a:\n  - b: 1\n    c: &x { d: [true, "two"] }\n  - *x\n  - { <<: *x, e: 3 }\n# end\n';

  test('gives plain data', () => {
    expect(read(source)).toMatchObject({
      text: { value: { a: [{ b: 1, c: { d: [true, 'two'] } }, { d: [true, 'two'] }, { d: [true, 'two'], e: 3 }] } },
      faults: [],
    });
  });

  test.each([
    [[], 'value', '1:1'],
    [['a'], 'key', '1:1'],
    [['a'], 'value', '2:3'],
    [['a', 0, 'c'], 'key', '3:5'],
    [['a', 0, 'c', 'd', 1], 'value', '3:23'],
    // An alias leads to what it stands for, a merged key to where it was written.
    [['a', 1], 'value', '4:5'],
    [['a', 1, 'd'], 'key', '3:13'],
    [['a', 2, 'd', 0], 'value', '3:17'],
    [['a', 2, 'e'], 'value', '5:18'],
    // What is not there is placed where it would be.
    [['a', 0, 'nothing', 'deeper'], 'value', '2:5'],
    [['a', 9], 'value', '2:3'],
    [['z'], 'key', '1:1'],
  ] as const)('%j has its %s at %s', (path, part, expected) => {
    const place = read(source).text?.placeOf(path, part);
    expect(`${place?.line}:${place?.col}`).toBe(expected);
  });

  test('knows how a scalar was written', () => {
    const text = read('a: 1.10\nb: 0o17\nc: "1.10"\n').text;
    expect([['a'], ['b'], ['c'], ['d']].map((path) => text?.sourceOf(path))).toEqual(['1.10', '0o17', '1.10', null]);
  });

  test('keeps every scalar as text where that is asked for', () => {
    const { text } = readYamlText('f.yml', 'a: 1.10\nb: yes\nc: ~\nd: "x"\n<<: { e: 0x1 }\n', 'text');
    expect(text?.value).toEqual({ a: '1.10', b: 'yes', c: '~', d: 'x', e: '0x1' });
  });

  test('lines and columns are right with CRLF and wide characters', () => {
    expect(messages('a: 1\r\nü😀: 2\r\nx: { b: 1, b: 2 }\r\n')).toEqual([
      '3:12 duplicate key `b`: it is at 3:6 already',
    ]);
  });

  test.each([
    ['a: 1\na: 2\n', ['2:1 duplicate key `a`: it is at 1:1 already']],
    ['a: *b\n', ['1:4 `*b` names no anchor: there is no `&b` before it']],
    ['a: *b\nb: &b 1\n', ['1:4 `*b` names no anchor: there is no `&b` before it']],
    ['a: &a [*a]\n', ['1:8 `*a` contains itself']],
    ['{1: a}', ['1:2 a key must be text: write "1" in quotes']],
    ['[99999999999999999999]', ['1:2 this number is too large']],
    ['a: !!binary aGk=', ['1:13 YAML tags are not used here, such as `!!binary`']],
    ['a: !!set { x }', ['1:10 YAML tags are not used here, such as `!!set`']],
    ['a: !!timestamp 2026-01-01', ['1:16 YAML tags are not used here, such as `!!timestamp`']],
    ['a: !!str 1', []],
  ])('%j', (given, expected) => {
    expect(messages(given)).toEqual(expected);
  });

  test('an anchor that is defined again stands for the later one', () => {
    expect(read('[&a 1, *a, &a 2, *a]').text?.value).toEqual([1, 1, 2, 2]);
  });

  test('aliases that double at each level are stopped', async () => {
    const lines = ['a0: &a0 [x, x]'];
    for (let i = 1; i < 40; i += 1) lines.push(`a${i}: &a${i} [*a${i - 1}, *a${i - 1}]`);
    let told: string[] = [];
    const cpuMs = await cpuMsOf(() => (told = messages(lines.join('\n'))));
    expect(told).toEqual([expect.stringContaining('more than 1000000 values')]);
    expect(cpuMs).toBeLessThan(2000);
  });

  test('one fault for a line with a syntax error', () => {
    expect(messages('schedule: */5 * * * *\n')).toEqual([
      '1:15 an unquoted `*` starts an alias in YAML: put a cron expression or a pattern in quotes',
    ]);
  });

  test('never throws, and places every fault within the text', () => {
    const pieces = fc.constantFrom(
      'a',
      ': ',
      '\n',
      '- ',
      '  ',
      '{',
      '}',
      '[',
      ']',
      '&x ',
      '*x',
      '<<',
      '"',
      "'",
      '!t ',
      '|',
      '#',
      '?',
      '1',
      ',',
      '\t',
      '%',
      '---',
      '\u0000',
      '😀',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (list) => {
        const given = list.join('');
        const { text, faults } = read(given);
        for (const { line, col } of faults) {
          expect(line).toBeLessThanOrEqual(given.split('\n').length + 1);
          expect(col).toBeGreaterThanOrEqual(1);
        }
        text?.placeOf(['a', 0, 'x', 1]);
      }),
      { numRuns: 3000 },
    );
  });
});
