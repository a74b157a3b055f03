import { cleanText, readFields, readLines, readNumber } from '../report/fields';
import type { Section } from '../report/section';
import type { Reading } from './reading';

/** Birth and modification time of a file, unix time in seconds; null where they could not be read. */
export interface ImageFileTimes {
  readonly bornSeconds: number | null;
  readonly modifiedSeconds: number | null;
}

/** What a system that is updated as a whole image, for its next boot, says of itself. */
export interface Image {
  /** What updates it; null on systems whose packages are replaced in place. */
  readonly kind: 'ostree' | 'composefs' | 'transactional' | null;
  /** An update is staged: libostree writes it to the boot loader as the system goes down. */
  readonly staged: ImageFileTimes | null;
  /** What is staged is not written until whoever staged it says so, as Fedora CoreOS' zincati does before it restarts. */
  readonly isStagedLocked: boolean;
  /** ostree: the deployment that runs, by the folder that is mounted: `CHECKSUM.0`. */
  readonly bootedDeployment: string | null;
  /** ostree: the deployment that the boot loader starts next; null where it can't be told. */
  readonly nextDeployment: string | null;
  /** transactional-update: the snapshot that runs. */
  readonly bootedSnapshot: number | null;
  /** transactional-update: the newest snapshot that it made in this boot, and which kind of restart starts it. */
  readonly nextSnapshot: { readonly id: number; readonly level: string } | null;
  /** transactional-update: what it made waits for a restart. It takes /run/reboot-needed back when nothing does. */
  readonly isFlagged: boolean;
  /** transactional-update: it is at work, and has put the flag away meanwhile. */
  readonly isWorking: boolean;
  /** transactional-update: its state was read, and could be understood. */
  readonly isStateKnown: boolean;
  /** transactional-update: when it last wrote its state. */
  readonly state: ImageFileTimes | null;
}

/** Whether what is installed now is only seen by the next boot, so that the package database is the running image's own. */
export function isImageBased({ image }: { readonly image: Image }): boolean {
  return image.kind !== null;
}

/**
 * libostree: ostree-sysroot-private.h, _OSTREE_SYSROOT_RUNSTATE_STAGED. bootc without libostree: its crate's
 * bootc_composefs/consts, COMPOSEFS_STAGED_DEPLOYMENT_FNAME. transactional-update notes in its state which snapshot ran when it made which other, and what starts that.
 */
