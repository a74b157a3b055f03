import type { FailureReason } from '../failure';
import { retryFactor } from '../schedule/jitter';

/** First pause after a failure, in milliseconds; it doubles from there. */
const firstPauseMs = 1000;
/** Longest pause while the host seems to be restarting: a finished restart must show within seconds. */
const longestPauseRestartingMs = 3000;
const longestPauseMs = 60_000;

/** While a host boots it refuses logins: few enough of them that it won't ban us for it, should it mean them. */
const refusedPauseMs = 10_000;

/** Trying these again without a person's doing would only fill the host's log, or get the exporter banned there. */
const hopeless: ReadonlySet<FailureReason> = new Set(['auth', 'host_key']);

/** Milliseconds until a failed host is tried again inside its period; null: at its next scheduled time only. */
export function retryPauseMs(
  host: string,
  reason: FailureReason,
  failuresInRow: number,
  isRestarting: boolean,
): number | null {
  if (reason === 'auth' && isRestarting) return refusedPauseMs * retryFactor(host, failuresInRow);
  if (hopeless.has(reason)) return null;
  const doubled = firstPauseMs * 2 ** Math.min(failuresInRow - 1, 20);
  const pause = Math.min(doubled, isRestarting ? longestPauseRestartingMs : longestPauseMs);
  return pause * retryFactor(host, failuresInRow);
}
