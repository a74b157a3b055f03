import { base, kernel427, rpmHost, suse, type RpmHostSaid, type RpmSaid } from '../../test/fixture/rpm-said';
import { bootedAt, day, factsOf, now } from '../../test/fixture/said';
import { findBootTime } from './boot-time';
import { packages } from './package';
import type { Finding } from './signal';

function judge(said: RpmHostSaid): Finding {
  const facts = factsOf(rpmHost(said));
  return packages.judge(undefined, { facts, bootTime: findBootTime(facts) });
}

const after = now - 3600;
const bare = { machine: ['vendor=Dell Inc.', 'product=PowerEdge R640', 'virtual=0'] };

/** The ordinary host, with one package installed at that time. */
function withNewer(name: string, at = after): RpmHostSaid {
  const others = base.filter(([known]) => known !== name);
  return { rpms: [...others, kernel427, [name, '1', '1', at]] };
}

describe('packages that only a restart takes into use', () => {
  test.each(['glibc', 'systemd', 'dbus-broker', 'dbus', 'dbus-daemon'])('%s, installed after the boot', (name) => {
    expect(judge(withNewer(name))).toEqual({
      says: 'required',
      because: `${name} was installed after this boot`,
      since: [{ atSeconds: after, evidence: 'package' }],
      packages: [name],
    });
  });

  test('each is named once, with when each build of it was installed', () => {
    const rpms: RpmSaid[] = [
      ['glibc', '2.34', '125.el9', after],
      ['glibc', '2.34', '125.el9', after - 5],
      ['systemd', '252', '46.el9', after + 7],
    ];
    expect(judge({ rpms })).toMatchObject({
      packages: ['glibc', 'systemd'],
      since: [{ atSeconds: after }, { atSeconds: after - 5 }, { atSeconds: after + 7 }],
    });
  });

  test('older than the boot, they say nothing of the kernel', () => {
    expect(judge({}).says).toBe('silent');
    expect(judge(withNewer('glibc', bootedAt + 2)).says).toBe('silent');
  });

  test("kernels are the kernel signal's to compare", () => {
    expect(judge(withNewer('kernel-core')).says).toBe('silent');
  });

  test('firmware counts on bare metal only, where the kernel loads it', () => {
    for (const name of ['linux-firmware', 'microcode_ctl', 'amd-ucode-firmware', 'ucode-intel', 'ucode-amd']) {
      expect(judge({ ...withNewer(name), ...bare })).toMatchObject({ says: 'required', packages: [name] });
      expect(judge(withNewer(name)).says).toBe('silent');
    }
  });

  test('the message bus counts where one runs', () => {
    expect(judge({ ...withNewer('dbus-broker'), rpmLines: [] }).says).toBe('silent');
  });

  test("what the host's administrator has added to the list counts, wherever it is", () => {
    const added = { ...withNewer('openssl-libs'), rpmLines: ['added=openssl-libs', 'added=-x', 'added=glibc'] };
    expect(judge(added)).toMatchObject({ says: 'required', packages: ['openssl-libs'] });
    expect(judge(withNewer('openssl-libs')).says).toBe('silent');
    const firmware = { ...withNewer('linux-firmware'), rpmLines: ['added=linux-firmware'] };
    expect(judge(firmware)).toMatchObject({ says: 'required', packages: ['linux-firmware'] });
  });

  test('on SUSE, systemd does not', () => {
    expect(judge({ ...withNewer('systemd'), os: suse }).says).toBe('silent');
    expect(judge({ ...withNewer('systemd'), os: 'ID="sles"\n' }).says).toBe('silent');
    expect(judge({ ...withNewer('glibc'), os: suse }).says).toBe('required');
    expect(judge({ ...withNewer('dbus-1-daemon'), os: suse }).says).toBe('required');
  });
});

describe('after a soft reboot', () => {
  const started = [`started=${after + 60}`, `started=${after + 61}`, 'bus'];

  test('what was installed before it is in use, firmware excepted', () => {
    expect(judge({ ...withNewer('glibc'), rpmLines: started }).says).toBe('silent');
    expect(judge({ ...withNewer('glibc', after + 90), rpmLines: started })).toMatchObject({ says: 'required' });
    expect(judge({ ...withNewer('microcode_ctl'), ...bare, rpmLines: started })).toMatchObject({ says: 'required' });
  });

  test('the earliest of its traces counts: a service may be started again by hand', () => {
    const restarted = [`started=${after + 60}`, `started=${bootedAt + 9}`];
    expect(judge({ ...withNewer('glibc'), rpmLines: restarted }).says).toBe('required');
  });
});

describe('in a container', () => {
  const container = { container: 'podman', initStart: day };

  test('the C library counts from the container\'s start, and its "no" can be trusted', () => {
    expect(judge({ ...withNewer('glibc', bootedAt + day - 60), ...container }).says).toBe('not_required');
    expect(judge({ ...withNewer('glibc', bootedAt + day + 60), ...container }).says).toBe('required');
  });

  test('systemd does not count', () => {
    expect(judge({ ...withNewer('systemd'), ...container }).says).toBe('not_required');
  });
});

describe("where it can't be told", () => {
  test.each<[string, RpmHostSaid, Finding['says']]>([
    ['rpm failed', { rpmStatus: 124 }, 'unknown'],
    ['there is no rpm', { rpmStatus: 127 }, 'unknown'],
    ['the boot time is not known', { bootedAt: null, uptime: null }, 'unknown'],
    ['the clock was set back behind the installation', withNewer('glibc', now + 3600), 'unknown'],
    ['there is no database', { sections: { rpm: null } }, 'silent'],
    ["it is not the system's own database", { packages: { libc6: '2.36-9' } }, 'silent'],
  ])('%s', (_name, said, says) => {
    expect(judge(said).says).toBe(says);
  });
});
