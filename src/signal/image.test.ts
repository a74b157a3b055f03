import { factsOf, now, section } from '../../test/fixture/said';
import { findBootTime } from './boot-time';
import { image } from './image';
import type { Finding } from './signal';

function judge(...lines: readonly string[]): Finding {
  const text = lines.map((line) => `${line}\n`).join('');
  const facts = factsOf({ sections: { image: section('image', text) } });
  return image.judge(undefined, { facts, bootTime: findBootTime(facts) });
}

const booted = `${'1'.repeat(64)}.0`;
const other = `${'2'.repeat(64)}.0`;
const running = `running=/root/ostree/deploy/fedora/deploy/${booted}/etc`;

test('other systems are not updated as an image', () => {
  expect(judge().says).toBe('silent');
});

describe.each(['ostree', 'composefs'])('deployments of %s', (kind) => {
  test('none is staged', () => {
    expect(judge(`kind=${kind}`, running).says).toBe('not_required');
  });

  test('one is staged: the file is replaced at each staging, so its birth is no evidence', () => {
    expect(judge(`kind=${kind}`, running, `staged=${now - 100} ${now - 60}`)).toEqual({
      says: 'required',
      because: 'a deployment is staged for the next boot',
      since: [{ atSeconds: now - 60, evidence: 'modified' }],
      packages: [],
    });
    expect(judge(`kind=${kind}`, 'staged=')).toMatchObject({ says: 'required', since: [] });
  });
});

test('a deployment that is staged and locked is needed all the same, and it is said', () => {
  const { says, because } = judge('kind=ostree', running, `staged=0 ${now - 60}`, 'locked=1');
  expect(says).toBe('required');
  expect(because).toContain('locked');
});

describe('what the boot loader of an ostree system starts next', () => {
  const entry = (version: number | string, deployment: string): string =>
    `entry ${version} ../../../deploy/fedora/deploy/${deployment}`;

  test('is what runs', () => {
    expect(judge('kind=ostree', running, entry(1, other), entry(2, booted)).says).toBe('not_required');
  });

  test('is something else: deployed at once, or rolled back to', () => {
    expect(judge('kind=ostree', running, entry(3, other), entry(2, booted))).toMatchObject({
      says: 'required',
      because: `${booted} runs, the boot loader starts ${other} next`,
    });
  });

  test("can't be told, and then only what is staged counts", () => {
    expect(judge('kind=ostree', running).says).toBe('not_required');
    expect(judge('kind=ostree', 'running=/ostree/deploy/fedora/deploy/short.0', entry(1, other)).says).toBe(
      'not_required',
    );
    expect(judge('kind=ostree', running, 'entry 3 ', entry(1, booted)).says).toBe('not_required');
    expect(judge('kind=ostree', running, entry('x', other), entry(1, booted)).says).toBe('not_required');
    expect(judge('kind=ostree', entry(1, other)).says).toBe('not_required');
  });
});

describe('snapshots of transactional-update', () => {
  const root = 'root=/@/.snapshots/5/snapshot,space_cache=v2';
  const state = `state=${now - 100} ${now - 60}`;

  test('none was made in this boot', () => {
    expect(judge('kind=transactional', root, state, 'LAST_BOOTED="5"', 'REBOOT_ASSOCS[5]=reboot').says).toBe(
      'not_required',
    );
  });

  test('a state of an earlier boot is about what runs by now', () => {
    expect(judge('kind=transactional', root, state, 'LAST_BOOTED="4"', 'REBOOT_ASSOCS[5]=reboot').says).toBe(
      'not_required',
    );
  });

  test.each([
    ['reboot', 'a restart'],
    ['kexec', 'kexec is enough'],
    ['soft-reboot', 'a soft reboot is enough, which keeps the kernel running'],
  ])('the newest one waits for: %s', (level, words) => {
    const lines = [
      'LAST_BOOTED="5"',
      'REBOOT_ASSOCS[6]=soft-reboot',
      `REBOOT_ASSOCS[12]=${level}`,
      'REBOOT_ASSOCS[7]=reboot',
      'flag=1',
    ];
    expect(judge('kind=transactional', root, state, ...lines)).toEqual({
      says: 'required',
      because: `snapshot 5 runs, snapshot 12 waits (${words})`,
      since: [{ atSeconds: now - 60, evidence: 'modified' }],
      packages: [],
    });
  });

  test('one that was dropped, or applied at once, has no flag and needs no restart', () => {
    const said = judge('kind=transactional', root, state, 'LAST_BOOTED="5"', 'REBOOT_ASSOCS[6]=soft-reboot');
    expect(said).toMatchObject({ says: 'not_required', because: expect.stringContaining('snapshot 6') });
  });

  test('while it is at work, which puts the flag away, nothing can be told', () => {
    const lines = ['LAST_BOOTED="5"', 'REBOOT_ASSOCS[6]=reboot', 'working=1'];
    expect(judge('kind=transactional', root, state, ...lines).says).toBe('unknown');
  });

  test('one that needs no restart is passed over', () => {
    expect(judge('kind=transactional', root, state, 'LAST_BOOTED="5"', 'REBOOT_ASSOCS[6]=none').says).toBe(
      'not_required',
    );
  });

  test.each([
    ['no state', [root]],
    ['the state of an older transactional-update', [root, state]],
    ['a root that is no snapshot', ['root=/@', state, 'LAST_BOOTED="5"']],
  ])('%s: unknown', (_name, lines) => {
    expect(judge('kind=transactional', ...lines).says).toBe('unknown');
  });
});
