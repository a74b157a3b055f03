import { readLines, readNumber } from '../report/fields';
import type { Reading } from './reading';

/** A package as dpkg knows it. */
export interface DebianPackage {
  readonly name: string;
  readonly architecture: string;
  readonly version: string;
  /** dpkg's own state, for instance `ii`; the second letter is `i` for a package that is wholly installed. */
  readonly state: string;
}

/** What dpkg says of the packages that matter to a restart, and when each was last unpacked. */
export interface Dpkg {
  /** null when there is no dpkg here or it could not be asked. */
  readonly packages: readonly DebianPackage[] | null;
  /** Unix time in seconds by package name: the modification time of /var/lib/dpkg/info/NAME.list. */
  readonly installedAtSeconds: ReadonlyMap<string, number>;
}

/** dpkg-query ends with 1 when a pattern matches nothing, which is usual here, and with 2 when it failed. */
const someNotInstalled = 1;

const maxPackages = 5000;

/** Debian Policy 5.6.7 and 5.6.12: what else may stand there is no package's. */
const namePattern = /^[a-z0-9][a-z0-9+.-]{1,199}$/;
const versionPattern = /^[A-Za-z0-9.+:~-]{1,200}$/;

/**
 * The names in .pkgs come from a file; only the characters that Debian Policy 5.6.7
 * allows in a package's name get through to the command line.
 */
export const dpkg: Reading<Dpkg> = {
  name: 'dpkg',
  script: `
  command -v dpkg-query >/dev/null || return 127
  dpkg-query --admindir="$R/var/lib/dpkg" -W -f 'package=\${db:Status-Abbrev}|\${Package}|\${Architecture}|\${Version}\\n' \\
    'linux-image-*' 'proxmox-kernel-*' 'pve-kernel-*' raspberrypi-kernel linux-base libc6 \\
    update-notifier-common unattended-upgrades reboot-notifier needrestart intel-microcode amd64-microcode
  found=$?
  info="$R/var/lib/dpkg/info"
  set -- "$info"/linux-image-[0-9]*.list "$info"/linux-image-unsigned-[0-9]*.list "$info"/libc6.list "$info"/libc6:*.list \\
    "$info"/proxmox-kernel-[0-9]*.list "$info"/pve-kernel-[0-9]*.list "$info"/raspberrypi-kernel.list \\
    "$info"/intel-microcode.list "$info"/amd64-microcode.list
  if [ -r "$R/run/reboot-required.pkgs" ]; then
    seen=' ' names=0
    for name in $(head -c 65536 "$R/run/reboot-required.pkgs" | tr -c 'a-z0-9+.\\n-' _); do
      case $seen$name in *_* | *" $name "*) continue ;; esac
      [ "$names" -lt 200 ] || break
      seen="$seen$name " names=$((names + 1))
      set -- "$@" "$info/$name.list" "$info/$name":*.list
    done
  fi
  stat -c 'unpacked=%Y %n' "$@"
  return "$found"
  `,
  parse(section) {
    if (section === undefined) return { packages: null, installedAtSeconds: new Map() };
    const packages: DebianPackage[] = [];
    const installedAtSeconds = new Map<string, number>();
    for (const line of readLines(section, maxPackages)) {
      if (line.startsWith('package=')) addPackage(packages, line.slice('package='.length));
      if (line.startsWith('unpacked=')) addTime(installedAtSeconds, line.slice('unpacked='.length));
    }
    const readable = section.status === 0 || section.status === someNotInstalled;
    return { packages: readable ? packages : null, installedAtSeconds };
  },
};

/** Whether dpkg has the package wholly installed (also when it is held). */
export function isInstalled(debianPackage: DebianPackage): boolean {
  return debianPackage.state.charAt(1) === 'i' && debianPackage.state.charAt(2).trim() === '';
}

/** The installed package of a name; null when there is none; undefined when dpkg could not be asked. */
export function findInstalled(facts: Dpkg, name: string): DebianPackage | null | undefined {
  if (facts.packages === null) return undefined;
  return facts.packages.find((candidate) => candidate.name === name && isInstalled(candidate)) ?? null;
}

function addPackage(packages: DebianPackage[], text: string): void {
  const [state, name, architecture, version] = text.split('|');
  if (state === undefined || name === undefined || architecture === undefined || version === undefined) return;
  if (!namePattern.test(name) || !versionPattern.test(version)) return;
  packages.push({ state, name, architecture, version });
}

function addTime(times: Map<string, number>, text: string): void {
  const space = text.indexOf(' ');
  const seconds = readNumber(text.slice(0, space));
  const file = text.slice(text.lastIndexOf('/') + 1);
  if (seconds === null || seconds === 0 || !file.endsWith('.list')) return;
  const name = file.slice(0, -'.list'.length).split(':', 1)[0] ?? '';
  // A package of several architectures has several lists; the newest tells when any of it was replaced.
  times.set(name, Math.max(seconds, times.get(name) ?? 0));
}
