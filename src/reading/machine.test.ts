import { section } from '../../test/fixture/said';
import { machine } from './machine';

function machineOf(...lines: string[]): ReturnType<typeof machine.parse> {
  return machine.parse(section('machine', lines.map((line) => `${line}\n`).join('')));
}

describe('machine', () => {
  test.each([
    [['container=lxc', 'vendor=QEMU', 'virtual=1'], 'lxc'],
    [['container=docker'], 'docker'],
    // A sign of a container that does not say of which kind.
    [['container='], 'container'],
    [['container=\u001b[2J'], '[2J'],
    [['vendor=QEMU', 'virtual=1'], null],
  ])('%j: container %j', (lines, expected) => {
    expect(machineOf(...lines).container).toBe(expected);
  });

  test.each([
    [['vendor=QEMU', 'product=Standard PC', 'virtual=1'], 'qemu'],
    [['vendor=VMware, Inc.', 'product=VMware7,1', 'virtual=1'], 'vmware'],
    [['vendor=Microsoft Corporation', 'product=Virtual Machine', 'virtual=1'], 'hyperv'],
    [['vendor=Microsoft Corporation', 'product=Surface Laptop', 'virtual=0'], 'none'],
    [['vendor=Amazon EC2', 'product=m5.large', 'virtual=1'], 'amazon'],
    [['vendor=Amazon EC2', 'product=m5.metal', 'virtual=0'], 'none'],
    [['vendor=Dell Inc.', 'product=PowerEdge R740', 'virtual=0'], 'none'],
    [['hypervisor=xen', 'virtual=1'], 'xen'],
    [['virtual=1'], 'other'],
    // No firmware to be read, as on many small boards.
    [['virtual=0'], null],
    // Only x86 processors say whether there is a hypervisor: an ARM guest is not taken for bare metal.
    [['vendor=Amazon EC2', 'product=m6g.large'], 'amazon'],
    [['vendor=Ampere(R)', 'product=Mt. Jade'], null],
    [[], null],
  ])('%j: virtualization %j', (lines, expected) => {
    expect(machineOf(...lines).virtualization).toBe(expected);
  });
});
