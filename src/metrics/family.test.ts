import fc from 'fast-check';
import { hostileText } from '../../test/fixture/statuses';
import { renderHead, renderLabels, renderNumber, renderSample } from './family';

/** Undoes what a parser of either format undoes. */
function unescape(text: string): string {
  return text.replace(/\\(.)/g, (_whole, letter: string) => (letter === 'n' ? '\n' : letter));
}

describe('renderLabels', () => {
  test('escapes backslash, quote and line break, and nothing else', () => {
    expect(renderLabels({ a: 'x\\y"z\nw\tv' })).toBe('{a="x\\\\y\\"z\\nw\tv"}');
  });

  test('keeps any other text as it is, of any script', () => {
    expect(renderLabels({ a: 'é日🐧 {},=' })).toBe('{a="é日🐧 {},="}');
  });

  test('is nothing without labels', () => {
    expect(renderLabels({})).toBe('');
  });

  test('is one line that says what was given, whatever that is', () => {
    fc.assert(
      fc.property(hostileText, hostileText, (a, b) => {
        const line = renderLabels({ a, b });
        expect(line).not.toContain('\n');
        const found = /^\{a="((?:[^"\\]|\\.)*)",b="((?:[^"\\]|\\.)*)"\}$/s.exec(line);
        expect([found?.[1], found?.[2]].map((text) => unescape(text ?? ''))).toEqual([a, b]);
      }),
    );
  });

  test('is UTF-8 when it is sent, though a text may hold half a character', () => {
    const sent = Buffer.from(renderLabels({ a: 'x\ud800y' }));
    expect(new TextDecoder('utf-8', { fatal: true }).decode(sent)).toBe('{a="x\ufffdy"}');
  });
});

describe('renderSample', () => {
  test('is a line', () => {
    expect(renderSample('up', { labels: { host: 'a' }, value: 1 })).toBe('up{host="a"} 1\n');
    expect(renderSample('up', { labels: {}, value: 0.25 })).toBe('up 0.25\n');
    expect(renderSample('up', { labels: { host: 'a' }, more: { by: 'b' }, value: 1 })).toBe('up{host="a",by="b"} 1\n');
    expect(renderSample('up', { labels: {}, more: { by: 'b' }, value: 1 })).toBe('up{by="b"} 1\n');
  });
});

describe('renderNumber', () => {
  test.each([
    [0, '0'],
    [-0, '0'],
    [1_795_132_800.5, '1795132800.5'],
    [1e21, '1e+21'],
    [1e-7, '1e-7'],
    [Infinity, '+Inf'],
    [-Infinity, '-Inf'],
    [NaN, 'NaN'],
  ])('%d is %s', (value, expected) => {
    expect(renderNumber(value)).toBe(expected);
  });
});

describe('renderHead', () => {
  const counter = { name: 'x_total', type: 'counter', help: 'Says "a" \\ b\nc.' } as const;

  test('of the text format names a counter with _total', () => {
    expect(renderHead(counter, 'text')).toBe('# HELP x_total Says "a" \\\\ b\\nc.\n# TYPE x_total counter\n');
  });

  test('of OpenMetrics names its family without it, and escapes quotes too', () => {
    expect(renderHead(counter, 'openmetrics')).toBe('# HELP x Says \\"a\\" \\\\ b\\nc.\n# TYPE x counter\n');
  });

  test('leaves a gauge its name in both', () => {
    const gauge = { name: 'x_total', type: 'gauge', help: 'x' } as const;
    expect(renderHead(gauge, 'openmetrics')).toBe(renderHead(gauge, 'text'));
  });
});
