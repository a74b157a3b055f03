import type { Section } from './section';

/** Longest value of a field that is kept, in characters. */
const maxValueLength = 4096;
const maxFields = 1000;

/**
 * Reads `key=value` lines, the form in which the probe program sends single
 * values. Lines of any other form are passed over; the first of a key stands.
 */
export function readFields(section: Section | undefined): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of readLines(section)) {
    const equals = line.indexOf('=');
    if (equals < 1 || fields.size >= maxFields) continue;
    const key = line.slice(0, equals);
    if (!fields.has(key)) fields.set(key, line.slice(equals + 1, equals + 1 + maxValueLength));
  }
  return fields;
}

/** The lines of a section, without empty ones; at most `max`. */
export function readLines(section: Section | undefined, max = 100_000): string[] {
  if (section === undefined) return [];
  const lines: string[] = [];
  const text = section.body.toString('utf8');
  let start = 0;
  while (start < text.length && lines.length < max) {
    const end = text.indexOf('\n', start);
    const line = text.slice(start, end === -1 ? text.length : end);
    if (line !== '') lines.push(line);
    if (end === -1) break;
    start = end + 1;
  }
  return lines;
}

/** A decimal number of at most 16 digits with an optional fraction, or null: never NaN, never a guess. */
export function readNumber(text: string | undefined): number | null {
  if (text === undefined || !/^[0-9]{1,16}(?:\.[0-9]{1,9})?$/.test(text)) return null;
  return Number(text);
}

/** Makes a word of a host fit for people and labels: printable, one line, bounded. */
export function cleanText(text: string, maxLength: number): string {
  // C0 and C1 controls, bidirectional overrides and line separators have no place in a label or on a terminal.
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g, ' ').trim();
  if (clean.length <= maxLength) return clean;
  // A character outside the basic plane takes two units: it is not cut in half.
  const lastKept = clean.charCodeAt(maxLength - 2);
  const isHalf = lastKept >= 0xd800 && lastKept <= 0xdbff;
  return `${clean.slice(0, isHalf ? maxLength - 2 : maxLength - 1)}…`;
}
