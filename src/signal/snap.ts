import { cleanText, readFields, readNumber } from '../report/fields';
import type { Section } from '../report/section';
import { isBeforeBoot, type BootTime } from './boot-time';
import { elsewhere, type Finding, type Signal } from './signal';

/**
 * Ubuntu Core 20 and later: /var/lib/snapd/modeenv, which everybody may read (boot/modeenv.go writes it 0644), names
 * the base and kernel snaps that run, and those that the next start will try. snapd's state.json and the boot
 * environment are root's alone.
 */
export const snap: Signal = {
  name: 'snap',
  summary: 'Ubuntu Core: `/var/lib/snapd/modeenv` names a kernel or base snap that the next start is to try.',
  script: `
  file="$R/var/lib/snapd/modeenv"
  [ -r "$file" ] || return 4
  while IFS= read -r text || [ -n "$text" ]; do
    case $text in mode=* | base=* | try_base=* | base_status=* | current_kernels=*) printf '%s\\n' "$text" ;; esac
  done <"$file"
  stat -c 'modified=%Y' "$file"
  `,
  judge(section, context) {
    const isCore = context.facts.os.id === 'ubuntu-core';
    if (section === undefined || section.status !== 0) {
      return isCore
        ? { says: 'unknown', because: '/var/lib/snapd/modeenv could not be read; Ubuntu Core before 20 has none' }
        : elsewhere('neither kernel nor base are snaps');
    }
    return judgeModeenv(section, context.bootTime);
  },
};

function judgeModeenv(section: Section, bootTime: BootTime): Finding {
  const fields = readFields(section);
  if (fields.get('mode') !== 'run') {
    return { says: 'unknown', because: `the system is in mode ${cleanText(fields.get('mode') ?? 'unknown', 40)}` };
  }
  // While an update waits, the file has the kernel that runs first and the one to try behind it; once that has come up
  // well, it alone: bootState20Kernel and bootState20MarkSuccessful in boot/bootstate20.go.
  const kernels = (fields.get('current_kernels') ?? '').split(',').map((name) => cleanText(name, 128));
  const waiting = kernels.slice(1).slice(-1);
  const base = fields.get('try_base');
  if (fields.get('base_status') === 'try' && base !== undefined) waiting.push(cleanText(base, 128));
  const modified = readNumber(fields.get('modified'));
  if (waiting.length === 0) {
    if (!kernels[0]) return { says: 'unknown', because: 'modeenv names no kernel snap' };
    return { says: 'not_required', because: `${kernels[0]} runs and nothing waits to be tried` };
  }
  if (modified !== null && isBeforeBoot(modified, bootTime)) {
    return { says: 'unknown', because: `snapd has yet to note whether ${waiting.join(' and ')} came up` };
  }
  return {
    says: 'required',
    because: `the next start is to try ${waiting.join(' and ')}`,
    // The file is written anew at each change: it tells the last, not the first.
    since: modified === null ? [] : [{ atSeconds: modified, evidence: 'modified' }],
    packages: waiting,
  };
}
