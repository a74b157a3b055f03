import type { SeededRandom } from '../e2e/seeded-random';

/** No input grows beyond this, in bytes: what is sought is odd input, not much of it. */
const maxBytes = 256 * 1024;

/** What parsers stumble over: limits of numbers, quotes, ends of lines, names of JavaScript, markers of the framing. */
const oddities: readonly (readonly number[] | string)[] = [
  ...[
    '0',
    '-1',
    '1e400',
    '-0',
    'NaN',
    '00',
    '0x10',
    '4294967296',
    '9007199254740993',
    '99999999999999999999',
    '1795305600',
  ],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'null',
    'true',
    '[]',
    '{}',
    '""',
    "'",
    '"',
    '\\',
    '\\n',
    '|',
    '=',
    ':',
    ';',
    '#',
  ],
  ...['\n', '\r\n', '\n\n', '\t', ' ', '\0', '\n=0 begin flag\n', '\n=0 end flag 0\n', '\n=0 done\n', '\n=0 hello 1\n'],
  ...[
    '"} 1\nup{a="',
    '</script>',
    '{{',
    '${',
    '%s',
    '../',
    '/',
    ',',
    '*',
    '?',
    '!',
    '@',
    '[',
    ']',
    '{',
    '}',
    '&a',
    '*a',
    '<<: ',
  ],
  ...['\u202e', 'é日🐧', '\u2028', '\ufeff'],
  [0xff],
  [0xc0, 0x80],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0x1f, 0x8b, 8, 0],
  [0x1b, 0x5b, 0x32, 0x4a],
];

/** A recorded input with one to six changes to its bytes; `others` are inputs to splice in pieces of. */
export function mutated(input: Buffer, others: readonly Buffer[], random: SeededRandom): Buffer {
  let bytes = input;
  for (let left = random.between(1, 6); left > 0; left -= 1) bytes = changed(bytes, others, random);
  return bytes.length > maxBytes ? bytes.subarray(0, maxBytes) : bytes;
}

function changed(bytes: Buffer, others: readonly Buffer[], random: SeededRandom): Buffer {
  const at = random.between(0, bytes.length);
  const end = Math.min(bytes.length, at + lengthOfPiece(random));
  switch (random.between(0, 9)) {
    case 0:
    case 1:
      return withByte(bytes, at, random.between(0, 255));
    case 2:
      return withByte(bytes, at, (bytes[at] ?? 0) ^ (1 << random.between(0, 7)));
    case 3:
      return spliced(bytes, at, at, oddity(random));
    case 4:
      return spliced(bytes, at, end, oddity(random));
    case 5:
      return spliced(bytes, at, end, Buffer.alloc(0));
    case 6:
      return spliced(bytes, at, at, repeated(bytes.subarray(at, end), random.between(1, 40)));
    case 7: {
      const other = random.oneOf(others);
      const from = random.between(0, other.length);
      return spliced(bytes, at, end, other.subarray(from, from + lengthOfPiece(random)));
    }
    case 8:
      return withOtherNumber(bytes, at, random);
    default:
      return random.fraction() < 0.3 ? bytes.subarray(0, at) : withSwappedLine(bytes, at, random);
  }
}

/** Mostly short, now and then long. */
function lengthOfPiece(random: SeededRandom): number {
  return random.fraction() < 0.8 ? random.between(1, 24) : random.between(1, 4000);
}

function oddity(random: SeededRandom): Buffer {
  const chosen = random.oneOf(oddities);
  return typeof chosen === 'string' ? Buffer.from(chosen) : Buffer.from([...chosen]);
}

function repeated(piece: Buffer, times: number): Buffer {
  const most = piece.length === 0 ? 0 : Math.min(times, Math.floor(maxBytes / piece.length));
  return Buffer.concat(Array.from({ length: most }, () => piece));
}

function withByte(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  if (at < copy.length) copy[at] = value;
  return copy;
}

function spliced(bytes: Buffer, start: number, end: number, middle: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, start), middle, bytes.subarray(end)]);
}

const zero = 0x30;
const nine = 0x39;

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= zero && byte <= nine;
}

/** The first number from a place on becomes another one. */
function withOtherNumber(bytes: Buffer, at: number, random: SeededRandom): Buffer {
  let start = at;
  while (start < bytes.length && !isDigit(bytes[start])) start += 1;
  let end = start;
  while (isDigit(bytes[end])) end += 1;
  const number = random.oneOf(['0', '-5', '1', '4294967296', '0.000000001', '9999999999999999', '253402300800', '1e9']);
  return spliced(bytes, start, end, Buffer.from(number));
}

/** The line at a place goes to the start of another. */
function withSwappedLine(bytes: Buffer, at: number, random: SeededRandom): Buffer {
  const start = bytes.lastIndexOf(0x0a, Math.max(0, at - 1)) + 1;
  const next = bytes.indexOf(0x0a, start);
  const end = next === -1 ? bytes.length : next + 1;
  const rest = Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
  const to = rest.lastIndexOf(0x0a, random.between(0, rest.length)) + 1;
  return spliced(rest, to, to, bytes.subarray(start, end));
}
