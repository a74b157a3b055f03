import fc from 'fast-check';
import { rpmHost } from '../../test/fixture/rpm-said';
import { factsOf, section } from '../../test/fixture/said';
import { image } from './image';
import { isRpmSystem, rpm, type Rpm } from './rpm';

function parse(text: string, status = 0): Rpm {
  return rpm.parse(section('rpm', text, status));
}

const glibc = 'package=glibc|0|2.34|125.el9|x86_64|1795000000\n';

describe('what rpm says', () => {
  test('a package is taken as it is, once', () => {
    const dbus = 'package=dbus|1|1.14.10|1.el9~rc1^git2|x86_64|1795000001\n';
    expect(parse(`database\n${glibc}${dbus}${glibc}no package provides systemd\n`, 1).packages).toEqual([
      {
        name: 'glibc',
        epoch: '0',
        version: '2.34',
        release: '125.el9',
        architecture: 'x86_64',
        installedAtSeconds: 1795000000,
      },
      {
        name: 'dbus',
        epoch: '1',
        version: '1.14.10',
        release: '1.el9~rc1^git2',
        architecture: 'x86_64',
        installedAtSeconds: 1795000001,
      },
    ]);
  });

  test.each([
    ['a name of another alphabet', 'package=gl\u0456bc|0|2.34|1|x86_64|1795000000'],
    ['a name that is an option', 'package=-rf|0|2.34|1|x86_64|1795000000'],
    ['a version with a space', 'package=glibc|0|2 34|1|x86_64|1795000000'],
    ['an epoch that is none', 'package=glibc|(none)|2.34|1|x86_64|1795000000'],
    ['no time', 'package=glibc|0|2.34|1|x86_64|'],
    ['too few fields', 'package=glibc|0|2.34'],
    ['an architecture that is none', 'package=glibc|0|2.34|1|<b>|1795000000'],
  ])('%s: the line is passed over', (_name, line) => {
    expect(parse(`database\n${line}\n`).packages).toEqual([]);
  });

  test('another status than a count of names is a failure, and so is an error, or silence', () => {
    for (const status of [124, 126, 127, 137, 143]) expect(parse(`database\n${glibc}`, status).packages).toBeNull();
    expect(parse(`database\nerror: rpmdb: BDB0113 Thread/process failed\n${glibc}`, 1).packages).toBeNull();
    expect(parse('database\nbus\n', 0).packages).toBeNull();
    expect(parse('database\nwarning: Found bdb_ro Packages database\nno package provides glibc\n', 1).packages).toEqual(
      [],
    );
  });

  test('without a database there is nothing, also where an older program did not look for one', () => {
    const none = {
      hasDatabase: false,
      packages: [],
      userspaceStartSeconds: null,
      hasMessageBus: false,
      addedNames: [],
    };
    expect(parse(glibc)).toEqual(none);
    expect(rpm.parse(undefined)).toEqual(none);
  });

  test('the bus, and the earlier of two traces of a start', () => {
    expect(parse(`database\nbus\nstarted=20\nstarted=10\nstarted=x\n${glibc}`)).toMatchObject({
      hasMessageBus: true,
      userspaceStartSeconds: 10,
    });
  });

  test('more lines than a system can have are not kept', () => {
    const many = Array.from({ length: 5000 }, (_, at) => `package=p${at}|0|1|1|noarch|1795000000\n`).join('');
    expect(parse(`database\n${many}`).packages?.length).toBeLessThan(600);
  });
});

describe("whether rpm is the system's", () => {
  test.each([
    [{}, true],
    [{ rpmStatus: 127 }, true],
    [{ rpms: [['kernel-core', '5.14.0', '427.el9', 1795000000]] as const }, false],
    [{ packages: { libc6: '2.36-9' } }, false],
    [{ packages: { 'linux-base': '4.9' } }, true],
    [{ sections: { rpm: null } }, false],
  ])('%j: %j', (said, expected) => {
    expect(isRpmSystem(factsOf(rpmHost(said)))).toBe(expected);
  });
});

test('anything that a host sends is parsed without a throw, to finite numbers and bounded texts', () => {
  const words = [
    ...[
      'database\n',
      'bus\n',
      'started=',
      'package=',
      'glibc',
      '|',
      '0',
      '1795000000',
      'error:',
      'no package provides ',
    ],
    ...[
      'kind=ostree\n',
      'kind=transactional\n',
      'running=',
      '/deploy/',
      'a'.repeat(64),
      '.0',
      'entry ',
      'staged=',
      ' ',
      '-1',
    ],
    ...[
      'root=/@/.snapshots/',
      '/snapshot',
      'LAST_BOOTED="',
      '"',
      'REBOOT_ASSOCS[',
      ']=',
      'state=',
      '99999999999999999999',
      '\n',
      '\u202e',
    ],
  ];
  const body = fc.oneof(
    fc.array(fc.constantFrom(...words), { maxLength: 60 }).map((parts) => Buffer.from(parts.join(''))),
    fc.uint8Array({ maxLength: 500 }).map((bytes) => Buffer.from(bytes)),
  );
  const check = (value: unknown): void => {
    if (typeof value === 'number') expect(Number.isFinite(value)).toBe(true);
    else if (typeof value === 'string') expect(value.length).toBeLessThanOrEqual(256);
    else if (value !== null && typeof value === 'object') Object.values(value).forEach(check);
  };
  fc.assert(
    fc.property(body, fc.nat(255), (bytes, status) => {
      check(rpm.parse(section('rpm', bytes, status)));
      check(image.parse(section('image', bytes, status)));
    }),
    { numRuns: 2000 },
  );
});
