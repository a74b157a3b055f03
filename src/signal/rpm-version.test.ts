import fc from 'fast-check';
import { describeWith } from '../../test/fixture/programs';
import { run } from '../../test/fixture/shell';
import { compareRpmVersions, compareSegments } from './rpm-version';

describe('the order of versions', () => {
  // The pairs of rpm's own tests, tests/rpmvercmp.at, that say something of their own.
  test.each([
    ['1.0', '1.0', 0],
    ['1.0', '2.0', -1],
    ['2.0.1a', '2.0.1', 1],
    ['5.5p1', '5.5p10', -1],
    ['10xyz', '10.1xyz', -1],
    ['xyz10', 'xyz10.1', -1],
    ['xyz.4', '8', -1],
    ['8', 'xyz.4', 1],
    ['5.5p2', '5.6p1', -1],
    ['6.0.rc1', '6.0', 1],
    ['10a2', '10b2', -1],
    ['1.0aa', '1.0a', 1],
    ['10.0001', '10.1', 0],
    ['10.0001', '10.0039', -1],
    ['4.999.9', '5.0', -1],
    ['20101121', '20101122', -1],
    ['2_0', '2.0', 0],
    ['2_0', '2_0', 0],
    ['a+', 'a_', 0],
    ['+a', '_a', 0],
    ['+', '_', 0],
    ['1.0~rc1', '1.0', -1],
    ['1.0~rc1', '1.0~rc2', -1],
    ['1.0~rc1~git123', '1.0~rc1', -1],
    ['1.0^', '1.0', 1],
    ['1.0^git1', '1.0^git2', -1],
    ['1.0^git1', '1.01', -1],
    ['1.0^20160101', '1.0.1', -1],
    ['1.0~rc1^git1', '1.0~rc1', 1],
    ['1.0^git1~pre', '1.0^git1', -1],
    ['5.14.0-427.el9', '5.14.0-503.el9', -1],
    ['99999999999999999999999999999999998', '99999999999999999999999999999999999', -1],
  ])('%s and %s: %i', (a, b, expected) => {
    expect(Math.sign(compareSegments(a, b))).toBe(expected);
    expect(Math.sign(compareSegments(b, a))).toBe(0 - expected);
  });

  test('the epoch comes before all, then the version, then the release', () => {
    const of = (epoch: string, version: string, release: string): Parameters<typeof compareRpmVersions>[0] => ({
      epoch,
      version,
      release,
    });
    expect(compareRpmVersions(of('1', '1', '1'), of('0', '9', '9'))).toBeGreaterThan(0);
    expect(compareRpmVersions(of('0', '2', '1'), of('0', '1', '9'))).toBeGreaterThan(0);
    expect(compareRpmVersions(of('0', '1', '100.el9'), of('0', '1', '31.el9'))).toBeGreaterThan(0);
    expect(compareRpmVersions(of('00', '1', '1'), of('0', '1', '1'))).toBe(0);
  });
});

describeWith(['rpm'], 'the order of rpm itself', () => {
  test('is the same for thousands of versions', async () => {
    const version = fc
      .array(fc.constantFrom('0', '1', '9', '10', '00', 'a', 'b', 'Z', 'rc', '.', '_', '+', '~', '^', 'el9'), {
        minLength: 1,
        maxLength: 8,
      })
      .map((parts) => parts.join(''));
    // A leading or doubled tilde or caret is no version that rpmbuild lets through, yet both order it alike.
    const pairs = fc.sample(fc.tuple(version, version), 3000);
    const program = 'for line in io.lines() do print(rpm.vercmp(line:match("(%S+) (%S+)")) .. " ") end';
    const { output } = await run(
      ['rpm', '--eval', `%{lua:${program}}`],
      pairs.map((pair) => pair.join(' ')).join('\n'),
    );
    const theirs = output.toString().trim().split(' ').map(Number);
    expect(theirs).toHaveLength(pairs.length);
    const ours = pairs.map(([a, b]) => Math.sign(compareSegments(a, b)));
    const differing = pairs.filter((_pair, at) => ours[at] !== theirs[at]);
    expect(differing).toEqual([]);
    expect(new Set(theirs).size).toBe(3);
  });
});