export const image: Reading<Image> = {
  name: 'image',
  script: `
  line_text='' staged=''
  IFS= read -r line_text <"$R/proc/cmdline"
  if [ -e "$R/run/ostree-booted" ]; then echo kind=ostree; staged=$R/run/ostree/staged-deployment
  elif [ "$line_text" != "\${line_text#*composefs=}" ]; then echo kind=composefs; staged=$R/run/composefs/staged-deployment
  elif [ -e "$R/var/lib/misc/transactional-update.state" ] || [ -x "$R/usr/sbin/transactional-update" ]; then
    echo kind=transactional
    while read -r _ mounted _ options _; do
      [ "$mounted" = / ] || continue
      case $options in *subvol=*) printf 'root=%s\\n' "\${options#*subvol=}" ;; esac
    done <"$R/proc/self/mounts"
    stat -c 'state=%W %Y' "$R/var/lib/misc/transactional-update.state"
    grep -e '^LAST_BOOTED=' -e '^REBOOT_ASSOCS' "$R/var/lib/misc/transactional-update.state"
    [ ! -e "$R/run/reboot-needed" ] || echo flag=1
    line_text=
    [ ! -r "$R/run/transactional-update.pid" ] || read -r line_text <"$R/run/transactional-update.pid"
    [ -z "$line_text" ] || [ ! -d "$R/proc/$line_text" ] || echo working=1
    return 0
  fi
  [ -n "$staged" ] || return 0
  [ ! -e "$staged" ] || stat -c 'staged=%W %Y' "$staged" || echo staged=
  [ ! -e "$staged-locked" ] || echo locked=1
  [ -e "$R/run/ostree-booted" ] || return 0
  while read -r _ _ _ source mounted _; do
    case $mounted in / | /etc | /usr) ;; *) continue ;; esac
    case $source in */ostree/deploy/*) printf 'running=%s\\n' "$source" ;; esac
  done <"$R/proc/self/mountinfo"
  for entry in "$R"/boot/loader/entries/ostree-*.conf; do
    [ -r "$entry" ] || continue
    version='' options=''
    while read -r key value || [ -n "$key" ]; do
      case $key in version) version=$value ;; options) options=$value ;; esac
    done <"$entry"
    case $options in *ostree=*) ;; *) continue ;; esac
    options=\${options##*ostree=}
    printf 'entry %s %s\\n' "$version" "$(readlink "$R\${options%% *}")"
  done
  true
  `,
  parse(section) {
    const fields = readFields(section);
    const kind = kinds.find((word) => word === fields.get('kind')) ?? null;
    const bootedSnapshot = snapshotOf(fields.get('root'));
    return {
      kind,
      staged: fileTimes(fields.get('staged')),
      isStagedLocked: fields.has('locked'),
      bootedDeployment: kind === 'ostree' ? deploymentOf(fields.get('running')) : null,
      nextDeployment: kind === 'ostree' ? nextDeployment(section) : null,
      bootedSnapshot,
      nextSnapshot: nextSnapshot(fields, bootedSnapshot),
      isFlagged: fields.has('flag'),
      isWorking: fields.has('working'),
      isStateKnown: bootedSnapshot !== null && fields.has('LAST_BOOTED'),
      state: fileTimes(fields.get('state')),
    };
  },
};

const kinds = ['ostree', 'composefs', 'transactional'] as const;
const maxEntries = 100;

function fileTimes(text: string | undefined): ImageFileTimes | null {
  if (text === undefined) return null;
  const [born, modified] = text.split(' ');
  const bornSeconds = readNumber(born);
  return { bornSeconds: bornSeconds === 0 ? null : bornSeconds, modifiedSeconds: readNumber(modified) };
}

/**
 * The last part of `…/ostree/deploy/fedora/deploy/CHECKSUM.0`. The path on the kernel's command line names none: it is a
 * link that libostree leads elsewhere at the next deployment.
 */
function deploymentOf(path: string | undefined): string | null {
  return /\/deploy\/([0-9a-f]{64}\.[0-9]{1,6})(?:\/|$)/.exec(path ?? '')?.[1] ?? null;
}

/** libostree counts the version of its entries down from the first: the highest is started next. */
function nextDeployment(section: Section | undefined): string | null {
  let next: { version: number; deployment: string } | null = null;
  const entries = readLines(section).filter((text) => text.startsWith('entry '));
  for (const line of entries.slice(0, maxEntries)) {
    const [, version, path] = line.split(' ');
    const number = readNumber(version);
    const deployment = deploymentOf(path);
    if (number === null || deployment === null) return null;
    if (next === null || number > next.version) next = { version: number, deployment };
  }
  return next?.deployment ?? null;
}

/** `/@/.snapshots/5/snapshot` and options after it. */
function snapshotOf(root: string | undefined): number | null {
  return readNumber(/\/\.snapshots\/([0-9]{1,9})\/snapshot/.exec(root ?? '')?.[1]);
}

function nextSnapshot(fields: ReadonlyMap<string, string>, booted: number | null): Image['nextSnapshot'] {
  // A state of an earlier boot is about what has been booted since, or rolled back.
  if (booted === null || readNumber(fields.get('LAST_BOOTED')?.replaceAll('"', '')) !== booted) return null;
  let next: Image['nextSnapshot'] = null;
  for (const [key, value] of fields) {
    const id = readNumber(/^REBOOT_ASSOCS\[([0-9]{1,9})\]$/.exec(key)?.[1]);
    if (id === null || id === booted || value === 'none') continue;
    if (next === null || id > next.id) next = { id, level: cleanText(value, 20) };
  }
  return next;
}
