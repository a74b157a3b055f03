import { execFileSync } from 'node:child_process';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { GzipPieces, type Piece } from './gzip-pieces';

function piece(text: string, cache: Piece['cache'] = null): Piece {
  return { buffers: [Buffer.from(text.slice(0, 3)), Buffer.from(text.slice(3))], cache };
}

async function compressed(gzip: GzipPieces, pieces: readonly Piece[]): Promise<Buffer> {
  return Buffer.concat(await gzip.compress(pieces));
}

describe('compressing by pieces', () => {
  it('gives one gzip member that is the whole text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: 'grapheme', maxLength: 200 }), { maxLength: 8 }), async (texts) => {
        const bytes = await compressed(
          new GzipPieces(),
          texts.map((text) => piece(text)),
        );
        expect(gunzipSync(bytes).toString()).toBe(texts.map((text) => Buffer.concat(piece(text).buffers)).join(''));
      }),
      { numRuns: 50 },
    );
  });

  it('is what gzip takes without a complaint', async () => {
    const lines = Array.from({ length: 20_000 }, (_, at) => `reboot_required{host="host-${at}"} ${at % 2}\n`).join('');
    const bytes = await compressed(new GzipPieces(), [piece('# HELP a b\n'), piece(lines), piece('')]);
    expect(execFileSync('gzip', ['-dc'], { input: bytes, maxBuffer: 1e8 }).toString()).toBe(`# HELP a b\n${lines}`);
    expect(bytes.length).toBeLessThan(lines.length / 5);
  });

  it('takes a piece it has, and another one under the same key when the version is another', async () => {
    const gzip = new GzipPieces();
    const first = [piece('one ', { key: 'a', version: 1 }), piece('two ', { key: 'b', version: 1 })];
    expect(gunzipSync(await compressed(gzip, first)).toString()).toBe('one two ');
    const second = [piece('ONE ', { key: 'a', version: 2 }), piece('two ', { key: 'b', version: 1 })];
    expect(gunzipSync(await compressed(gzip, second)).toString()).toBe('ONE two ');
    const [, once] = await gzip.compress(second);
    const [, again] = await gzip.compress(second);
    expect(again).toBe(once);
  });

  it('forgets pieces that are there no more', async () => {
    const gzip = new GzipPieces();
    const [, once] = await gzip.compress([piece('one', { key: 'a', version: 1 })]);
    await gzip.compress([piece('two', { key: 'b', version: 1 })]);
    const [, again] = await gzip.compress([piece('one', { key: 'a', version: 1 })]);
    expect(again).not.toBe(once);
  });
});
