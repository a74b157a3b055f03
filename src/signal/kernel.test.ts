import { bootedAt, day, factsOf, now, section, type Said } from '../../test/fixture/said';
import { findBootTime } from './boot-time';
import { kernel } from './kernel';
import { parseRelease } from './kernel-release';
import type { Finding } from './signal';

function judge(said: Said): Finding {
  const facts = factsOf(said);
  return kernel.judge(undefined, { facts, bootTime: findBootTime(facts) });
}

/** A host that runs one kernel and has these packages, all of one version but where it matters. */
function host(release: string, packages: NonNullable<Said['packages']>, more: Said = {}): Said {
  return { release, version: '#1 SMP', packages, unpacked: {}, ...more };
}

const debian = { release: '6.1.0-27-amd64', version: '#1 SMP PREEMPT_DYNAMIC Debian 6.1.115-1 (2024-11-01)' };

describe('the kernel that runs against those that are installed', () => {
  test('the newest runs: no', () => {
    expect(judge({})).toEqual({
      says: 'not_required',
      because: '6.1.0-27-amd64 runs and is the newest installed of its flavour',
    });
  });

  test('a newer one is installed: yes, with its package and since when', () => {
    const packages = { 'linux-image-6.1.0-27-amd64': '6.1.115-1', 'linux-image-6.1.0-28-amd64': '6.1.119-1' };
    const unpacked = { 'linux-image-6.1.0-27-amd64': bootedAt - day, 'linux-image-6.1.0-28-amd64': now - 3600 };
    expect(judge({ packages, unpacked })).toEqual({
      says: 'required',
      because: '6.1.0-27-amd64 runs, 6.1.0-28-amd64 is installed',
      since: [{ atSeconds: now - 3600, evidence: 'package' }],
      packages: ['linux-image-6.1.0-28-amd64'],
    });
  });

  test('-100 is newer than -31, though text sorts it before', () => {
    const packages = { 'linux-image-6.1.0-31-amd64': '1', 'linux-image-6.1.0-100-amd64': '2' };
    expect(judge(host('6.1.0-31-amd64', packages)).says).toBe('required');
    expect(judge(host('6.1.0-100-amd64', packages)).says).toBe('not_required');
  });

  test('since is when the first of several newer ones came, and the newest is named', () => {
    const finding = judge(
      host(
        '6.1.0-27-amd64',
        {
          'linux-image-6.1.0-27-amd64': '1',
          'linux-image-6.1.0-29-amd64': '1',
          'linux-image-6.1.0-28-amd64': '1',
        },
        { unpacked: { 'linux-image-6.1.0-28-amd64': now - 9000, 'linux-image-6.1.0-29-amd64': now - 100 } },
      ),
    );
    expect(finding).toMatchObject({
      says: 'required',
      packages: ['linux-image-6.1.0-29-amd64'],
      since: expect.arrayContaining([{ atSeconds: now - 9000, evidence: 'package' }]) as unknown,
    });
  });

  test('a newer one that was there before the boot has been needed since the boot', () => {
    const packages = { 'linux-image-6.1.0-27-amd64': '1', 'linux-image-6.1.0-28-amd64': '1' };
    const unpacked = { 'linux-image-6.1.0-28-amd64': bootedAt - day };
    expect(judge(host('6.1.0-27-amd64', packages, { unpacked }))).toMatchObject({
      since: [{ atSeconds: bootedAt, evidence: 'package' }],
    });
  });

  test.each([['rc '], ['un '], ['iU '], ['iF '], ['pn ']])('a newer one in the state %j does not count', (state) => {
    const packages = {
      'linux-image-6.1.0-27-amd64': '1',
      'linux-image-6.1.0-28-amd64': [state, '1'] as const,
    };
    expect(judge(host('6.1.0-27-amd64', packages)).says).toBe('not_required');
  });

  test('a newer one that is held counts: it is installed', () => {
    const packages = { 'linux-image-6.1.0-27-amd64': '1', 'linux-image-6.1.0-28-amd64': ['hi ', '1'] as const };
    expect(judge(host('6.1.0-27-amd64', packages)).says).toBe('required');
  });

  test.each([
    ['cloud against generic', '6.1.0-27-cloud-amd64', '6.1.0-28-amd64'],
    ['generic against cloud', '6.1.0-27-amd64', '6.1.0-28-cloud-amd64'],
    ['rt', '6.1.0-27-amd64', '6.1.0-28-rt-amd64'],
    ['aws against generic', '6.8.0-1015-aws', '6.8.0-45-generic'],
    ['generic against lowlatency', '6.8.0-40-generic', '6.8.0-45-lowlatency'],
    ['64k pages', '6.8.0-40-generic', '6.8.0-45-generic-64k'],
    ['fips', '5.15.0-1052-aws', '5.15.0-1060-aws-fips'],
  ])('never across flavours: %s', (_name, running, other) => {
    const packages = { [`linux-image-${running}`]: '1', [`linux-image-${other}`]: '2' };
    expect(judge(host(running, packages)).says).toBe('not_required');
  });

  test.each([
    'linux-image-amd64',
    'linux-image-generic',
    'linux-image-generic-hwe-22.04',
    'linux-image-6.9-amd64',
    'linux-image-6.12.0-1-amd64-dbg',
    'linux-image-unsigned-6.12.0-1-amd64-dbgsym',
    'linux-image-extra-virtual',
    'linux-image-6.12.0',
  ])('%s is no kernel: a meta package, debug symbols or without a flavour', (name) => {
    expect(judge(host('6.1.0-27-amd64', { 'linux-image-6.1.0-27-amd64': '1', [name]: '9' })).says).toBe('not_required');
  });

  test.each([
    ['a backport beside the running kernel', '6.1.0-27-amd64', '6.1.115-1', '6.11.10+bpo-amd64', '6.11.10-1~bpo12+1'],
    ['the release beside a running backport', '6.9.7+bpo-amd64', '6.9.7-1~bpo12+1', '6.12.43+deb13-amd64', '6.12.43-1'],
    ['an old-style backport', '4.9.0-19-amd64', '4.9.320-2', '4.19.0-0.bpo.19-amd64', '4.19.194-3~bpo9+1'],
    ['a kernel of the next release', '4.19.0-27-amd64', '4.19.316-1', '5.10.0-0.deb10.30-amd64', '5.10.218-1~deb10u1'],
  ])('never across backports: %s', (_name, running, version, other, otherVersion) => {
    const packages = { [`linux-image-${running}`]: version, [`linux-image-${other}`]: otherVersion };
    expect(judge(host(running, packages)).says).toBe('not_required');
  });

  test('a newer backport is newer than a running backport', () => {
    const packages = {
      'linux-image-6.9.7+bpo-amd64': '6.9.7-1~bpo12+1',
      'linux-image-6.11.10+bpo-amd64': '6.11.10-1~bpo12+1',
    };
    expect(judge(host('6.9.7+bpo-amd64', packages)).says).toBe('required');
  });

  test('the next release of Debian is newer', () => {
    const packages = { 'linux-image-6.1.0-27-amd64': '6.1.115-1', 'linux-image-6.12.43+deb13-amd64': '6.12.43-1' };
    expect(judge(host('6.1.0-27-amd64', packages)).says).toBe('required');
  });

  test('a newer build of Raspberry Pi OS is newer', () => {
    const packages = { 'linux-image-6.1.0-rpi7-rpi-v8': '1', 'linux-image-6.1.0-rpi10-rpi-v8': '1' };
    expect(judge(host('6.1.0-rpi7-rpi-v8', packages)).says).toBe('required');
    expect(judge(host('6.1.0-rpi10-rpi-v8', packages)).says).toBe('not_required');
  });

  test('unsigned packages count as what they are', () => {
    const packages = { 'linux-image-6.8.0-40-generic': '1', 'linux-image-unsigned-6.8.0-45-generic': '1' };
    expect(judge(host('6.8.0-40-generic', packages)).says).toBe('required');
    expect(judge(host('6.8.0-45-generic', packages)).says).toBe('not_required');
  });
});

