import type { HostStatus } from '../../src/fleet/status';
import { fixtureMonotonicMs, sketchStatus } from '../web/fleet-fixture';

/**
 * One host of a fleet in which half need a restart and a quarter are exposed; in each `generation` a later probe found the
 * opposite of what the one before it did.
 */
export function fleetStatus(at: number, generation: number): HostStatus {
  const isNeeded = (Math.floor(at / 10) + generation) % 2 === 0;
  const status = sketchStatus({
    name: `host-${at}.example.net`,
    stack: `stack-${at % 40}`,
    labels: { team: `team-${at % 12}` },
    exposure: at % 4 === 0 ? 'exposed' : 'not_exposed',
    ...(isNeeded
      ? { neededForDays: 1 + ((at * 7 + generation) % 40), packages: ['linux-image-6.1.0-27-amd64', 'libc6'] }
      : {}),
  });
  const { attempt, known } = status;
  const laterMs = generation * 60_000;
  return {
    ...status,
    attempt:
      attempt === null
        ? null
        : { ...attempt, atMs: attempt.atMs + laterMs, durationSeconds: attempt.durationSeconds + generation / 1000 },
    // Fresh for as long as a benchmark lasts.
    known: known === null ? null : { ...known, atMs: known.atMs + laterMs, atMonotonicMs: fixtureMonotonicMs },
  };
}

/** Whether a host is in the tenth that changes in this round. */
export function changes(at: number, round: number): boolean {
  return at % 10 === round % 10;
}

/** How often the hosts that change in this round have changed then. */
export function generationIn(round: number): number {
  return Math.floor(round / 10) + 1;
}
