const units = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const;

/** A length of time in its two largest units, in words: `3 days 4 hours`, `12 minutes`, `0 seconds`. */
export function lengthInWords(seconds: number): string {
  return largestUnits(seconds, (count, unit) => `${count} ${unit}${count === 1 ? '' : 's'}`);
}

/** The same for narrow columns: `3d 4h`. */
export function shortLength(seconds: number): string {
  return largestUnits(seconds, (count, unit) => `${count}${unit.charAt(0)}`);
}

function largestUnits(seconds: number, format: (count: number, unit: string) => string): string {
  let rest = Math.max(0, Math.floor(seconds));
  const first = units.findIndex(([, length]) => rest >= length);
  if (first < 0) return format(0, 'second');
  const parts: string[] = [];
  for (const [unit, length] of units.slice(first, first + 2)) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count > 0) parts.push(format(count, unit));
  }
  return parts.join(' ');
}

/** How far a moment is from now: `4 minutes ago`, `in 2 hours`, `now`. */
export function distanceInWords(
  iso: string,
  nowMs: number,
  length: (seconds: number) => string = lengthInWords,
): string {
  const seconds = (Date.parse(iso) - nowMs) / 1000;
  if (Number.isNaN(seconds)) return '';
  if (Math.abs(seconds) < 1.5) return 'now';
  return seconds < 0 ? `${length(-seconds)} ago` : `in ${length(seconds)}`;
}

/** A moment as people read it: `2026-11-20 06:12 UTC`. */
export function momentInWords(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
}