describe('a rebuild under the name that runs', () => {
  const installed = (version: string, more: Said): Said =>
    host('6.8.0-45-generic', { 'linux-image-6.8.0-45-generic': version }, more);

  test.each([
    ['Ubuntu 6.8.0-45.45-generic 6.8.12', '6.8.0-45.45', 'not_required'],
    ['Ubuntu 6.8.0-45.45-generic 6.8.12', '6.8.0-45.46', 'required'],
    ['Ubuntu 6.8.0-45.46-generic 6.8.12', '6.8.0-45.45', 'not_required'],
    // The signed package's suffix is not another build.
    ['Ubuntu 6.8.0-45.45-generic 6.8.12', '6.8.0-45.45+1', 'not_required'],
    ['Ubuntu 6.8.0-45.45-generic 6.8.12', '6.8.0-45.46+1', 'required'],
    ['Ubuntu 6.8.0-45.45~22.04.1-generic 6.8.12', '6.8.0-45.45~22.04.1', 'not_required'],
    ['Ubuntu 6.8.0-45.45~22.04.1-generic 6.8.12', '6.8.0-45.45~22.04.2', 'required'],
    ['Ubuntu 6.8.0-45.45-generic-64k 6.8.12', '6.8.0-45.45', 'not_required'],
    // Not in the form that is known: nothing follows from it.
    ['Ubuntu', '6.8.0-45.46', 'not_required'],
    ['Mint 6.8.0-45.45-generic', '6.8.0-45.46', 'not_required'],
  ])('/proc/version_signature %j, package %s: %s', (signature, version, says) => {
    expect(judge(installed(version, { signature })).says).toBe(says);
  });

  test.each([
    ['#1 SMP PREEMPT_DYNAMIC Debian 6.1.115-1 (2024-11-01)', '6.1.115-1', 'not_required'],
    ['#1 SMP PREEMPT_DYNAMIC Debian 6.1.115-1 (2024-11-01)', '6.1.115-2', 'required'],
    ['#1 SMP PREEMPT_DYNAMIC Debian 6.1.115-1 (2024-11-01)', '6.1.115-1+1', 'not_required'],
    ['#1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 (2024-11-22)', '6.1.115-1', 'not_required'],
    ['#1 SMP PREEMPT_DYNAMIC', '6.1.115-2', 'not_required'],
    ['#1 SMP Debian', '6.1.115-2', 'not_required'],
  ])('uname -v %j, package %s: %s', (version, installedVersion, says) => {
    expect(judge({ ...debian, version, packages: { 'linux-image-6.1.0-27-amd64': installedVersion } }).says).toBe(says);
  });

  test('of a backport is seen, though its version ends as a signed package does', () => {
    const said = host('6.9.7+bpo-amd64', { 'linux-image-6.9.7+bpo-amd64': '6.9.7-1~bpo12+2' });
    expect(judge({ ...said, version: '#1 SMP Debian 6.9.7-1~bpo12+1 (2024-07-01)' }).says).toBe('required');
    expect(judge({ ...said, version: '#1 SMP Debian 6.9.7-1~bpo12+2 (2024-07-01)' }).says).toBe('not_required');
  });

  test('tells both builds, and since when', () => {
    const unpacked = { 'linux-image-6.1.0-27-amd64': now - 60 };
    expect(judge({ ...debian, packages: { 'linux-image-6.1.0-27-amd64': '6.1.116-1' }, unpacked })).toEqual({
      says: 'required',
      because: '6.1.0-27-amd64 runs as build 6.1.115-1, 6.1.116-1 is installed',
      since: [{ atSeconds: now - 60, evidence: 'package' }],
      packages: ['linux-image-6.1.0-27-amd64'],
    });
  });
});

