import { createHash } from 'node:crypto';

/** A number of [0, 1) that is the same for a name at every start and on every machine, and spreads names evenly. */
export function stableFraction(name: string): number {
  return createHash('sha256').update(name).digest().readUIntBE(0, 6) / 2 ** 48;
}

/** Spreads repeats that failed together: a factor of [0.8, 1.2) that is stable for a name and an attempt. */
export function retryFactor(name: string, attempt: number): number {
  return 0.8 + 0.4 * stableFraction(`${name}#${attempt}`);
}
