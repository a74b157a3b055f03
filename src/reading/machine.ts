import { cleanText, readFields } from '../report/fields';
import type { Reading } from './reading';

/** What kind of machine the host is. */
export interface Machine {
  /** The kind of container, or null where no sign of one was seen. A container runs its host's kernel. */
  readonly container: string | null;
  /** The hypervisor, `none` on bare metal, null when it can't be told. */
  readonly virtualization: string | null;
}

/**
 * The signs that systemd-detect-virt(1) looks for, as far as an unprivileged user can read them. What the processor says
 * of itself has been read with the boot time.
 */
export const machine: Reading<Machine> = {
  name: 'machine',
  script: `
  [ ! -e "$R/run/systemd/container" ] || line container "$R/run/systemd/container" || echo container=
  [ ! -e "$R/run/.containerenv" ] || echo container=podman
  [ ! -e "$R/.dockerenv" ] || echo container=docker
  [ ! -d "$R/proc/vz" ] || [ -d "$R/proc/bc" ] || echo container=openvz
  if [ -r "$R/proc/1/environ" ]; then tr '\\0' '\\n' <"$R/proc/1/environ" | grep '^container='; fi
  [ ! -r "$R/sys/class/dmi/id/sys_vendor" ] || line vendor "$R/sys/class/dmi/id/sys_vendor"
  [ ! -r "$R/sys/class/dmi/id/product_name" ] || line product "$R/sys/class/dmi/id/product_name"
  [ ! -r "$R/sys/hypervisor/type" ] || line hypervisor "$R/sys/hypervisor/type"
  [ -z "$virtual" ] || echo "virtual=$virtual"
  `,
  parse(section) {
    const fields = readFields(section);
    const container = fields.get('container');
    return {
      container: container === undefined ? null : cleanText(container, 40) || 'container',
      virtualization: virtualization(fields),
    };
  },
};

/** Makers of hypervisors as the firmware names them; from systemd's src/basic/virt.c. */
const vendors: readonly (readonly [string, string])[] = [
  ['kvm', 'kvm'],
  ['qemu', 'qemu'],
  ['vmware', 'vmware'],
  ['innotek', 'virtualbox'],
  ['virtualbox', 'virtualbox'],
  ['xen', 'xen'],
  ['bochs', 'bochs'],
  ['parallels', 'parallels'],
  ['bhyve', 'bhyve'],
  ['microsoft corporation virtual machine', 'hyperv'],
  ['amazon ec2', 'amazon'],
  ['google', 'google'],
  ['openstack', 'openstack'],
  ['hetzner', 'kvm'],
  ['digitalocean', 'kvm'],
];

function virtualization(fields: ReadonlyMap<string, string>): string | null {
  const firmware = `${fields.get('vendor') ?? ''} ${fields.get('product') ?? ''}`.trim().toLowerCase();
  // The processor's own word comes first: Amazon, say, is the vendor of bare-metal instances as well. Only x86 has one.
  const virtual = fields.get('virtual');
  if (virtual === '0' && firmware !== '' && !fields.has('hypervisor')) return 'none';
  const hypervisor = fields.get('hypervisor');
  if (hypervisor !== undefined && hypervisor !== '') return cleanText(hypervisor, 40);
  const known = vendors.find(([words]) => firmware.includes(words));
  if (known !== undefined) return known[1];
  return virtual === '1' ? 'other' : null;
}
