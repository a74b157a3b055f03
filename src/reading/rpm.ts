import { readLines, readNumber } from '../report/fields';
import { findInstalled, type Dpkg } from './dpkg';
import type { Reading } from './reading';

/** A package as rpm knows it. */
export interface RpmPackage {
  readonly name: string;
  /** Decimal; `0` for a package that has none. */
  readonly epoch: string;
  readonly version: string;
  readonly release: string;
  readonly architecture: string;
  /** INSTALLTIME: unix time in seconds at which this build of it was installed. */
  readonly installedAtSeconds: number;
}

/** What rpm says of the packages that matter to a restart. */
export interface Rpm {
  /** There is a database of rpm, which need not be this system's own: see isRpmSystem. */
  readonly hasDatabase: boolean;
  /** null when there is a database and it could not be read. Empty where there is none. */
  readonly packages: readonly RpmPackage[] | null;
  /** When a soft-reboot or the boot started the services that run now: unix time in seconds; null when it can't be told. */
  readonly userspaceStartSeconds: number | null;
  /** A message bus runs. */
  readonly hasMessageBus: boolean;
  /** Packages that the host's administrator has added to dnf's needs-restarting. */
  readonly addedNames: readonly string[];
}

/** Packages whose replacement counts, beside kernels; which of them counts where is the signals' to say. */
export const askedNames = [
  'glibc',
  'systemd',
  'dbus',
  'dbus-daemon',
  'dbus-broker',
  'dbus-1',
  'dbus-1-daemon',
  'linux-firmware',
  'microcode_ctl',
  'amd-ucode-firmware',
  'ucode-intel',
  'ucode-amd',
] as const;

const maxPackages = 500;
const maxAddedNames = 50;

/** What rpm's own checks of a package's tags let through; lib/rpmbuild, ALLOWED_CHARS_NAME and ALLOWED_CHARS_EVR. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,199}$/;
const versionPattern = /^[A-Za-z0-9._+~^-]{1,200}$/;

/**
 * One query of the index of names: no header of another package is read. Kernels of Red Hat's, Amazon's, Oracle's and
 * SUSE's families provide `kernel-uname-r`, whatever their names are; Amazon's later ones are named after their series.
 *
 * The database is told by name, for rpm as root makes one where there is none, and Debian's looks in the home folder.
 * A soft reboot starts every service anew, and with each systemd writes a link with its invocation, whose time neither
 * daemon-reload nor daemon-reexec touches (unit_export_invocation_id in src/core/unit.c).
 *
 * Berkeley DB may wait for a lock for ever (rpm before 4.16), hence `timeout`. Errors come in the output, since rpm's
 * status only counts the names that nothing provides.
 */
export const rpm: Reading<Rpm> = {
  name: 'rpm',
  script: `
  database=
  for folder in usr/lib/sysimage/rpm usr/share/rpm var/lib/rpm; do
    [ ! -d "$R/$folder" ] || [ -x "$R/$folder" ] || database=$R/$folder
    for file in rpmdb.sqlite Packages.db Packages; do
      [ -n "$database" ] || [ ! -s "$R/$folder/$file" ] || database=$R/$folder
    done
  done
  [ -n "$database" ] || return 0
  echo database
  [ ! -S "$R/run/dbus/system_bus_socket" ] || echo bus
  units=$R/run/systemd/units/invocation:systemd
  [ ! -L "$units-tmpfiles-setup.service" ] || stat -c 'started=%Y' "$units-tmpfiles-setup.service" "$units-user-sessions.service"
  command -v rpm >/dev/null || return 127
  line_text=
  IFS= read -r line_text <"$R/proc/sys/kernel/osrelease"
  series=\${line_text#*.}
  set -- rpm --dbpath "$database" --nodigest --nosignature -q --whatprovides \\
    --qf 'package=%{NAME}|%{EPOCHNUM}|%{VERSION}|%{RELEASE}|%{ARCH}|%{INSTALLTIME}\\n' \\
    kernel kernel-uname-r "kernel\${line_text%%.*}.\${series%%.*}" \\
    ${askedNames.join(' ')}
  added=0
  for file in "$R"/etc/dnf/plugins/needs-restarting.d/*.conf; do
    [ -r "$file" ] || continue
    while read -r name || [ -n "$name" ]; do
      case $name in '' | -* | *[!A-Za-z0-9._+-]*) continue ;; esac
      [ "$added" -lt ${maxAddedNames} ] || break 2
      added=$((added + 1))
      echo "added=$name"
      set -- "$@" "$name"
    done <"$file"
  done
  if command -v timeout >/dev/null; then set -- timeout -k 1 4 "$@"; fi
  "$@" 2>&1
  `,
  parse(section) {
    const lines = readLines(section, maxPackages);
    if (section === undefined || !lines.includes('database')) return noDatabase;
    const packages = new Map<string, RpmPackage>();
    for (const line of lines) {
      if (line.startsWith('package=')) addPackage(packages, line.slice('package='.length));
    }
    const failed =
      section.status >= statusOfFailure ||
      lines.some((line) => line.startsWith('error:')) ||
      !lines.some((line) => line.startsWith('package=') || line.startsWith('no package provides '));
    const started = lines
      .filter((line) => line.startsWith('started='))
      .map((line) => readNumber(line.slice('started='.length)))
      .filter((seconds) => seconds !== null);
    return {
      hasDatabase: true,
      packages: failed ? null : [...packages.values()],
      userspaceStartSeconds: started.length === 0 ? null : Math.min(...started),
      hasMessageBus: lines.includes('bus'),
      addedNames: lines
        .filter((line) => line.startsWith('added='))
        .map((line) => line.slice('added='.length))
        .filter((name) => namePattern.test(name)),
    };
  },
};

const noDatabase: Rpm = {
  hasDatabase: false,
  packages: [],
  userspaceStartSeconds: null,
  hasMessageBus: false,
  addedNames: [],
};

/** Whether the system was installed with rpm. A program rpm, or a database of it, may be on other systems as well. */
export function isRpmSystem({ dpkg, rpm }: { readonly dpkg: Dpkg; readonly rpm: Rpm }): boolean {
  if (!rpm.hasDatabase || findInstalled(dpkg, 'libc6') != null) return false;
  return rpm.packages === null || rpm.packages.some(({ name }) => name === 'glibc');
}

/** rpm ends with the number of names that nothing provides; timeout(1) and the shell with 124 and above. */
const statusOfFailure = 100;

function addPackage(packages: Map<string, RpmPackage>, text: string): void {
  const [name, epoch, version, release, architecture, time] = text.split('|');
  if (name === undefined || version === undefined || release === undefined || architecture === undefined) return;
  if (!namePattern.test(name) || !versionPattern.test(version) || !versionPattern.test(release)) return;
  const installedAtSeconds = readNumber(time);
  if (installedAtSeconds === null || !/^[0-9]{1,10}$/.test(epoch ?? '') || !/^[a-z0-9_]{1,32}$/.test(architecture))
    return;
  // A package that provides several of the names is listed for each.
  packages.set(text, { name, epoch: epoch ?? '0', version, release, architecture, installedAtSeconds });
}
