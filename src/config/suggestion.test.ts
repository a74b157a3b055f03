import { didYouMean, nearestWord, orList } from './suggestion';

const keys = ['schedule', 'interval', 'timeout', 'known_hosts', 'auto', 'tcp', 'udp'];

describe('nearestWord', () => {
  test.each([
    ['scedule', 'schedule'],
    ['Timeout', 'timeout'],
    ['known-hosts', 'known_hosts'],
    ['knownhost', 'known_hosts'],
    ['atuo', 'auto'],
    ['tpc', 'tcp'],
    ['icmp', null],
    ['foo', null],
    ['x'.repeat(100_000), null],
  ])('%.20s', (word, expected) => {
    expect(nearestWord(word, keys)).toBe(expected);
  });

  test('there may be nothing to suggest', () => {
    expect(nearestWord('a', [])).toBeNull();
    expect(didYouMean('zzz', keys)).toBe('');
  });
});

test('orList', () => {
  expect([orList([]), orList(['a']), orList(['a', 'b']), orList(['a', 'b', 'c'])]).toEqual([
    '',
    '`a`',
    '`a` or `b`',
    '`a`, `b` or `c`',
  ]);
});
