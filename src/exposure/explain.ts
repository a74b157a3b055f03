import { LARGE_SHARE, PRIVATE, PUBLIC, SMALL_SHARE, describeNetworks, publicShare } from './address-space';
import type { Family } from './addresses';
import { describeBinding } from './listeners';
import type { Why } from './packet';
import { type RangeSet, intersect, isEmpty, subtract } from './ranges';
import type { Listener } from './sockets';
import type { Outcome } from './trial';
import type { OpenTo } from './verdict';

/** Who gets in to a port, of all sources that were let try. */
export interface Reach {
  readonly surely: RangeSet;
  readonly maybe: RangeSet;
}

/** Large enough is anywhere, small enough is some networks; what lies between or is not certain is unknown. */
export function openTo(family: Family, reach: Reach): OpenTo {
  if (publicShare(family, reach.surely) >= LARGE_SHARE) return 'anywhere';
  if (isEmpty(reach.maybe)) return 'none';
  return publicShare(family, reach.maybe) < SMALL_SHARE ? 'some' : 'unknown';
}

/** "accepted by table inet filter, chain input, rule 7", from the decisions on the way. */
export function acceptedBy(why: Why | null): string {
  const rules: string[] = [];
  const policies: string[] = [];
  const mappings: string[] = [];
  for (let step = why; step !== null; step = step.before) {
    (step.kind === 'rule' ? rules : step.kind === 'policy' ? policies : mappings).unshift(step.text);
  }
  const last = rules.length > 0 ? rules.slice(-2) : policies.slice(-1);
  const accepted = last.length > 0 ? `accepted by ${last.join(' and by ')}` : 'no firewall rule stops it';
  return [...mappings.slice(0, 2), accepted].join('; ');
}

/** Whom the largest part of the packets that did not get in was stopped by. */
export function stoppedBy(family: Family, stops: Outcome['stops']): string | null {
  let best: string | null = null;
  let bestShare = -1;
  for (const { text, peers } of stops) {
    const share = publicShare(family, peers);
    if (share > bestShare) {
      best = text;
      bestShare = share;
    }
  }
  return best;
}

/** The whole sentence about a port. */
export function portReason(
  family: Family,
  to: OpenTo,
  reach: Reach,
  outcome: Outcome | null,
  listeners: readonly Listener[],
): string {
  const bound =
    listeners.length === 0
      ? ''
      : `listens on ${[...new Set(listeners.map(describeBinding))].slice(0, 4).join(' and ')}`;
  const stop = outcome === null ? null : stoppedBy(family, outcome.stops);
  if (to === 'anywhere') return `open to anywhere: ${acceptedBy(outcome?.why ?? null)}`;
  if (to === 'some')
    return `${who(family, reach.maybe)}: ${acceptedBy(outcome?.why ?? null)}${stop === null ? '' : `; others: ${stop}`}`;
  if (to === 'none') return `open to nobody: ${closedReason(stop, bound)}`;
  const certain = isEmpty(reach.surely) ? '' : `${share(family, reach.surely)} of the internet surely gets in, `;
  const doubt = stop === null ? 'what decides is not known' : stop;
  return `not certain: ${certain}${share(family, reach.maybe)} may: ${acceptedBy(outcome?.why ?? null)}, unless ${doubt}`;
}

function closedReason(stop: string | null, bound: string): string {
  if (stop === null || stop === 'nothing listens there') {
    return bound === '' ? 'nothing listens there' : `${bound}, which no packet from the internet is for`;
  }
  return stop;
}

function share(family: Family, set: RangeSet): string {
  const percent = publicShare(family, set) * 100;
  return percent >= 99.5 ? 'all' : percent < 1 ? 'less than 1 %' : `${Math.round(percent)} %`;
}

/** "open to 198.51.100.0/24 and 2 more only", "open to private networks only (10.0.0.0/8)". */
export function who(family: Family, set: RangeSet): string {
  const open = intersect(set, PUBLIC[family]);
  if (isEmpty(open)) {
    const inside = intersect(set, PRIVATE[family]);
    return `open to private networks only (${describeNetworks(family, isEmpty(inside) ? set : inside, 3)})`;
  }
  const rest = isEmpty(subtract(set, open)) ? '' : ' and private networks';
  return `open to ${describeNetworks(family, open, 3)}${rest} only`;
}
