import { isRpmSystem, type RpmPackage } from '../reading/rpm';
import type { HostFacts } from '../reading';
import { isAfterBoot, type BootTime } from './boot-time';
import { elsewhere, type Finding, type Signal, type SignalContext } from './signal';

/**
 * Packages that only a restart takes into use, by when rpm installed them. It answers as `dnf needs-restarting -r`
 * would, whose list this is (dnf-plugins-core, needs_restarting.py, after Red Hat's solution 27943), without running it:
 * that loads repositories, and ends with 1 for "yes" as well as for a failure.
 *
 * What the host's administrator added to that list (needs-restarting.d) counts as well. Left out of it: kernels, which the kernel signal compares by what runs; firmware on virtual machines, which
 * load none; the message bus where none runs; systemd on SUSE, whose own list (zypp-boot-plugin.conf) has not got it.
 */
export const packages: Signal = {
  name: 'package',
  summary: 'glibc, systemd, the message bus, or firmware on bare metal, was installed with rpm after this boot.',
  judge(_section, context) {
    const { facts } = context;
    if (!isRpmSystem(facts)) return elsewhere("the packages of this system are not rpm's");
    if (facts.rpm.packages === null) return { says: 'unknown', because: 'rpm could not be asked' };
    const counted = countedNames(facts);
    const installed = facts.rpm.packages.filter(({ name }) => counted.includes(name));
    return judgeInstalled(installed, context);
  },
};

const everywhere = ['glibc'];
const messageBus = ['dbus', 'dbus-daemon', 'dbus-broker', 'dbus-1', 'dbus-1-daemon'];
const firmware = ['linux-firmware', 'microcode_ctl', 'amd-ucode-firmware', 'ucode-intel', 'ucode-amd'];

function countedNames({ os, machine, rpm }: HostFacts): readonly string[] {
  // A container's service manager and bus, where it has any, are restarted with their updates, or not at all.
  if (machine.container !== null) return everywhere;
  const isSuse = os.id === 'sles' || [os.id, ...os.like].some((id) => id?.includes('suse') === true);
  return [
    ...everywhere,
    ...(isSuse ? [] : ['systemd']),
    ...(rpm.hasMessageBus ? messageBus : []),
    ...(machine.virtualization === 'none' ? firmware : []),
    ...rpm.addedNames,
  ];
}

function judgeInstalled(installed: readonly RpmPackage[], context: SignalContext): Finding {
  const { facts } = context;
  if (context.bootTime.atSeconds === null) return { says: 'unknown', because: 'the boot time could not be read' };
  const started = startOf(facts, context.bootTime);
  const newer: RpmPackage[] = [];
  for (const each of installed) {
    const isNewer = isAfterBoot(each.installedAtSeconds, context.bootTime);
    if (isNewer === null) {
      return { says: 'unknown', because: `the clock was set back since ${each.name} was installed` };
    }
    if (isNewer && (each.installedAtSeconds > started || firmware.includes(each.name))) newer.push(each);
  }
  const names = [...new Set(newer.map(({ name }) => name))];
  if (names.length > 0) {
    return {
      says: 'required',
      because: `${names.join(', ')} was installed after this boot`,
      since: newer.map(({ installedAtSeconds }) => ({ atSeconds: installedAtSeconds, evidence: 'package' })),
      packages: names,
    };
  }
  const because = `${[...new Set(installed.map(({ name }) => name))].join(', ')}: not installed after this boot`;
  // Outside a container this sees too little to speak for the kernel as well.
  return { says: facts.machine.container === null ? 'silent' : 'not_required', because };
}

/** A soft reboot starts every process anew, the kernel and its firmware excepted: systemd-soft-reboot.service(8). */
function startOf(facts: HostFacts, bootTime: BootTime): number {
  const { userspaceStartSeconds } = facts.rpm;
  return facts.machine.container === null && userspaceStartSeconds !== null
    ? userspaceStartSeconds
    : (bootTime.atSeconds ?? 0);
}