describe('where the test does not apply or can not be made', () => {
  test.each(['docker', 'lxc', 'podman', 'systemd-nspawn'])(
    "a %s container runs its host's kernel: silent",
    (container) => {
      const packages = { 'linux-image-6.1.0-28-amd64': '6.1.119-1' };
      expect(judge({ container, packages }).says).toBe('silent');
    },
  );

  test.each(['6.1.50', '6.1.50+', '5.10-custom', 'custom', '', '-', 'x'.repeat(300)])(
    'a kernel called %j is of no package: silent or unknown, never yes or no',
    (release) => {
      expect(['silent', 'unknown']).toContain(judge(host(release, { 'linux-image-6.1.0-28-amd64': '1' })).says);
    },
  );

  test('a kernel whose package was removed, and no newer one: unknown', () => {
    expect(judge(host('6.1.0-27-amd64', { 'linux-image-6.1.0-26-amd64': '1' })).says).toBe('unknown');
    expect(judge(host('6.1.0-27-amd64', {})).says).toBe('unknown');
  });

  test('a kernel whose package was removed, and a newer one: yes', () => {
    expect(judge(host('6.1.0-27-amd64', { 'linux-image-6.1.0-28-amd64': '1' })).says).toBe('required');
  });

  test('dpkg is missing or fails: unknown', () => {
    expect(judge({ packages: null }).says).toBe('unknown');
  });

  test('the running kernel could not be read: unknown', () => {
    expect(judge({ release: null }).says).toBe('unknown');
  });
});

