import { section } from '../../test/fixture/said';
import { updates } from './updates';

describe('updates', () => {
  test('reads units, when they ran, settings and what runs kured', () => {
    const text = [
      'unit=dnf-automatic.timer',
      'unit=yum-cron.service',
      'ran=1795300000 /var/lib/systemd/timers/stamp-dnf-automatic.timer',
      'set=dnf apply_updates = no',
      'set=dnf apply_updates = Yes',
      'set=dnf reboot_command = "shutdown -r +5 \'Rebooting after applying package updates\'"',
      'set=rebootmgr window-start=03:30',
      'set=flatcar REBOOT_STRATEGY="off"',
      'cron=yast',
      'kured=1',
      '/usr/bin/kured',
      '--start-time=2am',
      'unit=not.timer',
    ];
    const facts = updates.parse(section('updates', `${text.join('\n')}\n`));
    expect(facts).toEqual({
      isKnown: true,
      units: new Set(['dnf-automatic.timer', 'yum-cron.service']),
      ranAtSeconds: new Map([['dnf-automatic.timer', 1_795_300_000]]),
      settings: new Map([
        [
          'dnf',
          new Map([
            ['apply_updates', 'Yes'],
            ['reboot_command', "shutdown -r +5 'Rebooting after applying package updates'"],
          ]),
        ],
        ['rebootmgr', new Map([['window-start', '03:30']])],
        ['flatcar', new Map([['reboot_strategy', 'off']])],
      ]),
      yastCron: true,
      kured: ['/usr/bin/kured', '--start-time=2am', 'unit=not.timer'],
    });
  });

  test.each(['set=dnf', 'set= =', 'ran=x /stamp-y', 'ran=1 /y', 'unit', 'cron=other', 'set=dnf x'])(
    'passes over %j',
    (line) => {
      const facts = updates.parse(section('updates', `${line}\n`));
      expect([
        facts.units.size,
        facts.ranAtSeconds.size,
        facts.settings.get('dnf'),
        facts.yastCron,
        facts.kured,
      ]).toEqual([0, 0, undefined, false, null]);
    },
  );

  test('knows when an older program sent nothing', () => {
    expect(updates.parse(undefined)).toMatchObject({ isKnown: false, kured: null });
  });
});
