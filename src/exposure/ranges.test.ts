import fc from 'fast-check';
import {
  type Bound,
  EMPTY,
  type RangeSet,
  contains,
  fromPairs,
  indexOf,
  intersect,
  isEmpty,
  listed,
  subtract,
  union,
} from './ranges';

const LIMIT = 64;

const pairs = fc.array(fc.tuple(fc.integer({ min: 0, max: LIMIT }), fc.integer({ min: 0, max: LIMIT })), {
  maxLength: 8,
});

function asBig(set: RangeSet): RangeSet {
  return set.map((bound) => BigInt(bound));
}

function members(set: RangeSet): readonly number[] {
  return Array.from({ length: LIMIT + 1 }, (_, value) => value).filter((value) =>
    contains(set, typeof set[0] === 'bigint' ? BigInt(value) : value),
  );
}

describe('sets of ranges', () => {
  it('hold what they were made of, sorted, disjoint and joined', () => {
    fc.assert(
      fc.property(pairs, (made) => {
        const set = fromPairs(made);
        const wanted = Array.from({ length: LIMIT + 1 }, (_, value) => value).filter((value) =>
          made.some(([start, end]) => value >= start && value < end),
        );
        expect(members(set)).toEqual(wanted);
        for (let i = 1; i < set.length; i += 1) expect((set[i] as Bound) > (set[i - 1] as Bound)).toBe(true);
      }),
    );
  });

  it.each([
    ['union', union, (a: boolean, b: boolean) => a || b],
    ['intersect', intersect, (a: boolean, b: boolean) => a && b],
    ['subtract', subtract, (a: boolean, b: boolean) => a && !b],
  ] as const)('%s agrees with the sets of their members, for numbers and bigints', (_name, operation, wanted) => {
    fc.assert(
      fc.property(pairs, pairs, (left, right) => {
        const a = fromPairs(left);
        const b = fromPairs(right);
        const inA = new Set(members(a));
        const inB = new Set(members(b));
        const all = Array.from({ length: LIMIT + 1 }, (_, value) => value).filter((value) =>
          wanted(inA.has(value), inB.has(value)),
        );
        expect(members(operation(a, b))).toEqual(all);
        expect(members(operation(asBig(a), asBig(b)))).toEqual(all);
      }),
    );
  });

  it('tell in which range a value is', () => {
    const set = fromPairs([
      [10, 20],
      [30, 31],
    ]);
    expect([9, 10, 19, 20, 30, 31].map((value) => indexOf(set, value))).toEqual([-1, 0, 0, -1, 1, -1]);
  });

  it('can be listed when they are small', () => {
    expect(
      listed(
        fromPairs([
          [3, 5],
          [9, 10],
        ]),
      ),
    ).toEqual([3, 4, 9]);
    expect(listed(fromPairs([[0, 17]]))).toBeUndefined();
    expect(
      isEmpty(
        fromPairs([
          [5, 5],
          [7, 3],
        ]),
      ),
    ).toBe(true);
  });
});

describe('many ranges', () => {
  it('are put together as few are', () => {
    // Overlapping, touching, equal and nested ones, in no order.
    const pairs = Array.from({ length: 3000 }, (_, i) => {
      const start = ((i * 7919) % 4000) * 16 + 2 ** 31;
      return [start, start + ([1, 16, 8, 40, 256][i % 5] ?? 1)] as const;
    });
    let expected: RangeSet = EMPTY;
    for (const pair of pairs) expected = union(expected, pair);
    expect(fromPairs(pairs)).toEqual(expected);
    expect(fromPairs(pairs.map(([start, end]) => [BigInt(start), BigInt(end)] as const))).toEqual(expected.map(BigInt));
    expect(fromPairs([...pairs, [5, 5], [9, 2]])).toEqual(expected);
    expect(fromPairs([...pairs, [0, 2 ** 32]])).toEqual([0, 2 ** 32]);
  });
});
