import type { HostFacts } from '../reading';
import type { RestartState } from '../restart/restart';
import { lastTime, nextTime, parseDays, parseTimeOfDay, type Recurrence } from './wall-time';
import { findUpdater } from './updater';

/** That a host is going to restart by itself, or is set to. */
export interface OwnRestart {
  /** What restarts it: `shutdown`, `unattended-upgrades`, `rebootmgr`, … */
  readonly by: string;
  /** Unix time in seconds on the host's clock; null where it can't be told when, or whether it will. */
  readonly atSeconds: number | null;
  /** In words. */
  readonly because: string;
}

/** Modes in which systemd-logind brings the kernel up anew: src/login/logind-shutdown.c. A `dry-reboot` only warns users. */
const restartingModes: ReadonlySet<string | null> = new Set(['reboot', 'kexec', null]);

/**
 * What restarts the host by itself, and when if that is certain enough to wait for: a restart that is scheduled; else a
 * program that is set to restart it at a time of its own and has not let its last chance pass. Null where nothing is
 * set up to.
 */
export function findOwnRestart(facts: HostFacts, restart: RestartState): OwnRestart | null {
  const { atSeconds, mode } = facts.scheduled;
  if (atSeconds !== null && restartingModes.has(mode)) return { by: 'shutdown', atSeconds, because: 'it is scheduled' };
  return unattendedUpgrades(facts, restart) ?? rebootmgr(facts, restart) ?? kured(facts, restart) ?? others(facts);
}

/** apt.systemd.daily runs it daily, by its timer at a time that differs by up to an hour: apt-daily-upgrade.timer. */
const dailySeconds = 86_400;
const spreadSeconds = 3600;

/**
 * unattended-upgrades restarts at the end of a run, or orders shutdown(8) to at a time, if the flag is there by then:
 * reboot_if_requested_and_needed(). Where it has run since and has ordered nothing, it was kept from it by users who
 * are logged in, or otherwise.
 */
function unattendedUpgrades(facts: HostFacts, restart: RestartState): OwnRestart | null {
  if (facts.patching.automaticReboot !== true) return null;
  const updater = findUpdater(facts);
  if (updater?.name !== 'unattended-upgrades' || !updater.enabled) return null;
  const by = 'unattended-upgrades';
  const time = facts.patching.automaticRebootTime;
  const isAtOnce = time === null || time === 'now';
  const told = `Automatic-Reboot is on${isAtOnce ? '' : `, at ${time}`}`;
  if (!restart.reasons.includes('flag'))
    return { by, atSeconds: null, because: `${told}, if a run of it finds the flag` };
  const { lastRunSeconds } = updater;
  const since = restart.sinceSeconds;
  if (lastRunSeconds === null || (since !== null && lastRunSeconds > since)) {
    return { by, atSeconds: null, because: `${told}, but its last run did not order one` };
  }
  const runsUntil = lastRunSeconds + dailySeconds + spreadSeconds;
  if (isAtOnce) return { by, atSeconds: runsUntil, because: `${told}, when it next runs` };
  const { zoneSeconds } = facts.clock;
  const secondOfDay = parseTimeOfDay(time);
  if (secondOfDay === null || zoneSeconds === null) return { by, atSeconds: null, because: told };
  return { by, atSeconds: nextTime({ secondOfDay, zoneSeconds }, runsUntil), because: told };
}

/**
 * rebootmgr restarts in its window after transactional-update has asked it to, which that does after its own updates
 * where its method is rebootmgr, or auto: lib/Reboot.cpp.
 */
function rebootmgr(facts: HostFacts, restart: RestartState): OwnRestart | null {
  const { units, settings } = facts.updates;
  if (!units.has('rebootmgr.service')) return null;
  const set = settings.get('rebootmgr');
  const strategy = set?.get('strategy')?.toLowerCase() ?? 'best-effort';
  const method = settings.get('transactional')?.get('reboot_method') ?? 'auto';
  if (strategy === 'off' || !['auto', 'rebootmgr'].includes(method)) return null;
  const by = 'rebootmgr';
  if (strategy === 'instantly')
    return { by, atSeconds: null, because: 'its strategy is to restart as soon as it is asked to' };
  const start = set?.get('window-start') ?? '';
  const because = `its window begins at ${start === '' ? 'any time' : start}`;
  if (!units.has('transactional-update.timer'))
    return { by, atSeconds: null, because: `${because}; nothing here asks it to` };
  const words = start.split(' ');
  const days = words.length === 2 ? parseDays((words[0] ?? '').split(',')) : undefined;
  return window(
    by,
    because,
    { time: words[words.length - 1] ?? '', days, zoneSeconds: facts.clock.zoneSeconds },
    restart,
  );
}

