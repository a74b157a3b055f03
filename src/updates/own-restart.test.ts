import { bootedAt, now, sectionsOf, section, type Said } from '../../test/fixture/said';
import { readFacts } from '../reading';
import { assessRestart } from '../restart/restart';
import { findOwnRestart, type OwnRestart } from './own-restart';

const hour = 3600;
const day = 24 * hour;

function judge(said: Said): OwnRestart | null {
  const sections = sectionsOf(said);
  const facts = readFacts(sections);
  return findOwnRestart(facts, assessRestart(facts, sections, null).state);
}

/** `now` is midnight in UTC, the beginning of a Sunday. */
function at(zone: string): Said {
  return { now: `${now}.5 ${zone}`, uptime: now - bootedAt };
}

const flagged: Said = { flag: { born: now - 7 * hour, modified: now - 7 * hour } };

function updates(lines: readonly string[]): NonNullable<Said['sections']> {
  return { updates: section('updates', lines.map((line) => `${line}\n`).join('')) };
}

test('a host of which nothing is known to restart it', () => {
  expect(judge({})).toBeNull();
  expect(judge(flagged)).toBeNull();
});

describe('a restart that is scheduled', () => {
  const scheduled = (mode: string): OwnRestart | null => judge({ scheduled: `USEC=${now + 3600}000000\nMODE=${mode}` });

  test('comes at its time', () => {
    const expected = { by: 'shutdown', atSeconds: now + 3600, because: 'it is scheduled' };
    expect(scheduled('reboot')).toEqual(expected);
    expect(scheduled('kexec')).toEqual(expected);
  });

  test.each(['poweroff', 'halt', 'dry-reboot', 'soft-reboot'])(
    'is none in the mode %s: the kernel stays, or nothing comes back',
    (mode) => {
      expect(scheduled(mode)).toBeNull();
    },
  );

  test('goes before what else is set up', () => {
    const said = {
      ...flagged,
      aptConfig: ["upgrade='1'", "reboot='true'"],
      scheduled: `USEC=${now + 60}000000\nMODE=reboot`,
    };
    expect(judge(said)).toMatchObject({ by: 'shutdown', atSeconds: now + 60 });
  });
});

describe('unattended-upgrades', () => {
  const set = (time: string | null): Said => ({
    ...flagged,
    ...at('+0000'),
    stamps: { 'unattended-upgrades-stamp': now - 18 * hour },
    aptConfig: ["upgrade='1'", "reboot='true'", ...(time === null ? [] : [`reboot_time='${time}'`])],
  });

  test('restarts at its time after its next run, which is within 25 hours of the last', () => {
    expect(judge(set('09:00'))).toEqual({
      by: 'unattended-upgrades',
      atSeconds: now + 9 * hour,
      because: 'Automatic-Reboot is on, at 09:00',
    });
    // At two it has not run yet: the next run orders it for the night after.
    expect(judge(set('02:00'))).toMatchObject({ atSeconds: now + 26 * hour });
  });

  test('goes by the clock on the wall of the host', () => {
    expect(judge({ ...set('09:00'), ...at('+0100') })).toMatchObject({ atSeconds: now + 8 * hour });
    expect(judge({ ...set('09:00'), ...at('') })).toMatchObject({ atSeconds: null });
  });

  test.each(['now', null])('restarts at once when it next runs, at %j', (time) => {
    expect(judge(set(time))).toMatchObject({ atSeconds: now + 7 * hour });
  });

  test('does not where it is off, or not set to', () => {
    expect(judge({ ...set('09:00'), timer: 'masked' })).toBeNull();
    expect(judge({ ...set('09:00'), aptConfig: ["upgrade='1'", "reboot='false'", "reboot_time='09:00'"] })).toBeNull();
    expect(judge({ ...set('09:00'), packages: { libc6: '1' } })).toBeNull();
  });

  test('is not waited for without the flag, which is all that it looks at', () => {
    const said = { ...set('09:00'), flag: null };
    expect(judge(said)).toMatchObject({ by: 'unattended-upgrades', atSeconds: null });
  });

  test('is not waited for when it ran since the flag and ordered nothing: users who are logged in may keep it from that', () => {
    expect(judge({ ...set('09:00'), stamps: { 'unattended-upgrades-stamp': now - hour } })).toMatchObject({
      atSeconds: null,
      because: 'Automatic-Reboot is on, at 09:00, but its last run did not order one',
    });
    expect(judge({ ...set('09:00'), stamps: {} })).toMatchObject({ atSeconds: null });
  });
});

