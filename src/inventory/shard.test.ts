import fc from 'fast-check';
import { isInShard, parseShard, type Shard } from './shard';

const names = Array.from({ length: 10_000 }, (_, at) => `web-${at}.example.com`);

/** The shards that have a host. */
function shardsOf(name: string, count: number): number[] {
  return Array.from({ length: count }, (_, at) => at + 1).filter((index) => isInShard(name, { index, count }));
}

/** The one shard that has a host. */
function shardOf(name: string, count: number): number {
  const [shard, ...others] = shardsOf(name, count);
  if (shard === undefined || others.length > 0) throw new Error(`${name} is in ${others.length + 1} shards`);
  return shard;
}

describe('parseShard', () => {
  test.each<[string, Shard]>([
    ['1/1', { index: 1, count: 1 }],
    ['2/3', { index: 2, count: 3 }],
    ['9999/9999', { index: 9999, count: 9999 }],
  ])('reads %s', (text, shard) => expect(parseShard(text)).toEqual(shard));

  test.each(['', '0/3', '4/3', '1', '1/', '/3', '1/0', '01/3', '1/3/5', ' 1/3', '1/3\n', '-1/3', '1.0/3', '1/10000'])(
    'refuses %j',
    (text) => expect(parseShard(text)).toBeNull(),
  );
});

describe('isInShard', () => {
  test('gives every host to exactly one shard, whatever its name', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 12 }), (name, count) => {
        expect(shardsOf(name, count)).toHaveLength(1);
      }),
    );
  });

  test('is the same at every start and on every machine', () => {
    expect(names.slice(0, 12).map((name) => shardOf(name, 3))).toEqual([2, 2, 3, 1, 3, 3, 3, 2, 2, 2, 2, 2]);
  });

  test.each([2, 3, 4])('shares 10,000 hosts evenly among %d', (count) => {
    const shares = new Array<number>(count).fill(0);
    for (const name of names) {
      const at = shardOf(name, count) - 1;
      shares[at] = (shares[at] ?? 0) + 1;
    }
    // Five standard deviations of as many throws of a fair die.
    const bound = 5 * Math.sqrt(names.length * (1 / count) * (1 - 1 / count));
    for (const share of shares) expect(Math.abs(share - names.length / count)).toBeLessThan(bound);
  });

  test('moves a quarter of 10,000 hosts when a fourth shard joins three: to the new one, as many from each', () => {
    const before = names.map((name) => shardOf(name, 3));
    const after = names.map((name) => shardOf(name, 4));
    const moved = names.flatMap((_, at) => (before[at] === after[at] ? [] : [at]));
    // 2500, give or take five standard deviations (43 each).
    expect(Math.abs(moved.length - names.length / 4)).toBeLessThan(217);
    expect(new Set(moved.map((at) => after[at]))).toEqual(new Set([4]));
    for (const shard of [1, 2, 3]) {
      const left = moved.filter((at) => before[at] === shard).length;
      expect(Math.abs(left - names.length / 12)).toBeLessThan(140);
    }
  });

  test.each([1, 2, 3, 4, 5, 6])('moves nothing between shards that stay when %d become one more', (count) => {
    for (const name of names.slice(0, 1000)) {
      const after = shardOf(name, count + 1);
      if (after !== count + 1) expect(shardOf(name, count)).toBe(after);
    }
  });
});
