import { now, section, type Said } from '../../test/fixture/said';
import { knownOf, statusOf } from '../../test/fixture/statuses';
import { hostDocument, type HostDocument } from '../document/host-document';
import type { ExposureVerdict, PortVerdict } from '../exposure/verdict';
import { afterFailure, newStatus, type HostStatus } from '../fleet/status';
import { defaultPolicy } from '../policy/defaults';
import { renderDetails } from './check-details';
import { renderTable } from './check-table';

function documentOf(status: HostStatus): HostDocument {
  return hostDocument(status, { monotonicMs: 0, staleAfterSeconds: 3600, isScheduled: true, policy: defaultPolicy });
}

function said(name: string, says: Said, exposure: ExposureVerdict | null = null): HostDocument {
  return documentOf(statusOf(name, knownOf({ now, bootedAt: now - 60 * 86_400, ...says }, 0, exposure)));
}

function failed(name: string, message: string): HostDocument {
  const { host } = statusOf(name, null);
  const failure = { reason: 'connect', message } as const;
  return documentOf(afterFailure(newStatus(host), { atMs: 0, durationSeconds: 1, failure }, 0));
}

function port(number: number, more: Partial<PortVerdict> = {}): PortVerdict {
  return {
    proto: 'tcp',
    port: number,
    family: 'ipv4',
    openTo: 'anywhere',
    because: 'no rule drops it',
    ignored: false,
    ...more,
  };
}

const open: ExposureVerdict = {
  verdict: 'exposed',
  basis: 'proven',
  because: 'x',
  ports: [port(443), port(443, { family: 'ipv6' }), port(22)],
};
const closed: ExposureVerdict = { verdict: 'not_exposed', basis: 'proven', because: 'x', ports: [] };

