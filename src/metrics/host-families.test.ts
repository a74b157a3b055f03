import fc from 'fast-check';
import { hostOf } from '../../test/fixture/fake-fleet';
import { bootedAt, now, type Said } from '../../test/fixture/said';
import { anyStatus, knownOf, statusOf } from '../../test/fixture/statuses';
import type { ExposureVerdict, PortVerdict } from '../exposure/verdict';
import { failureReasons } from '../failure';
import { afterFailure, freshKnown, type HostStatus } from '../fleet/status';
import { renderOneHost } from './fleet-text';
import { hostFamilies, maxInfoSeries } from './host-families';

const labels = { team: 'web' };

/** The lines of one host, without the heads. */
function linesOf(status: HostStatus, monotonicMs = 0, staleAfterSeconds = 3600): string[] {
  const known = freshKnown(status, monotonicMs, staleAfterSeconds);
  return renderOneHost({ status, known, monotonicMs }, 'text')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
}

function linesOfSaid(said: Said, exposure: ExposureVerdict | null = null, monotonicMs = 0): string[] {
  return linesOf(statusOf('web-1', knownOf(said, 0, exposure), { stack: 'shop', labels }), monotonicMs);
}

const own = 'host="web-1",stack="shop"';
const core = `${own},team="web"`;

function port(number: number, more: Partial<PortVerdict> = {}): PortVerdict {
  return { proto: 'tcp', port: number, family: 'ipv4', openTo: 'anywhere', because: 'x', ignored: false, ...more };
}

function exposed(...ports: PortVerdict[]): ExposureVerdict {
  return { verdict: 'exposed', basis: 'proven', because: 'x', ports };
}