describe('parseRelease', () => {
  test.each([
    ['6.1.0-27-amd64', '6.1.0-27', 'amd64'],
    ['6.1.0-27-cloud-amd64', '6.1.0-27', 'cloud-amd64'],
    ['6.8.0-45-generic', '6.8.0-45', 'generic'],
    ['6.8.0-45-generic-64k', '6.8.0-45', 'generic-64k'],
    ['4.19.0-0.bpo.19-amd64', '4.19.0-0.bpo.19', 'amd64'],
    ['6.12.43+deb13-amd64', '6.12.43+deb13', 'amd64'],
    ['6.6.20+rpt-rpi-v8', '6.6.20+rpt', 'rpi-v8'],
    ['6.1.0-rpi7-rpi-v8', '6.1.0-rpi7', 'rpi-v8'],
    ['6.1.50-custom', '6.1.50', 'custom'],
  ])('%s', (name, version, flavour) => {
    expect(parseRelease(name)).toEqual({ name, version, flavour });
  });

  test.each(['', '-', 'amd64', '6.1-amd64', '6.1.0', '6.1.0-27', 'generic-6.1.0', '6..1-amd64', '6.1.x-amd64'])(
    '%j is none',
    (name) => {
      expect(parseRelease(name)).toBeNull();
    },
  );
});

