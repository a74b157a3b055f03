import { z } from 'zod';
import { readJumps, type Jump } from '../inventory/jump';
import { checkCron } from './cron';
import { durationPattern, formatDuration, parseDuration } from './duration';
import { parseNetwork, parsePortKey, parsePortRange, portKeyPattern, portRangePattern } from './port-text';
import { describeNothing, right, wrong, type Reading } from './reading';
import { timezoneFault } from './timezone';

/** A part of a JSON Schema: what an editor is told of a field whose text this program reads by itself. */
type JsonSchemaPart = Readonly<Record<string, unknown>>;

/** Control characters, line breaks among them, and the halves of broken UTF-16 pairs. */
const unprintable = /[\p{Cc}\p{Cs}\u2028\u2029]/u;

/** A field read from a scalar by a function of this program; `json` describes the same for editors. */
function scalar<T>(json: JsonSchemaPart, read: (value: unknown) => Reading<T>) {
  return z
    .unknown()
    .transform((value, context): T => {
      const nothing = describeNothing(value);
      const reading = nothing === null ? read(value) : wrong(nothing);
      if (reading.ok) return reading.value;
      context.addIssue({ code: 'custom', message: reading.message });
      return z.NEVER;
    })
    .meta({ ...json });
}

/** A length of time, read to seconds; bounds are in seconds. A plain `0` needs no quotes. */
export function duration(bounds: { min?: number; max?: number } = {}) {
  const min = bounds.min ?? 0;
  const max = bounds.max ?? Infinity;
  const json =
    min > 0
      ? { type: 'string', pattern: durationPattern }
      : { anyOf: [{ type: 'string', pattern: durationPattern }, { const: 0 }] };
  return scalar<number>(json, (value) => {
    if (typeof value !== 'string' && typeof value !== 'number') return wrong('must be a duration like `5m`');
    const parsed = parseDuration(String(value));
    if (!parsed.ok) return parsed;
    if (parsed.seconds < min) return wrong(`\`${value}\` is too short: at least ${formatDuration(min)}`);
    if (parsed.seconds > max) return wrong(`\`${value}\` is too long: at most ${formatDuration(max)}`);
    return right(parsed.seconds);
  });
}

/** Stands for a schedule by which nothing is probed: hosts are probed only when asked for. */
export const never = 'never';

/** A cron expression, kept as text. */
export function cron() {
  return scalar<string>({ type: 'string' }, (value) => {
    if (typeof value !== 'string') return wrong('must be a cron expression like `"*/5 * * * *"`');
    const checked = checkCron(value);
    return checked.ok ? right(value.trim()) : checked;
  });
}

/** When hosts are probed: a cron expression, kept as text, or the word `never`. */
export function schedule() {
  return scalar<string>({ type: 'string' }, (value) => {
    if (typeof value !== 'string') return wrong('must be a cron expression like `"*/5 * * * *"`, or `never`');
    if (value === never) return right(value);
    if (/^\s*never\s*$/i.test(value)) return wrong(`\`${value}\` is written \`${never}\``);
    const checked = checkCron(value);
    return checked.ok ? right(value.trim()) : checked;
  });
}

/** An IANA time zone name, kept as text. */
export function timezone() {
  return scalar<string>({ type: 'string' }, (value) => {
    if (typeof value !== 'string') return wrong('must be a time zone like `Europe/London`');
    const fault = timezoneFault(value);
    return fault === null ? right(value) : wrong(fault);
  });
}

/** A port or a closed range of ports, `443` or `"8000-8100"`. */
export function portRange() {
  return scalar(
    {
      anyOf: [
        { type: 'integer', minimum: 0, maximum: 65_535 },
        { type: 'string', pattern: portRangePattern },
      ],
    },
    parsePortRange,
  );
}

/** A network, as its canonical CIDR text. */
export function network() {
  return scalar({ type: 'string' }, parseNetwork);
}

/** A protocol and port, `udp/68`. */
export function portKey() {
  return scalar({ type: 'string', pattern: portKeyPattern }, parsePortKey);
}

/** A text that a function of this program reads. */
export function readAs<T>(json: JsonSchemaPart, read: (text: string) => Reading<T>) {
  return scalar<T>(json, (value) => (typeof value === 'string' ? read(value) : wrong('must be text')));
}

/** Bastions on the way to a host: one text with commas, or a list. */
export function jumps() {
  const text = { type: 'string', minLength: 1 };
  return scalar<readonly Jump[]>({ anyOf: [text, { type: 'array', minItems: 1, items: text }] }, (value) => {
    if (typeof value === 'string') return readJumps(value);
    if (!Array.isArray(value) || !value.every((one) => typeof one === 'string'))
      return wrong('must be a bastion like `user@host:port`, or a list of them');
    if (value.length === 0) return wrong("can't be empty: write `none` for no bastion");
    return readJumps(value.join(','));
  });
}

/** A text that a function of this program checks. */
export function checked(schema: z.ZodString, read: (text: string) => Reading<string>) {
  return schema.superRefine((text, context) => {
    const reading = read(text);
    if (!reading.ok) context.addIssue({ code: 'custom', message: reading.message });
  });
}

/** Text on one line, not empty, without control characters. */
export function line(maxLength = 1024) {
  return z
    .string()
    .min(1)
    .max(maxLength)
    .refine((text) => !unprintable.test(text), { error: 'must be one line without control characters', abort: true })
    .refine((text) => text.trim() === text, { error: 'must not start or end with a space' });
}

/** A path; relative ones are read from the folder of the file that names them, `~/` from the home folder. */
export function path() {
  return line(4096);
}
