import fc from 'fast-check';
import { bootedAt, now, section, type Said } from '../../test/fixture/said';
import { anyStatus, knownOf, statusOf } from '../../test/fixture/statuses';
import type { ExposureVerdict } from '../exposure/verdict';
import { afterFailure, type HostStatus } from '../fleet/status';
import { defaultPolicy } from '../policy/defaults';
import { hostDocument, type HostDocument } from './host-document';

const exposure: ExposureVerdict = {
  verdict: 'exposed',
  basis: 'proven',
  because: 'tcp/443 is open to anywhere',
  ports: [
    { proto: 'tcp', port: 443, family: 'ipv4', openTo: 'anywhere', because: 'no rule drops it', ignored: false },
    { proto: 'udp', port: 68, family: 'ipv4', openTo: 'anywhere', because: 'ignored', ignored: true },
  ],
};

function documentOf(status: HostStatus, monotonicMs = 0): HostDocument {
  const document = hostDocument(status, {
    monotonicMs,
    staleAfterSeconds: 3600,
    isScheduled: true,
    policy: defaultPolicy,
  });
  // What goes out is JSON.
  return JSON.parse(JSON.stringify(document)) as HostDocument;
}

function documentOfSaid(said: Said, verdict: ExposureVerdict | null = exposure, monotonicMs = 0): HostDocument {
  return documentOf(
    statusOf('web-1', knownOf(said, 0, verdict), { stack: 'shop', labels: { team: 'web' } }),
    monotonicMs,
  );
}

const flagged: Said = {
  now,
  flag: { born: now - 100_000, modified: now },
  listText: 'linux-image-6.1.0-28-amd64\ndbus',
};

