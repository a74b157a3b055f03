import { readFields, readNumber } from '../report/fields';
import { isBeforeBoot } from './boot-time';
import { elsewhere, type Signal, type SinceCandidate } from './signal';

/**
 * Flatcar: update_engine leaves a file in /run when it has written an update to the other partition, and takes it away
 * when the update is reset (kUpdateCompletedMarker in src/update_engine/update_attempter.cc). Its D-Bus interface
 * answers root and the user core alone (com.coreos.update1.conf), but the file is for all to see. Since release 3067 the
 * update also touches /run/reboot-required, which is the signal `flag`.
 */
export const updateEngine: Signal = {
  name: 'update_engine',
  summary: 'Flatcar: `/run/update_engine_autoupdate_completed` exists and was written in this boot.',
  script: `
  file="$R/run/update_engine_autoupdate_completed"
  if [ -e "$file" ]; then
    echo present=1
    stat -c 'born=%W
modified=%Y' "$file"
  fi
  [ -d "$R/run" ] && [ -x "$R/run" ]
  `,
  judge(section, context) {
    if (context.facts.os.id !== 'flatcar' && context.facts.os.id !== 'coreos') {
      return elsewhere('this is not Flatcar');
    }
    if (section === undefined || section.status !== 0) return { says: 'unknown', because: '/run could not be read' };
    const fields = readFields(section);
    const born = readNumber(fields.get('born'));
    const modified = readNumber(fields.get('modified'));
    const none = 'update_engine has applied no update in this boot';
    if (!fields.has('present')) return { says: 'not_required', because: none };
    if (modified !== null && isBeforeBoot(modified, context.bootTime)) return { says: 'not_required', because: none };
    const since: SinceCandidate[] = [];
    if (born !== null && born > 0) since.push({ atSeconds: born, evidence: 'birth' });
    if (modified !== null) since.push({ atSeconds: modified, evidence: 'modified' });
    return {
      says: 'required',
      because: 'update_engine has written an update to the other partition',
      since,
      packages: [],
    };
  },
};