describe('kernels of Proxmox', () => {
  const running = '6.8.12-4-pve';
  const build = { version: '#1 SMP PREEMPT_DYNAMIC PMX 6.8.12-4 (2024-11-06T15:04Z)' };
  const packages = {
    'proxmox-kernel-6.8': '6.8.12-4',
    'proxmox-kernel-helper': '8.1.0',
    'proxmox-kernel-6.8.12-4-pve-signed': '6.8.12-4',
    'proxmox-kernel-6.8.12-2-pve-signed': '6.8.12-2',
  };
  const newer = { ...packages, 'proxmox-kernel-6.8.12-5-pve-signed': '6.8.12-5' };
  const pinnedTo = (text: string, release: string): NonNullable<Said['sections']> => ({
    kernel: section('kernel', `release=${release}\nversion=${build.version}\npin=${text}\n`),
  });

  test('the newest runs: no', () => {
    expect(judge(host(running, packages, build))).toMatchObject({ says: 'not_required' });
  });

  test('a newer one is installed: yes', () => {
    expect(judge(host(running, newer, build))).toMatchObject({
      says: 'required',
      because: '6.8.12-4-pve runs, 6.8.12-5-pve is installed',
      packages: ['proxmox-kernel-6.8.12-5-pve-signed'],
    });
    const old = {
      'pve-kernel-5.15.108-1-pve': '5.15.108-1',
      'pve-kernel-5.15.116-1-pve': '5.15.116-1',
      'pve-kernel-5.15': '7.4-6',
    };
    expect(judge(host('5.15.108-1-pve', old))).toMatchObject({
      says: 'required',
      packages: ['pve-kernel-5.15.116-1-pve'],
    });
  });

  test('a rebuild under the same name is installed: yes', () => {
    const rebuilt = { 'proxmox-kernel-6.8.12-4-pve': '6.8.12-5' };
    expect(judge(host(running, rebuilt, build)).says).toBe('required');
  });

  test.each([
    ['its file', '6.8.12-4-pve'],
    ['GRUB', 'GRUB_DEFAULT="gnulinux-advanced-8f0-a>gnulinux-6.8.12-4-pve-advanced-8f0-a"'],
  ])('the one that runs is pinned in %s: no, whatever is installed', (_where, pin) => {
    expect(judge(host(running, newer, { sections: pinnedTo(pin, running) })).says).toBe('not_required');
  });

  test('one that is newer than what runs is pinned: yes, and it is the one that counts', () => {
    expect(judge(host('6.8.12-2-pve', newer, { sections: pinnedTo('6.8.12-4-pve', '6.8.12-2-pve') }))).toMatchObject({
      says: 'required',
      because: '6.8.12-2-pve runs, 6.8.12-4-pve is pinned',
      packages: ['proxmox-kernel-6.8.12-4-pve-signed'],
    });
  });

  test('an older one is pinned: no', () => {
    expect(judge(host(running, newer, { sections: pinnedTo('6.8.12-2-pve', running) }))).toEqual({
      says: 'not_required',
      because: '6.8.12-4-pve runs, and the older 6.8.12-2-pve is pinned',
    });
  });

  test('one that is pinned and not installed does not count', () => {
    expect(judge(host(running, newer, { sections: pinnedTo('6.5.13-6-pve', running) })).says).toBe('required');
  });
});

describe('kernels of Raspberry Pi OS', () => {
  test.each(['v8', '2712'])('are named after the board: %s', (board) => {
    const running = `6.6.51+rpt-rpi-${board}`;
    const other = board === 'v8' ? '2712' : 'v8';
    const packages = {
      [`linux-image-${running}`]: '1:6.6.51-1+rpt3',
      [`linux-image-6.6.62+rpt-rpi-${other}`]: '1:6.6.62-1+rpt1',
    };
    expect(judge(host(running, packages)).says).toBe('not_required');
    const newer = { ...packages, [`linux-image-6.6.62+rpt-rpi-${board}`]: '1:6.6.62-1+rpt1' };
    expect(judge(host(running, newer))).toMatchObject({
      says: 'required',
      packages: [`linux-image-6.6.62+rpt-rpi-${board}`],
    });
  });

  test.each(['6.1.21-v8+', '6.1.21-v7l+', '6.1.21+'])(
    'before 12, the one package of %s is compared with the boot',
    (running) => {
      const packages = { 'raspberrypi-kernel': '1:1.20230405-1', libc6: '2.31-13' };
      const unpacked = (atSeconds: number): Said => ({ unpacked: { 'raspberrypi-kernel': atSeconds } });
      expect(judge(host(running, packages, unpacked(bootedAt - day)))).toEqual({
        says: 'not_required',
        because: 'raspberrypi-kernel is older than this boot',
      });
      expect(judge(host(running, packages, unpacked(now - 60)))).toMatchObject({
        says: 'required',
        since: [{ atSeconds: now - 60, evidence: 'package' }],
        packages: ['raspberrypi-kernel'],
      });
      expect(judge(host(running, packages)).says).toBe('unknown');
    },
  );

  test('a kernel built by hand is not that of the package', () => {
    const packages = { 'raspberrypi-kernel': '1:1.20230405-1' };
    expect(judge(host('6.1.21-v8-own+', packages, { unpacked: { 'raspberrypi-kernel': now } })).says).toBe('unknown');
  });
});
