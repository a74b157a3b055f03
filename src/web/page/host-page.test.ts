import { fixtureNowMs, mixedFleet, sketchBackend, type HostSketch } from '../../../test/web/fleet-fixture';
import type { HostDocument } from '../../document/host-document';
import { failureReasons } from '../../failure';
import { explainFailure } from './advice';
import { renderHostPage, type HostPageInput } from './host-page';

const backend = sketchBackend({ hosts: mixedFleet });

function documentOf(sketch: HostSketch): HostDocument {
  const document = sketchBackend({ hosts: [sketch] }).document(sketch.name);
  if (document === null) throw new Error('no document');
  return document;
}

function render(document: HostDocument | null, more: Partial<HostPageInput> = {}): string {
  if (document === null) throw new Error('no document');
  return renderHostPage({
    document,
    policy: backend.policy(document.stack),
    window: null,
    nowMs: fixtureNowMs,
    needsToken: false,
    askedMs: null,
    refusal: null,
    root: '../',
    ...more,
  });
}

function textOf(page: string): string {
  return page
    .slice(page.indexOf('<main'))
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .replaceAll('&#39;', "'");
}

it('says of a host without a schedule that it is probed when asked for, and nothing while it is being probed', () => {
  const document = documentOf({ name: 'web-1' });
  const probe = { ...document.probe, next_at: null };
  expect(textOf(render({ ...document, probe: { ...probe, scheduled: false } }))).toContain(
    'Next probe when it is asked for: there is no schedule',
  );
  expect(textOf(render({ ...document, probe: { ...probe, scheduled: true } }))).not.toContain('Next probe');
});

it('tells of an overdue host why, since when, by which limit, which ports, and how to restart it', () => {
  const window = {
    open: false,
    nextStartSeconds: fixtureNowMs / 1000 + 86_400,
    openUntilSeconds: null,
    durationSeconds: 7200,
  };
  const text = textOf(render(backend.document('web-1'), { window }));
  expect(text).toContain('▲ Restart overdue: needed for 17 days 4 hours');
  expect(text).toContain('Servers open to the internet in stack shop are due after 3 days and overdue after 14 days.');
  expect(text).toContain(
    'Needed since 2026-11-05 16:42 UTC , 17 days 4 hours ago: the server made its reboot-required flag then',
  );
  expect(text).toContain('Asked for by flag kernel');
  expect(text).toContain('Yes: tcp/443 accepts connections from anywhere (its firewall rules were read and evaluated)');
  expect(text).toContain('Maintenance window next 2026-11-23 21:30 UTC , in 1 day, for 2 hours');
  expect(text).toContain('Next probe 2026-11-22 21:34 UTC , in 4 minutes 18 seconds');
  expect(text).toContain('Packages that ask for it linux-image-6.1.0-27-amd64');
  expect(text).toContain('flag restart needed /run/reboot-required exists');
  expect(text).toContain('tcp/443 IPv4 ▲ Anywhere accepted by table inet filter, chain input, rule 7');
  for (const word of [
    'One at a time',
    'load balancer',
    'Out of hours',
    'sudo systemctl reboot',
    'another public address',
  ])
    expect(text).toContain(word);
});

it('tells how long it can wait', () => {
  expect(textOf(render(backend.document('web-2')))).toContain('This one is overdue in 10 days 12 hours.');
  expect(textOf(render(backend.document('db-2')))).toContain('This one is due in 13 days 19 hours.');
  const atOnce = { warningAfterSeconds: 0, criticalAfterSeconds: 86_400 };
  const policy = { exposed: atOnce, internal: atOnce, maintenanceWindow: null };
  expect(textOf(render(backend.document('db-2'), { policy }))).toContain('are due at once and overdue after 1 day.');
});

it('reassures where nothing is needed, and says no more than that', () => {
  const text = textOf(render(backend.document('gateway')));
  expect(text).toContain('✓ No restart needed');
  expect(text).not.toContain('How to restart');
  expect(text).not.toContain('Packages that ask');
});

it.each(failureReasons)('explains a probe that failed by %s, and what to do', (reason) => {
  const text = textOf(render(documentOf({ name: 'a', failure: { reason, message: 'the message' } })));
  const { meaning, steps } = explainFailure(reason);
  expect(meaning).not.toBe('');
  expect(steps.length).toBeGreaterThan(0);
  expect(text).toContain(`The last probe failed: ${reason}. ${meaning}`);
  expect(text).toContain('Message: the message');
  expect(text).toContain('What to do:');
  expect(text).toContain('It last answered 42 seconds ago');
  expect(text).toContain('What is shown below is from then.');
});

