import { section } from '../../test/fixture/said';
import { dpkg, findInstalled, isInstalled, type DebianPackage } from './dpkg';

function packageIn(state: string): DebianPackage {
  return { name: 'x', architecture: 'amd64', version: '1', state };
}

describe('isInstalled', () => {
  test.each(['ii ', 'ii', 'hi '])('%j is', (state) => {
    expect(isInstalled(packageIn(state))).toBe(true);
  });

  test.each(['rc ', 'un ', 'iU ', 'iF ', 'iH ', 'iW ', 'it ', 'pn ', 'iiR', '', 'i'])('%j is not', (state) => {
    expect(isInstalled(packageIn(state))).toBe(false);
  });
});

describe('dpkg', () => {
  test('reads packages and when they were unpacked; names with an architecture count for the name', () => {
    const facts = dpkg.parse(
      section(
        'dpkg',
        'package=ii |libc6|amd64|2.36-9+deb12u9\npackage=rc |linux-image-6.1.0-9-amd64|amd64|6.1.27-1\n' +
          'unpacked=100 /var/lib/dpkg/info/libc6:amd64.list\nunpacked=200 /var/lib/dpkg/info/libc6:i386.list\n' +
          'unpacked=50 /var/lib/dpkg/info/dbus.list\n',
        1,
      ),
    );
    expect(facts.packages).toEqual([
      { state: 'ii ', name: 'libc6', architecture: 'amd64', version: '2.36-9+deb12u9' },
      { state: 'rc ', name: 'linux-image-6.1.0-9-amd64', architecture: 'amd64', version: '6.1.27-1' },
    ]);
    expect([...facts.installedAtSeconds]).toEqual([
      ['libc6', 200],
      ['dbus', 50],
    ]);
  });

  test.each([127, 2, 126, 137])(
    'knows no packages when dpkg-query ended with %d: unknown, not "none installed"',
    (status) => {
      const facts = dpkg.parse(section('dpkg', 'package=ii |libc6|amd64|1\n', status));
      expect(facts.packages).toBeNull();
      expect(findInstalled(facts, 'libc6')).toBeUndefined();
      expect(findInstalled(facts, 'unattended-upgrades')).toBeUndefined();
    },
  );

  test('tells a package that is not installed from one that could not be asked for', () => {
    const facts = dpkg.parse(section('dpkg', 'package=rc |reboot-notifier|all|0.8\n', 1));
    expect(findInstalled(facts, 'reboot-notifier')).toBeNull();
    expect(findInstalled(facts, 'unattended-upgrades')).toBeNull();
  });

  test.each([
    'package=ii |LIBC6|amd64|1',
    'package=ii |a b|amd64|1',
    'package=ii |\u001b[2J|amd64|1',
    'package=ii |libc6|amd64|1\u001b[2J',
    'package=ii |libc6|amd64|',
    'package=ii ||amd64|1',
    `package=ii |${'a'.repeat(300)}|amd64|1`,
    'package=ii |libc6',
    'unpacked=0 /x/libc6.list',
    'unpacked=x /x/libc6.list',
    'unpacked=5',
  ])('passes over %j', (line) => {
    const facts = dpkg.parse(section('dpkg', `${line}\n`));
    expect(facts.packages).toEqual([]);
    expect(facts.installedAtSeconds.size).toBe(0);
  });

  test('takes at most 5000 lines', () => {
    const facts = dpkg.parse(section('dpkg', 'package=ii |libc6|amd64|1\n'.repeat(9000)));
    expect(facts.packages).toHaveLength(5000);
  });
});