/**
 * kured restarts a node inside its window when its sentinel is there and it gets the lock of the cluster. Its settings
 * are the arguments of its process; whether the node waits, is drained or held back by an alert, only the cluster knows.
 */
function kured(facts: HostFacts, restart: RestartState): OwnRestart | null {
  const { kured: args } = facts.updates;
  if (args === null) return null;
  const by = 'kured';
  const set = (name: string): string | null => {
    const prefix = `--${name}=`;
    return args.find((arg) => arg.startsWith(prefix))?.slice(prefix.length) ?? null;
  };
  const start = set('start-time');
  const zone = set('time-zone') ?? 'UTC';
  const because = `it runs on this node, from ${start ?? '0:00'} to ${set('end-time') ?? '23:59'} ${zone}`;
  const sentinel = set('reboot-sentinel') ?? '/var/run/reboot-required';
  const looksAtFlag =
    /^(?:\/sentinel|\/var\/run|\/run)\/reboot-(?:required|needed)$/.test(sentinel) &&
    set('reboot-sentinel-command') === null;
  if (start === null || !looksAtFlag || !restart.reasons.includes('flag')) return { by, atSeconds: null, because };
  const dayWords = set('reboot-days');
  const days = dayWords === null ? undefined : parseDays(dayWords.split(','));
  const zoneSeconds = zone === 'UTC' ? 0 : zone === 'Local' ? facts.clock.zoneSeconds : null;
  return window(by, because, { time: start, days, zoneSeconds }, restart);
}

interface Window {
  readonly time: string;
  /** undefined: every day; null: not understood. */
  readonly days: ReadonlySet<number> | null | undefined;
  readonly zoneSeconds: number | null;
}

/** The next beginning of a window. Where the last one has passed with the need already there, the next can't be trusted either. */
function window(by: string, because: string, { time, days, zoneSeconds }: Window, restart: RestartState): OwnRestart {
  const secondOfDay = parseTimeOfDay(time);
  const now = restart.boot.nowSeconds;
  const unknown = { by, atSeconds: null, because };
  if (restart.verdict !== 'required' || secondOfDay === null || zoneSeconds === null || days === null || now === null)
    return unknown;
  const recurrence: Recurrence = { secondOfDay, zoneSeconds, ...(days === undefined ? {} : { days }) };
  const last = lastTime(recurrence, now);
  if (last !== null && restart.sinceSeconds !== null && restart.sinceSeconds < last) {
    return { ...unknown, because: `${because}; it let the last one pass` };
  }
  return { by, atSeconds: nextTime(recurrence, now), because };
}

/** Those that restart right after updates of their own: a need that is there already is not theirs, and waits for their next. */
function others(facts: HostFacts): OwnRestart | null {
  const { units, settings } = facts.updates;
  const updater = findUpdater(facts);
  const reboot = settings.get('dnf')?.get('reboot')?.toLowerCase() ?? 'never';
  if (updater?.name === 'dnf-automatic' && reboot !== 'never') {
    return { by: 'dnf-automatic', atSeconds: null, because: `set to restart after installing updates (${reboot})` };
  }
  const method = settings.get('transactional')?.get('reboot_method') ?? 'auto';
  if (updater?.name === 'transactional-update' && ['auto', 'systemd', 'kexec'].includes(method)) {
    return { by: 'transactional-update', atSeconds: null, because: 'restarts right after installing updates' };
  }
  const strategy = settings.get('flatcar')?.get('reboot_strategy') ?? 'reboot';
  if (facts.os.id === 'flatcar' && units.has('locksmithd.service') && strategy !== 'off') {
    return { by: 'locksmithd', atSeconds: null, because: `its strategy is ${strategy}` };
  }
  if (updater?.name === 'zincati')
    return { by: 'zincati', atSeconds: null, because: 'restarts when its strategy lets it' };
  if (updater?.name === 'bootc-fetch-apply-updates') {
    return { by: 'bootc', atSeconds: null, because: 'restarts right after fetching an update' };
  }
  return null;
}
