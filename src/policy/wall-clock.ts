/** Formatters are costly to make and few time zones are in use at once. */
const formatters = new Map<string, Intl.DateTimeFormat>();

const dayMs = 86_400_000;

/**
 * The instant at which a clock on the wall of a time zone shows a time, both in milliseconds; the wall's time is
 * written as if it were UTC. A time that the clock shows twice is the first of the two; one that it skips is taken as
 * much later as the clock is put forward. These are the rules of ECMAScript Temporal's "compatible" and of RFC 5545.
 */
export function instantOfWall(wallMs: number, timezone: string): number {
  // An offset changes at most once within two days, so that of the day before and of the day after are all there is.
  const before = wallMs - offsetMs(wallMs - dayMs, timezone);
  const after = wallMs - offsetMs(wallMs + dayMs, timezone);
  const [first, second] = before < after ? [before, after] : [after, before];
  if (wallOfInstant(first, timezone) === wallMs) return first;
  if (wallOfInstant(second, timezone) === wallMs) return second;
  return before;
}

/** What a clock on the wall of a time zone shows at an instant, written as if it were UTC. */
export function wallOfInstant(instantMs: number, timezone: string): number {
  return instantMs + offsetMs(instantMs, timezone);
}

function offsetMs(instantMs: number, timezone: string): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of formatterOf(timezone).formatToParts(instantMs)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  const wholeSecondMs = Math.floor(instantMs / 1000) * 1000;
  return Date.UTC(year, month - 1, day, hour, minute, second) - wholeSecondMs;
}

function formatterOf(timezone: string): Intl.DateTimeFormat {
  const known = formatters.get(timezone);
  if (known !== undefined) return known;
  const formatter = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formatters.set(timezone, formatter);
  return formatter;
}
