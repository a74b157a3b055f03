import type { HostStatus } from '../../src/fleet/status';
import { fixtureMonotonicMs, sketchStatus } from '../web/fleet-fixture';

/** One host of a fleet in which a fifth need a restart and a quarter are exposed; `round` makes another state of it. */
export function fleetStatus(at: number, round: number): HostStatus {
  const isNeeded = (at + round) % 5 === 0;
  const status = sketchStatus({
    name: `host-${at}.example.net`,
    stack: `stack-${at % 40}`,
    labels: { team: `team-${at % 12}` },
    exposure: at % 4 === 0 ? 'exposed' : 'not_exposed',
    ...(isNeeded ? { neededForDays: 1 + ((at * 7) % 40), packages: ['linux-image-6.1.0-27-amd64', 'libc6'] } : {}),
  });
  // Fresh for as long as a benchmark lasts.
  const known = status.known === null ? null : { ...status.known, atMonotonicMs: fixtureMonotonicMs };
  return { ...status, known };
}

/** Whether a host is in the tenth that changes in this round. */
export function changes(at: number, round: number): boolean {
  return at % 10 === round % 10;
}
