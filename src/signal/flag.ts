import { findInstalled } from '../reading/dpkg';
import { cleanText, readLines, readNumber } from '../report/fields';
import type { Section } from '../report/section';
import { compareDebianVersions } from './debian-version';
import { isBeforeBoot } from './boot-time';
import type { Finding, Signal, SignalContext, SinceCandidate } from './signal';

/** Most packages that are kept of one host; the others are counted. */
export const maxPackages = 10_000;

/** Programs that write the flag: the hook of a package that was removed but not purged works on. */
const writerFiles = [
  'usr/share/update-notifier/notify-reboot-required',
  'etc/kernel/postinst.d/unattended-upgrades',
  'etc/kernel/postinst.d/reboot-notifier',
] as const;

/**
 * /run/reboot-required and /run/reboot-required.pkgs. Presence counts, never the
 * size: unattended-upgrades' kernel hook only touches the file. The birth time
 * is that of the first request, since truncating and appending keep the inode;
 * the modification time is only that of the last.
 */
export const flag: Signal = {
  name: 'flag',
  summary: '`/run/reboot-required` exists and was written in this boot.',
  script: `
  set --
  for file in reboot-required reboot-required.pkgs; do
    if [ -e "$R/run/$file" ] || [ -L "$R/run/$file" ]; then
      echo "present=$file"
      set -- "$@" "$file"
    fi
  done
  [ "$#" = 0 ] || (cd "$R/run" && exec stat -c 'stat=%n %W %Y %s' "$@")
  for file in ${writerFiles.join(' ')}; do
    [ ! -x "$R/$file" ] || echo "writer=$file"
  done
  for file in snap/canonical-livepatch var/snap/canonical-livepatch; do
    [ ! -d "$R/$file" ] || echo "livepatch=$file"
  done
  if [ -e "$R/run/reboot-required.pkgs" ]; then
    echo packages
    head -c 1048576 "$R/run/reboot-required.pkgs" || return 3
  fi
  [ -d "$R/run" ] && [ -x "$R/run" ]
  `,
  judge(section, context) {
    const file = parseFlag(section);
    if (file === null) return { says: 'unknown', because: '/run could not be read' };
    if (!file.present) return judgeAbsence(file, context);
    return judgePresence(file, context);
  },
};

interface FileTimes {
  /** Unix time in seconds; null where the file system or stat(1) has no birth time. */
  readonly bornSeconds: number | null;
  readonly modifiedSeconds: number | null;
}

interface FlagFile {
  readonly present: boolean;
  readonly flag: FileTimes | null;
  readonly list: FileTimes | null;
  /** The first of `writerFiles` that is there. */
  readonly writer: string | null;
  readonly livepatch: boolean;
  readonly packages: readonly string[];
  readonly packagesCut: boolean;
}

/** The list is cut on the host at this size, in bytes. */
const maxListBytes = 1_048_576;

function parseFlag(section: Section | undefined): FlagFile | null {
  if (section === undefined) return null;
  const lines = readLines(section);
  const listAt = lines.indexOf('packages');
  const facts = listAt === -1 ? lines : lines.slice(0, listAt);
  const names = listAt === -1 ? [] : lines.slice(listAt + 1);
  const present = facts.includes('present=reboot-required');
  if (!present && section.status !== 0) return null;
  return {
    present,
    flag: fileTimes(facts, 'reboot-required'),
    list: fileTimes(facts, 'reboot-required.pkgs'),
    writer: writerFiles.find((file) => facts.includes(`writer=${file}`)) ?? null,
    livepatch: facts.some((line) => line.startsWith('livepatch=')),
    packages: [...new Set(names.map((name) => cleanText(name, 128)).filter((name) => name !== ''))].slice(
      0,
      maxPackages,
    ),
    packagesCut: section.body.length >= maxListBytes || new Set(names).size > maxPackages,
  };
}

/** BusyBox prints the letter W for %W, and old kernels 0 or a dash: none of these is a birth time. */
function fileTimes(lines: readonly string[], name: string): FileTimes | null {
  const line = lines.find((text) => text.startsWith(`stat=${name} `));
  if (line === undefined) return null;
  const [, born, modified] = line.split(' ');
  const bornSeconds = readNumber(born);
  return { bornSeconds: bornSeconds === 0 ? null : bornSeconds, modifiedSeconds: readNumber(modified) };
}

function judgePresence(file: FlagFile, context: SignalContext): Finding {
  const modified = file.flag?.modifiedSeconds ?? null;
  if (modified !== null && isBeforeBoot(modified, context.bootTime)) {
    return judgeAbsence(file, context, 'the flag is older than this boot: it outlived the restart that it asked for');
  }
  // A list that outlived a restart may lie beside a flag that is new: it names what asked for that restart.
  const listModified = file.list?.modifiedSeconds ?? null;
  const isListStale = listModified !== null && isBeforeBoot(listModified, context.bootTime);
  const packages = isListStale ? [] : file.packages;
  const since: SinceCandidate[] = [];
  for (const times of isListStale ? [file.flag] : [file.flag, file.list]) {
    if (times === null) continue;
    if (times.bornSeconds !== null) since.push({ atSeconds: times.bornSeconds, evidence: 'birth' });
    if (times.modifiedSeconds !== null) since.push({ atSeconds: times.modifiedSeconds, evidence: 'modified' });
  }
  for (const name of packages) {
    // Kernels name linux-base beside themselves; when that was unpacked itself has nothing to do with it.
    if (name === 'linux-base') continue;
    const unpacked = context.facts.dpkg.installedAtSeconds.get(name.split(':', 1)[0] ?? name);
    if (unpacked !== undefined) since.push({ atSeconds: unpacked, evidence: 'package' });
  }
  return {
    says: 'required',
    because: '/run/reboot-required exists',
    since,
    packages,
    packagesCut: !isListStale && file.packagesCut,
  };
}

/** An absent flag says "no" only where something is there that would have written it. */
function judgeAbsence(file: FlagFile, context: SignalContext, why = 'there is no /run/reboot-required'): Finding {
  if (file.livepatch) {
    return { says: 'silent', because: `${why}; with livepatch the flag is withheld even when a restart is needed` };
  }
  const writer = findWriter(file, context);
  if (writer !== null) return { says: 'not_required', because: `${why}, and ${writer} would write one` };
  return { says: 'silent', because: `${why}, but nothing on this host would write one` };
}

/** linux-base touches the flag itself from this version on. */
const linuxBaseWrites = '4.13';

function findWriter(file: FlagFile, context: SignalContext): string | null {
  const { dpkg } = context.facts;
  const writers = ['update-notifier-common', 'unattended-upgrades', 'reboot-notifier'];
  const installed = writers.find((name) => findInstalled(dpkg, name) != null);
  if (installed !== undefined) return installed;
  const linuxBase = findInstalled(dpkg, 'linux-base');
  if (linuxBase != null && compareDebianVersions(linuxBase.version, linuxBaseWrites) >= 0) return 'linux-base';
  return file.writer === null ? null : `/${file.writer}`;
}