describe('the metrics of a host', () => {
  test('that needs a restart', () => {
    const said: Said = { now, flag: { born: now - 3600, modified: now }, listText: 'dbus\nlibc6' };
    const lines = linesOfSaid(said, exposed(port(443), port(443, { family: 'ipv6' })), 10_000);
    expect(lines).toEqual(
      expect.arrayContaining([
        `reboot_required{${core}} 1`,
        `reboot_required_unknown{${own}} 0`,
        `reboot_required_age_seconds{${core}} 3610`,
        `reboot_required_since_timestamp_seconds{${own}} ${now - 3600}`,
        `reboot_required_reason_info{${own},reason="flag"} 1`,
        `reboot_required_package_info{${own},package="dbus"} 1`,
        `reboot_required_package_info{${own},package="libc6"} 1`,
        `reboot_required_packages{${own}} 2`,
        `exposed_to_anywhere{${core}} 1`,
        `exposed_to_anywhere_basis_info{${own},basis="proven"} 1`,
        `exposed_port_info{${own},port="443",proto="tcp",family="ipv4"} 1`,
        `exposed_port_info{${own},port="443",proto="tcp",family="ipv6"} 1`,
        `exposed_ports{${own}} 2`,
        `reboot_host_info{${core},os="debian",os_version="12",kernel_running="6.1.0-27-amd64",kernel_installed="6.1.0-27-amd64",virtualization="qemu"} 1`,
        `reboot_host_boot_timestamp_seconds{${own}} ${bootedAt}`,
        `unattended_upgrades_enabled{${own}} 1`,
        `unattended_upgrades_last_run_timestamp_seconds{${own}} ${now - 3600}`,
        `reboot_probe_success{${own}} 1`,
        `reboot_probe_duration_seconds{${own}} 0.25`,
        `reboot_probe_last_success_timestamp_seconds{${own}} ${now}`,
        ...failureReasons.map((reason) => `reboot_probe_failures_total{${own},reason="${reason}"} 0`),
      ]),
    );
  });

  test('that needs none: the age is 0, and there is no since', () => {
    const lines = linesOfSaid({});
    expect(lines).toContain(`reboot_required{${core}} 0`);
    expect(lines).toContain(`reboot_required_age_seconds{${core}} 0`);
    expect(lines).toContain(`reboot_required_packages{${own}} 0`);
    expect(lines.join('\n')).not.toContain('since');
    expect(lines.join('\n')).not.toContain('reason_info');
  });

  test('of which it can not be told: no verdict, no age, and it says so', () => {
    const lines = linesOfSaid({ packages: null });
    expect(lines).toContain(`reboot_required_unknown{${own}} 1`);
    for (const name of [
      'reboot_required{',
      'reboot_required_age',
      'reboot_required_since',
      'reboot_required_packages{',
    ]) {
      expect(lines.filter((line) => line.startsWith(name))).toEqual([]);
    }
  });

  test('that was never probed: only what needs no probe', () => {
    const names = new Set(linesOf(statusOf('web-1', null)).map((line) => line.split('{', 1)[0]));
    expect([...names]).toEqual([
      'reboot_host_boots_seen_total',
      'reboot_host_restarting',
      'reboot_probe_failures_total',
    ]);
  });

  test('that stopped to answer: its state ends with stale_after, the probe’s own series stay', () => {
    const status = afterFailure(
      statusOf('web-1', knownOf({ flag: {} })),
      { atMs: 0, durationSeconds: 10, failure: { reason: 'timeout', message: 'x' } },
      1000,
    );
    expect(linesOf(status, 3_600_000).some((line) => line.startsWith('reboot_required{'))).toBe(true);
    const late = linesOf(status, 3_600_001);
    expect([...new Set(late.map((line) => line.split('{', 1)[0]))]).toEqual([
      'reboot_host_boots_seen_total',
      'reboot_host_restarting',
      'reboot_probe_success',
      'reboot_probe_duration_seconds',
      'reboot_probe_last_success_timestamp_seconds',
      'reboot_probe_failing_reason_info',
      'reboot_probe_failures_total',
    ]);
    expect(late).toContain('reboot_probe_success{host="web-1",stack="default"} 0');
    expect(late).toContain('reboot_probe_failing_reason_info{host="web-1",stack="default",reason="timeout"} 1');
    expect(late).toContain('reboot_probe_failures_total{host="web-1",stack="default",reason="timeout"} 1');
  });

  test.each([
    ['exposed', 1],
    ['unknown', 1],
    ['not_exposed', 0],
  ] as const)('whose exposure is %s: %d', (verdict, value) => {
    const lines = linesOfSaid({}, { verdict, basis: 'assumed', because: 'x', ports: [] });
    expect(lines).toContain(`exposed_to_anywhere{${core}} ${value}`);
  });

  test('whose exposure was never read: nothing of it', () => {
    expect(linesOfSaid({}).filter((line) => line.startsWith('exposed'))).toEqual([]);
  });

  test('counts and names the ports that are open to anywhere, not the others and not the ignored', () => {
    const lines = linesOfSaid(
      {},
      exposed(
        port(80),
        port(22, { openTo: 'some' }),
        port(68, { proto: 'udp', ignored: true }),
        port(25, { openTo: 'unknown' }),
      ),
    );
    expect(lines.filter((line) => line.startsWith('exposed_port'))).toEqual([
      `exposed_port_info{${own},port="80",proto="tcp",family="ipv4"} 1`,
      `exposed_ports{${own}} 1`,
    ]);
  });

  test.each<[string, Said, string[]]>([
    ['installed and on', {}, ['installed 1', 'enabled 1']],
    ['installed and off', { aptConfig: ["upgrade='0'"] }, ['installed 1', 'enabled 0']],
    ['installed, its timer masked', { timer: 'masked' }, ['installed 1', 'enabled 0']],
    ['installed, apt-config missing: unknown', { aptConfig: null }, ['installed 1']],
    ['not installed', { packages: {} }, ['installed 0', 'enabled 0']],
    ['not known, without dpkg', { packages: null }, []],
  ])('unattended-upgrades is %s', (_name, said, expected) => {
    const lines = linesOfSaid(said).filter((line) => /^unattended_upgrades_(installed|enabled)/.test(line));
    expect(lines.map((line) => line.replace('unattended_upgrades_', '').replace(/\{.*\}/, ''))).toEqual(expected);
  });

  test('a scheduled restart is told, a scheduled power-off is none', () => {
    const lines = (mode: string): string[] =>
      linesOfSaid({ scheduled: `USEC=1795399200000000\nMODE=${mode}` }).filter((line) =>
        line.startsWith('reboot_scheduled'),
      );
    expect(lines('reboot')).toEqual([`reboot_scheduled_timestamp_seconds{${own}} 1795399200`]);
    expect(lines('poweroff')).toEqual([]);
  });

  test('the newest kernel is that of the running flavour, and of a container none', () => {
    const packages = {
      'linux-image-6.1.0-27-amd64': '1',
      'linux-image-6.1.0-99-rt-amd64': '1',
      'linux-image-6.1.0-28-amd64': '1',
    };
    const infoOf = (said: Said): string => linesOfSaid(said).find((line) => line.startsWith('reboot_host_info')) ?? '';
    expect(infoOf({ packages })).toContain('kernel_installed="6.1.0-28-amd64"');
    expect(infoOf({ packages, container: 'lxc' })).toContain('kernel_installed="",virtualization="lxc"');
  });
});

