import { Writable } from 'node:stream';
import { pino } from 'pino';

/** What a line of the log carries beside its message. Never a secret. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Writes the log; the message is a constant sentence, what varies goes into the fields. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];
export const logFormats = ['logfmt', 'json'] as const;
export type LogFormat = (typeof logFormats)[number];

/** A logger on standard error, or on another stream. */
export function createLogger(
  level: LogLevel,
  format: LogFormat,
  destination: NodeJS.WritableStream = process.stderr,
): Logger {
  const stream = format === 'json' ? destination : logfmtStream(destination);
  const sink = pino(
    {
      level,
      base: null,
      timestamp: () => `,"ts":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'msg',
    },
    stream,
  );
  return {
    debug: (message, fields = {}) => sink.debug(fields, message),
    info: (message, fields = {}) => sink.info(fields, message),
    warn: (message, fields = {}) => sink.warn(fields, message),
    error: (message, fields = {}) => sink.error(fields, message),
  };
}

/** A logger that says nothing. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Turns pino's JSON lines into logfmt, as Prometheus' own programs write it. */
function logfmtStream(destination: NodeJS.WritableStream): Writable {
  return new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, done) {
      for (const line of String(chunk).split('\n')) {
        if (line !== '') destination.write(`${logfmt(JSON.parse(line) as Record<string, unknown>)}\n`);
      }
      done();
    },
  });
}

function logfmt(fields: Record<string, unknown>): string {
  const { ts, level, msg, ...others } = fields;
  return Object.entries({ ts, level, msg, ...others })
    .map(([key, value]) => `${key}=${logfmtValue(value)}`)
    .join(' ');
}

function logfmtValue(value: unknown): string {
  const text = String(value ?? '');
  if (/^[^\s"=\\\u0000-\u001f\u007f-\u009f]+$/.test(text)) return text;
  // JSON leaves these as they are, and to some terminals they begin a command.
  return JSON.stringify(text).replace(/[\u007f-\u009f]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
}