it('does not fail on a reason that it does not know', () => {
  const { probe, ...rest } = documentOf({ name: 'a', failure: { reason: 'dns', message: 'x' } });
  expect(textOf(render({ ...rest, probe: { ...probe, reason: '__proto__' } }))).toContain(
    'The last probe failed: __proto__.',
  );
});

it('tells a restart from a failure, and looks again soon', () => {
  const page = render(backend.document('build-2'));
  expect(textOf(page)).toContain('↻ Restarting');
  expect(textOf(page)).toContain('It seems to be restarting. It is tried again every few seconds.');
  expect(textOf(page)).not.toContain('What to do:');
  expect(page).toContain('http-equiv="refresh" content="5"');
});

it('says what is not known', () => {
  expect(textOf(render(backend.document('build-3')))).toContain('Nothing is known: it does not answer');
  expect(textOf(render(backend.document('build-3')))).toContain('It has not answered since the exporter began.');
  expect(textOf(render(backend.document('new')))).toContain('Not probed yet');
  expect(textOf(render(backend.document('new')))).toContain('Open to the internet Not read yet');
  const wiki = textOf(render(backend.document('wiki')));
  expect(wiki).toContain("? Can't tell whether a restart is needed");
  expect(wiki).toContain('no flag, but nothing on this host would write one');
  expect(wiki).toContain('What to do');
});

it('says so when a restart did not help', () => {
  const document = documentOf({ name: 'a', neededForDays: 1 });
  const again = { ...document, restart: { ...document.restart, still_required_after_restart: true } };
  expect(textOf(render(again))).toContain('It was restarted, and needs it still.');
  expect(textOf(render(document))).not.toContain('needs it still');
});

it('says when a shutdown is planned', () => {
  const document = documentOf({ name: 'a', neededForDays: 1 });
  const planned = { ...document, restart: { ...document.restart, scheduled_at: '2026-11-23T02:00:00Z' } };
  expect(textOf(render(planned))).toContain('Shutdown or restart planned 2026-11-23 02:00 UTC');
});

it('says what restarts and updates the host by itself', () => {
  const document = documentOf({ name: 'a', neededForDays: 1 });
  const set = (by_itself: HostDocument['restart']['by_itself'], updates = document.updates): string =>
    textOf(render({ ...document, updates, restart: { ...document.restart, by_itself } }));
  const by = { by: 'rebootmgr', at: '2026-11-23T03:30:00Z', because: 'its window begins at 03:30' };
  expect(set(by)).toContain('Restarts by itself 2026-11-23 03:30 UTC');
  expect(set(by)).toContain('rebootmgr, its window begins at 03:30');
  expect(set({ ...by, at: null })).toContain('Restarts by itself rebootmgr: its window begins at 03:30');
  expect(set({ ...by, by: 'shutdown' })).not.toContain('Restarts by itself');
  expect(set(null)).not.toContain('Restarts by itself');
  expect(set(null, { automatic: false, by: null, last_run_at: null })).toContain('Automatic updates none');
  expect(set(null, { automatic: null, by: null, last_run_at: null })).toContain('Automatic updates not known');
  expect(set(null, { automatic: false, by: 'dnf-automatic', last_run_at: null })).toContain(
    'dnf-automatic is switched off',
  );
  const ran = { automatic: true, by: 'dnf-automatic', last_run_at: '2026-11-21T06:00:00Z' };
  expect(set(null, ran)).toContain('dnf-automatic, last run 2026-11-21 06:00 UTC');
});

it('names services that run replaced libraries', () => {
  const document = documentOf({ name: 'a', neededForDays: 1 });
  const services = Array.from({ length: 60 }, (_, at) => ({
    service: `s${at}.service`,
    libraries: ['libssl.so.3'],
    since: null,
  }));
  const text = (outdated: HostDocument['outdated_services']): string =>
    textOf(render({ ...document, outdated_services: outdated }));
  expect(text(services)).toContain('s0.service (libssl.so.3)');
  expect(text(services)).toContain('and 10 more Restarting each of them is enough.');
  for (const none of [null, []]) expect(text(none)).not.toContain('replaced libraries');
});

