import { now, section, type Said } from '../../test/fixture/said';
import { knownOf } from '../../test/fixture/statuses';
import { updateFamilies } from './update-families';

const names = { host: 'web-1', stack: 'shop' };

/** Every series of these families, in the text format's form. */
function series(said: Said): string[] {
  const known = knownOf(said);
  return updateFamilies.flatMap(({ name, samples }) =>
    samples(known, names).map(({ labels, more = {}, value }) => {
      expect(labels).toBe(names);
      return `${name}${JSON.stringify(more)} ${value}`;
    }),
  );
}

const services = [
  `replaced=${now - 60} /usr/lib/libssl.so.3`,
  ...Array.from({ length: 30 }, (_, at) => `service=s${at}.service 100 /usr/sbin/s`),
  '/usr/sbin/s:libssl.so.3',
];

describe('the families of updates and restarts', () => {
  test('of an ordinary host', () => {
    expect(series({})).toEqual([
      'automatic_updates_enabled{} 1',
      'automatic_updates_info{"by":"unattended-upgrades"} 1',
      `automatic_updates_last_run_timestamp_seconds{} ${now - 3600}`,
    ]);
  });

  test('of a host of which nothing is known have no series, and never a 0', () => {
    expect(series({ packages: null })).toEqual([]);
  });

  test('of a host on which nothing installs updates', () => {
    expect(series({ packages: { libc6: '1' } })).toEqual(['automatic_updates_enabled{} 0']);
  });

  test('tell what restarts a host, with a time only where there is one', () => {
    expect(series({ scheduled: `USEC=${now + 60}000000\nMODE=reboot` })).toEqual(
      expect.arrayContaining([
        `reboot_expected_timestamp_seconds{"by":"shutdown"} ${now + 60}`,
        'reboot_automatic_info{"by":"shutdown"} 1',
      ]),
    );
    const set = series({ aptConfig: ["upgrade='1'", "reboot='true'"] });
    expect(set).toContain('reboot_automatic_info{"by":"unattended-upgrades"} 1');
    expect(set.join()).not.toContain('reboot_expected');
  });

  test('tell live patches', () => {
    const livepatch = section('livepatch', 'patch=1 0 kpatch_1\npatch=0 0 kpatch_0\n');
    const told = series({ sections: { livepatch } });
    expect(told).toContain('reboot_livepatch_info{"patch":"kpatch_1"} 1');
    expect(told).toContain('reboot_required_livepatched{} 0');
    expect(told.join()).not.toContain('kpatch_0');
    expect(told).toContain(`reboot_livepatch_covered_until_timestamp_seconds{} ${Date.UTC(2025, 10, 1) / 1000}`);
  });

  test('count services that run replaced libraries, and name some', () => {
    const told = series({ sections: { services: section('services', `${services.join('\n')}\n`) } });
    expect(told).toContain('outdated_services{} 30');
    expect(told.filter((line) => line.startsWith('outdated_service_info'))).toHaveLength(20);
    expect(series({ sections: { services: section('services', '') } })).toContain('outdated_services{} 0');
  });
});
