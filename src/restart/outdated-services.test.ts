import { bootedAt, now, section, sectionsOf, type Said } from '../../test/fixture/said';
import { readFacts } from '../reading';
import { findOutdatedServices, type OutdatedService } from './outdated-services';
import { assessRestart, type RestartMemory } from './restart';

const replaced = (name: string, atSeconds: number): string => `replaced=${atSeconds} /usr/lib/x86_64-linux-gnu/${name}`;
/** Two hours after the boot. */
const nginx = [
  'service=nginx.service 720000 /usr/sbin/nginx',
  '/usr/sbin/nginx:libssl.so.3',
  '/usr/sbin/nginx:libz.so.1',
];
const startedAt = bootedAt + 7200;

function judge(
  lines: readonly string[] | null,
  said: Said = {},
  memory: RestartMemory | null = null,
): OutdatedService[] | null {
  const services = lines === null ? null : section('services', lines.map((line) => `${line}\n`).join(''));
  const sections = sectionsOf({ ...said, sections: { services, ...said.sections } });
  const facts = readFacts(sections);
  return findOutdatedServices(facts, assessRestart(facts, sections, memory).state);
}

describe('services that run old code', () => {
  test('started before a library that they are linked with was replaced', () => {
    expect(judge([replaced('libssl.so.3', now - 60), replaced('libz.so.1', now - 90), ...nginx])).toEqual([
      { unit: 'nginx.service', libraries: ['libssl.so.3', 'libz.so.1'], sinceSeconds: now - 90 },
    ]);
  });

  test('are not those that started afterwards, are linked with others, or within the slack of clocks', () => {
    expect(judge([replaced('libssl.so.3', startedAt - 60), ...nginx])).toEqual([]);
    expect(judge([replaced('libpam.so.0', now - 60), ...nginx])).toEqual([]);
    expect(judge([replaced('libssl.so.3', startedAt + 4), ...nginx])).toEqual([]);
    expect(judge([replaced('libssl.so.3', startedAt + 6), ...nginx])).toHaveLength(1);
  });

  test('are none where no library was replaced', () => {
    expect(judge([])).toEqual([]);
  });

  test('are told in the order of their names', () => {
    const lines = ['b', 'a'].flatMap((name) => [`service=${name}.service 1 /bin/${name}`, `/bin/${name}:libc.so.6`]);
    expect(judge([replaced('libc.so.6', now - 60), ...lines])?.map(({ unit }) => unit)).toEqual([
      'a.service',
      'b.service',
    ]);
  });

  test.each([
    ['nothing was sent', null, {}],
    ['no process can be seen', [replaced('libssl.so.3', now - 60)], {}],
    ['there is no boot time', [replaced('libssl.so.3', now - 60), ...nginx], { bootedAt: null }],
  ] as const)('can not be told where %s', (_why, lines, said) => {
    expect(judge(lines, said)).toBeNull();
  });

  test('are reckoned by the latest boot time that there was: a clock that was set back makes none outdated', () => {
    const before = sectionsOf({ bootedAt: bootedAt + 86_400, now: `${now}.1`, uptime: 1 });
    const { memory } = assessRestart(readFacts(before), before, null);
    const lines = [replaced('libssl.so.3', startedAt + 3600), ...nginx];
    expect(judge(lines)).toHaveLength(1);
    expect(judge(lines, {}, memory)).toEqual([]);
  });
});
