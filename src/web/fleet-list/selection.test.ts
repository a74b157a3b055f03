import { mixedFleet, sketchBackend, type HostSketch } from '../../../test/web/fleet-fixture';
import { plainQuery, type FleetQuery } from './query';
import { hostsPerPage, selectHosts } from './selection';

function namesOf(hosts: readonly HostSketch[], query: Partial<FleetQuery> = {}): string[] {
  const selection = selectHosts(sketchBackend({ hosts }).digests(), { ...plainQuery, ...query });
  return selection.hosts.map(({ status }) => status.host.name);
}

it('puts first what needs somebody: by urgency, the exposed ones first, then by age, then by name as people count', () => {
  expect(namesOf(mixedFleet)).toEqual([
    ...['web-1', 'web-2', 'db-1'],
    ...['build-3', 'new', 'wiki'],
    ...['mail', 'build-2', 'db-2'],
    ...['build-1', 'gateway', 'web-10'],
  ]);
  expect(namesOf([{ name: 'b-10' }, { name: 'b-9' }, { name: 'A-1' }])).toEqual(['A-1', 'b-9', 'b-10']);
});

it.each([
  ['host', ['build-1', 'build-2', 'build-3', 'db-1']],
  ['stack', ['build-3', 'new', 'build-2', 'build-1']],
  ['age', ['web-1', 'db-1', 'web-2', 'build-2']],
  ['exposure', ['web-1', 'web-2', 'gateway', 'web-10']],
  ['probe', ['build-1', 'build-3', 'build-2', 'new']],
] as const)('sorts by %s', (sort, first) => {
  expect(namesOf(mixedFleet, { sort }).slice(0, 4)).toEqual(first);
});

it('turns an order around', () => {
  expect(namesOf(mixedFleet, { sort: 'host', reversed: true })).toEqual(
    [...namesOf(mixedFleet, { sort: 'host' })].reverse(),
  );
  expect(namesOf(mixedFleet, { reversed: true })[0]).toBe('build-1');
});

it.each([
  [{ text: 'WEB' }, ['web-1', 'web-2', 'web-10']],
  [{ text: 'openssl' }, ['web-2']],
  [{ text: 'team=data' }, ['db-1', 'db-2']],
  [{ text: 'tcp/443' }, ['web-1', 'web-2', 'gateway', 'web-10']],
  [{ text: 'econnrefused' }, ['build-2']],
  [{ text: 'mail.example.net' }, ['mail']],
  [{ text: 'shop 443 kernel' }, ['web-1', 'web-2']],
  [{ text: 'nothing has this' }, []],
  [{ stack: 'ci' }, ['build-3', 'new', 'build-2', 'build-1']],
  [{ stack: 'none' }, []],
  [{ urgency: 'critical' as const }, ['web-1']],
  [{ urgency: 'needed' as const }, ['web-1', 'web-2', 'db-1', 'mail', 'build-2', 'db-2']],
  [{ answering: 'no' as const }, ['build-3', 'build-1']],
  [{ answering: 'restarting' as const }, ['build-2']],
  [{ answering: 'not_yet' as const }, ['new']],
  [{ exposed: true, urgency: 'none' as const }, ['gateway', 'web-10']],
])('narrows by %j', (query, expected) => {
  expect(namesOf(mixedFleet, query)).toEqual(expected);
});

it('counts what matches text and stack, whatever else is asked', () => {
  const { counts, total, matching, stacks } = selectHosts(sketchBackend({ hosts: mixedFleet }).digests(), {
    ...plainQuery,
    stack: 'shop',
    urgency: 'critical',
  });
  expect(counts).toEqual({
    all: 5,
    urgency: { critical: 1, warning: 2, info: 1, unknown: 0, none: 1 },
    answering: { yes: 5, no: 0, restarting: 0, not_yet: 0 },
    neededAndExposed: 2,
  });
  expect({ total, matching, stacks }).toEqual({ total: 12, matching: 1, stacks: ['ci', 'default', 'office', 'shop'] });
});

it('cuts pages, and shows the last one for those beyond', () => {
  const hosts = Array.from({ length: 250 }, (_, index) => ({ name: `h-${index}` }));
  expect(namesOf(hosts)).toHaveLength(hostsPerPage);
  expect(namesOf(hosts, { page: 2 })[0]).toBe('h-100');
  expect(namesOf(hosts, { page: 3 })).toHaveLength(50);
  expect(namesOf(hosts, { page: 99 })).toEqual(namesOf(hosts, { page: 3 }));
});
