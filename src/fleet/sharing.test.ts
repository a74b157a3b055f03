import fc from 'fast-check';
import { Sharing } from './sharing';

const scalar = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.constantFrom(null, undefined),
);
const { anything } = fc.letrec<{ anything: unknown }>((tie) => ({
  anything: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.array(tie('anything'), { maxLength: 4 }),
    fc.dictionary(fc.string({ maxLength: 3 }), tie('anything'), { maxKeys: 4, noNullPrototype: true }),
    fc.array(fc.tuple(fc.string({ maxLength: 3 }), tie('anything')), { maxLength: 3 }).map((pairs) => new Map(pairs)),
    fc.array(scalar, { maxLength: 4 }).map((members) => new Set(members)),
  ),
}));

describe('Sharing', () => {
  test('whatever was found before, what is kept says what was found', () => {
    fc.assert(
      fc.property(anything, anything, anything, (first, before, found) => {
        const sharing = new Sharing();
        sharing.settle(null, first);
        const kept = sharing.settle(sharing.settle(null, before) as never, found);
        expect(kept).toStrictEqual(found);
      }),
      { numRuns: 2000 },
    );
  });

  test('what says the same as before is what was there before', () => {
    fc.assert(
      fc.property(anything, (found) => {
        const sharing = new Sharing();
        const before = sharing.settle(null, found);
        expect(sharing.settle(before as never, structuredClone(found))).toBe(before);
      }),
    );
  });

  test('only the part that changed is new', () => {
    const sharing = new Sharing();
    const before = sharing.settle(null, { os: { id: 'debian' }, kernels: ['6.1'], ran: new Map([['apt', 1]]) });
    const after = sharing.settle(before, { os: { id: 'debian' }, kernels: ['6.1', '6.2'], ran: new Map([['apt', 1]]) });
    expect(after).not.toBe(before);
    expect(after.os).toBe(before.os);
    expect(after.ran).toBe(before.ran);
    expect(after.kernels).toEqual(['6.1', '6.2']);
  });

  test('what two hosts say alike is kept once', () => {
    const sharing = new Sharing();
    const one = sharing.settle(null, { os: { id: 'debian', like: [] }, name: 'a' });
    const other = sharing.settle(null, { os: { id: 'debian', like: [] }, name: 'b' });
    expect(other.os).toBe(one.os);
  });

  test.each([
    [new Map([['a', 1]]), new Map([['a', 2]])],
    [new Set(['a']), ['a']],
    [new Map(), new Set()],
    [new Map(), {}],
    [{ a: undefined }, {}],
    [[undefined], [null]],
    ['1', 1],
    [-0, 0],
    [[-0], [0]],
    [{ a: '1,"b":2' }, { a: '1', b: 2 }],
    [['a,b'], ['a', 'b']],
  ])('%j and %j are not taken for each other', (one, other) => {
    const sharing = new Sharing();
    sharing.settle(null, one);
    expect(sharing.settle(sharing.settle(null, one) as never, other)).toStrictEqual(other);
  });

  test('hosts that never say the same twice do not make it grow', () => {
    const sharing = new Sharing();
    for (let i = 0; i < 60_000; i++) sharing.settle(null, { text: `${i}`.padStart(300, 'x') });
    const { known } = sharing as unknown as { known: Map<string, unknown> };
    expect(known.size).toBeLessThan(60_000);
  });
});