describe('the bounds', () => {
  test('packages and ports: at most 100 series of a host, the gauges beside them count all', () => {
    const names = Array.from({ length: 5000 }, (_, at) => `package-${at}`).join('\n');
    const ports = Array.from({ length: 3000 }, (_, at) => port(at + 1));
    const lines = linesOfSaid({ flag: {}, listText: names }, exposed(...ports));
    const count = (name: string): number => lines.filter((line) => line.startsWith(`${name}{`)).length;
    expect(count('reboot_required_package_info')).toBe(maxInfoSeries);
    expect(count('exposed_port_info')).toBe(maxInfoSeries);
    expect(lines).toContain(`reboot_required_packages{${own}} 5000`);
    expect(lines).toContain(`exposed_ports{${own}} 3000`);
    expect(lines.length).toBeLessThan(300);
  });

  test('whatever a host says: no NaN, no series twice, no line break in a line, all of a known family', () => {
    const families = new Set(hostFamilies.map(({ name }) => name));
    fc.assert(
      fc.property(anyStatus, fc.integer({ min: 0, max: 8_000_000 }), (status, monotonicMs) => {
        const lines = linesOf(status, monotonicMs);
        expect(new Set(lines.map((line) => line.slice(0, line.lastIndexOf(' ')))).size).toBe(lines.length);
        for (const line of lines) {
          const [, name, value] = /^([a-z_]+)\{.*\} ([^ ]+)$/s.exec(line) ?? [];
          expect(families.has(name ?? '')).toBe(true);
          expect(Number.isFinite(Number(value))).toBe(true);
        }
        expect(lines.length).toBeLessThan(3 * maxInfoSeries);
      }),
      { numRuns: 300 },
    );
  });
});

describe('the families', () => {
  test('have names of Prometheus’ grammar, each once, and a help', () => {
    const names = hostFamilies.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, type, help } of hostFamilies) {
      expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
      expect(name.endsWith('_total')).toBe(type === 'counter');
      expect(help).toMatch(/^[A-Z].*\.$/);
    }
  });

  test('are those that the outside depends on', () => {
    const promised = [
      ...['reboot_required', 'reboot_required_unknown', 'reboot_required_age_seconds', 'exposed_to_anywhere'],
      ...['reboot_required_since_timestamp_seconds', 'reboot_required_reason_info', 'reboot_required_package_info'],
      ...['reboot_required_packages', 'exposed_port_info', 'exposed_ports', 'exposed_to_anywhere_basis_info'],
      ...['reboot_host_info', 'reboot_host_boot_timestamp_seconds', 'unattended_upgrades_enabled'],
      ...['unattended_upgrades_last_run_timestamp_seconds', 'reboot_probe_success', 'reboot_probe_duration_seconds'],
      ...['reboot_probe_last_success_timestamp_seconds', 'reboot_probe_failures_total'],
    ];
    expect(hostFamilies.map(({ name }) => name)).toEqual(expect.arrayContaining(promised));
  });

  test('whose value is live have one sample at most, of that value', () => {
    const known = knownOf({ flag: {} });
    const status = statusOf('web-1', known, hostOf('web-1'));
    const live = hostFamilies.filter((family) => family.live !== undefined);
    expect(live.map(({ name }) => name)).toEqual(['reboot_required_age_seconds']);
    for (const { samples, live: value } of live) {
      const views = [known, null].map((one) => ({ status, known: one, monotonicMs: 1500 }));
      expect(views.map((view) => samples(view).map((sample) => sample.value))).toEqual([[1.5], []]);
      expect(views.map((view) => value?.(view))).toEqual([1.5, null]);
    }
  });
});
