import { readLines, readNumber } from '../report/fields';
import { isBeforeBoot } from './boot-time';
import { describeLevel } from './image';
import { elsewhere, type Finding, type Signal, type SignalContext, type SinceCandidate } from './signal';

/**
 * SUSE's and openSUSE's flag. libzypp makes it empty, and touches one that is there (TargetImpl.cc); zypp-boot-plugin
 * writes into it which kind of restart is needed. Both keep the file, so that its birth is the first request;
 * transactional-update does not.
 */
export const rebootNeeded: Signal = {
  name: 'reboot_needed',
  reason: 'flag',
  summary: "`/run/reboot-needed`, SUSE's flag, exists and was written in this boot.",
  script: `
  [ -d "$R/run" ] && [ -x "$R/run" ] || return 3
  [ -e "$R/run/reboot-needed" ] || return 0
  echo present
  stat -c 'stat=%W %Y' "$R/run/reboot-needed"
  line level "$R/run/reboot-needed" || true
  `,
  judge(section, context) {
    if (section === undefined) return elsewhere('the probe program on the host does not look for it');
    const lines = readLines(section, 10);
    if (!lines.includes('present')) {
      if (section.status !== 0) return { says: 'unknown', because: '/run could not be read' };
      return elsewhere('there is no /run/reboot-needed, which rpm itself would not write');
    }
    return judgePresence(lines, context);
  },
};

function judgePresence(lines: readonly string[], context: SignalContext): Finding {
  const after = (key: string): string | undefined => lines.find((line) => line.startsWith(key))?.slice(key.length);
  const [born, modified] = (after('stat=') ?? '').split(' ').map((word) => readNumber(word) ?? 0);
  if (modified !== undefined && modified > 0 && isBeforeBoot(modified, context.bootTime)) {
    return { says: 'silent', because: '/run/reboot-needed is older than this boot' };
  }
  const level = after('level=')?.trim() ?? '';
  // transactional-update writes the level of what it did, also when that needs no restart: write_needs_restarting.
  if (level === 'none') return { says: 'silent', because: '/run/reboot-needed says none' };
  const since: SinceCandidate[] = [];
  const isKept = context.facts.image.kind !== 'transactional';
  if (isKept && born !== undefined && born > 0) since.push({ atSeconds: born, evidence: 'birth' });
  if (modified !== undefined && modified > 0) since.push({ atSeconds: modified, evidence: 'modified' });
  return {
    says: 'required',
    because: `/run/reboot-needed exists (${describeLevel(level)})`,
    since,
    packages: [],
  };
}
