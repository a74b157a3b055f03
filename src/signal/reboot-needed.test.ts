import { bootedAt, factsOf, now, section } from '../../test/fixture/said';
import { findBootTime } from './boot-time';
import { rebootNeeded } from './reboot-needed';
import type { Finding } from './signal';

function judge(text: string | null, status = 0): Finding {
  const facts = factsOf();
  const said = text === null ? undefined : section('reboot_needed', text, status);
  return rebootNeeded.judge(said, { facts, bootTime: findBootTime(facts) });
}

const born = now - 7200;
const modified = now - 60;

describe("SUSE's flag", () => {
  test('an empty one, as libzypp makes it: since its birth', () => {
    expect(judge(`present\nstat=${born} ${modified}\n`)).toEqual({
      says: 'required',
      because: '/run/reboot-needed exists (a restart)',
      since: [
        { atSeconds: born, evidence: 'birth' },
        { atSeconds: modified, evidence: 'modified' },
      ],
      packages: [],
    });
  });

  test.each([
    ['reboot', 'a restart'],
    ['kexec', 'kexec is enough'],
    ['soft-reboot', 'a soft reboot is enough, which keeps the kernel running'],
    ['of another kind', 'a restart'],
  ])('one that says %s', (level, words) => {
    expect(judge(`present\nstat=${born} ${modified}\nlevel=${level}\n`)).toMatchObject({
      says: 'required',
      because: `/run/reboot-needed exists (${words})`,
    });
  });

  test.each([
    ['-', 'the file system has no birth times'],
    ['0', 'the kernel knows none'],
    ['W', "BusyBox' stat knows none"],
  ])('a birth of %s is none: %s', (text) => {
    expect(judge(`present\nstat=${text} ${modified}\n`)).toMatchObject({
      since: [{ atSeconds: modified, evidence: 'modified' }],
    });
  });

  test('transactional-update makes it anew at each of its runs, so that its birth proves nothing', () => {
    const facts = factsOf({ sections: { image: section('image', 'kind=transactional\n') } });
    const sent = section('reboot_needed', `present\nstat=${born} ${modified}\nlevel=kexec\n`);
    expect(rebootNeeded.judge(sent, { facts, bootTime: findBootTime(facts) })).toMatchObject({
      since: [{ atSeconds: modified, evidence: 'modified' }],
    });
  });

  test('presence counts, also where nothing else could be read', () => {
    expect(judge('present\n', 1)).toMatchObject({ says: 'required', since: [] });
  });

  test('one that outlived its restart, or takes itself back, is passed over', () => {
    expect(judge(`present\nstat=0 ${bootedAt - 60}\nlevel=reboot\n`).says).toBe('silent');
    expect(judge(`present\nstat=${born} ${modified}\nlevel=none\n`).says).toBe('silent');
  });

  test('its absence proves nothing: rpm alone writes none', () => {
    expect(judge('').says).toBe('silent');
    expect(judge(null).says).toBe('silent');
  });

  test("a /run that can't be read is no absence", () => {
    expect(judge('', 3).says).toBe('unknown');
  });
});
