import type { HostFacts } from '../reading';

/**
 * How far two times of one host may be apart and still count as the same
 * moment, in seconds: `btime` is computed from the wall clock, and moves when
 * that is stepped.
 */
export const clockSlackSeconds = 5;

/** When this boot began, and its identity. */
export interface BootTime {
  /** Equal for two probes in the same boot; null when the host did not tell. */
  readonly id: string | null;
  /** Unix time in seconds on the host's clock; null when it can't be told. */
  readonly atSeconds: number | null;
  /**
   * The earliest and the latest that `atSeconds` was in this boot, as far as is remembered: a clock that is set moves
   * the boot with it, but not the times of files that were written before.
   */
  readonly earliestAtSeconds: number | null;
  readonly latestAtSeconds: number | null;
  /** The host's clock at the probe, unix time in seconds; null when it can't be told. */
  readonly nowSeconds: number | null;
}

/** What is remembered of a boot that matters to the next probe in it. */
export type RememberedBoot = Omit<BootTime, 'nowSeconds'>;

/**
 * Works out the boot that the host is in. A container shares its host's boot id
 * and boot time; what a restart of it changes is when its process 1 started.
 */
export function findBootTime(facts: HostFacts, remembered: RememberedBoot | null = null): BootTime {
  const { boot, machine } = facts;
  const nowSeconds = findNow(facts);
  const kernelBoot =
    boot.kernelTimeSeconds ?? sum(nowSeconds, boot.uptimeSeconds === null ? null : -boot.uptimeSeconds);
  const init = boot.initStartSeconds;
  const id = machine.container === null || boot.id === null || init === null ? boot.id : `${boot.id}/${init}`;
  // A container that hides its process 1 started at some time after its host did: when can't be told.
  const atSeconds = machine.container === null ? kernelBoot : sum(kernelBoot, init);
  const found = { id, atSeconds, earliestAtSeconds: atSeconds, latestAtSeconds: atSeconds, nowSeconds };
  if (remembered === null || !isSameBoot(remembered, found)) return found;
  const times = [atSeconds, remembered.earliestAtSeconds, remembered.latestAtSeconds].filter((time) => time !== null);
  if (times.length === 0) return found;
  return { ...found, earliestAtSeconds: Math.min(...times), latestAtSeconds: Math.max(...times) };
}

/** Two boots that a host without a boot id may be in are told apart by their times, in seconds. */
const sameBootSeconds = 60;

/** Whether a remembered boot is the one that the host is in. */
export function isSameBoot(
  remembered: Pick<BootTime, 'id' | 'atSeconds'>,
  boot: Pick<BootTime, 'id' | 'atSeconds'>,
): boolean {
  if (remembered.id !== null && boot.id !== null) return remembered.id === boot.id;
  if (remembered.atSeconds === null || boot.atSeconds === null) return false;
  return Math.abs(remembered.atSeconds - boot.atSeconds) <= sameBootSeconds;
}

/**
 * By how many seconds the host's clock was stepped between two probes in one
 * boot: the boot itself has not moved, so its time shows the step. A difference
 * of a second is that of two roundings.
 */
export function clockStepSeconds(before: Pick<BootTime, 'atSeconds'>, after: Pick<BootTime, 'atSeconds'>): number {
  if (before.atSeconds === null || after.atSeconds === null) return 0;
  const moved = after.atSeconds - before.atSeconds;
  return Math.abs(moved) > 1.5 ? moved : 0;
}

/** Whether a time lies before this boot, beyond what a stepped clock explains. Unknown boot times rule nothing out. */
export function isBeforeBoot(seconds: number, bootTime: Pick<BootTime, 'earliestAtSeconds'>): boolean {
  return bootTime.earliestAtSeconds !== null && seconds < bootTime.earliestAtSeconds - clockSlackSeconds;
}

/**
 * Whether a time lies after this boot, beyond what a stepped clock explains; null where that is not certain, the boot
 * being unknown or the clock having been set back since the time was written, or so far that it lies in the future.
 */
export function isAfterBoot(seconds: number, bootTime: BootTime): boolean | null {
  const { atSeconds, latestAtSeconds, nowSeconds } = bootTime;
  if (atSeconds === null || latestAtSeconds === null) return null;
  if (seconds <= atSeconds + clockSlackSeconds) return false;
  if (seconds <= latestAtSeconds + clockSlackSeconds) return null;
  return nowSeconds !== null && seconds > nowSeconds + clockSlackSeconds ? null : true;
}

/**
 * The host's clock. A `date` that tells whole seconds is up to one behind, by
 * another fraction at each probe; the uptime, which the kernel tells to 10 ms,
 * makes it run evenly. Some containers have an uptime of their own: it
 * doesn't fit the kernel's boot time, and is left out.
 */
function findNow({ clock, boot }: HostFacts): number | null {
  const even = sum(boot.kernelTimeSeconds, boot.uptimeSeconds);
  if (clock.nowSeconds === null || even === null) return clock.nowSeconds ?? even;
  // It was set back between these readings; or it is wrong in another way, for no clock was ever before its own boot.
  if (boot.kernelTimeSeconds !== null && clock.nowSeconds < boot.kernelTimeSeconds - clockSlackSeconds) return even;
  const isWhole = Number.isInteger(clock.nowSeconds);
  return isWhole && Math.abs(even - clock.nowSeconds) < 1.5 ? even : clock.nowSeconds;
}

function sum(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}
