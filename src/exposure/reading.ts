import type { Section, Sections } from '../report/section';

/**
 * What one source said, or why it said nothing. Nothing to say (an empty ruleset) is known; a tool that is missing, was
 * not permitted, or wrote what could not be parsed is not.
 */
export type Reading<T> = { readonly known: true; readonly value: T } | { readonly known: false; readonly why: string };

export function known<T>(value: T): Reading<T> {
  return { known: true, value };
}

export function notKnown<T>(why: string): Reading<T> {
  return { known: false, why };
}

/** Exit statuses that the collection script gives of its own accord (see collect.ts). */
export const STATUS_ABSENT = 127;
export const STATUS_TOO_LARGE = 75;

/** The body of a section as text, if the host sent it with status 0 and it is not larger than `maxBytes`. */
export function textOf(sections: Sections, name: string, maxBytes: number): Reading<string> {
  const section = sections.get(name);
  if (section === undefined) return notKnown('not sent');
  if (section.status !== 0) return notKnown(whyNot(section));
  if (section.body.length > maxBytes) return notKnown('too large');
  return known(section.body.toString('utf8'));
}

function whyNot(section: Section): string {
  if (section.status === STATUS_ABSENT) return 'the tool is not installed';
  if (section.status === STATUS_TOO_LARGE) return 'too large';
  return 'could not be read (it needs root or sudo)';
}

/**
 * Deeper than anything that nft, ip or cloud-init write. A large text that nests deeper takes hundreds of times its size to
 * parse; whoever descends into a small one has a limit of its own.
 */
const MAX_NESTING = 100;
const LARGE_CHARACTERS = 65_536;

/** Parsed JSON, or not known; never throws. */
export function jsonOf(text: string): Reading<unknown> {
  if (text.length > LARGE_CHARACTERS && nesting(text) > MAX_NESTING) return notKnown('is nested too deeply');
  try {
    return known(JSON.parse(text) as unknown);
  } catch {
    return notKnown('is not JSON');
  }
}

/** How deep brackets nest outside strings. */
function nesting(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === 0x22) {
      i = endOfString(text, i);
    } else if (code === 0x5b || code === 0x7b) {
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if (code === 0x5d || code === 0x7d) {
      depth -= 1;
    }
  }
  return deepest;
}

/** Where the string that begins at a quote ends: at the next quote without an odd number of backslashes before it. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (end - backslashes - 1 > start && text.charCodeAt(end - backslashes - 1) === 0x5c) backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function asString(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

export function asInteger(value: unknown): number | null {
  return typeof value === 'number' && Number.isInteger(value) ? value : null;
}

/** The strings of an array, or of a single string; everything else is left out. */
export function asStrings(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (!Array.isArray(value)) return [];
  return value.filter((item): item is string => typeof item === 'string');
}
