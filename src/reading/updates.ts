import { cleanText, readLines, readNumber } from '../report/fields';
import type { Reading } from './reading';

/** What is set up on a host to install updates, and to restart it, beside unattended-upgrades; see Patching for that. */
export interface Updates {
  /** The section was sent: older copies of the program have none. */
  readonly isKnown: boolean;
  /** systemd's units that are switched on, of those that matter: `dnf-automatic.timer`, `rebootmgr.service`. */
  readonly units: ReadonlySet<string>;
  /** When each timer last ran its service, unix time in seconds, by the unit's name. */
  readonly ranAtSeconds: ReadonlyMap<string, number>;
  /** Settings by file, `dnf`, `yum`, `transactional`, `rebootmgr`, `ostree`, `flatcar`; later files win. Keys are in lower case. */
  readonly settings: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** YaST's online update runs from cron. */
  readonly yastCron: boolean;
  /** The arguments with which kured runs here; null where it does not, or can't be seen. */
  readonly kured: readonly string[] | null;
}

const timers = [
  ...['dnf-automatic', 'dnf-automatic-install', 'dnf5-automatic', 'transactional-update', 'os-update'],
  ...['rpm-ostreed-automatic', 'bootc-fetch-apply-updates', 'nixos-upgrade'],
].map((name) => `${name}.timer`);

const services = ['yum-cron', 'rebootmgr', 'zincati', 'update-engine', 'locksmithd'].map((name) => `${name}.service`);

/** Files of settings, with what they are called in the section; a later one of a name wins over an earlier one. */
const settingFiles = [
  'dnf usr/share/dnf5/dnf5-plugins/automatic.conf',
  'dnf etc/dnf/automatic.conf',
  'yum etc/yum/yum-cron.conf',
  'transactional usr/etc/transactional-update.conf',
  'transactional etc/transactional-update.conf',
  'rebootmgr usr/share/rebootmgr/rebootmgr.conf',
  'rebootmgr etc/rebootmgr.conf',
  'rebootmgr etc/rebootmgr/rebootmgr.conf',
  'ostree etc/rpm-ostreed.conf',
  'flatcar usr/share/flatcar/update.conf',
  'flatcar etc/flatcar/update.conf',
] as const;

/**
 * A unit is on when a target wants it, in /etc or as the distribution ships it, and when it is not masked: systemd.unit(5).
 * When a timer with Persistent= last ran is the time of its stamp: systemd.timer(5). No program is started but one stat
 * where there are timers, and one tr where kured runs; it shows among the processes of the node, whose state in the
 * cluster is the API server's alone to tell.
 */
export const updates: Reading<Updates> = {
  name: 'updates',
  script: `
  system="$R/etc/systemd/system" stamps="$R/var/lib/systemd/timers"
  set --
  for unit in ${[...timers, ...services].join(' ')}; do
    if [ -L "$system/$unit" ] && [ ! -s "$system/$unit" ]; then continue; fi
    for wants in "$system" "$R/usr/lib/systemd/system"; do
      case $unit in *.timer) wants="$wants/timers.target.wants/$unit" ;; *) wants="$wants/multi-user.target.wants/$unit" ;; esac
      if [ -e "$wants" ] || [ -L "$wants" ]; then
        echo "unit=$unit"
        [ ! -e "$stamps/stamp-$unit" ] || set -- "$@" "$stamps/stamp-$unit"
        break
      fi
    done
  done
  [ "$#" = 0 ] || stat -c 'ran=%Y %n' "$@"
  set -- ${settingFiles.map((line) => `'${line}'`).join(' \\\n    ')}
  for item in "$R"/etc/rebootmgr/rebootmgr.conf.d/*.conf; do set -- "$@" "rebootmgr \${item#"$R/"}"; done
  for item do
    [ -r "$R/\${item#* }" ] || continue
    lines=0
    while [ "$lines" -lt 500 ] && { read -r text || [ -n "$text" ]; }; do
      lines=$((lines + 1))
      case $text in [A-Za-z_]*=*) printf 'set=%s %s\\n' "\${item%% *}" "$text" ;; esac
    done <"$R/\${item#* }"
  done
  for item in daily weekly monthly; do
    [ ! -e "$R/etc/cron.$item/opensuse.org-online_update" ] || echo cron=yast
  done
  [ -d "$R/var/lib/kubelet" ] || return 0
  for item in "$R"/proc/[0-9]*/comm; do
    text=
    { IFS= read -r text <"$item"; } 2>/dev/null
    [ "$text" = kured ] || continue
    echo kured=1
    tr '\\0' '\\n' <"\${item%comm}cmdline" | head -c 8192
    break
  done
  true
  `,
  parse(section) {
    const units = new Set<string>();
    const ranAtSeconds = new Map<string, number>();
    const settings = new Map<string, Map<string, string>>();
    let kured: string[] | null = null;
    let yastCron = false;
    for (const line of readLines(section, maxLines)) {
      if (kured !== null) kured.push(cleanText(line, 128));
      else if (line.startsWith('unit=')) units.add(cleanText(line.slice('unit='.length), 64));
      else if (line.startsWith('ran=')) addRun(ranAtSeconds, line.slice('ran='.length));
      else if (line.startsWith('set=')) addSetting(settings, line.slice('set='.length));
      else if (line === 'cron=yast') yastCron = true;
      else if (line === 'kured=1') kured = [];
    }
    return { isKnown: section !== undefined, units, ranAtSeconds, settings, yastCron, kured };
  },
};

const maxLines = 3000;

function addRun(ranAtSeconds: Map<string, number>, text: string): void {
  const [time, path] = text.split(' ');
  const seconds = readNumber(time);
  const at = path?.lastIndexOf('/stamp-') ?? -1;
  if (path === undefined || at === -1 || seconds === null) return;
  ranAtSeconds.set(cleanText(path.slice(at + '/stamp-'.length), 64), seconds);
}

/** `FILE KEY = VALUE`, as the files of dnf, systemd's kind and the shell's have it; quotes are left out, comments were. */
function addSetting(settings: Map<string, Map<string, string>>, text: string): void {
  const space = text.indexOf(' ');
  const equals = text.indexOf('=', space);
  if (space === -1 || equals === -1) return;
  const file = cleanText(text.slice(0, space), 64);
  const value = text.slice(equals + 1).trim();
  const bare = value.length > 1 && /^["']/.test(value) && value.endsWith(value.charAt(0)) ? value.slice(1, -1) : value;
  const ofFile = settings.get(file) ?? new Map<string, string>();
  ofFile.set(cleanText(text.slice(space + 1, equals), 64).toLowerCase(), cleanText(bare, 128));
  settings.set(file, ofFile);
}