it('says which live patches there are', () => {
  const document = documentOf({ name: 'a', neededForDays: 1 });
  const livepatch = { patches: ['kpatch_1'], covered_until: '2027-07-01T00:00:00Z', covering: true };
  const text = (of: typeof livepatch | { patches: string[]; covered_until: null; covering: boolean }): string =>
    textOf(render({ ...document, restart: { ...document.restart, livepatch: of } }));
  expect(text(livepatch)).toContain(
    'never critical for now. Patches are made for this kernel until 2027-07-01 00:00 UTC',
  );
  expect(text({ ...livepatch, covered_until: null, covering: false })).toContain('Live patched kpatch_1');
});

describe('probe now', () => {
  const web1 = backend.document('web-1');

  it('is a form that needs no script', () => {
    expect(render(web1)).toContain('<form class="probe" method="post" action="../hosts/web-1/probe">');
    expect(render(web1)).not.toContain('name="token"');
    expect(render(web1, { needsToken: true })).toContain('<input type="password" name="token" required');
  });

  it('waits for the probe that was asked for, and no longer than it can take', () => {
    const probedMs = fixtureNowMs - 42_000;
    const waiting = render(web1, { askedMs: probedMs + 5000 });
    expect(waiting).toContain('Probing…');
    expect(waiting).toContain('http-equiv="refresh" content="2"');
    expect(render(web1, { askedMs: probedMs - 5000 })).toContain('Probed.');
    expect(render(backend.document('new'), { askedMs: fixtureNowMs - 1000 })).toContain('Probing…');
    expect(render(backend.document('new'), { askedMs: fixtureNowMs - 200_000 })).toContain('content="60"');
    expect(render(web1, { askedMs: fixtureNowMs + 1e12 })).toContain('content="60"');
  });

  it('says why it was refused', () => {
    expect(render(web1, { refusal: 'that is not the refresh token.' })).toContain('that is not the refresh token.');
  });
});

it('bounds what it shows of a host with endless packages and ports', () => {
  const packages = Array.from({ length: 5000 }, (_, index) => `package-${index}`);
  const ports = packages.map(
    (_, index) =>
      ({ proto: 'tcp', port: index, family: 'ipv4', openTo: 'some', because: 'x', ignored: false }) as const,
  );
  const page = render(documentOf({ name: 'a', neededForDays: 1, packages, ports, exposure: 'exposed' }));
  expect(page.length).toBeLessThan(150_000);
  expect(textOf(page)).toContain('There are more: the server has more packages than are kept.');
  expect(textOf(page)).toContain('And 4,700 more, which the JSON names.');
});

it('puts open ports first, and ignored ones last', () => {
  const port = (number: number, openTo: 'anywhere' | 'some' | 'none' | 'unknown', ignored = false) =>
    ({ proto: 'udp', port: number, family: 'ipv6', openTo, because: '', ignored }) as const;
  const ports = [port(1, 'none'), port(2, 'anywhere', true), port(3, 'some'), port(4, 'unknown'), port(5, 'anywhere')];
  const page = render(documentOf({ name: 'a', ports }));
  expect([...page.matchAll(/class="short">udp\/(\d)</g)].map(([, number]) => number)).toEqual([
    '5',
    '4',
    '3',
    '1',
    '2',
  ]);
  expect(textOf(page)).toContain('Anywhere (ignored)');
});

it('escapes what hosts say, wherever it is shown', () => {
  const evil = '<img src=x onerror=alert(1)>"\'`';
  const sketch: HostSketch = {
    name: 'a',
    stack: evil,
    labels: { team: evil },
    neededForDays: 1,
    packages: [evil],
    because: evil,
    failure: { reason: 'output', message: evil },
    ports: [{ proto: 'tcp', port: 1, family: 'ipv4', openTo: 'anywhere', because: evil, ignored: false }],
  };
  const document = documentOf(sketch);
  const page = render({
    ...document,
    exposure: { ...document.exposure, because: evil },
    restart: { ...document.restart, reasons: [evil] },
  });
  expect(page).not.toContain('<img');
  expect(page.match(/&lt;img src=x onerror=alert\(1\)&gt;&quot;&#39;`/g)?.length).toBeGreaterThan(6);
});
