import { cleanText, readFields, readLines, readNumber } from '../report/fields';
import type { Section } from '../report/section';
import type { Reading } from './reading';

/** What unattended-upgrades is set to do on a Debian or Ubuntu host, and when it last did. */
export interface Patching {
  /** Whether the settings and the timer make it run; null when they could not be read. The package itself is dpkg's to tell. */
  readonly configured: boolean | null;
  /** Unix time in seconds of its last run: it ran, not that it patched. null when it never did or can't be told. */
  readonly lastRunSeconds: number | null;
  /** Unix time in seconds of its last run that ended well. */
  readonly lastSuccessSeconds: number | null;
  /** Whether it restarts the host itself; null when the settings could not be read. */
  readonly automaticReboot: boolean | null;
  /** `Unattended-Upgrade::Automatic-Reboot-Time`, as written: `now`, `02:00`. */
  readonly automaticRebootTime: string | null;
}

/**
 * apt-config merges every file below apt.conf.d; reading them by hand would get their order and scopes wrong. Without
 * being told of architectures it would run dpkg to find out.
 */
export const patching: Reading<Patching> = {
  name: 'patching',
  script: `
  stat -c 'stamp=%Y %n' "$R/var/lib/apt/periodic/unattended-upgrades-stamp" "$R/var/lib/apt/periodic/upgrade-stamp"
  timer=apt-daily-upgrade.timer
  if [ ! -d "$R/run/systemd/system" ]; then echo timer=none
  elif [ -L "$R/etc/systemd/system/$timer" ] && [ ! -s "$R/etc/systemd/system/$timer" ]; then echo timer=masked
  elif [ -L "$R/run/systemd/system/$timer" ] && [ ! -s "$R/run/systemd/system/$timer" ]; then echo timer=masked
  elif [ -e "$R/etc/systemd/system/timers.target.wants/$timer" ] || [ -L "$R/etc/systemd/system/timers.target.wants/$timer" ]; then echo timer=enabled
  else echo timer=disabled
  fi
  command -v apt-config >/dev/null || return 127
  apt-config -o APT::Architectures=none shell enable APT::Periodic::Enable upgrade APT::Periodic::Unattended-Upgrade \\
    reboot Unattended-Upgrade::Automatic-Reboot reboot_time Unattended-Upgrade::Automatic-Reboot-Time
  `,
  parse(section) {
    const fields = readFields(section);
    const readable = section !== undefined && section.status === 0;
    const setting = (name: string): string | null => unquote(fields.get(name));
    const timer = fields.get('timer');
    const switchedOn =
      !isZero(setting('enable')) && !isOff(setting('upgrade')) && timer !== 'masked' && timer !== 'disabled';
    return {
      configured: readable ? switchedOn : null,
      lastRunSeconds: stamp(section, 'unattended-upgrades-stamp'),
      lastSuccessSeconds: stamp(section, 'upgrade-stamp'),
      automaticReboot: readable ? isTrue(setting('reboot')) : null,
      automaticRebootTime: word(setting('reboot_time')),
    };
  },
};

function stamp(section: Section | undefined, file: string): number | null {
  const line = readLines(section, 100).find((text) => text.startsWith('stamp=') && text.endsWith(`/${file}`));
  return readNumber(line?.slice('stamp='.length).split(' ', 1)[0]);
}

/** apt-config shell prints `name='value'`. */
function unquote(text: string | undefined): string | null {
  if (text === undefined) return null;
  return text.startsWith("'") && text.endsWith("'") ? text.slice(1, -1) : text;
}

/** apt.systemd.daily compares with `-eq 0`, to which `00` is 0 and a word an error that leaves it on. */
function isZero(value: string | null): boolean {
  return value !== null && /^0+$/.test(value);
}

/** apt.systemd.daily: an interval of 0 or none is off; `always`, `1`, `7d` and the like are on. */
function isOff(interval: string | null): boolean {
  return interval === null || interval === '' || /^0+[smhd]?$/.test(interval);
}

function word(text: string | null): string | null {
  return text === null || text === '' ? null : cleanText(text, 20);
}

/** apt's own words for a true setting: apt-pkg/contrib/strutl.cc, StringToBool. */
function isTrue(value: string | null): boolean {
  return value !== null && ['1', 'yes', 'true', 'with', 'on', 'enable'].includes(value.toLowerCase());
}
