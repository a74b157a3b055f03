/** Either the length in seconds, or what is wrong with the text. */
export type DurationResult =
  { readonly ok: true; readonly seconds: number } | { readonly ok: false; readonly message: string };

/**
 * Prometheus' duration units, largest first, as in prometheus/common model/time.go: a year has 365 days, a week 7,
 * a day 24 hours.
 */
const unitSeconds = new Map<string, number>([
  ['y', 31_536_000],
  ['w', 604_800],
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
  ['ms', 0.001],
]);

const units = [...unitSeconds.keys()];
const unitList = 'y, w, d, h, m, s, ms';

/** Prometheus keeps durations as nanoseconds in 64 bits, so nothing longer than 292 years can be meant. */
const longestSeconds = 292 * 31_536_000;

/** The pattern of a duration for the JSON Schema; `parseDuration` accepts the same texts and says more when it does not. */
export const durationPattern = '^(0|(?=[0-9])([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?)$';

/**
 * Reads `5m`, `3d`, `1h30m` or `0`. Units go from large to small and each may be given once, as in Prometheus; there
 * is no fraction, sign or space.
 */
export function parseDuration(text: string): DurationResult {
  if (text === '0') return { ok: true, seconds: 0 };
  if (text === '') return wrong("a duration can't be empty: write one like `5m` or `1h30m`");
  let seconds = 0;
  let lastUnit = -1;
  let at = 0;
  while (at < text.length) {
    const digitsEnd = skip(text, at, isDigit);
    const unitEnd = skip(text, digitsEnd, isLetter);
    const unit = text.slice(digitsEnd, unitEnd);
    if (digitsEnd === at) return wrong(describeNonNumber(text, at));
    if (unit === '') return wrong(describeMissingUnit(text, text.slice(at, digitsEnd), digitsEnd));
    const rank = units.indexOf(unit);
    if (rank < 0) return wrong(describeUnknownUnit(text, unit));
    if (rank === lastUnit) return wrong(`\`${text}\` gives the unit \`${unit}\` twice`);
    if (rank < lastUnit) return wrong(`\`${text}\` must go from the largest unit to the smallest: ${unitList}`);
    lastUnit = rank;
    seconds += Number(text.slice(at, digitsEnd)) * (unitSeconds.get(unit) ?? 0);
    at = unitEnd;
  }
  if (seconds > longestSeconds) return wrong(`\`${text}\` is longer than 292 years`);
  return { ok: true, seconds: Math.round(seconds * 1000) / 1000 };
}

/** Writes seconds as a duration of days and smaller units: `1h30m`, `14d`, `0s`. */
export function formatDuration(seconds: number): string {
  let restMs = Math.round(seconds * 1000);
  if (restMs === 0) return '0s';
  const parts: string[] = [];
  for (const unit of ['d', 'h', 'm', 's', 'ms']) {
    const sizeMs = Math.round((unitSeconds.get(unit) ?? 0) * 1000);
    const count = Math.floor(restMs / sizeMs);
    if (count > 0) parts.push(`${count}${unit}`);
    restMs -= count * sizeMs;
  }
  return parts.join('');
}

function describeNonNumber(text: string, at: number): string {
  const char = text.charAt(at);
  if (char === '-') return `\`${text}\` is negative: a duration is 0 or longer`;
  if (char === ' ') return `\`${text}\` has a space in it: write \`${text.split(' ').join('')}\``;
  return `\`${text}\` is no duration: write one like \`5m\`, \`3d\` or \`1h30m\` (units ${unitList})`;
}

function describeMissingUnit(text: string, number: string, end: number): string {
  const next = text.charAt(end);
  if (next === '.' || next === ',')
    return `\`${text}\` has a fraction: use a smaller unit, as in \`1h30m\` or \`1500ms\``;
  if (next === ' ') return describeNonNumber(text, end);
  if (next === '')
    return `\`${text}\` lacks a unit: \`${number}s\` is seconds, \`${number}m\` minutes, \`${number}d\` days`;
  return describeNonNumber(text, end);
}

function describeUnknownUnit(text: string, unit: string): string {
  const meant = meantUnits.get(unit.toLowerCase());
  const advice = meant === undefined ? `the units are ${unitList}` : `write \`${text.replace(unit, meant)}\``;
  return `\`${text}\` has the unknown unit \`${unit}\`: ${advice}`;
}

const meantUnits = new Map<string, string>([
  ['sec', 's'],
  ['secs', 's'],
  ['second', 's'],
  ['seconds', 's'],
  ['min', 'm'],
  ['mins', 'm'],
  ['minute', 'm'],
  ['minutes', 'm'],
  ['hr', 'h'],
  ['hrs', 'h'],
  ['hour', 'h'],
  ['hours', 'h'],
  ['day', 'd'],
  ['days', 'd'],
  ['week', 'w'],
  ['weeks', 'w'],
  ['year', 'y'],
  ['years', 'y'],
  ...units.map((unit): [string, string] => [unit, unit]),
]);

function wrong(message: string): DurationResult {
  return { ok: false, message };
}

function skip(text: string, from: number, matches: (char: string) => boolean): number {
  let at = from;
  while (at < text.length && matches(text.charAt(at))) at += 1;
  return at;
}

function isDigit(char: string): boolean {
  return char >= '0' && char <= '9';
}

function isLetter(char: string): boolean {
  return (char >= 'a' && char <= 'z') || (char >= 'A' && char <= 'Z');
}
