import fc from 'fast-check';
import { bootedAt, day, factsOf, now, section, sectionsOf, type Said } from '../../test/fixture/said';
import { findBootTime } from './boot-time';
import { flag, maxPackages } from './flag';
import type { Finding } from './signal';

function judge(said: Said): Finding {
  const facts = factsOf(said);
  return flag.judge(sectionsOf(said).get('flag'), { facts, bootTime: findBootTime(facts) });
}

type Required = Extract<Finding, { says: 'required' }>;

/** The finding of a host that needs a restart by its flag. */
function required(said: Said): Required {
  const finding = judge(said);
  expect(finding.says).toBe('required');
  return finding as Required;
}

const hourAgo = now - 3600;
const present: Said = { flag: { born: now - day, modified: hourAgo } };

describe('the flag is there', () => {
  test('rewritten many times: the birth time is told, and the modification time only as the last request', () => {
    expect(required(present).since).toEqual([
      { atSeconds: now - day, evidence: 'birth' },
      { atSeconds: hourAgo, evidence: 'modified' },
    ]);
  });

  test.each([
    ['0, of a tmpfs before Linux 5.18', 0],
    ['-, of stat(1) without statx', '-'],
    ['W, of BusyBox', 'W'],
    ['?, of others', '?'],
    ['-1', '-1'],
  ])('a birth time of %s is none', (_name, born) => {
    expect(required({ flag: { born, modified: hourAgo } }).since).toEqual([
      { atSeconds: hourAgo, evidence: 'modified' },
    ]);
  });

  test('empty: presence counts, never the size', () => {
    const text = `present=reboot-required\nstat=reboot-required ${now - day} ${hourAgo} 0\n`;
    expect(required({ sections: { flag: section('flag', text) } }).says).toBe('required');
  });

  test('without times, where stat(1) is missing', () => {
    expect(required({ flag: {} }).since).toEqual([]);
  });

  test('without .pkgs', () => {
    expect(required(present).packages).toEqual([]);
  });

  test('.pkgs with duplicates: each package once', () => {
    const listText = 'libc6\ndbus\nlibc6\nlibc6\ndbus';
    expect(required({ ...present, list: { modified: hourAgo }, listText }).packages).toEqual(['libc6', 'dbus']);
  });

  test('.pkgs with snap:NAME keeps the name as it is', () => {
    expect(required({ ...present, list: { modified: hourAgo }, listText: 'snap:core22\n' }).packages).toEqual([
      'snap:core22',
    ]);
  });

  test('a kernel that is named twice, by linux-base as well: when linux-base itself was unpacked is no evidence', () => {
    const finding = required({
      ...present,
      list: { modified: hourAgo },
      listText: 'linux-image-6.1.0-28-amd64\nlinux-base\n',
      unpacked: { 'linux-image-6.1.0-28-amd64': now - 5000, 'linux-base': bootedAt + 100 },
    });
    expect(finding.packages).toEqual(['linux-image-6.1.0-28-amd64', 'linux-base']);
    expect(finding.since.filter(({ evidence }) => evidence === 'package')).toEqual([
      { atSeconds: now - 5000, evidence: 'package' },
    ]);
  });

  test('the birth of .pkgs counts as well', () => {
    const finding = required({ ...present, list: { born: now - 2 * day, modified: hourAgo } });
    expect(finding.since).toContainEqual({ atSeconds: now - 2 * day, evidence: 'birth' });
  });

  test('.pkgs that is cut off or has too many names says so', () => {
    const names = Array.from({ length: maxPackages + 1 }, (_, at) => `package-${at}`).join('\n');
    const finding = required({ ...present, listText: names });
    expect(finding.packages).toHaveLength(maxPackages);
    expect(finding.packagesCut).toBe(true);
    expect(required({ ...present, listText: 'libc6' }).packagesCut).toBe(false);
  });

  test('names in .pkgs are printable and bounded, and can pose as nothing else', () => {
    const listText = `\u001b[2Jevil\n${'x'.repeat(500)}\nwriter=/x\npresent=reboot-required\npackages\n`;
    const { packages } = required({ ...present, listText });
    expect(packages).toEqual(['[2Jevil', `${'x'.repeat(127)}…`, 'writer=/x', 'present=reboot-required', 'packages']);
  });

  test('.pkgs that can not be read leaves the flag what it is', () => {
    expect(required({ ...present, list: { modified: hourAgo }, flagStatus: 3 }).packages).toEqual([]);
  });
});