/** Lines without colours, which depend on the terminal, and each run of spaces as one. */
function linesOf(documents: readonly HostDocument[]): string[] {
  return renderTable(documents)
    .replace(/\u001b\[[0-9;]*m/g, '')
    .split('\n')
    .map((line) => line.replace(/ +/g, ' ').trimEnd());
}

describe('renderTable', () => {
  const flagged = (days: number): Said => ({ flag: { born: now - days * 86_400, modified: now }, listText: 'libc6' });

  test('has a line a host, the most urgent first, and then those that have waited longest', () => {
    const lines = linesOf([
      said('clean', {}, closed),
      said('young', flagged(1), open),
      said('critical', flagged(15), open),
      said('older', flagged(20), open),
      said('warning', flagged(4), open),
      failed('gone', 'connection refused'),
    ]);
    expect(lines).toEqual([
      'HOST STACK RESTART FOR SINCE WHY EXPOSED URGENCY',
      'older default required 20d 2026-11-02T00:00:00Z (birth) flag (libc6) tcp/443 tcp/22 critical',
      'critical default required 15d 2026-11-07T00:00:00Z (birth) flag (libc6) tcp/443 tcp/22 critical',
      'warning default required 4d 2026-11-18T00:00:00Z (birth) flag (libc6) tcp/443 tcp/22 warning',
      'gone default no answer - - connect: connection refused - unknown',
      'young default required 1d 2026-11-21T00:00:00Z (birth) flag (libc6) tcp/443 tcp/22 info',
      'clean default not needed - - - no none',
      '',
      '6 hosts, 4 need a restart, 2 overdue, 1 could not be told',
      '',
    ]);
  });

  test('says why it can not be told', () => {
    expect(linesOf([said('odd', { packages: null })])[1]).toContain(
      'unknown - - there is no /run/reboot-required, but nothing on this host …',
    );
  });

  test('tells a declared and an assumed exposure', () => {
    const declared: ExposureVerdict = { verdict: 'exposed', basis: 'declared', because: 'x', ports: [] };
    const assumed: ExposureVerdict = { verdict: 'unknown', basis: 'assumed', because: 'x', ports: [] };
    const lines = linesOf([
      said('a', {}, declared),
      said('b', {}, assumed),
      said('c', {}, { ...open, ports: [port(68, { ignored: true })] }),
    ]);
    expect(lines.slice(1, 4)).toEqual([
      'a default not needed - - - yes (declared) none',
      'b default not needed - - - assumed none',
      'c default not needed - - - yes (proven) none',
    ]);
  });

  test('cuts what may be long', () => {
    const listText = Array.from({ length: 500 }, (_, at) => `package-${at}`).join('\n');
    const ports = Array.from({ length: 500 }, (_, at) => port(at + 1));
    const lines = linesOf([said('a', { flag: {}, listText }, { ...open, ports }), failed('b', 'x'.repeat(5000))]);
    for (const line of lines) expect(line.length).toBeLessThan(300);
    expect(lines.join('\n')).toContain('…');
  });

  test('counts one host as one', () => {
    expect(linesOf([said('a', flagged(1), closed)]).at(-2)).toBe(
      '1 host, 1 needs a restart, 0 overdue, 0 could not be told',
    );
    expect(linesOf([]).at(-2)).toBe('0 hosts, 0 need a restart, 0 overdue, 0 could not be told');
  });
});

describe('renderDetails', () => {
  test('tells all of a host', () => {
    const scheduled = 'USEC=1795399200000000\nMODE=reboot';
    const text = renderDetails([
      said('web-1', { flag: { born: now - 3660, modified: now }, listText: 'libc6\ndbus', scheduled }, open),
    ]);
    expect(text).toContain('\nweb-1 (stack default)\n  restart: required, urgency info\n');
    expect(text).toContain("    since 2026-11-21T22:59:00Z, 1h 1m ago by the host's clock (evidence: birth)\n");
    expect(text).toContain('    booted 2026-09-23T00:00:00Z\n    a shutdown is scheduled for 2026-11-23T02:00:00Z\n');
    expect(text).toContain('    flag: required: /run/reboot-required exists\n    kernel: not required: ');
    expect(text).toContain('    packages: dbus, libc6\n');
    expect(text).toContain('  exposed to anywhere: exposed (proven)\n');
    expect(text).toMatch(/ {4}tcp\/443 ipv6.*: no rule drops it\n/);
  });

  test('tells what updates and restarts the host by itself, and live patches', () => {
    const text = (said_: Said): string => renderDetails([said('web-1', said_)]);
    expect(text({})).toContain('  automatic updates: unattended-upgrades, last run 2026-11-21T23:00:00Z\n');
    expect(text({ timer: 'masked' })).toContain('  automatic updates: unattended-upgrades is switched off\n');
    expect(text({ packages: { libc6: '1' } })).toContain('  automatic updates: none\n');
    expect(text({ packages: null })).toContain('  automatic updates: unknown\n');
    const automatic = { aptConfig: ["upgrade='1'", "reboot='true'"], flag: { modified: now - 100 } };
    expect(text({ ...automatic, stamps: { 'unattended-upgrades-stamp': now - 7200 } })).toContain(
      '    restarts by itself, by unattended-upgrades, expected at 2026-11-22T23:00:00Z: Automatic-Reboot is on, when it next runs\n',
    );
    expect(text({ ...automatic, stamps: {} })).toContain(
      '    restarts by itself, by unattended-upgrades, it is not known when: ',
    );
    const outdated = `replaced=${now - 60} /usr/lib/libssl.so.3\nservice=nginx.service 100 /bin/nginx\n/bin/nginx:libssl.so.3\n`;
    expect(text({ sections: { services: section('services', outdated) } })).toContain(
      '  services that run replaced libraries: nginx.service (libssl.so.3)\n',
    );
    const livepatch = section('livepatch', 'patch=1 0 kpatch_1\n');
    expect(text({ sections: { livepatch } })).toContain(
      '    live patched: kpatch_1; patches are made until 2025-11-01T00:00:00Z\n',
    );
  });

  test('bounds the list of packages', () => {
    const listText = Array.from({ length: 21 }, (_, at) => `p-${String(at).padStart(2, '0')}`).join('\n');
    expect(renderDetails([said('a', { flag: {}, listText })])).toContain('p-18, p-19, …\n');
  });

  test('tells of a host that does not answer why', () => {
    expect(renderDetails([failed('web-1', 'connection refused')])).toBe(
      '\nweb-1 (stack default)\n  not probed: connect: connection refused\n',
    );
  });
});
