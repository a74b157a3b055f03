import { bootedAt, day, now, section, sectionsOf, type Said } from '../../test/fixture/said';
import { readFacts } from '../reading';
import { buildTime, findLivepatch, type Livepatch } from './livepatch';
import { assessRestart } from './restart';

const ubuntu = 'lkp_Ubuntu_6_8_0_45_45_generic_106';
const recent = '#45-Ubuntu SMP PREEMPT_DYNAMIC Mon Nov  2 02:06:24 UTC 2026';

function judge(lines: readonly string[], said: Said = {}): Livepatch | null {
  const sections = sectionsOf({
    version: recent,
    ...said,
    sections: { livepatch: section('livepatch', lines.map((line) => `${line}\n`).join('')) },
  });
  const facts = readFacts(sections);
  return findLivepatch(facts, assessRestart(facts, sections, null).state);
}

const newer: Said = {
  packages: { 'linux-image-6.1.0-27-amd64': '1', 'linux-image-6.1.0-28-amd64': '2', libc6: '2.36-9' },
  unpacked: { 'linux-image-6.1.0-28-amd64': now - 3600, libc6: bootedAt - day },
};
const until = Date.UTC(2026, 10, 2) / 1000 + 395 * day;

describe('live patches', () => {
  test('cover a restart that is needed for the kernel alone', () => {
    expect(judge([`patch=1 0 ${ubuntu}`], newer)).toEqual({
      patches: [ubuntu],
      coveredUntilSeconds: until,
      isCovering: true,
    });
    const flag = { flag: { modified: now - 60 }, listText: 'linux-image-6.1.0-28-amd64\nlinux-base' };
    expect(judge([`patch=1 0 ${ubuntu}`], { ...newer, ...flag })?.isCovering).toBe(true);
  });

  test('cover no other', () => {
    const applied = [`patch=1 0 ${ubuntu}`];
    const libc = { ...newer, unpacked: { ...newer.unpacked, libc6: now - 60 } };
    expect(judge(applied, libc)?.isCovering).toBe(false);
    const flagged = (listText: string): Said => ({ ...newer, flag: { modified: now - 60 }, listText });
    expect(judge(applied, flagged('linux-image-6.1.0-28-amd64\nlibc6'))?.isCovering).toBe(false);
    expect(judge(applied, { flag: { modified: now - 60 } })?.isCovering).toBe(false);
    expect(judge(applied)?.isCovering).toBe(false);
    expect(judge(applied)?.patches).toEqual([ubuntu]);
  });

  test.each([
    ['off', `patch=0 0 ${ubuntu}`],
    ['still in transition', `patch=1 1 ${ubuntu}`],
    ['unreadable', `patch= 0 ${ubuntu}`],
    ['not there', 'client=canonical'],
  ])('count for nothing while they are %s', (_how, line) => {
    expect(judge([line], newer)).toBeNull();
  });

  test.each([
    ['kpatch_5_14_0_427_13_1_1_2', 365],
    ['livepatch_3', 365],
  ])('of %s are made for %d days', (name, days) => {
    expect(judge([`patch=1 0 ${name}`], newer)?.coveredUntilSeconds).toBe(Date.UTC(2026, 10, 2) / 1000 + days * day);
  });

  test('of Amazon are made for three months', () => {
    expect(judge(['patch=1 0 livepatch_1'], { ...newer, os: 'ID="amzn"\n' })?.coveredUntilSeconds).toBe(
      Date.UTC(2026, 10, 2) / 1000 + 90 * day,
    );
  });

  test('of a maker that is not known, or for a kernel whose age is not, cover nothing', () => {
    expect(judge(['patch=1 0 my_own_patch'], newer)).toMatchObject({ coveredUntilSeconds: null, isCovering: false });
    expect(judge([`patch=1 0 ${ubuntu}`], { ...newer, version: '#1 SMP' })).toMatchObject({
      coveredUntilSeconds: null,
      isCovering: false,
    });
  });

  test('of a kernel that is too old cover it no longer', () => {
    const version = '#45-Ubuntu SMP PREEMPT_DYNAMIC Mon Oct  6 02:06:24 UTC 2025';
    expect(judge([`patch=1 0 ${ubuntu}`], { ...newer, version })).toMatchObject({ isCovering: false });
  });
});

describe('when a kernel was built', () => {
  test.each([
    ['#49-Ubuntu SMP PREEMPT_DYNAMIC Mon Nov  4 02:06:24 UTC 2024', Date.UTC(2024, 10, 4)],
    ['#1 SMP PREEMPT_DYNAMIC Wed May 1 19:11:28 EDT 2024', Date.UTC(2024, 4, 1)],
    ['#1 SMP PREEMPT_DYNAMIC Thu Oct 10 11:20:21 UTC 2024 (d6ed2b8)', Date.UTC(2024, 9, 10)],
    ['#1 SMP PREEMPT_DYNAMIC Debian 6.1.115-1 (2024-11-01)', Date.UTC(2024, 10, 1)],
  ])('%s', (version, ms) => {
    expect(buildTime(version)).toBe(ms / 1000);
  });

  test.each([null, '', '#1 SMP', 'Mon Nov x 2024', 'Nov 4', '(2024-13-01)', '(2024-00-01)', 'Nov 99 2024'])(
    '%j does not tell',
    (version) => {
      expect(buildTime(version)).toBeNull();
    },
  );
});
