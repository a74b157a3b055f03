import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describeWith } from '../../test/fixture/programs';
import { compareDebianVersions } from './debian-version';

/** Each is newer than the one before; taken from `dpkg --compare-versions`, and held against it below. */
const ascending = [
  '0~~',
  '0~',
  '0',
  '0+b1',
  '0.1',
  '1.0~~a',
  '1.0~',
  '1.0~bpo12+1',
  '1.0~rc1',
  '1.0~rc1-1',
  '1.0-1~bpo12+1',
  '1.0-1~deb12u1',
  '1.0-1',
  '1.0-1ubuntu1',
  '1.0-1+b1',
  '1.0-1+deb12u1',
  '1.0-1+deb12u10',
  '1.0-1.1',
  '1.0-2',
  '1.0-10',
  '1.0A1',
  '1.0a',
  '1.0+dfsg-1',
  '1.0.1',
  '6.1.0-31',
  '6.1.0-100',
  '6.1.115-1',
  '6.8.0-45.45~22.04.1',
  '6.8.0-45.45',
  '6.8.0-45.45+1',
  '6.8.0-45.46',
  '1:0.1',
  '1:1.0-1',
  '2:0~',
  '10:0',
];

describe('compareDebianVersions', () => {
  test('sorts the table', () => {
    expect([...ascending].reverse().sort(compareDebianVersions)).toEqual(ascending);
  });

  test('orders -31 before -100', () => {
    expect(compareDebianVersions('6.1.0-31', '6.1.0-100')).toBeLessThan(0);
  });

  test('orders ~ before everything, even the end', () => {
    expect(compareDebianVersions('1.0~rc1', '1.0')).toBeLessThan(0);
    expect(compareDebianVersions('1.0~~', '1.0~')).toBeLessThan(0);
  });

  test('orders by the epoch first', () => {
    expect(compareDebianVersions('1:0.1', '9.9')).toBeGreaterThan(0);
    expect(compareDebianVersions('0:1.0', '1.0')).toBe(0);
  });

  test('orders letters before other characters', () => {
    expect(compareDebianVersions('1.0a', '1.0+')).toBeLessThan(0);
    expect(compareDebianVersions('1.0z', '1.0.')).toBeLessThan(0);
  });

  test.each([
    ['1.0', '1.00'],
    ['1.01', '1.1'],
    ['1.0', '1.0-0'],
    ['1.0-0', '1.0-00'],
    ['00:1', '1'],
    ['1.000000000000000000000000000001', '1.1'],
  ])('takes %s and %s for the same', (a, b) => {
    expect(compareDebianVersions(a, b)).toBe(0);
  });

  test('does not lose digits of long numbers', () => {
    expect(compareDebianVersions('1.99999999999999999998', '1.99999999999999999999')).toBeLessThan(0);
  });

  test('compares anything without throwing, the same from both sides', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), fc.string({ maxLength: 200 }), (a, b) => {
        expect(Math.sign(compareDebianVersions(a, b))).toBe(-Math.sign(compareDebianVersions(b, a)) || 0);
        expect(compareDebianVersions(a, a)).toBe(0);
      }),
    );
  });

  test('takes time in proportion to the length', () => {
    const long = '1.0~'.repeat(25_000);
    const begun = performance.now();
    expect(compareDebianVersions(long, `${long}1`)).toBeLessThan(0);
    expect(performance.now() - begun).toBeLessThan(1000);
  });
});

describeWith(['dpkg'], 'compareDebianVersions against dpkg --compare-versions', () => {
  test('agrees on the table', () => {
    const pairs = ascending.slice(1).map((newer, at): [string, string] => [ascending[at] ?? '', newer]);
    expect(askDpkg(pairs)).toEqual(pairs.map(() => -1));
  });

  test('agrees on 600 pairs of random versions', () => {
    const piece = fc.constantFrom('0', '1', '9', '10', '01', '.', '+', '~', 'a', 'z', 'A', 'deb', 'ubuntu', 'bpo');
    const part = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));
    const version = fc
      .record({ epoch: fc.constantFrom('', '', '0:', '1:', '12:'), upstream: part, revision: fc.option(part) })
      .map(({ epoch, upstream, revision }) => `${epoch}1${upstream}${revision === null ? '' : `-1${revision}`}`);
    const pairs = fc.sample(fc.tuple(version, version), 600);
    const ours = pairs.map(([a, b]) => Math.sign(compareDebianVersions(a, b)));
    const wrong = askDpkg(pairs).flatMap((theirs, at) => (theirs === ours[at] ? [] : [[...(pairs[at] ?? []), theirs]]));
    expect(wrong).toEqual([]);
    // A sample in which most are equal would show nothing.
    expect(ours.filter((order) => order !== 0).length).toBeGreaterThan(400);
  });
});

/** -1, 0 or 1 for each pair, by dpkg itself. */
function askDpkg(pairs: readonly (readonly [string, string])[]): number[] {
  const program = `while read -r a b; do
    if dpkg --compare-versions "$a" lt "$b"; then echo -1
    elif dpkg --compare-versions "$a" eq "$b"; then echo 0
    else echo 1; fi
  done`;
  const input = pairs.map(([a, b]) => `${a} ${b}\n`).join('');
  return execFileSync('sh', ['-c', program], { input, encoding: 'utf8' }).trim().split('\n').map(Number);
}
