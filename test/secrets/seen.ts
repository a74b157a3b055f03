import { appendFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where a test run gathers what was seen, made by `secret-reporter.js`; absent in programs that are no test. */
const folder = process.env['REBOOT_EXPORTER_TEST_SEEN'];
/** Of what is asked for again and again, such as metrics, this many answers are kept, and then one of so many. */
const keptAtFirst = 5;
const keptOneOf = 200;
/** Benchmarks and the soak use the same programs without jest. */
const isGathered = folder !== undefined && typeof expect !== 'undefined';
const counts = new Map<string, number>();

/** Says that a text is a secret of the tests: nothing that the exporter lets out may have it. @returns the text. */
export function secret(text: string): string {
  if (folder !== undefined) appendFileSync(join(folder, 'secrets'), `${JSON.stringify(text)}\n`);
  return text;
}

/** Registers a private key in PEM: each line of it but the first, which other keys have too. */
export function secretKey(pem: string): string {
  const lines = pem.split('\n').filter((line) => line !== '' && !line.startsWith('-'));
  for (const line of lines.slice(1)) if (line.length >= 32) secret(line);
  return pem;
}

/** Gathers something that the exporter let out: a log, a page, metrics, an answer, what it said as it crashed. */
export function seen(kind: string, text: string | Buffer): void {
  if (!isGathered || text.length === 0) return;
  const count = counts.get(kind) ?? 0;
  counts.set(kind, count + 1);
  if (count >= keptAtFirst && count % keptOneOf !== 0) return;
  keep(kind, text);
}

/** As `seen`, but every time: for what is said once, such as a log. */
export function seenWhole(kind: string, text: string): void {
  if (isGathered && text !== '') keep(kind, text);
}

function keep(kind: string, text: string | Buffer): void {
  // Bytes as letters, so that a secret is found also where it is no UTF-8.
  const letters = Buffer.from(text).toString('latin1');
  const test = expect.getState().testPath ?? '';
  appendFileSync(join(folder ?? '', 'seen'), `${JSON.stringify({ kind, test, text: letters })}\n`);
}
