/** Seconds of a day. */
const day = 86_400;

/** A time of the day, in seconds after midnight: `2:00`, `02:00`, `02:00:30`, and with `am` or `pm` as kured has it. null: another form. */
export function parseTimeOfDay(text: string): number | null {
  const found = /^([0-9]{1,2})(?::([0-5][0-9]))?(?::([0-5][0-9]))? ?(am|pm)?$/i.exec(text.trim());
  if (found === null || (found[2] === undefined && found[4] === undefined)) return null;
  const half = found[4]?.toLowerCase();
  const written = Number(found[1]);
  if (half !== undefined && (written < 1 || written > 12)) return null;
  const hour = half === undefined ? written : (written % 12) + (half === 'pm' ? 12 : 0);
  return hour > 23 ? null : hour * 3600 + Number(found[2] ?? 0) * 60 + Number(found[3] ?? 0);
}

/** Days as numbers, Sunday is 0: from words that begin as the English names do: `mon`, `Tuesday`, `5`. null: another form. */
export function parseDays(words: readonly string[]): ReadonlySet<number> | null {
  const names = ['su', 'mo', 'tu', 'we', 'th', 'fr', 'sa'];
  const days = new Set<number>();
  for (const word of words) {
    const text = word.trim().toLowerCase();
    const number = /^[0-6]$/.test(text) ? Number(text) : /^[a-z]+$/.test(text) ? names.indexOf(text.slice(0, 2)) : -1;
    if (number === -1) return null;
    days.add(number);
  }
  return days;
}

/** When a time of the day comes around, on a clock that is `zoneSeconds` east of UTC. */
export interface Recurrence {
  readonly secondOfDay: number;
  readonly zoneSeconds: number;
  /** Days of the week on which it counts, Sunday is 0; left out: every day. */
  readonly days?: ReadonlySet<number>;
}

/** The first time at or after a moment, unix time in seconds; null when it counts on no day. */
export function nextTime(recurrence: Recurrence, fromSeconds: number): number | null {
  return find(recurrence, fromSeconds, 1);
}

/** The last time before a moment. */
export function lastTime(recurrence: Recurrence, beforeSeconds: number): number | null {
  return find(recurrence, beforeSeconds, -1);
}

function find({ secondOfDay, zoneSeconds, days }: Recurrence, seconds: number, step: 1 | -1): number | null {
  const today = Math.floor((seconds + zoneSeconds) / day);
  for (let at = today - step; Math.abs(at - today) <= 8; at += step) {
    const moment = at * day + secondOfDay - zoneSeconds;
    // The first day of unix time was a Thursday.
    const counts = days === undefined || days.has((((at + 4) % 7) + 7) % 7);
    if (counts && (step === 1 ? moment >= seconds : moment < seconds)) return moment;
  }
  return null;
}
