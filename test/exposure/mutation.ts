import fc from 'fast-check';
import type { Section, Sections } from '../../src/report/section';

/** One way to spoil a text. Positions are shares of its length, so that they fit every text. */
export type Mutation =
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'repeat'; readonly at: number; readonly length: number; readonly times: number }
  | { readonly kind: 'insert'; readonly at: number; readonly text: string }
  | { readonly kind: 'number'; readonly at: number; readonly text: string }
  | { readonly kind: 'word'; readonly at: number; readonly text: string }
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'swap'; readonly at: number; readonly other: number };

const share = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

const numbers = fc.constantFrom(
  ...['0', '-1', '1.5', '1e400', '-1e400', '1e-400', '4294967296', '18446744073709551616', '9007199254740993'],
  ...['65535', '65536', '128', '129', '-129', 'null', 'true', '"x"', '[]', '{}', '0x10', '00', '99999999999999999999'],
);

const words = fc.constantFrom(
  ...[
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'saddr',
    'daddr',
    'dport',
    'sport',
    'mark',
    'ip',
    'ip6',
  ],
  ...[
    'accept',
    'drop',
    'jump',
    'goto',
    'return',
    'continue',
    'queue',
    'set',
    'map',
    'vmap',
    'concat',
    'prefix',
    'range',
  ],
  ...[
    'elem',
    'val',
    'dnat',
    'snat',
    'redirect',
    'tproxy',
    'limit',
    'quota',
    '&',
    '|',
    '<<',
    '>>',
    '!=',
    'in',
    '@',
    '*',
  ],
  ...['ACCEPT', 'DROP', 'RETURN', 'DNAT', '--dport', '-s', '-m', '!', '-j', '-g', 'default', 'local', 'inet', 'netdev'],
);

export const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constant('cut' as const), at: share }),
  fc.record({
    kind: fc.constant('repeat' as const),
    at: share,
    length: fc.integer({ min: 1, max: 400 }),
    times: fc.integer({ min: 1, max: 60 }),
  }),
  fc.record({
    kind: fc.constant('insert' as const),
    at: share,
    text: fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }), words, numbers),
  }),
  fc.record({ kind: fc.constant('number' as const), at: share, text: numbers }),
  fc.record({ kind: fc.constant('word' as const), at: share, text: words }),
  fc.record({ kind: fc.constant('flip' as const), at: share, bit: fc.integer({ min: 0, max: 7 }) }),
  fc.record({ kind: fc.constant('swap' as const), at: share, other: share }),
);

/** The report with its sections spoiled: `which` is a share of the list of sections. */
export function spoiled(
  sections: Sections,
  changes: readonly { readonly which: number; readonly how: Mutation }[],
): Sections {
  const out = new Map<string, Section>(sections);
  const names = [...sections.keys()];
  for (const { which, how } of changes) {
    const name = names[Math.floor(which * names.length)] ?? '';
    const section = out.get(name);
    if (section !== undefined) out.set(name, { ...section, body: spoil(section.body, how) });
  }
  return out;
}

function spoil(body: Buffer, how: Mutation): Buffer {
  const at = Math.floor(how.at * body.length);
  switch (how.kind) {
    case 'cut':
      return body.subarray(0, at);
    case 'repeat': {
      const piece = body.subarray(at, at + how.length);
      const more = Array.from({ length: how.times }, () => piece);
      return Buffer.concat([body.subarray(0, at), ...more, body.subarray(at)]);
    }
    case 'insert':
      return Buffer.concat([body.subarray(0, at), Buffer.from(how.text), body.subarray(at)]);
    case 'number':
      return replaced(body, at, /-?\d+/g, how.text);
    case 'word':
      return replaced(body, at, /[A-Za-z_@-]{2,}/g, how.text);
    case 'flip': {
      const copy = Buffer.from(body);
      if (at < copy.length) copy[at] = (copy[at] ?? 0) ^ (1 << how.bit);
      return copy;
    }
    case 'swap': {
      const lines = body.toString('latin1').split('\n');
      const [a, b] = [Math.floor(how.at * lines.length), Math.floor(how.other * lines.length)];
      [lines[a], lines[b]] = [lines[b] ?? '', lines[a] ?? ''];
      return Buffer.from(lines.join('\n'), 'latin1');
    }
  }
}

/** The first match from a position on is replaced. */
function replaced(body: Buffer, at: number, pattern: RegExp, text: string): Buffer {
  const whole = body.toString('latin1');
  pattern.lastIndex = at;
  const found = pattern.exec(whole);
  if (found === null) return body;
  const after = whole.slice(found.index + found[0].length);
  return Buffer.from(`${whole.slice(0, found.index)}${text}${after}`, 'latin1');
}
