import { factsOf, now, section, type Said } from '../../test/fixture/said';
import { findBootTime } from './boot-time';
import { modules } from './modules';
import type { Finding } from './signal';

const arch = 'NAME="Arch Linux"\nPRETTY_NAME="Arch Linux"\nID=arch\n';
const alpine = 'NAME="Alpine Linux"\nID=alpine\nPRETTY_NAME="Alpine Linux v3.20"\n';
const unheardOf = 'ID=void\nPRETTY_NAME="Void Linux"\n';

function judge(os: string, release: string, lines: readonly string[] | null, said: Said = {}, status = 0): Finding {
  const facts = factsOf({ os, release, version: '#1 SMP', packages: null, ...said });
  const text = lines === null ? undefined : section('modules', lines.map((line) => `${line}\n`).join(''), status);
  return modules.judge(text, { facts, bootTime: findBootTime(facts) });
}

describe('the modules of the kernel that runs, on Arch', () => {
  const old = '6.11.5-arch1-1';
  const current = ['loaded', `folder=${old}`, `package ${old}=linux`];
  const next = ['loaded', 'folder=6.11.6-arch1-1', 'package 6.11.6-arch1-1=linux'];
  const unpacked = [
    `unpacked=${now - 500} /var/lib/pacman/local/linux-6.11.6.arch1-1/desc`,
    `unpacked=${now - 400} /var/lib/pacman/local/linux-firmware-20241111.b5885ec5-1/desc`,
    `unpacked=${now - 300} /var/lib/pacman/local/linux-api-headers-6.11.6-1/desc`,
  ];

  test('they are there, and no newer ones: no', () => {
    expect(judge(arch, old, current)).toEqual({
      says: 'not_required',
      because: '6.11.5-arch1-1 runs and is the newest installed of linux',
    });
  });

  test('they are gone, and those of a newer one there: yes, since pacman unpacked it', () => {
    expect(judge(arch, old, [...next, ...unpacked])).toEqual({
      says: 'required',
      because: '6.11.5-arch1-1 runs, its modules are gone and 6.11.6-arch1-1 is installed',
      since: [{ atSeconds: now - 500, evidence: 'package' }],
      packages: ['linux'],
    });
  });

  test('a hook kept them: yes, for a newer one of the same package is there', () => {
    expect(judge(arch, old, [...current, ...next, ...unpacked])).toMatchObject({
      says: 'required',
      since: [{ atSeconds: now - 500, evidence: 'package' }],
    });
    // One that keeps the modules only leaves no pkgbase.
    expect(judge(arch, old, ['loaded', `folder=${old}`, ...next.slice(1)]).says).toBe('required');
  });

  test('an older one that a hook left over is no reason', () => {
    expect(
      judge(arch, '6.11.10-arch1-1', [...current, 'folder=6.11.10-arch1-1', 'package 6.11.10-arch1-1=linux']).says,
    ).toBe('not_required');
  });

  test.each([
    ['6.6.58-1-lts', 'linux-lts', '6.11.6-arch1-1', 'linux'],
    ['6.11.5-zen1-1-zen', 'linux-zen', '6.11.6-hardened1-1-hardened', 'linux-hardened'],
  ])('another package is none of its: %s of %s beside %s', (running, name, other, otherName) => {
    const lines = [
      'loaded',
      `folder=${running}`,
      `package ${running}=${name}`,
      `folder=${other}`,
      `package ${other}=${otherName}`,
    ];
    expect(judge(arch, running, lines).says).toBe('not_required');
    expect(judge(arch, running, ['loaded', `folder=${other}`, `package ${other}=${otherName}`]).says).toBe('unknown');
  });

  test('a kernel of no package can not be told', () => {
    expect(judge(arch, '6.11.5-own', ['loaded', 'folder=6.11.5-own', ...next.slice(1)])).toMatchObject({
      says: 'unknown',
    });
  });

  test("a hypervisor's kernel proves nothing by the absence of its modules", () => {
    expect(judge(arch, '6.1.10-x86_64-linode160', ['loaded', 'folder=6.11.6-arch1-1']).says).toBe('unknown');
    expect(judge(arch, '6.18.44-fc', ['folder=6.11.6-arch1-1']).says).toBe('unknown');
  });

  test('without any modules it can not be told', () => {
    expect(judge(arch, old, [], {}, 4)).toMatchObject({ says: 'unknown' });
    expect(judge(arch, old, ['loaded'])).toMatchObject({ says: 'unknown' });
    expect(judge(arch, old, null)).toMatchObject({ says: 'unknown' });
  });
});

