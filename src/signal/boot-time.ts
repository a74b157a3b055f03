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
  /** The host's clock at the probe, unix time in seconds; null when it can't be told. */
  readonly nowSeconds: number | null;
}

/**
 * Works out the boot that the host is in. A container shares its host's boot id
 * and boot time; what a restart of it changes is when its process 1 started.
 */
export function findBootTime(facts: HostFacts): BootTime {
  const { boot, clock, machine } = facts;
  const nowSeconds = clock.nowSeconds ?? sum(boot.kernelTimeSeconds, boot.uptimeSeconds);
  const kernelBoot = boot.kernelTimeSeconds ?? sum(nowSeconds, boot.uptimeSeconds === null ? null : -boot.uptimeSeconds);
  if (machine.container === null || boot.initStartSeconds === null) {
    return { id: boot.id, atSeconds: kernelBoot, nowSeconds };
  }
  return {
    id: boot.id === null ? null : `${boot.id}/${boot.initStartSeconds}`,
    atSeconds: sum(kernelBoot, boot.initStartSeconds),
    nowSeconds,
  };
}

/** Whether a time lies before this boot, beyond what a stepped clock explains. Unknown boot times rule nothing out. */
export function isBeforeBoot(seconds: number, bootTime: BootTime): boolean {
  return bootTime.atSeconds !== null && seconds < bootTime.atSeconds - clockSlackSeconds;
}

function sum(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}
