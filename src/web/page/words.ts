import type { ExposureDocument, HostDocument } from '../../document/host-document';
import type { Urgency } from '../../policy/urgency';
import type { Answering } from '../fleet-list/digest';
import { markup, type Html } from './markup';

/** An urgency for people: a shape and a word, so that nothing depends on telling colours apart. */
const urgencyMarks: Readonly<
  Record<Urgency, { readonly shape: string; readonly word: string; readonly meaning: string }>
> = {
  critical: { shape: '▲', word: 'Overdue', meaning: 'needed for longer than the critical limit of its stack' },
  warning: { shape: '◆', word: 'Due', meaning: 'needed for longer than the warning limit of its stack' },
  unknown: { shape: '?', word: "Can't tell", meaning: 'nothing is known that would tell whether a restart is needed' },
  info: { shape: '●', word: 'Can wait', meaning: 'needed, and still within the limits of its stack' },
  none: { shape: '✓', word: 'Not needed', meaning: 'runs what is installed' },
};

export function urgencyWord(urgency: Urgency): string {
  return urgencyMarks[urgency].word;
}

export function urgencyMeaning(urgency: Urgency): string {
  return urgencyMarks[urgency].meaning;
}

export function urgencyShape(urgency: Urgency): Html {
  return markup`<span aria-hidden="true">${urgencyMarks[urgency].shape}</span>`;
}

export const restartingShape = markup`<span aria-hidden="true">↻</span>`;

/** The badge of an urgency. */
export function urgencyBadge(urgency: Urgency): Html {
  return markup`<span class="badge ${urgency}">${urgencyShape(urgency)} ${urgencyWord(urgency)}</span>`;
}

export const answeringWords: Readonly<Record<Answering, string>> = {
  yes: 'Answering',
  no: 'Not answering',
  restarting: 'Restarting',
  not_yet: 'Not probed yet',
};

/** `1 server`, `2,000 servers`. */
export function serverCount(count: number): string {
  return `${formatCount(count)} ${count === 1 ? 'server' : 'servers'}`;
}

export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** Where a time since when a restart is needed comes from; the words of `evidence`. */
export function evidenceInWords(evidence: string | null): string {
  if (evidence === 'birth') return 'the server made its reboot-required flag then';
  if (evidence === 'package') return 'a package that needs the restart was installed then';
  if (evidence === 'first_seen') return 'first seen then: it may have been needed before';
  if (evidence === 'modified') return 'the flag was last written then: it may have been needed before';
  return '';
}

/** What a signal says; the words of `says`. */
export function signalWord(says: string): string {
  if (says === 'required') return 'restart needed';
  if (says === 'not_required') return 'not needed';
  if (says === 'silent') return 'says nothing';
  return "can't tell";
}

/** Who can reach the server, in a word or two. */
export function exposureWord({ verdict, basis }: Pick<ExposureDocument, 'verdict' | 'basis'>): string {
  if (verdict === 'not_exposed') return 'No';
  if (basis === null) return 'Not read yet';
  return verdict === 'exposed' && basis !== 'assumed' ? 'Yes' : 'Assumed';
}

/** What an exposure verdict rests on; the words of `basis`. */
export function basisInWords(basis: string | null): string {
  if (basis === 'proven') return 'its firewall rules were read and evaluated';
  if (basis === 'assumed') return 'its rules could not be read or decided, so the worst is assumed';
  if (basis === 'declared') return 'the configuration says so';
  if (basis === 'no-public-address') return 'it has no public address';
  return 'it has not been read yet';
}

/** The ports that anyone can reach, each once, as `tcp/443`. */
export function openPorts({ ports }: ExposureDocument): string[] {
  const open = ports.filter((port) => port.open_to === 'anywhere' && !port.ignored);
  return [...new Set(open.map(({ proto, port }) => `${proto}/${port}`))];
}

/** Why a restart is needed or can't be told, on one line. */
export function whyInBrief({ restart }: HostDocument): string {
  if (restart.verdict === 'unknown') return restart.signals.find(({ says }) => says !== 'not_required')?.because ?? '';
  if (restart.verdict === 'not_required') return '';
  const [first, second, third] = restart.packages;
  const named = [first, second, third].filter((name) => name !== undefined);
  const more = restart.packages.length - named.length;
  const packages = named.length === 0 ? '' : `: ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  return `${restart.reasons.join(', ')}${packages}`;
}
