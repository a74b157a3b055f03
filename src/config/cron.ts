import { CronExpressionParser, type CronExpression } from 'cron-parser';
import { validate } from 'node-cron';

export type CronResult =
  { readonly ok: true; readonly longestGapSeconds: number } | { readonly ok: false; readonly message: string };

const daySeconds = 86_400;

/** Patterns of days repeat within two years, but for the 29th of February, whose next match lies beyond and ends the search. */
const searchDays = 2 * 366;

/** A date with every month length and a leap day close by, so that results don't depend on when they are computed. */
const searchStartMs = Date.UTC(2024, 0, 1);

/**
 * Checks a cron expression of five fields (or six, seconds first) and tells the longest time between two of its
 * matches, clock changes aside. Both libraries must accept it: node-cron, which runs the schedule, and cron-parser,
 * which tells when the next run is.
 */
export function checkCron(expression: string): CronResult {
  const trimmed = expression.trim();
  if (trimmed === '') return wrong("a cron expression can't be empty");
  const fieldCount = trimmed.split(/\s+/).length;
  if (fieldCount !== 5 && fieldCount !== 6 && !trimmed.startsWith('@')) {
    return wrong(
      `\`${expression}\` has ${fieldCount} field${fieldCount === 1 ? '' : 's'}: cron has five (minute hour day month weekday), or six with seconds first`,
    );
  }
  try {
    const parsed = parseCron(trimmed, searchStartMs);
    // crontab(5) runs where either matches, node-cron where both do; `0 2 1-7 * 0` means neither of the two to its writer.
    if (!parsed.fields.dayOfMonth.isWildcard && !parsed.fields.dayOfWeek.isWildcard) {
      return wrong(
        `\`${expression}\` restricts the day of the month and the weekday: restrict one (the first Sunday is \`0#1\` as the weekday)`,
      );
    }
    if (!validate(trimmed)) return wrong(`\`${expression}\` is no cron expression, or never matches`);
    return { ok: true, longestGapSeconds: longestGapSeconds(parsed) };
  } catch (error) {
    return wrong(describeCronError(expression, error));
  }
}

/** The expression in UTC, starting at a time; throws where cron-parser finds it wrong. */
export function parseCron(expression: string, fromMs: number): CronExpression {
  return CronExpressionParser.parse(expression, { tz: 'UTC', currentDate: new Date(fromMs) });
}

/** Days that match and times of day that match are independent, so the longest gap follows from the two apart. */
function longestGapSeconds(parsed: CronExpression): number {
  const times = timesOfDay(parsed);
  const firstTime = times[0] ?? 0;
  const lastTime = times[times.length - 1] ?? 0;
  let longest = 0;
  for (let i = 1; i < times.length; i += 1) longest = Math.max(longest, (times[i] ?? 0) - (times[i - 1] ?? 0));
  return Math.max(longest, longestDayGap(parsed) * daySeconds - lastTime + firstTime);
}

function timesOfDay(parsed: CronExpression): number[] {
  const { hour, minute, second } = parsed.fields;
  const times: number[] = [];
  for (const h of hour.values) {
    for (const m of minute.values) {
      for (const s of second.values) times.push(Number(h) * 3600 + Number(m) * 60 + Number(s));
    }
  }
  return times;
}

/** The most days from one matching day to the next. */
function longestDayGap(parsed: CronExpression): number {
  const { dayOfMonth, month, dayOfWeek } = parsed.fields;
  if (dayOfMonth.isWildcard && month.isWildcard && dayOfWeek.isWildcard) return 1;
  const [, , ...dayFields] = parsed.stringify().split(' ');
  const days = parseCron(`0 0 ${dayFields.join(' ')}`, searchStartMs - 1);
  const endMs = searchStartMs + searchDays * daySeconds * 1000;
  let previous: number | null = null;
  let longest = 1;
  for (;;) {
    const day = days.next().getTime();
    if (previous !== null) longest = Math.max(longest, Math.round((day - previous) / (daySeconds * 1000)));
    if (day > endMs) return longest;
    previous = day;
  }
}

function describeCronError(expression: string, error: unknown): string {
  const detail = error instanceof Error ? error.message : String(error);
  if (detail.includes('explicit day of month')) return `\`${expression}\` never matches: no such day in that month`;
  return `\`${expression}\` is no cron expression: ${detail}`;
}

function wrong(message: string): CronResult {
  return { ok: false, message };
}