describe('a flag that outlived its restart, /run being no tmpfs', () => {
  const stale = { born: bootedAt - 3 * day, modified: bootedAt - 2 * day };

  test('is stale when it was last written before the boot', () => {
    expect(judge({ flag: stale })).toEqual({
      says: 'not_required',
      because:
        'the flag is older than this boot: it outlived the restart that it asked for, and unattended-upgrades would write one',
    });
  });

  test('counts again once it was rewritten in this boot, though it was born before', () => {
    const finding = required({ flag: { born: bootedAt - 3 * day, modified: hourAgo } });
    expect(finding.since).toContainEqual({ atSeconds: hourAgo, evidence: 'modified' });
  });

  test('names no package of a list that was last written before the boot', () => {
    const finding = required({ flag: { born: hourAgo, modified: hourAgo }, list: stale, listText: 'libc6' });
    expect(finding.packages).toEqual([]);
    expect(finding.since.every(({ atSeconds }) => atSeconds === hourAgo)).toBe(true);
  });

  test('is not stale for a few seconds of a clock that was stepped at the boot', () => {
    expect(judge({ flag: { modified: bootedAt - 4 } }).says).toBe('required');
  });

  test('can not be called stale where the boot time is unknown', () => {
    expect(judge({ flag: stale, bootedAt: null, uptime: null }).says).toBe('required');
  });
});

describe('the flag is not there', () => {
  const none = { 'linux-image-6.1.0-27-amd64': '6.1.115-1', libc6: '2.36-9', 'linux-base': '4.9' };

  test('on plain Debian, where nothing would write it, that proves nothing', () => {
    expect(judge({ packages: none })).toEqual({
      says: 'silent',
      because: 'there is no /run/reboot-required, but nothing on this host would write one',
    });
  });

  test.each(['unattended-upgrades', 'update-notifier-common', 'reboot-notifier'])('with %s it says no', (name) => {
    expect(judge({ packages: { ...none, [name]: '1' } })).toEqual({
      says: 'not_required',
      because: `there is no /run/reboot-required, and ${name} would write one`,
    });
  });

  test('a writer that was removed proves nothing, its configuration files being left', () => {
    expect(judge({ packages: { ...none, 'unattended-upgrades': ['rc ', '2.9.1'] } }).says).toBe('silent');
  });

  test('a hook of a removed package that is still there does write it', () => {
    const flagLines = ['writer=etc/kernel/postinst.d/unattended-upgrades'];
    expect(judge({ packages: none, flagLines })).toMatchObject({
      says: 'not_required',
      because: 'there is no /run/reboot-required, and /etc/kernel/postinst.d/unattended-upgrades would write one',
    });
  });

  test('a writer that is none of the known is not believed', () => {
    expect(judge({ packages: none, flagLines: ['writer=\u001b[2J', 'writer=bin/sh'] }).says).toBe('silent');
  });

  test.each([
    ['4.12', 'silent'],
    ['4.13~exp1', 'silent'],
    ['4.13', 'not_required'],
    ['4.100', 'not_required'],
    ['4.9', 'silent'],
  ])('linux-base %s: %s', (version, says) => {
    expect(judge({ packages: { ...none, 'linux-base': version } }).says).toBe(says);
  });

  test('with livepatch it proves nothing, though writers are there', () => {
    for (const line of ['livepatch=snap/canonical-livepatch', 'livepatch=var/snap/canonical-livepatch']) {
      expect(judge({ flagLines: [line] })).toEqual({
        says: 'silent',
        because: 'there is no /run/reboot-required; with livepatch the flag is withheld even when a restart is needed',
      });
    }
  });

  test('livepatch does not hide a flag that is there', () => {
    expect(judge({ ...present, flagLines: ['livepatch=snap/canonical-livepatch'] }).says).toBe('required');
  });

  test.each([1, 2, 127])('is unknown when /run could not be read (status %d): never no, never yes', (flagStatus) => {
    expect(judge({ flagStatus }).says).toBe('unknown');
  });

  test('is unknown when the host did not send the section', () => {
    expect(judge({ sections: { flag: null } }).says).toBe('unknown');
  });

  test('without dpkg it goes by the hooks alone', () => {
    expect(judge({ packages: null }).says).toBe('silent');
    expect(judge({ packages: null, flagLines: ['writer=etc/kernel/postinst.d/reboot-notifier'] }).says).toBe(
      'not_required',
    );
  });
});

test('judges anything without throwing, to bounded and printable text', () => {
  const words = [
    'present=reboot-required\n',
    'stat=reboot-required ',
    '0',
    ' ',
    'W',
    '1795305600',
    '\n',
    'packages\n',
    'writer=',
    '\0',
  ];
  const bytes = fc.oneof(
    fc.array(fc.constantFrom(...words), { maxLength: 40 }).map((parts) => Buffer.from(parts.join(''))),
    fc.uint8Array({ maxLength: 300 }).map((body) => Buffer.from(body)),
  );
  const facts = factsOf();
  fc.assert(
    fc.property(bytes, fc.nat(255), (body, status) => {
      const finding = flag.judge(section('flag', body, status), { facts, bootTime: findBootTime(facts) });
      expect(finding.because.length).toBeLessThan(300);
      if (finding.says !== 'required') return;
      for (const name of finding.packages) {
        expect(name.length).toBeLessThanOrEqual(128);
        expect(name).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
      }
    }),
  );
});
