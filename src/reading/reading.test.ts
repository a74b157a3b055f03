import fc from 'fast-check';
import { section } from '../../test/fixture/said';
import { readFacts, readings } from '.';

/** Words that a host may send, right and wrong, so that a random text gets far into the parsers. */
const words = [
  ...[
    'date=',
    'boot_id=',
    'uptime=',
    'init=1 (',
    'stat=btime ',
    'release=',
    'version=',
    'signature=Ubuntu ',
    'ID=',
    'ID_LIKE=',
  ],
  ...[
    'container=',
    'vendor=',
    'product=',
    'virtual=0',
    'virtual=1',
    'hypervisor=',
    'pin=',
    'gnulinux-',
    '-advanced',
    'package=ii |',
    'package=',
    'unpacked=',
  ],
  ...[
    'stamp=',
    '/upgrade-stamp',
    'timer=',
    "enable='",
    "upgrade='always'",
    'reboot=',
    'USEC=',
    'MODE=',
    '|',
    "'",
    ') ',
    '/x.list',
  ],
  ...[
    '1795305600',
    '0',
    '-1',
    '.5',
    '99999999999999999999',
    '\n',
    ' ',
    '\0',
    '\u001b[2J',
    '\u202e',
    'é',
    '6.1.0-27-amd64',
  ],
];

const body = fc.oneof(
  fc.array(fc.constantFrom(...words), { maxLength: 60 }).map((parts) => Buffer.from(parts.join(''))),
  fc.uint8Array({ maxLength: 500 }).map((bytes) => Buffer.from(bytes)),
);

describe('readFacts', () => {
  test('parses anything without throwing, to text that is printable and bounded and to numbers that are finite', () => {
    fc.assert(
      fc.property(body, fc.nat(255), (bytes, status) => {
        const names = Object.values(readings).map(({ name }) => name);
        const facts = readFacts(new Map(names.map((name) => [name, section(name, bytes, status)])));
        const checkValue = (value: unknown): void => {
          if (typeof value === 'number') expect(Number.isFinite(value)).toBe(true);
          else if (typeof value === 'string') {
            expect(value.length).toBeLessThanOrEqual(256);
            expect(value).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
          } else if (value instanceof Map) [...value.values()].forEach(checkValue);
          else if (value !== null && typeof value === 'object') Object.values(value).forEach(checkValue);
        };
        checkValue(facts);
      }),
      { numRuns: 2000 },
    );
  });

  test('knows nothing of a host that sent no section: unknown, never no', () => {
    const facts = readFacts(new Map());
    expect(facts.clock.nowSeconds).toBeNull();
    expect(facts.boot).toEqual({ id: null, kernelTimeSeconds: null, uptimeSeconds: null, initStartSeconds: null });
    expect(facts.kernel).toEqual({ release: null, version: null, signature: null, pinned: null });
    expect(facts.os).toEqual({ id: null, like: [], versionId: null, prettyName: null });
    expect(facts.dpkg.packages).toBeNull();
    expect(facts.patching.configured).toBeNull();
    expect(facts.patching.automaticReboot).toBeNull();
    expect(facts.machine.virtualization).toBeNull();
    expect(facts.scheduled).toEqual({ atSeconds: null, mode: null });
  });

  test('has a name of lower-case letters for each section, each once', () => {
    const names = Object.values(readings).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const [key, { name }] of Object.entries(readings)) {
      expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
      expect(name).toBe(key);
    }
  });
});
