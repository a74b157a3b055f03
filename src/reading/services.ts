import { cleanText, readLines, readNumber } from '../report/fields';
import type { Reading } from './reading';

/** A service of systemd that runs. */
export interface RunningService {
  /** `nginx.service` */
  readonly unit: string;
  /** When its oldest process started, in seconds after the kernel's boot. */
  readonly startedSeconds: number;
  /** The program of its `ExecStart=`; null where that could not be read. */
  readonly program: string | null;
}

/** Libraries that were replaced since the boot, and the services that may still run the old ones. */
export interface Services {
  /** systemd runs here, and the libraries could be looked at. */
  readonly isKnown: boolean;
  /** Unix time in seconds at which each was replaced, by name: `libssl.so.3`. */
  readonly replacedAtSeconds: ReadonlyMap<string, number>;
  /** Empty while no library was replaced: they are not looked at then. */
  readonly running: readonly RunningService[];
  /** Names of the replaced libraries that a program is linked with, by the program's path. */
  readonly linked: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Libraries that many services use, and whose faults reach through the network. */
const libraries = [
  ...[
    'libc.so.6',
    'libssl.so.3',
    'libssl.so.1.1',
    'libcrypto.so.3',
    'libcrypto.so.1.1',
    'libgnutls.so.30',
    'libpam.so.0',
  ],
  ...['libz.so.1', 'liblzma.so.5', 'libzstd.so.1', 'libxml2.so.2', 'libexpat.so.1', 'libkrb5.so.3', 'libcurl.so.4'],
  ...['libstdc++.so.6', 'libsystemd.so.0', 'libnss3.so', 'libsqlite3.so.0'],
] as const;

/** Processes that are looked at, and services that are told of, at most. */
const maxProcesses = 3000;
const maxServices = 300;
/** Programs larger than this many blocks of 512 bytes, 20 MB, are linked statically, and would take long to search. */
const maxProgramBlocks = 40_960;

/**
 * A package manager unpacks a library under another name and renames it, which sets the time of its change (ctime), with
 * dpkg, rpm, pacman and apk alike. Only where one changed after the boot are processes and programs looked at, in three
 * more programs: awk for the start time of each process (proc_pid_stat(5), field 22) and its unit (cgroups(7), also of
 * version 1), find and grep for the names of libraries in the programs that the units start.
 */
export const services: Reading<Services> = {
  name: 'services',
  script: `
  [ -d "$R/run/systemd/system" ] && [ -n "\${boot_time:-}" ] || return 4
  set --
  for folder in "$R"/usr/lib/*-linux-gnu* "$R"/usr/lib64 "$R"/usr/lib; do
    for name in ${libraries.join(' ')}; do
      [ ! -e "$folder/$name" ] || set -- "$@" "$folder/$name"
    done
  done
  [ "$#" != 0 ] || return 4
  time=0 names=
  for word in $(stat -c '%Z %n' "$@"); do
    case $word in
      *[!0-9]*) [ "$time" -le "$boot_time" ] || { echo "replaced=$time $word"; names="$names \${word##*/}"; } ;;
      *) time=$word ;;
    esac
  done
  [ -n "$names" ] || return 0
  running=$(awk -v root="$R" '
    BEGIN {
      for (i = 1; i < ARGC && i <= ${maxProcesses}; i++) {
        file = ARGV[i] "/stat"
        text = ""
        getline text <file
        close(file)
        sub(/.*[)] /, "", text)
        if (split(text, field, " ") < 20 || field[2] == 2 || field[2] == 0) continue
        start = field[20]
        file = ARGV[i] "/cgroup"
        unit = ""
        while (unit == "" && (getline text <file) > 0) {
          if (text !~ /:[/]system[.]slice[/]/) continue
          parts = split(text, part, "/")
          for (k = 3; k <= parts && unit == ""; k++) if (part[k] ~ /[.]service$/) unit = part[k]
        }
        close(file)
        if (unit == "" || unit ~ / /) continue
        if (!(unit in oldest)) { order[++units] = unit; oldest[unit] = start }
        else if (start + 0 < oldest[unit] + 0) oldest[unit] = start
      }
      split("/etc/systemd/system/ /run/systemd/system/ /usr/lib/systemd/system/ /lib/systemd/system/", folders, " ")
      for (i = 1; i <= units && i <= ${maxServices}; i++) {
        name = order[i]
        sub(/@.*/, "@.service", name)
        program = "-"
        for (k = 1; k <= 4 && program == "-"; k++) {
          file = root folders[k] name
          while (program == "-" && (getline text <file) > 0) {
            if (text !~ /^ExecStart *=/) continue
            sub(/^ExecStart *= *[-@:+!|]*"?/, "", text)
            sub(/[ "].*/, "", text)
            if (text ~ /^[/]/) program = root text
          }
          close(file)
        }
        print "service=" order[i], oldest[order[i]], program
      }
    }' "$R"/proc/[0-9]*)
  printf '%s\\n' "$running"
  set --
  for word in $running; do
    case $word in /*) set -- "$@" "$word" ;; esac
  done
  [ "$#" != 0 ] || return 0
  find -L "$@" -prune -type f -size -${maxProgramBlocks} -exec grep -aoHF ${libraries.map((name) => `-e ${name}`).join(' ')} {} +
  true
  `,
  parse(section) {
    const replacedAtSeconds = new Map<string, number>();
    const running: RunningService[] = [];
    const linked = new Map<string, Set<string>>();
    for (const line of readLines(section, maxLines)) {
      if (line.startsWith('replaced=')) addReplaced(replacedAtSeconds, line.slice('replaced='.length));
      else if (line.startsWith('service=')) addService(running, line.slice('service='.length));
      else addLinked(linked, line);
    }
    return { isKnown: section !== undefined && section.status === 0, replacedAtSeconds, running, linked };
  },
};

const maxLines = 20_000;

function addReplaced(replacedAtSeconds: Map<string, number>, text: string): void {
  const space = text.indexOf(' ');
  const seconds = readNumber(text.slice(0, space));
  const name = text.slice(text.lastIndexOf('/') + 1);
  if (seconds === null || !isLibrary(name)) return;
  // There may be one for each architecture: the oldest of them is certain to be newer than what runs before it.
  replacedAtSeconds.set(name, Math.min(seconds, replacedAtSeconds.get(name) ?? seconds));
}

/** USER_HZ is 100 on every architecture that Linux servers run on. */
const userHz = 100;

function addService(running: RunningService[], text: string): void {
  const [unit, start, program] = text.split(' ');
  const ticks = readNumber(start);
  if (unit === undefined || unit === '' || ticks === null || running.length >= maxServices) return;
  running.push({
    unit: cleanText(unit, 128),
    startedSeconds: ticks / userHz,
    program: program === undefined || program === '-' ? null : cleanText(program, 256),
  });
}

/** `PROGRAM:LIBRARY`, as grep prints it. */
function addLinked(linked: Map<string, Set<string>>, line: string): void {
  const colon = line.lastIndexOf(':');
  const name = line.slice(colon + 1);
  if (colon < 1 || !isLibrary(name)) return;
  const program = cleanText(line.slice(0, colon), 256);
  const names = linked.get(program) ?? new Set();
  names.add(name);
  linked.set(program, names);
}

function isLibrary(name: string): boolean {
  return (libraries as readonly string[]).includes(name);
}
