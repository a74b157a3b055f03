import type { ImageFileTimes } from '../reading/image';
import { elsewhere, type Finding, type Signal, type SignalContext, type SinceCandidate } from './signal';

/**
 * Systems that are updated as a whole image for their next boot: rpm-ostree and bootc (a staged deployment, or another
 * one than runs is the boot loader's first), and SUSE's transactional-update (a newer snapshot).
 */
export const image: Signal = {
  name: 'image',
  summary: 'An updated image of the system waits for the next boot: a staged deployment or a newer snapshot.',
  judge(_section, context) {
    const { kind } = context.facts.image;
    if (kind === null) return elsewhere('this system is not updated as an image');
    return kind === 'transactional' ? judgeSnapshots(context) : judgeDeployments(context);
  },
};

function judgeDeployments({ facts: { image: facts } }: SignalContext): Finding {
  if (facts.staged !== null) {
    return {
      says: 'required',
      because: facts.isStagedLocked
        ? 'a deployment is staged, and locked: a restart takes it into use once whoever staged it unlocks it'
        : 'a deployment is staged for the next boot',
      since: writtenAnew(facts.staged),
      packages: [],
    };
  }
  const { bootedDeployment, nextDeployment } = facts;
  if (bootedDeployment !== null && nextDeployment !== null && bootedDeployment !== nextDeployment) {
    return {
      says: 'required',
      because: `${bootedDeployment} runs, the boot loader starts ${nextDeployment} next`,
      since: [],
      packages: [],
    };
  }
  return { says: 'not_required', because: 'no deployment is staged for the next boot' };
}

function judgeSnapshots({ facts: { image: facts } }: SignalContext): Finding {
  if (!facts.isStateKnown) {
    return { says: 'unknown', because: 'the state of transactional-update could not be read' };
  }
  // It removes its flag as it begins, and writes it again when it ends: sbin/transactional-update.
  if (facts.isWorking) return { says: 'unknown', because: 'transactional-update is at work' };
  const booted = `snapshot ${facts.bootedSnapshot} runs`;
  if (facts.nextSnapshot === null) {
    return { says: 'not_required', because: `${booted} and none was made in this boot` };
  }
  const { id, level } = facts.nextSnapshot;
  if (!facts.isFlagged) {
    // `--drop-if-no-change` and `apply` leave a snapshot in its state, but no flag.
    return { says: 'not_required', because: `${booted}; snapshot ${id} was made, and asks for no restart` };
  }
  return {
    says: 'required',
    because: `${booted}, snapshot ${id} waits (${describeLevel(level)})`,
    since: facts.state === null ? [] : writtenAnew(facts.state),
    packages: [],
  };
}

/** In words, what SUSE's tools call the kinds of a restart; zypp-boot-plugin's README. */
export function describeLevel(level: string): string {
  if (level === 'soft-reboot') return 'a soft reboot is enough, which keeps the kernel running';
  if (level === 'kexec') return 'kexec is enough';
  return 'a restart';
}

/** The file is replaced at every update, so that its birth too is only that of the last. */
function writtenAnew(times: ImageFileTimes): SinceCandidate[] {
  return times.modifiedSeconds === null ? [] : [{ atSeconds: times.modifiedSeconds, evidence: 'modified' }];
}
