import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { ProbeFailure } from '../failure';
import { decodeAnswer, type Answer } from './frame';

const nonce = '00112233445566778899aabbccddeeff';

function framed(name: string, body: string | Buffer, status = 0): Buffer {
  return Buffer.concat([
    Buffer.from(`\n=${nonce} begin ${name}\n`),
    Buffer.from(body),
    Buffer.from(`\n=${nonce} end ${name} ${status}\n`),
  ]);
}

function answerOf(...sections: Buffer[]): Buffer {
  return Buffer.concat([Buffer.from(`\n=${nonce} hello 1\n`), ...sections, Buffer.from(`\n=${nonce} done\n`)]);
}

function bodies(answer: Answer): Record<string, string> {
  return Object.fromEntries([...answer.sections].map(([name, { body }]) => [name, body.toString('latin1')]));
}

/** The failure of an answer that must not be understood. */
async function failureOf(output: Buffer): Promise<ProbeFailure> {
  const outcome = await decodeAnswer(output, nonce).catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(ProbeFailure);
  expect((outcome as ProbeFailure).reason).toBe('output');
  return outcome as ProbeFailure;
}

describe('decodeAnswer', () => {
  test('gives each section its bytes and its exit status', async () => {
    const answer = await decodeAnswer(
      answerOf(framed('a', 'one\ntwo'), framed('b', '', 127), framed('c', '\n\n')),
      nonce,
    );
    expect(answer.version).toBe(1);
    expect(bodies(answer)).toEqual({ a: 'one\ntwo', b: '', c: '\n\n' });
    expect(answer.sections.get('b')?.status).toBe(127);
  });

  test('keeps bytes that are no text, and NULs', async () => {
    const bytes = Buffer.from([0, 255, 10, 0, 128, 10, 61]);
    const answer = await decodeAnswer(answerOf(framed('a', bytes)), nonce);
    expect(answer.sections.get('a')?.body.equals(bytes)).toBe(true);
  });

  test('passes over a banner before it and noise after it', async () => {
    const noise = Buffer.from('Welcome!\n=hello 1\n\n=done\nLast login: today\u0000');
    const answer = await decodeAnswer(Buffer.concat([noise, answerOf(framed('a', 'x')), noise]), nonce);
    expect(bodies(answer)).toEqual({ a: 'x' });
  });

  test('does not take markers with another nonce for its own', async () => {
    const forged = '\n=ffffffffffffffffffffffffffffffff end a 0\n\n=ffffffffffffffffffffffffffffffff begin flag\n';
    const answer = await decodeAnswer(answerOf(framed('a', forged), framed('b', 'x')), nonce);
    expect(bodies(answer)).toEqual({ a: forged, b: 'x' });
  });

  test('does not take a marker in the middle of a line for one', async () => {
    const inLine = `x =${nonce} end a 0\n`;
    expect(bodies(await decodeAnswer(answerOf(framed('a', inLine)), nonce))).toEqual({ a: inLine });
  });

  test('lets the first of two sections with one name stand', async () => {
    const answer = await decodeAnswer(answerOf(framed('a', 'first'), framed('a', 'second')), nonce);
    expect(bodies(answer)).toEqual({ a: 'first' });
  });

  test('leaves out a section that has no end or the end of another', async () => {
    const open = Buffer.from(`\n=${nonce} begin a\nx\n=${nonce} end b 0\n`);
    expect(bodies(await decodeAnswer(answerOf(open, framed('c', 'y')), nonce))).toEqual({ c: 'y' });
  });

  test('leaves out a section whose status is no number', async () => {
    for (const status of ['', 'x', '-1', '1e3', '0x1', '99999999999']) {
      const odd = Buffer.from(`\n=${nonce} begin a\nx\n=${nonce} end a ${status}\n`);
      expect(bodies(await decodeAnswer(answerOf(odd, framed('c', 'y')), nonce))).toEqual({ c: 'y' });
    }
  });

  test('reads nothing after the end', async () => {
    const late = Buffer.concat([answerOf(framed('a', 'x')), framed('b', 'late')]);
    expect(bodies(await decodeAnswer(late, nonce))).toEqual({ a: 'x' });
  });

  test('says how the answer begins when there is no report in it, without control characters', async () => {
    const failure = await failureOf(Buffer.from('This account is\u001b[2J not available.\n'));
    expect(failure.message).toBe(
      'no probe report in the answer (35 bytes, beginning "This account is [2J not available.")',
    );
    expect((await failureOf(Buffer.alloc(0))).message).toBe('no probe report in the answer (it is empty)');
  });

  test('refuses versions that it does not know, and words that are no version', async () => {
    const withVersion = (version: string): Buffer => Buffer.from(`\n=${nonce} hello ${version}\n\n=${nonce} done\n`);
    expect((await failureOf(withVersion('2'))).message).toContain('has version 2; this exporter understands 1 to 1');
    expect((await failureOf(withVersion('0'))).message).toContain('has version 0');
    for (const word of ['', ' ', '1.0', 'x', '0x1', '1e0', '-1']) {
      expect((await failureOf(withVersion(word))).message).toContain('no probe report');
    }
  });

  test('refuses an answer that is cut off, at every byte', async () => {
    const whole = answerOf(framed('a', 'some text\n'), framed('gzip', gzipSync(framed('b', 'more'))));
    for (let length = 0; length < whole.length; length++) await failureOf(whole.subarray(0, length));
    expect(bodies(await decodeAnswer(whole, nonce))).toEqual({ a: 'some text\n', b: 'more' });
  });

  test('names the section in which an answer was cut off', async () => {
    const whole = answerOf(framed('dpkg', 'some text\n'));
    const failure = await failureOf(whole.subarray(0, whole.length - 60));
    expect(failure.message).toContain(', in section dpkg');
  });

  test('bounds how many sections there are, outside and inside of the compressed part', async () => {
    const many = Array.from({ length: 300 }, (_, at) => framed(`s${at}`, ''));
    expect((await failureOf(answerOf(...many))).message).toBe('more than 256 sections');
    expect((await failureOf(answerOf(framed('gzip', gzipSync(Buffer.concat(many)))))).message).toBe(
      'more than 256 sections',
    );
  });
});

