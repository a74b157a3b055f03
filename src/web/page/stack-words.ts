import type { StackPolicy } from '../../policy/policy';
import { markup, type Content, type Html } from './markup';
import { distanceInWords, lengthInWords, momentInWords } from './time-words';

/** When a stack may be restarted; see WindowState in the policy. */
export interface WindowTimes {
  readonly open: boolean;
  readonly nextStartSeconds: number;
  readonly openUntilSeconds: number | null;
  readonly durationSeconds: number;
}

/** A moment, and how far it is away. */
export function moment(iso: string, nowMs: number): Html {
  return markup`<time datetime="${iso}">${momentInWords(iso)}</time>, ${distanceInWords(iso, nowMs)}`;
}

/** Whether the maintenance window of a stack is open, and when it opens next. */
export function renderWindow(window: WindowTimes | null, nowMs: number): Content {
  if (window === null) return 'none is set for this stack';
  const next = isoOf(window.nextStartSeconds);
  const following = next !== null && markup`next ${moment(next, nowMs)}, for ${lengthInWords(window.durationSeconds)}`;
  if (!window.open) return following;
  const until = window.openUntilSeconds === null ? null : isoOf(window.openUntilSeconds);
  return markup`<strong>open now</strong>${until !== null && markup`, until ${moment(until, nowMs)}`}; ${following}`;
}

/** After how long a restart of the stack's exposed or internal servers is due and overdue. */
export function limitsInWords(policy: StackPolicy, name: 'exposed' | 'internal', stack: string): string {
  const { warningAfterSeconds, criticalAfterSeconds } = policy[name];
  const which = name === 'exposed' ? 'open' : 'closed';
  return `Servers ${which} to the internet in stack ${stack} are due ${after(warningAfterSeconds)} and overdue ${after(criticalAfterSeconds)}.`;
}

function after(seconds: number): string {
  return seconds === 0 ? 'at once' : `after ${lengthInWords(seconds)}`;
}

function isoOf(seconds: number): string | null {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
