import { bootedAt, day, factsOf, now, type Said } from '../../test/fixture/said';
import { findBootTime } from './boot-time';
import { firmware } from './firmware';
import { library } from './library';
import type { Finding, Signal } from './signal';

function judge(signal: Signal, said: Said): Finding {
  const facts = factsOf(said);
  return signal.judge(undefined, { facts, bootTime: findBootTime(facts) });
}

describe('the C library against the boot', () => {
  test('replaced after the boot: yes, since then', () => {
    expect(judge(library, { unpacked: { libc6: now - 60 } })).toEqual({
      says: 'required',
      because: 'libc6 was replaced after this boot',
      since: [{ atSeconds: now - 60, evidence: 'package' }],
      packages: ['libc6'],
    });
  });

  test('older than the boot: silent, for it sees too little to speak for the kernel', () => {
    expect(judge(library, { unpacked: { libc6: bootedAt - day } }).says).toBe('silent');
  });

  test('replaced within the slack of the boot: silent', () => {
    expect(judge(library, { unpacked: { libc6: bootedAt + 5 } }).says).toBe('silent');
  });

  test('older than the start of a container: no, there being no kernel of its own', () => {
    const container: Said = { container: 'lxc', initStart: day };
    expect(judge(library, { ...container, unpacked: { libc6: bootedAt + day - 60 } }).says).toBe('not_required');
    expect(judge(library, { ...container, unpacked: { libc6: bootedAt + day + 60 } }).says).toBe('required');
  });

  test('a container that hides its process 1: unknown, for it may have started after its host', () => {
    const said: Said = { container: 'docker', initStart: null, unpacked: { libc6: bootedAt + day } };
    expect(judge(library, said).says).toBe('unknown');
  });

  test('not installed, as on Alpine with dpkg: silent', () => {
    expect(judge(library, { packages: {}, unpacked: { libc6: now } }).says).toBe('silent');
  });

  test.each<[string, Said]>([
    ['dpkg is missing', { packages: null }],
    ['its list could not be read', { unpacked: {} }],
    ['the boot time is unknown', { bootedAt: null, uptime: null }],
    ["it lies in the future of the host's clock, which was set back", { unpacked: { libc6: now + day } }],
  ])('%s: unknown, never no, never yes', (_name, said) => {
    expect(judge(library, said).says).toBe('unknown');
  });
});

describe('microcode against the boot', () => {
  const bare: Said = { machine: ['vendor=Dell Inc.', 'virtual=0'], packages: { 'intel-microcode': '3.20241112' } };

  test('replaced after the boot on bare metal: yes', () => {
    expect(judge(firmware, { ...bare, unpacked: { 'intel-microcode': now - 60 } })).toMatchObject({
      says: 'required',
      packages: ['intel-microcode'],
    });
  });

  test('older than the boot: silent', () => {
    expect(judge(firmware, { ...bare, unpacked: { 'intel-microcode': bootedAt - 60 } }).says).toBe('silent');
  });

  test.each<[string, Said]>([
    ['a virtual machine', { machine: ['vendor=QEMU', 'virtual=1'] }],
    ['a container', { container: 'lxc' }],
    ['a machine of which it is not known', { machine: [] }],
    ['without the package', { packages: {} }],
  ])('%s: silent', (_name, said) => {
    expect(judge(firmware, { ...bare, unpacked: { 'intel-microcode': now - 60 }, ...said }).says).toBe('silent');
  });

  test('both packages are looked at', () => {
    const packages = { 'intel-microcode': '3', 'amd64-microcode': '3' };
    const unpacked = { 'intel-microcode': bootedAt - 60, 'amd64-microcode': now - 60 };
    expect(judge(firmware, { ...bare, packages, unpacked })).toMatchObject({ packages: ['amd64-microcode'] });
  });
});
