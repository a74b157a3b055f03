import { readLines, readNumber } from '../report/fields';
import { isBeforeBoot } from './boot-time';
import { elsewhere, type Signal, type SinceCandidate } from './signal';

/**
 * Amazon Linux' smart-restart restarts services after each transaction of dnf, and leaves a mark when that was not
 * enough (bin/smart-restart.sh). It never takes the mark away, and writes it only where it is installed.
 */
export const smartRestart: Signal = {
  name: 'smart_restart',
  reason: 'flag',
  summary: "`/run/smart-restart/reboot-hint-marker`, Amazon Linux' flag, exists and was written in this boot.",
  script: `
  [ -e "$R/run/smart-restart/reboot-hint-marker" ] || return 0
  echo present
  stat -c 'stat=%W %Y' "$R/run/smart-restart/reboot-hint-marker"
  `,
  judge(section, context) {
    const lines = readLines(section, 10);
    if (!lines.includes('present')) return elsewhere('smart-restart left no mark');
    const stat = lines.find((line) => line.startsWith('stat='));
    const [born, modified] = (stat ?? '')
      .slice('stat='.length)
      .split(' ')
      .map((word) => readNumber(word) ?? 0);
    if (modified !== undefined && modified > 0 && isBeforeBoot(modified, context.bootTime)) {
      return { says: 'silent', because: "smart-restart's mark is older than this boot" };
    }
    const since: SinceCandidate[] = [];
    if (born !== undefined && born > 0) since.push({ atSeconds: born, evidence: 'birth' });
    if (modified !== undefined && modified > 0) since.push({ atSeconds: modified, evidence: 'modified' });
    return { says: 'required', because: 'smart-restart advises to restart the host', since, packages: [] };
  },
};
