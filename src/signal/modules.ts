import type { OperatingSystem } from '../reading/os';
import { isRpmSystem } from '../reading/rpm';
import { cleanText, readLines, readNumber } from '../report/fields';
import type { Section } from '../report/section';
import { compareDebianVersions } from './debian-version';
import { elsewhere, type Finding, type Signal, type SinceCandidate } from './signal';

/**
 * The modules of the running kernel, on Arch, on Alpine and on systems that are not known. Their package managers
 * replace a kernel and its modules in place, so a kernel whose modules are gone was replaced. Distributions that keep
 * several kernels beside each other have signals of their own, which know the packages.
 */
export const modules: Signal = {
  name: 'modules',
  reason: 'kernel',
  summary:
    "On Arch and Alpine: the running kernel's folder in `/lib/modules` is gone, or a newer kernel of its package is there.",
  script: `
  modules="$R/lib/modules"
  [ -d "$modules" ] || modules="$R/usr/lib/modules"
  [ -d "$modules" ] || return 4
  [ ! -L "$modules" ] || echo linked
  if [ -r "$R/proc/modules" ] && IFS= read -r line_text <"$R/proc/modules"; then echo loaded; fi
  for folder in "$modules"/*; do
    [ -d "$folder" ] || continue
    echo "folder=\${folder##*/}"
    [ ! -r "$folder/pkgbase" ] || line "package \${folder##*/}" "$folder/pkgbase"
  done
  for file in "$R"/usr/share/kernel/*/kernel.release; do
    [ ! -r "$file" ] || line installed "$file"
  done
  # pacman writes desc when it installs a package; apk gives a file the time of its packaging, but a new inode.
  if [ -d "$R/var/lib/pacman/local" ]; then stat -c 'unpacked=%Y %n' "$R"/var/lib/pacman/local/linux*/desc
  elif [ -e "$R/lib/apk/db/installed" ]; then stat -c 'unpacked=%Z %n' "$R"/usr/share/kernel/*/kernel.release
  fi
  true
  `,
  judge(section, context) {
    const { machine, os, kernel } = context.facts;
    if (machine.container !== null) {
      return { says: 'silent', because: `a ${machine.container} container runs its host's kernel` };
    }
    const family = isRpmSystem(context.facts) ? 'packaged' : familyOf(os);
    if (family === 'packaged') return elsewhere('this system keeps several kernels beside each other');
    if (kernel.release === null) return { says: 'unknown', because: 'the running kernel could not be read' };
    const seen = parse(section);
    if (seen === null) {
      return {
        says: 'unknown',
        because: `${kernel.release} runs on ${nameOf(os)}; there is no /lib/modules to compare with`,
      };
    }
    return judgeModules(kernel.release, seen, family);
  },
};

type Family = 'arch' | 'alpine' | 'packaged' | 'other';

/** Systems whose kernels are packages or images of which other signals know more. */
const packaged: ReadonlySet<string> = new Set([
  ...['debian', 'ubuntu', 'raspbian', 'rhel', 'fedora', 'centos', 'amzn', 'ol', 'suse', 'opensuse', 'sles', 'mageia'],
  ...['nixos', 'flatcar', 'coreos', 'ubuntu-core', 'sl-micro', 'opensuse-microos'],
]);

function familyOf({ id, like }: OperatingSystem): Family {
  const names = [id ?? '', ...like];
  if (names.includes('arch') || names.includes('archarm')) return 'arch';
  if (names.includes('alpine') || names.includes('postmarketos')) return 'alpine';
  return names.some((name) => packaged.has(name)) ? 'packaged' : 'other';
}

function nameOf(os: OperatingSystem): string {
  return os.prettyName ?? os.id ?? 'an unknown system';
}

/** What is there of kernels. */
interface Seen {
  /** Names of the folders in /lib/modules: releases as `uname -r` prints them. */
  readonly folders: readonly string[];
  /** Arch: by release, the package that it is of. */
  readonly packages: ReadonlyMap<string, string>;
  /** Alpine: releases of the installed kernel packages. */
  readonly installed: readonly string[];
  /** Unix time in seconds by path: when a kernel's package was unpacked. */
  readonly unpacked: ReadonlyMap<string, number>;
  /** The kernel has loaded modules, so it is one that needs them. */
  readonly loaded: boolean;
  /** /lib/modules is a link, as where Alpine runs from memory: it shows what was booted, never what is installed. */
  readonly linked: boolean;
}

const maxFolders = 200;

function parse(section: Section | undefined): Seen | null {
  if (section === undefined || section.status !== 0) return null;
  const folders: string[] = [];
  const packages = new Map<string, string>();
  const installed: string[] = [];
  const unpacked = new Map<string, number>();
  const lines = readLines(section, 2000);
  for (const line of lines) {
    const equals = line.indexOf('=');
    const value = line.slice(equals + 1);
    const key = line.slice(0, equals);
    if (key === 'folder' && folders.length < maxFolders) folders.push(cleanText(value, 128));
    else if (key.startsWith('package '))
      packages.set(cleanText(key.slice('package '.length), 128), cleanText(value, 128));
    else if (key === 'installed' && installed.length < maxFolders) installed.push(cleanText(value, 128));
    else if (key === 'unpacked') {
      const space = value.indexOf(' ');
      const seconds = readNumber(value.slice(0, space));
      if (seconds !== null && seconds > 0) unpacked.set(value.slice(space + 1), seconds);
    }
  }
  return { folders, packages, installed, unpacked, loaded: lines.includes('loaded'), linked: lines.includes('linked') };
}

