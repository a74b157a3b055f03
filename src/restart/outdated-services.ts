import type { HostFacts } from '../reading';
import { clockSlackSeconds } from '../signal/boot-time';
import type { RestartState } from './restart';

/** A service that still runs the old code of libraries that were replaced. */
export interface OutdatedService {
  /** systemd's unit. */
  readonly unit: string;
  /** Names of the libraries, sorted. */
  readonly libraries: readonly string[];
  /** When the first of them was replaced, unix time in seconds on the host's clock. */
  readonly sinceSeconds: number;
}

/**
 * Services that started before a library with which their program is linked was replaced. Each of these is certain; there
 * may be more: what a program loads later, what is linked with another library that is linked with it, and what runs in
 * a container or in a session is not seen. Null where it can't be told.
 */
export function findOutdatedServices(facts: HostFacts, restart: RestartState): OutdatedService[] | null {
  const { isKnown, replacedAtSeconds, running, linked } = facts.services;
  const kernelTime = facts.boot.kernelTimeSeconds;
  if (!isKnown || kernelTime === null) return null;
  if (replacedAtSeconds.size === 0) return [];
  // Where processes of others are hidden (mount option hidepid), there are none to be seen.
  if (running.length === 0) return null;
  // The clock may have been set back since the library was replaced: the latest that the boot ever was is certain.
  const bootedAt =
    facts.machine.container === null ? Math.max(kernelTime, restart.boot.latestAtSeconds ?? 0) : kernelTime;
  const outdated: OutdatedService[] = [];
  for (const { unit, startedSeconds, program } of running) {
    if (program === null) continue;
    const startedAt = bootedAt + startedSeconds + clockSlackSeconds;
    const newer = [...(linked.get(program) ?? [])].flatMap((name) => {
      const atSeconds = replacedAtSeconds.get(name);
      return atSeconds !== undefined && atSeconds > startedAt ? [{ name, atSeconds }] : [];
    });
    if (newer.length === 0) continue;
    outdated.push({
      unit,
      libraries: newer.map(({ name }) => name).sort(),
      sinceSeconds: Math.min(...newer.map(({ atSeconds }) => atSeconds)),
    });
  }
  return outdated.sort((a, b) => (a.unit < b.unit ? -1 : 1));
}
