import fc from 'fast-check';

/** Pieces that are put together in any order: words of the format, so that the input gets far, and anything else. */
export function piecesOf(words: readonly string[], maxPieces = 40): fc.Arbitrary<Buffer> {
  const piece = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...words).map((word) => Buffer.from(word)) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 24 }).map((bytes) => Buffer.from(bytes)) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }).map((text) => Buffer.from(text)) },
    { weight: 1, arbitrary: fc.integer().map((number) => Buffer.from(`${number}`)) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('\n', ' ', '=', '\0', '"', "'", ':', '|', '/').map((one) => Buffer.from(one)),
    },
  );
  return fc.array(piece, { maxLength: maxPieces }).map((pieces) => Buffer.concat(pieces));
}

/** One value, the same for the same seed. */
export function drawn<T>(arbitrary: fc.Arbitrary<T>, seed: number): T {
  const [value] = fc.sample(arbitrary, { seed, numRuns: 1 });
  if (value === undefined) throw new Error('nothing was drawn');
  return value;
}