function judgeModules(running: string, seen: Seen, family: Family): Finding {
  if (!seen.folders.includes(running)) return judgeGone(running, seen, family);
  if (seen.linked) return { says: 'unknown', because: `${running} runs; its modules are those of the boot medium` };
  if (family === 'alpine') return judgeAlpine(running, seen);
  if (family === 'arch') return judgeArch(running, seen);
  return {
    says: 'unknown',
    because: `${running} runs, its modules are there, and so are those of ${others(running, seen)}; nothing here tells which kernel boots next`,
  };
}

/**
 * The modules are gone. That proves nothing of a kernel of another flavour than what is installed, such as one that a
 * hypervisor boots its guests with, or one that was built by hand; where flavours have no names, it has to be seen that
 * the kernel loads modules at all.
 */
function judgeGone(running: string, seen: Seen, family: Family): Finding {
  if (family === 'other' && !seen.loaded) {
    return { says: 'unknown', because: `${running} runs and has no modules, loaded or installed` };
  }
  const ofFlavour = [...seen.folders, ...seen.installed].filter((release) => flavour(release) === flavour(running));
  const newest = newestOf(ofFlavour);
  if (newest === null) {
    return {
      says: 'unknown',
      because: `the modules of ${running}, which runs, are gone, and none of its flavour is installed: ${others(running, seen)}`,
    };
  }
  return required(`${running} runs, its modules are gone and ${newest} is installed`, newest, seen, family);
}

/** Alpine's kernel packages have a file that names the release that they install: APKBUILD of linux-lts. */
function judgeAlpine(running: string, seen: Seen): Finding {
  if (seen.installed.includes(running)) {
    return { says: 'not_required', because: `${running} runs and is the one that is installed` };
  }
  const newer = newestOf(newerThan(running, seen.installed));
  if (newer !== null) return required(`${running} runs, ${newer} is installed`, newer, seen, 'alpine');
  return { says: 'unknown', because: `${running} runs, its modules are there, but it is of no installed package` };
}

/** Arch's kernel packages write their name into the folder; hooks may keep the folder of the kernel that runs. */
function judgeArch(running: string, seen: Seen): Finding {
  const name = seen.packages.get(running) ?? packageOfFlavour(running, seen);
  if (name === undefined) {
    return { says: 'unknown', because: `${running} runs, its modules are there, but they are of no package` };
  }
  const ofPackage = seen.folders.filter((release) => seen.packages.get(release) === name);
  const newer = newestOf(newerThan(running, ofPackage));
  if (newer !== null) return required(`${running} runs, ${newer} of ${name} is installed`, newer, seen, 'arch');
  if (!ofPackage.includes(running)) {
    return {
      says: 'unknown',
      because: `${running} runs, its modules are there, but only ${ofPackage.join(', ')} is of ${name}`,
    };
  }
  return { says: 'not_required', because: `${running} runs and is the newest installed of ${name}` };
}

/** A hook that keeps the modules alone leaves no name in the folder. */
function packageOfFlavour(running: string, seen: Seen): string | undefined {
  return [...seen.packages].find(([release]) => flavour(release) === flavour(running))?.[1];
}

function required(because: string, release: string, seen: Seen, family: Family): Finding {
  const name = packageOf(release, seen, family);
  const since: SinceCandidate[] = [];
  for (const [path, atSeconds] of seen.unpacked) {
    // pacman's folder is named after package and version, apk's after the flavour. Of either, one is installed at a time.
    const folder = path.split('/').slice(-2)[0] ?? '';
    const isOfIt = family === 'alpine' ? `linux-${folder}` === name : folder.replace(/-[0-9].*$/, '') === name;
    if (isOfIt) since.push({ atSeconds, evidence: 'package' });
  }
  return { says: 'required', because, since, packages: [name] };
}

/** The package that a kernel is of: as its folder says, by its flavour on Alpine, and else the release alone. */
function packageOf(release: string, seen: Seen, family: Family): string {
  return family === 'alpine' ? `linux-${flavour(release)}` : (seen.packages.get(release) ?? release);
}

function newerThan(running: string, releases: readonly string[]): string[] {
  return releases.filter(
    (release) => flavour(release) === flavour(running) && compareDebianVersions(release, running) > 0,
  );
}

function newestOf(releases: readonly string[]): string | null {
  return [...releases].sort((a, b) => compareDebianVersions(b, a))[0] ?? null;
}

/** What is left of a release without its numbers: `arch`, `lts`, `zenzen`. A release candidate is of its kernel's flavour. */
function flavour(release: string): string {
  return release.replace(/(?:^|[.-])rc[0-9]/, '').replace(/[^a-z]/g, '');
}

function others(running: string, seen: Seen): string {
  const names = [...new Set([...seen.folders, ...seen.installed])].filter((name) => name !== running);
  return names.length === 0 ? 'no other' : names.slice(0, 5).join(', ');
}