describe('the document of a host', () => {
  test('that needs a restart has every field of the contract', () => {
    expect(documentOfSaid(flagged, exposure, 500)).toEqual({
      host: 'web-1',
      stack: 'shop',
      labels: { team: 'web' },
      probe: {
        success: true,
        reason: null,
        message: null,
        at: '2026-11-22T00:00:00Z',
        duration_seconds: 0.25,
        last_success_at: '2026-11-22T00:00:00Z',
        next_at: null,
        scheduled: true,
        restarting: false,
      },
      restart: {
        verdict: 'required',
        since: '2026-11-20T20:13:20Z',
        age_seconds: 100_000.5,
        evidence: 'birth',
        reasons: ['flag'],
        packages: ['dbus', 'linux-image-6.1.0-28-amd64'],
        packages_cut: false,
        still_required_after_restart: false,
        booted_at: '2026-11-20T00:00:00Z',
        scheduled_at: null,
        livepatch: null,
        by_itself: null,
        signals: [
          { signal: 'flag', says: 'required', because: '/run/reboot-required exists' },
          {
            signal: 'kernel',
            says: 'not_required',
            because: '6.1.0-27-amd64 runs and is the newest installed of its flavour',
          },
          { signal: 'library', says: 'silent', because: 'libc6 is older than this boot' },
          { signal: 'firmware', says: 'silent', because: 'microcode is loaded on bare metal only' },
        ],
      },
      outdated_services: null,
      updates: { automatic: true, by: 'unattended-upgrades', last_run_at: '2026-11-21T23:00:00Z' },
      exposure: {
        verdict: 'exposed',
        basis: 'proven',
        because: 'tcp/443 is open to anywhere',
        ports: [
          { proto: 'tcp', port: 443, family: 'ipv4', open_to: 'anywhere', because: 'no rule drops it', ignored: false },
          { proto: 'udp', port: 68, family: 'ipv4', open_to: 'anywhere', because: 'ignored', ignored: true },
        ],
      },
      urgency: 'info',
    });
  });

  test('says nothing of signals that are of other systems', () => {
    const signalsOf = (said: Said): string[] => documentOfSaid(said).restart.signals.map(({ signal }) => signal);
    expect(signalsOf({})).toEqual(['flag', 'kernel', 'library', 'firmware']);
    expect(signalsOf({ os: 'ID=nixos\n', packages: null })).toEqual([
      'flag',
      'kernel',
      'library',
      'firmware',
      'generation',
    ]);
    expect(signalsOf({ os: 'ID=unheard-of\n', packages: null })).toContain('modules');
  });

  test('that needs none: age 0, no since, no evidence', () => {
    const { restart, urgency } = documentOfSaid({});
    expect(restart).toMatchObject({
      verdict: 'not_required',
      since: null,
      age_seconds: 0,
      evidence: null,
      reasons: [],
      packages: [],
    });
    expect(urgency).toBe('none');
  });

  test('of which it can not be told: null, not 0', () => {
    const { restart, urgency } = documentOfSaid({ packages: null });
    expect(restart).toMatchObject({ verdict: 'unknown', since: null, age_seconds: null, evidence: null });
    expect(urgency).toBe('unknown');
  });

  test('that was not probed yet', () => {
    const document = documentOf(statusOf('web-1', null));
    expect(document.probe).toEqual({
      success: null,
      reason: null,
      message: null,
      at: null,
      duration_seconds: null,
      last_success_at: null,
      next_at: null,
      scheduled: true,
      restarting: false,
    });
    expect(document.restart).toMatchObject({ verdict: 'unknown', booted_at: null, signals: [] });
    expect(document.exposure).toEqual({
      verdict: 'unknown',
      basis: null,
      because: 'the host has not been read yet',
      ports: [],
    });
    expect(document.urgency).toBe('unknown');
  });

  test('that does not answer keeps what is known until that is stale', () => {
    const failed = afterFailure(
      statusOf('web-1', knownOf(flagged, 0, exposure)),
      {
        atMs: now * 1000 + 60_000,
        durationSeconds: 10,
        failure: { reason: 'timeout', message: 'not done after 10 s' },
      },
      60_000,
    );
    const fresh = documentOf(failed, 3_600_000);
    expect(fresh.probe).toMatchObject({
      success: false,
      reason: 'timeout',
      message: 'not done after 10 s',
      at: '2026-11-22T00:01:00Z',
      duration_seconds: 10,
      last_success_at: '2026-11-22T00:00:00Z',
      restarting: true,
    });
    expect(fresh.restart).toMatchObject({ verdict: 'required', age_seconds: 103_600 });
    const stale = documentOf(failed, 3_600_001);
    expect(stale.restart).toMatchObject({
      verdict: 'unknown',
      age_seconds: null,
      since: null,
      packages: [],
      booted_at: null,
    });
    expect(stale.exposure).toMatchObject({
      verdict: 'unknown',
      basis: null,
      because: 'the host has not answered for too long',
    });
    expect(stale.urgency).toBe('unknown');
  });

  test.each<[string, number, ExposureVerdict | null, HostDocument['urgency']]>([
    ['exposed, 3 days', 3, exposure, 'warning'],
    ['exposed, 14 days', 14, exposure, 'critical'],
    ['internal, 3 days', 3, { ...exposure, verdict: 'not_exposed' }, 'info'],
    ['of unknown exposure, 3 days', 3, null, 'warning'],
  ])('is as urgent as the policy of its stack says: %s', (_name, days, verdict, urgency) => {
    expect(documentOfSaid({ now, flag: {} }, verdict, days * 86_400_000 + 1).urgency).toBe('unknown');
    const status = statusOf(
      'web-1',
      knownOf({ now, bootedAt: now - 40 * 86_400, flag: { born: now - days * 86_400, modified: now } }, 0, verdict),
    );
    expect(documentOf(status).urgency).toBe(urgency);
  });

  test('tells the next probe, a scheduled restart and a container’s own start', () => {
    const status = statusOf(
      'web-1',
      knownOf({ container: 'lxc', initStart: 3600, scheduled: 'USEC=1795399200000000\nMODE=reboot' }),
    );
    const document = documentOf({ ...status, nextProbeMs: now * 1000 + 300_000 });
    expect(document.probe.next_at).toBe('2026-11-22T00:05:00Z');
    expect(document.restart.scheduled_at).toBe('2026-11-23T02:00:00Z');
    expect(document.restart.booted_at).toBe(new Date((bootedAt + 3600) * 1000).toISOString().replace('.000', ''));
  });

  test('tells what restarts the host by itself, which holds back its urgency, and what patches it', () => {
    const flagFor = (days: number): Said => ({
      now,
      bootedAt: now - 40 * 86_400,
      flag: { born: now - days * 86_400, modified: now },
    });
    const soon = { scheduled: `USEC=${now + 7200}000000\nMODE=reboot` };
    expect(documentOfSaid(flagFor(14.5)).urgency).toBe('critical');
    const document = documentOfSaid({ ...flagFor(14.5), ...soon });
    expect(document.urgency).toBe('warning');
    expect(document.restart.by_itself).toEqual({
      by: 'shutdown',
      at: '2026-11-22T02:00:00Z',
      because: 'it is scheduled',
    });
    expect(document.updates).toEqual({
      automatic: true,
      by: 'unattended-upgrades',
      last_run_at: '2026-11-21T23:00:00Z',
    });
    // Half an hour late, by the clock of the exporter.
    expect(documentOfSaid({ ...flagFor(14.5), ...soon }, exposure, 9_000_000).urgency).toBe('unknown');
    const late = { ...flagFor(14.5), scheduled: `USEC=${now - 1800}000000\nMODE=reboot` };
    expect(documentOfSaid(late).urgency).toBe('critical');
  });

  test('tells live patches, with which a restart for the kernel alone is never critical', () => {
    const kernels = { 'linux-image-6.1.0-27-amd64': '1', 'linux-image-6.1.0-28-amd64': '1' };
    const needed: Said = {
      now,
      bootedAt: now - 40 * 86_400,
      packages: kernels,
      unpacked: { 'linux-image-6.1.0-28-amd64': now - 20 * 86_400 },
      version: '#27-Ubuntu SMP PREEMPT_DYNAMIC Mon Jun  1 02:06:24 UTC 2026',
    };
    expect(documentOfSaid(needed)).toMatchObject({ urgency: 'critical', restart: { livepatch: null } });
    const livepatch = section('livepatch', 'patch=1 0 lkp_Ubuntu_6_1_0_27_27_generic_1\n');
    expect(documentOfSaid({ ...needed, sections: { livepatch } })).toMatchObject({
      urgency: 'warning',
      restart: {
        reasons: ['kernel'],
        livepatch: {
          patches: ['lkp_Ubuntu_6_1_0_27_27_generic_1'],
          covered_until: '2027-07-01T00:00:00Z',
          covering: true,
        },
      },
    });
  });

  test('tells services that run replaced libraries, which ask for no restart of the host', () => {
    const text = `replaced=${now - 60} /usr/lib/libssl.so.3\nservice=nginx.service 100 /usr/sbin/nginx\n/usr/sbin/nginx:libssl.so.3\n`;
    const document = documentOfSaid({ sections: { services: section('services', text) } });
    expect(document.outdated_services).toEqual([
      { service: 'nginx.service', libraries: ['libssl.so.3'], since: '2026-11-21T23:59:00Z' },
    ]);
    expect(document.restart.verdict).toBe('not_required');
  });

  test('lists at most a thousand packages, and says that it cut', () => {
    const listText = Array.from({ length: 1500 }, (_, at) => `package-${at}`).join('\n');
    const { restart } = documentOfSaid({ ...flagged, listText });
    expect(restart.packages).toHaveLength(1000);
    expect(restart.packages_cut).toBe(true);
  });

  test('has no time where a host’s clock says what no calendar has', () => {
    expect(
      documentOfSaid({ flag: {}, now: '9999999999999999', bootedAt: null, uptime: null }).restart.since,
    ).toBeNull();
  });

  test('can be made of any state', () => {
    fc.assert(
      fc.property(anyStatus, fc.integer({ min: 0, max: 8_000_000 }), (status, monotonicMs) => {
        const { restart } = documentOf(status, monotonicMs);
        expect(restart.age_seconds === null || restart.age_seconds >= 0).toBe(true);
        if (restart.verdict === 'unknown') expect(restart.age_seconds).toBeNull();
        if (restart.verdict === 'not_required') expect(restart.age_seconds).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});
