import { section } from '../../test/fixture/said';
import { patching, type Patching } from './patching';

function patchingOf(lines: readonly string[], status = 0): Patching {
  return patching.parse(section('patching', lines.map((line) => `${line}\n`).join(''), status));
}

describe('whether unattended-upgrades is configured to run', () => {
  test.each([
    ['APT::Periodic::Enable unset is on', ["upgrade='1'"], true],
    ['Enable "1" is on', ["enable='1'", "upgrade='1'"], true],
    ['Enable "0" is off', ["enable='0'", "upgrade='1'"], false],
    ['Enable "00" is off: the script compares numbers', ["enable='00'", "upgrade='1'"], false],
    ['Enable "false" is on: the script compares numbers', ["enable='false'", "upgrade='1'"], true],
    ['Unattended-Upgrade unset is off', [], false],
    ['Unattended-Upgrade "0" is off', ["upgrade='0'"], false],
    ['Unattended-Upgrade "0d" is off', ["upgrade='0d'"], false],
    ['Unattended-Upgrade "" is off', ["upgrade=''"], false],
    ['Unattended-Upgrade "always" is on', ["upgrade='always'"], true],
    ['Unattended-Upgrade "7" is on', ["upgrade='7'"], true],
    ['Unattended-Upgrade "12h" is on', ["upgrade='12h'"], true],
    ['a masked timer is off', ["upgrade='1'", 'timer=masked'], false],
    ['a disabled timer is off', ["upgrade='1'", 'timer=disabled'], false],
    ['an enabled timer is on', ["upgrade='1'", 'timer=enabled'], true],
    ['without systemd, cron runs it', ["upgrade='1'", 'timer=none'], true],
  ])('%s', (_name, lines, expected) => {
    expect(patchingOf(lines).configured).toBe(expected);
  });

  test('is unknown when apt-config is missing or fails: never no, never yes', () => {
    for (const status of [127, 1, 100]) {
      const found = patchingOf(["upgrade='1'", 'timer=enabled', "reboot='true'"], status);
      expect(found.configured).toBeNull();
      expect(found.automaticReboot).toBeNull();
    }
  });
});

describe('the stamps of unattended-upgrades', () => {
  test('tell the last run and the last that ended well, one from the other', () => {
    const found = patchingOf([
      'stamp=1795300000 /var/lib/apt/periodic/unattended-upgrades-stamp',
      'stamp=1795200000 /var/lib/apt/periodic/upgrade-stamp',
    ]);
    expect(found.lastRunSeconds).toBe(1_795_300_000);
    expect(found.lastSuccessSeconds).toBe(1_795_200_000);
  });

  test('are read also where apt-config is missing', () => {
    expect(patchingOf(['stamp=5 /x/unattended-upgrades-stamp'], 127).lastRunSeconds).toBe(5);
  });

  test('are unknown where there are none', () => {
    expect(patchingOf(['stamp=x /x/unattended-upgrades-stamp']).lastRunSeconds).toBeNull();
    expect(patchingOf([]).lastSuccessSeconds).toBeNull();
  });
});

describe('automatic restarts', () => {
  test.each(['1', 'true', 'Yes', 'on', 'with', 'enable'])('%j is on', (value) => {
    expect(patchingOf([`reboot='${value}'`]).automaticReboot).toBe(true);
  });

  test.each(["reboot='false'", "reboot='0'", "reboot=''", 'x'])('%j is off', (line) => {
    expect(patchingOf([line]).automaticReboot).toBe(false);
  });

  test('have a time', () => {
    expect(patchingOf(["reboot_time='02:00'"]).automaticRebootTime).toBe('02:00');
    expect(patchingOf(["reboot_time=''"]).automaticRebootTime).toBeNull();
    expect(patchingOf([`reboot_time='${'9'.repeat(100)}'`]).automaticRebootTime).toHaveLength(20);
  });
});
