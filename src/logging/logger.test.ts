import { Writable } from 'node:stream';
import fc from 'fast-check';
import { createLogger, silentLogger, type LogFields, type LogFormat, type LogLevel } from './logger';

function logged(format: LogFormat, level: LogLevel, write: (log: ReturnType<typeof createLogger>) => void): string {
  const chunks: string[] = [];
  const destination = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  write(createLogger(level, format, destination));
  return chunks.join('');
}

function line(fields: LogFields, format: LogFormat = 'logfmt'): string {
  return logged(format, 'info', (log) => log.info('A host could not be probed', fields)).replace(
    /"?\d{4}-\d\d-\d\dT[0-9:.]+Z"?/,
    'TIME',
  );
}

describe('the log in logfmt', () => {
  test('has time, level and message first, and then the fields', () => {
    expect(line({ host: 'web-1', failures: 3, ok: false })).toBe(
      'ts=TIME level=info msg="A host could not be probed" host=web-1 failures=3 ok=false\n',
    );
  });

  test.each([
    ['', 'x=""'],
    [null, 'x=""'],
    ['plain/text:1,2', 'x=plain/text:1,2'],
    ['two words', 'x="two words"'],
    ['a=b', 'x="a=b"'],
    ['say "no"', 'x="say \\"no\\""'],
    ['back\\slash', 'x="back\\\\slash"'],
    ['line\nbreak', 'x="line\\nbreak"'],
    ['esc\u001b[31m', 'x="esc\\u001b[31m"'],
    ['csi\u009b31m\u007f', 'x="csi\\u009b31m\\u007f"'],
    ['日本', 'x=日本'],
  ])('writes %j as %s', (value, expected) => {
    expect(line({ x: value })).toBe(`ts=TIME level=info msg="A host could not be probed" ${expected}\n`);
  });

  test('leaves out what is undefined', () => {
    expect(line({ x: undefined, y: 1 })).toContain('probed" y=1\n');
  });

  test('is one line without control characters, whatever a host said', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(line({ x: text })).toMatch(/^[^\u0000-\u001f\u007f-\u009f]*\n$/);
      }),
    );
  });
});

describe('the log in JSON', () => {
  test('is an object a line', () => {
    const text = logged('json', 'debug', (log) => {
      log.debug('One', { host: 'a\nb' });
      log.error('Two');
    });
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((one) => JSON.parse(one) as unknown),
    ).toEqual([
      { level: 'debug', ts: expect.stringMatching(/^\d{4}-.*Z$/) as unknown, host: 'a\nb', msg: 'One' },
      { level: 'error', ts: expect.stringMatching(/^\d{4}-.*Z$/) as unknown, msg: 'Two' },
    ]);
  });
});

describe('the level', () => {
  test.each([
    ['debug', ['debug', 'info', 'warn', 'error']],
    ['info', ['info', 'warn', 'error']],
    ['warn', ['warn', 'error']],
    ['error', ['error']],
  ] as const)('%s lets through %j', (level, expected) => {
    const text = logged('logfmt', level, (log) => {
      for (const each of ['debug', 'info', 'warn', 'error'] as const) log[each]('x');
    });
    expect([...text.matchAll(/level=(\w+)/g)].map((found) => found[1])).toEqual(expected);
  });
});

test('the silent logger says nothing and takes anything', () => {
  for (const each of ['debug', 'info', 'warn', 'error'] as const)
    expect(silentLogger[each]('x', { y: 1 })).toBeUndefined();
});