describe('the modules of the kernel that runs, on Alpine', () => {
  const running = '6.6.58-0-lts';
  const file = `unpacked=${now - 500} /usr/share/kernel/lts/kernel.release`;

  test('the package that is installed has the release that runs: no', () => {
    expect(judge(alpine, running, ['loaded', `folder=${running}`, `installed=${running}`, file])).toEqual({
      says: 'not_required',
      because: '6.6.58-0-lts runs and is the one that is installed',
    });
  });

  test('they are gone: yes, since apk unpacked the new ones', () => {
    expect(judge(alpine, running, ['loaded', 'folder=6.6.59-0-lts', 'installed=6.6.59-0-lts', file])).toEqual({
      says: 'required',
      because: '6.6.58-0-lts runs, its modules are gone and 6.6.59-0-lts is installed',
      since: [{ atSeconds: now - 500, evidence: 'package' }],
      packages: ['linux-lts'],
    });
  });

  test('they were kept: yes, for the package has another release', () => {
    const lines = ['loaded', `folder=${running}`, 'folder=6.6.58-1-lts', 'installed=6.6.58-1-lts'];
    expect(judge(alpine, running, lines)).toMatchObject({ says: 'required', packages: ['linux-lts'] });
  });

  test('run from memory, they are those of the boot medium: it can not be told', () => {
    expect(judge(alpine, running, ['linked', 'loaded', `folder=${running}`])).toEqual({
      says: 'unknown',
      because: '6.6.58-0-lts runs; its modules are those of the boot medium',
    });
  });

  test('another flavour is none of its', () => {
    expect(judge(alpine, running, ['loaded', 'folder=6.6.60-0-virt', 'installed=6.6.60-0-virt']).says).toBe('unknown');
  });

  test('a kernel of no package can not be told', () => {
    expect(judge(alpine, running, ['loaded', `folder=${running}`]).says).toBe('unknown');
  });
});

describe('elsewhere', () => {
  test('a container runs the kernel of its host', () => {
    expect(judge(alpine, '6.1.0-27-amd64', [], { container: 'docker' }, 4)).toMatchObject({ says: 'silent' });
  });

  test('a system that is not known: never no, and what was seen', () => {
    expect(judge(unheardOf, '6.6.58_1', ['loaded', 'folder=6.6.58_1', 'folder=6.6.60_1'])).toEqual({
      says: 'unknown',
      because:
        '6.6.58_1 runs, its modules are there, and so are those of 6.6.60_1; nothing here tells which kernel boots next',
    });
    expect(judge(unheardOf, '6.6.58_1', ['loaded', 'folder=6.6.58_1']).says).toBe('unknown');
    expect(judge('', '6.6.58_1', [], {}, 4)).toEqual({
      says: 'unknown',
      because: '6.6.58_1 runs on an unknown system; there is no /lib/modules to compare with',
    });
  });

  test('a kernel that has no modules proves nothing by their absence', () => {
    expect(judge(unheardOf, '6.6.58_1', ['folder=6.6.60_1']).says).toBe('unknown');
  });

  test('a system that is not known, whose modules are gone: yes', () => {
    expect(judge(unheardOf, '6.6.58_1', ['loaded', 'folder=6.6.60_1'])).toMatchObject({
      says: 'required',
      packages: ['6.6.60_1'],
    });
  });

  test.each([
    'ID=debian\n',
    'ID=linuxmint\nID_LIKE="ubuntu debian"\n',
    'ID=rocky\nID_LIKE="rhel centos fedora"\n',
    'ID=nixos\n',
  ])('systems that keep kernels beside each other have signals of their own: %j', (os) => {
    expect(judge(os, '6.1.0-27-amd64', ['loaded', 'folder=6.1.0-28-amd64']).says).toBe('silent');
  });

  test("so has a system of rpm's whatever its name is", () => {
    const rpm = section('rpm', 'database\npackage=glibc|0|2.38|8.azl3|x86_64|1795000000\n');
    const said = { sections: { rpm } };
    expect(judge('ID=azurelinux\n', '6.6.57.1-6.azl3', ['loaded', 'folder=6.6.64.2-1.azl3'], said).says).toBe('silent');
  });

  test('a kernel that is not named can not be told', () => {
    expect(judge(arch, '', ['loaded', 'folder=x'], { release: null }).says).toBe('unknown');
  });
});
