import { factsOf, now, section, type Said } from '../../test/fixture/said';
import { findBootTime } from './boot-time';
import { generation } from './generation';
import type { Finding } from './signal';

const nixos = 'ID=nixos\nPRETTY_NAME="NixOS 24.11 (Vicuna)"\n';
const hash = 'q0pjmp3sbvz2bqcgqs1fi8k9gvylmzca';

function judge(lines: readonly string[], said: Said = {}, status = 0): Finding {
  const facts = factsOf({ os: nixos, packages: null, release: '6.6.58', version: '#1-NixOS SMP', ...said });
  return generation.judge(section('generation', lines.map((line) => `${line}\n`).join(''), status), {
    facts,
    bootTime: findBootTime(facts),
  });
}

/** What stat prints of the three links of a system. */
function system(folder: string, kernel: string, initrd = kernel): string[] {
  return [
    `link=1 '${folder}/kernel' -> '/nix/store/${hash}-linux-${kernel}/bzImage'`,
    `link=1 '${folder}/initrd' -> '/nix/store/${hash}-initrd-linux-${initrd}/initrd'`,
    `link=1 '${folder}/kernel-modules' -> '/nix/store/${hash}-linux-${kernel}-modules'`,
  ];
}

const profile = '/nix/var/nix/profiles/system';
const switched = `link=${now - 600} '${profile}' -> 'system-42-link'`;

describe('the system that was booted against the one that will be', () => {
  test('is the same in kernel, initrd and modules: no', () => {
    expect(judge([switched, ...system('/run/booted-system', '6.6.58'), ...system(profile, '6.6.58')])).toEqual({
      says: 'not_required',
      because: 'linux-6.6.58 was booted and is the current one',
    });
  });

  test('has another kernel: yes, since the last switch', () => {
    expect(judge([switched, ...system('/run/booted-system', '6.6.58'), ...system(profile, '6.6.60')])).toEqual({
      says: 'required',
      because:
        'booted with kernel linux-6.6.58, now linux-6.6.60; initrd initrd-linux-6.6.58, now initrd-linux-6.6.60; ' +
        'kernel-modules linux-6.6.58-modules, now linux-6.6.60-modules',
      since: [{ atSeconds: now - 600, evidence: 'modified' }],
      packages: ['linux-6.6.60', 'initrd-linux-6.6.60', 'linux-6.6.60-modules'],
    });
  });

  test('has another initrd alone: yes', () => {
    const lines = [...system('/run/booted-system', '6.6.58'), ...system(profile, '6.6.58', '6.6.58-b')];
    expect(judge(lines)).toMatchObject({ says: 'required', packages: ['initrd-linux-6.6.58-b'], since: [] });
  });

  test('is a specialisation of the current one: no', () => {
    const special = `${profile}/specialisation/rt`;
    const lines = [
      ...system('/run/booted-system', '6.6.58-rt'),
      ...system(profile, '6.6.58'),
      ...system(special, '6.6.58-rt'),
    ];
    expect(judge(lines).says).toBe('not_required');
    const replaced = [...lines.slice(0, 6), ...system(special, '6.6.60-rt')];
    expect(judge(replaced).says).toBe('required');
  });

  test.each([
    ['the profile', system('/run/booted-system', '6.6.58')],
    ['the booted system', system(profile, '6.6.58')],
    ['one of the links', [...system('/run/booted-system', '6.6.58'), ...system(profile, '6.6.60').slice(1)]],
    ['anything', []],
  ])('it can not be told without %s', (_what, lines) => {
    expect(judge(lines).says).toBe('unknown');
    expect(judge(lines, {}, 4).says).toBe('unknown');
  });

  test('is of no concern to containers and to systems that only have Nix', () => {
    const differing = [...system('/run/booted-system', '6.6.58'), ...system(profile, '6.6.60')];
    expect(judge(differing, { container: 'lxc' }).says).toBe('silent');
    expect(judge([], { os: 'ID=debian\n' }, 4).says).toBe('silent');
    expect(generation.judge(undefined, { facts: factsOf({}), bootTime: findBootTime(factsOf({})) }).says).toBe(
      'silent',
    );
  });
});