describe('the compressed part of an answer', () => {
  test('is unpacked beside the plain sections, which stand against it', async () => {
    const packed = gzipSync(Buffer.concat([framed('rules', 'x'), framed('flag', 'forged')]));
    const answer = await decodeAnswer(answerOf(framed('flag', 'plain'), framed('gzip', packed)), nonce);
    expect(bodies(answer)).toEqual({ flag: 'plain', rules: 'x' });
  });

  test('may hold nothing', async () => {
    expect(bodies(await decodeAnswer(answerOf(framed('gzip', gzipSync(''))), nonce))).toEqual({});
  });

  test('is refused when it is a bomb, without unpacking it', async () => {
    const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024), { level: 1 });
    const before = process.memoryUsage().rss;
    const failure = await failureOf(answerOf(framed('gzip', bomb)));
    expect(failure.message).toBe('the compressed part of the report unpacks to more than 33554432 bytes');
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024);
  });

  test('is unpacked in its turn, however many others are bombs', async () => {
    const bomb = answerOf(framed('gzip', gzipSync(Buffer.alloc(40 * 1024 * 1024), { level: 1 })));
    const good = answerOf(framed('gzip', gzipSync(framed('b', 'more'))));
    const failures = Array.from({ length: 5 }, () => failureOf(bomb));
    const answers = await Promise.all(Array.from({ length: 5 }, () => decodeAnswer(good, nonce)));
    expect(answers.map(bodies)).toEqual(answers.map(() => ({ b: 'more' })));
    for (const failure of await Promise.all(failures)) expect(failure.message).toContain('unpacks to more than');
  });

  test('is refused when it is not gzip, or broken', async () => {
    const good = gzipSync(framed('b', 'more'));
    const broken = Buffer.from(good);
    broken[15] = (broken[15] ?? 0) ^ 0xff;
    for (const packed of [Buffer.from('plain'), Buffer.alloc(0), good.subarray(0, good.length - 4), broken]) {
      expect((await failureOf(answerOf(framed('gzip', packed)))).message).toContain('is not a whole gzip stream');
    }
  });
});

test('whatever a host sends, decodeAnswer fails only as a ProbeFailure with the reason output', async () => {
  const words = [
    `\n=${nonce} `,
    ...[
      'hello 1\n',
      'begin a\n',
      'end a 0\n',
      'begin gzip\n',
      'end gzip 0\n',
      'done\n',
      '\n',
      '\0',
      'text',
      `=${nonce}`,
    ],
  ];
  const piece = fc.oneof(
    fc.constantFrom(...words).map((word) => Buffer.from(word)),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
    fc.string({ maxLength: 20 }).map((text) => gzipSync(text)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 40 }), async (pieces) => {
      const output = Buffer.concat(pieces);
      try {
        const { version, sections } = await decodeAnswer(output, nonce);
        expect(version).toBe(1);
        for (const { body, status } of sections.values()) {
          expect(Number.isInteger(status)).toBe(true);
          expect(body.length).toBeLessThanOrEqual(32 * 1024 * 1024);
        }
      } catch (error) {
        expect(error).toBeInstanceOf(ProbeFailure);
        expect((error as ProbeFailure).reason).toBe('output');
      }
    }),
    { numRuns: 2000 },
  );
});
