import { base, kernel427, rpmHost, suse, type RpmHostSaid, type RpmSaid } from '../../test/fixture/rpm-said';
import { bootedAt, day, factsOf, now, section } from '../../test/fixture/said';
import { findBootTime } from './boot-time';
import { newestRpmKernel, rpmKernel } from './rpm-kernel';
import type { Finding } from './signal';

function judge(said: RpmHostSaid): Finding {
  const facts = factsOf(rpmHost(said));
  return rpmKernel.judge(undefined, { facts, bootTime: findBootTime(facts) });
}

function withKernels(release: string, ...kernels: readonly RpmSaid[]): RpmHostSaid {
  return { release, rpms: [...base, ...kernels] };
}

const before = bootedAt - 9 * day;
const after = now - 3600;

describe('the running kernel against the installed ones of rpm', () => {
  test('is the newest', () => {
    expect(judge({})).toMatchObject({ says: 'not_required' });
  });

  test.each<[string, string, RpmSaid, RpmSaid]>([
    ['RHEL 9, Alma, Rocky, Fedora', '5.14.0-427.el9.x86_64', kernel427, ['kernel-core', '5.14.0', '503.el9', after]],
    [
      'RHEL 7',
      '3.10.0-1160.el7.x86_64',
      ['kernel', '3.10.0', '1160.el7', before],
      ['kernel', '3.10.0', '1160.119.1.el7', after],
    ],
    [
      'the real-time kernel of RHEL 8',
      '4.18.0-553.rt7.342.el8_10.x86_64',
      ['kernel-rt-core', '4.18.0', '553.rt7.342.el8_10', before],
      ['kernel-rt-core', '4.18.0', '553.16.1.rt7.357.el8_10', after],
    ],
    [
      'the real-time kernel of RHEL 9',
      '5.14.0-427.el9.x86_64+rt',
      ['kernel-rt-core', '5.14.0', '427.el9', before],
      ['kernel-rt-core', '5.14.0', '503.el9', after],
    ],
    [
      "Oracle's UEK",
      '5.15.0-209.161.7.2.el9uek.x86_64',
      ['kernel-uek-core', '5.15.0', '209.161.7.2.el9uek', before],
      ['kernel-uek-core', '5.15.0', '300.163.18.el9uek', after],
    ],
    [
      'Amazon Linux 2023',
      '6.1.112-122.189.amzn2023.x86_64',
      ['kernel', '6.1.112', '122.189.amzn2023', before],
      ['kernel', '6.1.134', '150.224.amzn2023', after],
    ],
    [
      'Amazon Linux 2023 with a later series',
      '6.12.23-29.97.amzn2023.x86_64',
      ['kernel6.12', '6.12.23', '29.97.amzn2023', before],
      ['kernel6.12', '6.12.100', '3.1.amzn2023', after],
    ],
    [
      'Azure Linux, whose releases have no architecture',
      '6.6.57.1-2.azl3',
      ['kernel', '6.6.57.1', '2.azl3', before],
      ['kernel', '6.6.57.1', '10.azl3', after],
    ],
    [
      'openSUSE Leap and SLES, whose releases are without the count of rebuilds',
      '6.4.0-150600.23.25-default',
      ['kernel-default', '6.4.0', '150600.23.25.1', before],
      ['kernel-default', '6.4.0', '150600.23.100.1', after],
    ],
    [
      'openSUSE Tumbleweed',
      '6.11.3-1-default',
      ['kernel-default', '6.11.3', '1.1', before],
      ['kernel-default', '6.11.10', '1.1', after],
    ],
    [
      "SUSE's kernel for guests",
      '6.11.3-1-kvmsmall',
      ['kernel-kvmsmall', '6.11.3', '1.1', before],
      ['kernel-kvmsmall', '6.12.1', '1.1', after],
    ],
  ])('%s', (_name, release, own, newer) => {
    const os = release.includes('default') || release.includes('kvmsmall') ? { os: suse } : {};
    expect(judge({ ...os, ...withKernels(release, own) })).toMatchObject({ says: 'not_required' });
    expect(judge({ ...os, ...withKernels(release, newer, own) })).toEqual({
      says: 'required',
      because: `${release} runs, ${newer[0]}-${newer[1]}-${newer[2]} is installed`,
      since: [{ atSeconds: after, evidence: 'package' }],
      packages: [newer[0]],
    });
    // What the next start would boot is not needed by one that has come from there.
    expect(judge({ ...os, ...withKernels(release, [...own.slice(0, 3), after] as unknown as RpmSaid) }).says).toBe(
      os.os === undefined ? 'not_required' : 'required',
    );
  });

  test('a newer epoch is newer, whatever the version', () => {
    expect(
      judge(withKernels('5.14.0-427.el9.x86_64', kernel427, ['kernel-core', '5.10.0', '1.el9', after, 1])).says,
    ).toBe('required');
  });

  test('release candidates come before what they are candidates of', () => {
    const own: RpmSaid = ['kernel-core', '6.13.0', '0.rc5.20241231git', before];
    const release = '6.13.0-0.rc5.20241231git.x86_64';
    expect(judge(withKernels(release, own, ['kernel-core', '6.13.0~rc9', '1', after])).says).toBe('not_required');
    expect(judge(withKernels(release, own, ['kernel-core', '6.13.0', '1', after])).says).toBe('required');
  });

  test.each<[string, RpmSaid]>([
    ['another flavour', ['kernel-rt-core', '5.14.0', '503.el9', after]],
    ['a debugging kernel', ['kernel-debug-core', '5.14.0', '503.el9', after]],
    ['a kernel of 64k pages', ['kernel-64k-core', '5.14.0', '503.el9', after]],
    ["Oracle's other one", ['kernel-uek-core', '5.15.0', '300.163.18.el9uek', after]],
    ["ELRepo's", ['kernel-ml-core', '6.12.1', '1.el9.elrepo', after]],
    ["another series of Amazon's", ['kernel6.12', '6.12.23', '29.97.amzn2023', after]],
    ['modules alone', ['kernel-modules-core', '5.14.0', '503.el9', after]],
    ['a live patch', ['kernel-livepatch-default', '6.4.0', '150600.23.100.1', after]],
    ['headers', ['kernel-devel', '5.14.0', '503.el9', after]],
    ['the package that only draws others in', ['kernel', '5.14.0', '503.el9', after]],
  ])('%s is not compared with', (_name, other) => {
    expect(judge(withKernels('5.14.0-427.el9.x86_64', kernel427, other)).says).toBe('not_required');
  });

  test('of two builds of one version, the one that runs is told by its name', () => {
    const page64: RpmSaid = ['kernel-64k-core', '5.14.0', '427.el9', before];
    const newer64: RpmSaid = ['kernel-64k-core', '5.14.0', '503.el9', after];
    const arm = { architecture: 'aarch64' };
    expect(judge({ ...arm, ...withKernels('5.14.0-427.el9.aarch64', kernel427, page64, newer64) }).says).toBe(
      'not_required',
    );
    expect(judge({ ...arm, ...withKernels('5.14.0-427.el9.aarch64+64k', kernel427, page64, newer64) }).says).toBe(
      'required',
    );
    const newer: RpmSaid = ['kernel-core', '5.14.0', '503.el9', after];
    expect(judge({ ...arm, ...withKernels('5.14.0-427.el9.aarch64+64k', kernel427, page64, newer) }).says).toBe(
      'not_required',
    );
  });

  test("SUSE's kernel with fewer modules is of the same flavour", () => {
    const own: RpmSaid = ['kernel-default-base', '6.4.0', '150600.23.25.1.150600.12.11.2', before];
    const newer: RpmSaid = ['kernel-default-base', '6.4.0', '150600.23.30.1.150600.12.13.1', after];
    const said = { os: suse, ...withKernels('6.4.0-150600.23.25-default', own, newer) };
    expect(judge(said)).toMatchObject({ says: 'required', packages: ['kernel-default-base'] });
  });

  test("SUSE's rebuild under the name that runs is told by when it was installed", () => {
    const said = { os: suse, ...withKernels('6.11.3-1-default', ['kernel-default', '6.11.3', '1.2', after]) };
    expect(judge(said)).toMatchObject({ says: 'required', since: [{ atSeconds: after, evidence: 'package' }] });
    expect(judge({ ...said, bootedAt: null, uptime: null, now: null }).says).toBe('unknown');
  });

  test('installed before the boot and not running: needed since the boot', () => {
    const said = withKernels('5.14.0-427.el9.x86_64', kernel427, ['kernel-core', '5.14.0', '503.el9', before]);
    expect(judge(said)).toMatchObject({ since: [{ atSeconds: bootedAt, evidence: 'package' }] });
  });
});

