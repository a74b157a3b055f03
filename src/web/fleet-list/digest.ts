import type { DocumentContext } from '../../document/host-document';
import { ageSeconds, freshKnown, restartsItselfInSeconds, type HostStatus, type Known } from '../../fleet/status';
import { urgencyOf, type Urgency } from '../../policy/urgency';

/** Whether a host answers its probes. `restarting`: it stopped, as a host does that restarts. */
export type Answering = 'yes' | 'no' | 'restarting' | 'not_yet';

/** What lists are counted, filtered and sorted by: a tenth of the cost of a whole document, for there is one a host. */
export interface HostDigest {
  readonly status: HostStatus;
  readonly urgency: Urgency;
  readonly restart: 'required' | 'not_required' | 'unknown';
  readonly ageSeconds: number | null;
  readonly exposure: 'exposed' | 'not_exposed' | 'unknown';
  readonly answering: Answering;
}

/** Says of a status what `hostDocument` would say. */
export function hostDigest(status: HostStatus, context: DocumentContext): HostDigest {
  const known = freshKnown(status, context.monotonicMs, context.staleAfterSeconds);
  const restart = known?.restart.verdict ?? 'unknown';
  const exposure = known?.exposure?.verdict ?? 'unknown';
  const age = known === null ? null : ageSeconds(known, context.monotonicMs);
  return {
    status,
    restart,
    exposure,
    ageSeconds: age,
    urgency: urgencyOf(
      {
        restart,
        ageSeconds: age,
        exposure,
        restartsItselfInSeconds: known === null ? null : restartsItselfInSeconds(known, context.monotonicMs),
        isLivepatched: known !== null && known.outlook.livepatch?.isCovering === true,
      },
      context.policy,
    ),
    answering: answeringOf(status),
  };
}

function answeringOf({ attempt, restartingSinceMonotonicMs }: HostStatus): Answering {
  if (restartingSinceMonotonicMs !== null) return 'restarting';
  if (attempt === null) return 'not_yet';
  return attempt.failure === null ? 'yes' : 'no';
}

/** Most characters of one host that are searched, so that one with endless packages does not slow every search. */
const maxSearched = 50_000;

/** Everything of a host that a person may look for, in lower case. */
export function searchText({ host, attempt, known }: HostStatus): string {
  const parts = [host.name, host.address, host.stack];
  for (const [name, value] of Object.entries(host.labels)) parts.push(`${name}=${value}`);
  if (attempt?.failure != null) parts.push(attempt.failure.reason, attempt.failure.message);
  if (known !== null) parts.push(...knownText(known));
  let text = parts.join('\n');
  for (const name of known?.restart.packages ?? []) {
    if (text.length >= maxSearched) break;
    text += `\n${name}`;
  }
  return text.slice(0, maxSearched).toLowerCase();
}

function knownText({ restart, facts, exposure }: Known): string[] {
  const open = (exposure?.ports ?? []).filter((port) => port.openTo === 'anywhere' && !port.ignored);
  return [
    ...restart.reasons,
    ...open.map(({ proto, port }) => `${proto}/${port}`),
    facts.os.prettyName ?? '',
    facts.kernel.release ?? '',
  ];
}
