import { factsOf, now, section, type Said } from '../../test/fixture/said';
import { findUpdater } from './updater';

const rhel = 'ID="rhel"\nID_LIKE="fedora"\nVERSION_ID="9.4"\n';
const suse = 'ID="opensuse-microos"\nID_LIKE="suse opensuse opensuse-tumbleweed microos sl-micro"\n';
const glibc = section('rpm', `database\npackage=glibc|0|2.34|100.el9|x86_64|${now - 900_000}\n`);

function saidBy(os: string, lines: readonly string[], sections: NonNullable<Said['sections']> = {}): Said {
  const text = lines.map((line) => `${line}\n`).join('');
  return {
    os,
    packages: null,
    aptConfig: null,
    stamps: {},
    sections: { updates: section('updates', text), ...sections },
  };
}

const onRpm = (lines: readonly string[], os = rhel): ReturnType<typeof findUpdater> =>
  findUpdater(factsOf(saidBy(os, lines, { rpm: glibc })));
const ran = (unit: string): string => `ran=${now - 7200} /var/lib/systemd/timers/stamp-${unit}`;
const nothing = { name: null, enabled: false, lastRunSeconds: null };

describe('what installs updates, on Debian and Ubuntu', () => {
  test('unattended-upgrades, on or off', () => {
    expect(findUpdater(factsOf({}))).toEqual({
      name: 'unattended-upgrades',
      enabled: true,
      lastRunSeconds: now - 3600,
    });
    expect(findUpdater(factsOf({ aptConfig: [] }))).toMatchObject({ name: 'unattended-upgrades', enabled: false });
    expect(findUpdater(factsOf({ timer: 'masked' }))).toMatchObject({ enabled: false });
  });

  test('nothing where it is not installed', () => {
    expect(findUpdater(factsOf({ packages: { libc6: '2.36-9' } }))).toEqual(nothing);
  });

  test('is not known where neither dpkg nor apt can be asked', () => {
    expect(findUpdater(factsOf({ aptConfig: null }))).toBeNull();
    expect(findUpdater(factsOf({ packages: null }))).toBeNull();
  });
});

describe('what installs updates, on systems with rpm', () => {
  test.each([
    ['dnf-automatic', ['unit=dnf-automatic.timer', ran('dnf-automatic.timer'), 'set=dnf apply_updates = yes']],
    [
      'dnf-automatic',
      ['unit=dnf-automatic-install.timer', ran('dnf-automatic-install.timer'), 'set=dnf apply_updates = no'],
    ],
    ['dnf-automatic', ['unit=dnf5-automatic.timer', ran('dnf5-automatic.timer'), 'set=dnf apply_updates = True']],
    ['transactional-update', ['unit=transactional-update.timer', ran('transactional-update.timer')]],
    ['os-update', ['unit=os-update.timer', ran('os-update.timer')]],
    [
      'rpm-ostreed-automatic',
      [
        'unit=rpm-ostreed-automatic.timer',
        ran('rpm-ostreed-automatic.timer'),
        'set=ostree AutomaticUpdatePolicy=stage',
      ],
    ],
    ['bootc-fetch-apply-updates', ['unit=bootc-fetch-apply-updates.timer', ran('bootc-fetch-apply-updates.timer')]],
  ])('%s, when it is on', (name, lines) => {
    expect(onRpm(lines)).toEqual({ name, enabled: true, lastRunSeconds: now - 7200 });
  });

  test.each([
    ['yum-cron', ['unit=yum-cron.service', 'set=yum apply_updates = yes']],
    ['zincati', ['unit=zincati.service']],
    ['yast-online-update', ['cron=yast']],
  ])('%s, of which nothing says when it ran', (name, lines) => {
    expect(onRpm(lines)).toEqual({ name, enabled: true, lastRunSeconds: null });
  });

  test.each([
    ['nothing is on', []],
    ['it only downloads', ['unit=dnf-automatic.timer', 'set=dnf download_updates = yes', 'set=dnf apply_updates = no']],
    ['its settings are not there', ['unit=dnf-automatic.timer']],
    ['the settings are there and the timer is off', ['set=dnf apply_updates = yes', 'set=yum apply_updates = yes']],
    ['it only checks', ['unit=rpm-ostreed-automatic.timer', 'set=ostree AutomaticUpdatePolicy=check']],
    ['yum-cron only tells', ['unit=yum-cron.service', 'set=yum apply_updates = no']],
  ])('nothing where %s', (_why, lines) => {
    expect(onRpm(lines)).toEqual(nothing);
    expect(onRpm(lines, suse)).toEqual(nothing);
  });
});

test('a system of rpm whose database can not be read is known by its name, and any by what is on', () => {
  expect(findUpdater(factsOf(saidBy(rhel, [])))).toEqual(nothing);
  const lines = ['unit=dnf-automatic-install.timer'];
  expect(findUpdater(factsOf(saidBy('ID=unheard-of\n', lines)))).toMatchObject({
    name: 'dnf-automatic',
    enabled: true,
  });
});

describe('what installs updates, elsewhere', () => {
  const elsewhere = (os: string, lines: readonly string[] = []): ReturnType<typeof findUpdater> =>
    findUpdater(factsOf(saidBy(os, lines)));

  test('Flatcar', () => {
    expect(elsewhere('ID=flatcar\n', ['unit=update-engine.service'])).toEqual({
      name: 'update-engine',
      enabled: true,
      lastRunSeconds: null,
    });
    expect(elsewhere('ID=flatcar\n', [])).toMatchObject({ enabled: false });
    expect(elsewhere('ID=flatcar\n', ['unit=update-engine.service', 'set=flatcar SERVER=disabled'])).toMatchObject({
      enabled: false,
    });
  });

  test('NixOS', () => {
    expect(elsewhere('ID=nixos\n', ['unit=nixos-upgrade.timer'])).toMatchObject({
      name: 'nixos-upgrade',
      enabled: true,
    });
    expect(elsewhere('ID=nixos\n')).toEqual(nothing);
  });

  test.each(['ID=alpine\n', 'ID=arch\n', 'ID=endeavouros\nID_LIKE=arch\n'])('%j has none', (os) => {
    expect(elsewhere(os)).toEqual(nothing);
  });

  test.each(['ID=void\n', 'ID=ubuntu-core\n', ''])('it is not known of %j', (os) => {
    expect(elsewhere(os)).toBeNull();
  });

  test('it is not known where an older program did not look', () => {
    expect(findUpdater(factsOf({ ...saidBy('ID=alpine\n', []), sections: {} }))).toBeNull();
  });
});