describe("where it can't be told, or does not apply", () => {
  test.each<[string, RpmHostSaid, Finding['says']]>([
    ['a container', { container: 'podman' }, 'silent'],
    ['no release', { release: null }, 'unknown'],
    ['the running kernel is not among the installed', { release: '5.14.0-70.el9.x86_64' }, 'unknown'],
    ["a kernel of one's own", { release: '6.9.1-custom' }, 'unknown'],
    ['rpm failed', { rpmStatus: 137 }, 'unknown'],
    ['rpm is missing', { rpmStatus: 127 }, 'unknown'],
    ['rpm says of an error', { rpmLines: ['error: cannot open Packages index using sqlite'] }, 'unknown'],
    ['the program on the host is older', { sections: { rpm: null } }, 'silent'],
    ['there is no database', { sections: { rpm: section('rpm', '') } }, 'silent'],
    ['a database without a C library', { rpms: [kernel427] }, 'silent'],
    ['a Debian host that has an rpm', { packages: { libc6: '2.36-9' } }, 'silent'],
    ['the image of an rpm-ostree system', { sections: { image: section('image', 'kind=ostree\n') } }, 'silent'],
  ])('%s', (_name, said, says) => {
    expect(judge(said).says).toBe(says);
  });
});

test('the newest installed of the flavour, for the labels of a host', () => {
  const newest = (said: RpmHostSaid): string | null => newestRpmKernel(factsOf(rpmHost(said)));
  const newer: RpmSaid = ['kernel-core', '5.14.0', '503.el9', after];
  const newerRt: RpmSaid = ['kernel-rt-core', '5.14.0', '503.el9', after];
  const ownRt: RpmSaid = ['kernel-rt-core', '5.14.0', '427.el9', before];
  expect(newest({})).toBe('5.14.0-427.el9.x86_64');
  expect(newest(withKernels('5.14.0-427.el9.x86_64', kernel427, newer, newerRt))).toBe('5.14.0-503.el9.x86_64');
  expect(newest(withKernels('5.14.0-427.el9.x86_64+rt', kernel427, ownRt, newerRt))).toBe('5.14.0-503.el9.x86_64+rt');
  expect(newest({ os: suse, ...withKernels('6.11.3-1-default', ['kernel-default', '6.11.3', '1.1', before]) })).toBe(
    '6.11.3-1-default',
  );
  const azure = withKernels(
    '6.6.57.1-2.azl3',
    ['kernel', '6.6.57.1', '2.azl3', before],
    ['kernel', '6.6.64.2', '1.azl3', after],
  );
  expect(newest(azure)).toBe('6.6.64.2-1.azl3');
  expect(newest({ release: '6.9.1-custom' })).toBeNull();
});
