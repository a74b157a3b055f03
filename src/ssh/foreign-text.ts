import { errorMessage } from './error-code';

/** Longer quotations are cut. */
const maxQuotedLength = 160;

/**
 * Text that a host sent, made fit for a message: one line of printable ASCII,
 * quoted and bounded, so that it can neither break a log line nor pass for our own words.
 */
export function quoted(text: string | Buffer): string {
  const head =
    typeof text === 'string' ? text.slice(0, 4 * maxQuotedLength) : text.toString('latin1', 0, 4 * maxQuotedLength);
  const line = head
    .replace(/[^\x20-\x7e]+/g, ' ')
    .replace(/["\\]/g, "'")
    .trim();
  return line.length > maxQuotedLength ? `"${line.slice(0, maxQuotedLength)}…"` : `"${line}"`;
}

/** The words of an error, fit for a message: those of ssh2 may quote the host. */
export function errorWords(error: unknown): string {
  return errorMessage(error)
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, maxQuotedLength);
}
