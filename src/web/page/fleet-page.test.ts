import { mixedFleet, sketchBackend, fixtureNowMs, type HostSketch } from '../../../test/web/fleet-fixture';
import { plainQuery, type FleetQuery } from '../fleet-list/query';
import { selectHosts } from '../fleet-list/selection';
import { renderFleetPage, type FleetPageInput } from './fleet-page';

function render(
  hosts: readonly HostSketch[],
  query: Partial<FleetQuery> = {},
  more: Partial<FleetPageInput> = {},
): string {
  const backend = sketchBackend({ hosts });
  const whole = { ...plainQuery, ...query };
  const selection = selectHosts(backend.digests(), whole);
  const rows = selection.hosts.flatMap((digest) => {
    const document = backend.document(digest.status.host.name);
    return document === null ? [] : [{ digest, document }];
  });
  return renderFleetPage({ selection, rows, query: whole, stack: null, nowMs: fixtureNowMs, ...more });
}

function headingOf(page: string): string | undefined {
  return /<h1>(.*?)<\/h1>/.exec(page)?.[1];
}

/** What a reader sees, without markup. */
function textOf(page: string): string {
  return page.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');
}

it('says first how much there is to do', () => {
  expect(headingOf(render(mixedFleet))).toBe('6 servers need a restart, 1 is overdue');
  expect(headingOf(render([{ name: 'a', neededForDays: 1 }]))).toBe('1 server needs a restart');
  expect(textOf(render(mixedFleet))).toContain(
    '12 servers; 2 of those that need it are reachable from the internet; 1 not probed yet.',
  );
});

it('reassures when there is nothing to do, and only then', () => {
  const good = render([{ name: 'a' }, { name: 'b' }]);
  expect(headingOf(good)).toBe('Nothing needs a restart');
  expect(textOf(good)).toContain('2 servers; every one of them runs what is installed.');
  const doubtful = render([{ name: 'a' }, { name: 'b', verdict: 'unknown' }]);
  expect(headingOf(doubtful)).toBe('Nothing is known to need a restart');
  expect(textOf(doubtful)).not.toContain('every one');
  expect(headingOf(render([]))).toBe('No servers yet');
});

it('says for each urgency that nobody has it, and how to see the others', () => {
  const fleet = [{ name: 'a' }];
  for (const [urgency, words] of [
    ['critical', 'No restart is overdue.'],
    ['needed', 'Nothing needs a restart.'],
    ['unknown', 'Of every server it is known whether it needs a restart.'],
  ] as const) {
    expect(textOf(render(fleet, { urgency }))).toContain(words);
  }
  expect(textOf(render(fleet, { text: 'zzz', urgency: 'critical' }))).toContain('No server matches this filter.');
  expect(render(fleet, { text: 'zzz' })).toContain('<a href="./">Show all 1 server</a>');
});

it('shows of each host what is needed to decide', () => {
  const rows = render(mixedFleet).split('<tr role="row">').map(textOf);
  const rowOf = (name: string): string => rows.find((row) => row.startsWith(` ${name} `)) ?? '';
  expect(rowOf('web-1')).toContain(
    'web-1 ▲ Overdue 17d 4h Yes: tcp/443 shop flag, kernel: linux-image-6.1.0-27-amd64 42s ago',
  );
  expect(rowOf('web-2')).toContain('libc6, openssl, dbus and 2 more');
  expect(rowOf('build-1')).toContain('No answer (timeout): not done after 10 s');
  expect(rowOf('build-2')).toContain('↻ Restarting');
  expect(rowOf('build-2')).not.toContain('No answer');
  expect(rowOf('mail')).toContain('Assumed');
  expect(rowOf('new')).toContain('not yet');
  expect(rowOf('wiki')).toContain('no flag, but nothing on this host would write one');
});

it('can be used by a screen reader', () => {
  const page = render(mixedFleet, { sort: 'age' });
  expect(page).toContain('<html lang="en">');
  expect(page).toContain('<caption class="sr">Servers</caption>');
  expect(page.match(/<th scope="col"/g)).toHaveLength(7);
  expect(page.match(/<th scope="row"/g)).toHaveLength(12);
  expect(page.match(/aria-sort="ascending"/g)).toHaveLength(1);
  expect(page).toContain('<a class="skip" href="#main">');
});

it('keeps the query in every link, and begins at the first page where the list changes', () => {
  const hosts = Array.from({ length: 250 }, (_, index) => ({
    name: `h-${index}`,
    stack: index % 2 === 0 ? 'a&b' : 'c',
  }));
  const page = render(hosts, { text: 'h', page: 2, sort: 'host' });
  expect(page).toContain('href="./?q=h&amp;sort=host&amp;page=3" rel="next"');
  expect(page).toContain('href="./?q=h&amp;sort=host" rel="prev"');
  expect(page).toContain('href="./?q=h&amp;sort=host&amp;reversed=1"');
  expect(page).toContain('href="./?q=h&amp;stack=a%26b&amp;sort=host"');
  expect(page).toContain('<input type="hidden" name="sort" value="host">');
  expect(textOf(page)).toContain('101 to 200 of 250 servers');
});

it('loads again by itself until that is stopped', () => {
  expect(render(mixedFleet)).toContain('<meta http-equiv="refresh" content="60">');
  const still = render(mixedFleet, { reloads: false });
  expect(still).not.toContain('http-equiv');
  expect(still).toContain('<input type="hidden" name="reload" value="0">');
});

it('tells limits and window of the stack that is looked at', () => {
  const policy = sketchBackend({}).policy('shop');
  const window = {
    open: true,
    nextStartSeconds: fixtureNowMs / 1000 + 604_800,
    openUntilSeconds: fixtureNowMs / 1000 + 3600,
    durationSeconds: 10_800,
  };
  const page = textOf(render(mixedFleet, { stack: 'shop' }, { stack: { policy, window } }));
  expect(page).toContain('Servers open to the internet in stack shop are due after 3 days and overdue after 14 days.');
  expect(page).toMatch(
    /Maintenance window: open now , until 2026-11-22 22:30 UTC , in 1 hour; next 2026-11-29 21:30 UTC , in 7 days, for 3 hours\./,
  );
});

it('leaves the choice of a stack to the search where there are too many', () => {
  const hosts = Array.from({ length: 501 }, (_, index) => ({ name: `h-${index}`, stack: `s-${index}` }));
  expect(render(hosts)).not.toContain('name="stack"');
  expect(render(hosts.slice(1))).toContain('name="stack"');
});

it('escapes what hosts and readers say', () => {
  const evil = '<script>alert(1)</script>"\'';
  const page = render(
    [{ name: 'a', stack: evil, neededForDays: 1, packages: [evil], because: evil, exposure: 'exposed' }],
    { text: evil.slice(0, 8), stack: evil },
  );
  expect(page).not.toContain('<script');
  const other = render([{ name: 'b', failure: { reason: 'output', message: evil } }], { text: evil, stack: evil });
  expect(other).not.toContain('<script');
});