describe('rebootmgr', () => {
  const timer = 'unit=transactional-update.timer';
  const set = (lines: readonly string[], needed = true): Said => ({
    ...(needed ? flagged : {}),
    ...at('+0000'),
    os: 'ID=opensuse-microos\nID_LIKE="suse"\n',
    packages: null,
    sections: {
      ...updates(['unit=rebootmgr.service', ...lines]),
      rpm: section('rpm', `database\npackage=glibc|0|2.39|1|x86_64|${bootedAt - day}\n`),
    },
  });

  test('restarts at the beginning of its window', () => {
    expect(judge(set([timer, 'set=rebootmgr window-start=03:30', 'set=rebootmgr strategy=best-effort']))).toEqual({
      by: 'rebootmgr',
      atSeconds: now + 3.5 * hour,
      because: 'its window begins at 03:30',
    });
  });

  test('restarts on its days alone', () => {
    expect(judge(set([timer, 'set=rebootmgr window-start=Tue,Wed 03:30']))).toMatchObject({
      atSeconds: now + 2 * day + 3.5 * hour,
    });
  });

  test('is not waited for when the last window passed with the need there', () => {
    expect(judge(set([timer, 'set=rebootmgr window-start=18:00']))).toEqual({
      by: 'rebootmgr',
      atSeconds: null,
      because: 'its window begins at 18:00; it let the last one pass',
    });
  });

  test.each([
    ['nothing asks it to', ['set=rebootmgr window-start=03:30']],
    ['its window is more than a time of the day', [timer, 'set=rebootmgr window-start=*-*-1 03:30:00']],
    ['it has no window', [timer]],
    ['it does as soon as it is asked', [timer, 'set=rebootmgr strategy=instantly']],
  ])('is not waited for where %s', (_why, lines) => {
    expect(judge(set(lines))).toMatchObject({ by: 'rebootmgr', atSeconds: null });
  });

  test('is not waited for while no restart is needed', () => {
    expect(judge(set([timer, 'set=rebootmgr window-start=03:30'], false))).toMatchObject({ atSeconds: null });
  });

  test('is passed over where it is off, or not what transactional-update asks', () => {
    expect(judge(set([timer, 'set=rebootmgr strategy=off']))).toMatchObject({ by: 'transactional-update' });
    expect(judge(set([timer, 'set=transactional REBOOT_METHOD=systemd']))).toMatchObject({
      by: 'transactional-update',
    });
    expect(judge(set([timer, 'set=transactional REBOOT_METHOD=none']))).toBeNull();
  });
});

describe('kured', () => {
  const set = (args: readonly string[], said: Said = flagged): Said => ({
    ...said,
    ...at('+0200'),
    sections: updates(['kured=1', '/usr/bin/kured', ...args]),
  });

  test('restarts in its window, on its days', () => {
    expect(judge(set(['--start-time=2am', '--end-time=5am']))).toEqual({
      by: 'kured',
      atSeconds: now + 2 * hour,
      because: 'it runs on this node, from 2am to 5am UTC',
    });
    expect(judge(set(['--start-time=2am', '--reboot-days=mon,tue', '--time-zone=Local']))).toMatchObject({
      atSeconds: now + day,
    });
  });

  test.each([
    ['it has no window', []],
    ['its zone is another', ['--start-time=2am', '--time-zone=Europe/Berlin']],
    ['its sentinel is another', ['--start-time=2am', '--reboot-sentinel=/var/run/mine']],
    ['its sentinel is a command', ['--start-time=2am', '--reboot-sentinel-command=/bin/true']],
    ['its days are not understood', ['--start-time=2am', '--reboot-days=x']],
  ])('is not waited for where %s', (_why, args) => {
    expect(judge(set(args))).toMatchObject({ by: 'kured', atSeconds: null });
  });

  test('is not waited for without the flag', () => {
    expect(judge(set(['--start-time=2am'], {}))).toMatchObject({ by: 'kured', atSeconds: null });
  });
});

describe('programs that restart after updates of their own', () => {
  const glibc = section('rpm', `database\npackage=glibc|0|2.34|1|x86_64|${bootedAt - day}\n`);
  const onRpm = (lines: readonly string[]): OwnRestart | null =>
    judge({ os: 'ID=rhel\nID_LIKE=fedora\n', packages: null, sections: { ...updates(lines), rpm: glibc } });
  const dnf = ['unit=dnf-automatic.timer', 'set=dnf apply_updates = yes'];

  test.each([
    ['dnf-automatic', [...dnf, 'set=dnf reboot = when-needed']],
    ['dnf-automatic', [...dnf, 'set=dnf reboot = when-changed']],
    ['transactional-update', ['unit=transactional-update.timer']],
    ['zincati', ['unit=zincati.service']],
    ['bootc', ['unit=bootc-fetch-apply-updates.timer']],
  ])('are named, but what is pending now is not theirs: %s', (by, lines) => {
    expect(onRpm(lines)).toMatchObject({ by, atSeconds: null });
  });

  test.each([[[...dnf, 'set=dnf reboot = never']], [dnf], [['set=dnf reboot = when-needed']]])(
    '%j does not',
    (lines) => {
      expect(onRpm(lines)).toBeNull();
    },
  );

  test('Flatcar restarts unless it is told not to', () => {
    const flatcar = (lines: readonly string[]): OwnRestart | null =>
      judge({ os: 'ID=flatcar\n', packages: null, sections: updates(['unit=update-engine.service', ...lines]) });
    expect(flatcar(['unit=locksmithd.service'])).toMatchObject({ by: 'locksmithd', atSeconds: null });
    expect(flatcar(['unit=locksmithd.service', 'set=flatcar REBOOT_STRATEGY=off'])).toBeNull();
    expect(flatcar([])).toBeNull();
  });
});
