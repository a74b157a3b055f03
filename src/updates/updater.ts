import type { HostFacts } from '../reading';
import { findInstalled } from '../reading/dpkg';
import { isRpmSystem } from '../reading/rpm';

/** What installs updates on a host by itself. */
export interface Updater {
  /** `unattended-upgrades`, `dnf-automatic`, …; null where nothing does. */
  readonly name: string | null;
  readonly enabled: boolean;
  /** Unix time in seconds of its last run, on the host's clock: that it ran, not that it patched. null: never, or not told. */
  readonly lastRunSeconds: number | null;
}

/** `ID` and `ID_LIKE` of systems whose packages are rpm's, for hosts on which rpm's database can't be read. */
const rpmFamilies: ReadonlySet<string> = new Set(['rhel', 'fedora', 'centos', 'amzn', 'suse', 'opensuse', 'sles']);

const nothing: Updater = { name: null, enabled: false, lastRunSeconds: null };

/**
 * Whether anything on the host installs updates by itself, by what its distribution has for that; null where it can't be
 * told. Jobs of an administrator's own, and tools that push updates from elsewhere, are seen by nobody here.
 */
export function findUpdater(facts: HostFacts): Updater | null {
  const names = [facts.os.id, ...facts.os.like];
  // snapd refreshes unless it is told to hold, which root alone can read.
  if (facts.os.id === 'ubuntu-core') return null;
  const isOther = isRpmSystem(facts) || names.includes('arch') || names.includes('alpine');
  if (facts.dpkg.packages !== null && !isOther) return unattendedUpgrades(facts);
  if (!facts.updates.isKnown) return null;
  if (facts.os.id === 'flatcar') return updateEngine(facts);
  if (facts.os.id === 'nixos') return byTimer(facts, 'nixos-upgrade.timer') ?? nothing;
  const isOfRpm = isRpmSystem(facts) || facts.image.kind !== null || names.some((name) => rpmFamilies.has(name ?? ''));
  const found = ofRpmSystem(facts);
  if (found !== null || isOfRpm) return found ?? nothing;
  // Neither has one: a job of cron's that runs apk or pacman is its administrator's.
  return names.includes('alpine') || names.includes('arch') ? nothing : null;
}

function unattendedUpgrades({ dpkg, patching }: HostFacts): Updater | null {
  if (findInstalled(dpkg, 'unattended-upgrades') == null) return nothing;
  if (patching.configured === null) return null;
  return { name: 'unattended-upgrades', enabled: patching.configured, lastRunSeconds: patching.lastRunSeconds };
}

/** Flatcar's runs unless its server is `disabled`, or it is masked. */
function updateEngine({ updates }: HostFacts): Updater {
  const server = updates.settings.get('flatcar')?.get('server');
  const enabled = updates.units.has('update-engine.service') && server !== 'disabled';
  return { name: 'update-engine', enabled, lastRunSeconds: null };
}

/** The first that is on. A timer that only downloads or tells of updates is none. */
function ofRpmSystem(facts: HostFacts): Updater | null {
  const { units, settings, yastCron } = facts.updates;
  const set = (file: string, key: string): string => settings.get(file)?.get(key)?.toLowerCase() ?? '';
  // dnf-automatic.timer does what the settings say, dnf-automatic-install.timer installs whatever they say.
  const applies = isYes(set('dnf', 'apply_updates'));
  return (
    byTimer(facts, 'dnf-automatic-install.timer') ??
    (applies ? (byTimer(facts, 'dnf-automatic.timer') ?? byTimer(facts, 'dnf5-automatic.timer')) : null) ??
    byTimer(facts, 'transactional-update.timer') ??
    byTimer(facts, 'os-update.timer') ??
    (['stage', 'apply'].includes(set('ostree', 'automaticupdatepolicy'))
      ? byTimer(facts, 'rpm-ostreed-automatic.timer')
      : null) ??
    byTimer(facts, 'bootc-fetch-apply-updates.timer') ??
    (units.has('zincati.service') ? { name: 'zincati', enabled: true, lastRunSeconds: null } : null) ??
    (units.has('yum-cron.service') && isYes(set('yum', 'apply_updates'))
      ? { name: 'yum-cron', enabled: true, lastRunSeconds: null }
      : null) ??
    (yastCron ? { name: 'yast-online-update', enabled: true, lastRunSeconds: null } : null)
  );
}

function byTimer({ updates }: HostFacts, unit: string): Updater | null {
  if (!updates.units.has(unit)) return null;
  const name = unit.replace(/(?:-install)?\.timer$/, '').replace(/^dnf5-/, 'dnf-');
  return { name, enabled: true, lastRunSeconds: updates.ranAtSeconds.get(unit) ?? null };
}

/** What dnf and yum take for true: libdnf's OptionBool. */
function isYes(value: string): boolean {
  return ['1', 'yes', 'true', 'on'].includes(value);
}
