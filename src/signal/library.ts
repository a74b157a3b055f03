import { findInstalled } from '../reading/dpkg';
import { isRpmSystem } from '../reading/rpm';
import { isAfterBoot } from './boot-time';
import type { Finding, Signal, SignalContext } from './signal';

/**
 * The C library against the boot. Every process has it mapped, process 1 too,
 * so only a restart takes the old one out of use; Debian's package raises no
 * flag for it. Other libraries need their services restarted, not the host.
 */
export const library: Signal = {
  name: 'library',
  summary: '`libc6` was replaced after this boot.',
  judge(_section, context) {
    return judgeUnpacked(['libc6'], context, 'trusted-in-containers');
  },
};

/** Compares when dpkg unpacked some packages with this boot; shared by the signals of that form. */
export function judgeUnpacked(
  names: readonly string[],
  context: SignalContext,
  itsNo: 'silent' | 'trusted-in-containers',
): Finding {
  const { dpkg, machine } = context.facts;
  if (isRpmSystem(context.facts)) return { says: 'silent', because: "the packages of this system are rpm's" };
  if (dpkg.packages === null) return { says: 'unknown', because: 'dpkg could not be asked' };
  const installed = names.filter((name) => findInstalled(dpkg, name) != null);
  if (installed.length === 0) return { says: 'silent', because: `${names.join(', ')}: not installed` };
  if (context.bootTime.atSeconds === null) return { says: 'unknown', because: 'the boot time could not be read' };

  const newer: { name: string; atSeconds: number }[] = [];
  for (const name of installed) {
    const atSeconds = dpkg.installedAtSeconds.get(name);
    if (atSeconds === undefined) return { says: 'unknown', because: `when ${name} was unpacked could not be read` };
    const isNewer = isAfterBoot(atSeconds, context.bootTime);
    if (isNewer === null) {
      return {
        says: 'unknown',
        because: `the clock was set back since ${name} was unpacked, before or after this boot`,
      };
    }
    if (isNewer) newer.push({ name, atSeconds });
  }
  if (newer.length > 0) {
    return {
      says: 'required',
      because: `${newer.map(({ name }) => name).join(', ')} was replaced after this boot`,
      since: newer.map(({ atSeconds }) => ({ atSeconds, evidence: 'package' })),
      packages: newer.map(({ name }) => name),
    };
  }
  const because = `${installed.join(', ')} is older than this boot`;
  // Outside a container this sees too little to speak for the kernel as well.
  const trusted = itsNo === 'trusted-in-containers' && machine.container !== null;
  return { says: trusted ? 'not_required' : 'silent', because };
}
