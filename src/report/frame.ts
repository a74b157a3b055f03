import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { ProbeFailure } from '../failure';
import type { Section, Sections } from './section';

/**
 * The framing of a probe's answer. The program on the host puts every section
 * between two marker lines that carry a random nonce of this probe:
 *
 *     =NONCE hello VERSION
 *     =NONCE begin NAME
 *     …whatever bytes…
 *     =NONCE end NAME STATUS
 *     =NONCE done
 *
 * A login banner, the output of a noisy shell profile or the content of a file
 * cannot be taken for a marker, since none of them knows the nonce. A host that
 * forges markers on purpose can only spoil its own answer.
 */

/** An answer taken apart. */
export interface Answer {
  /** Version of the program that ran; an older copy installed as a forced command may answer. */
  readonly version: number;
  readonly sections: Sections;
}

/** Bounds on an answer; beyond them it is refused with the reason `output`. */
export interface AnswerBounds {
  readonly maxSections: number;
  /** Size of all compressed blocks of an answer, unpacked. */
  readonly maxUnpackedBytes: number;
}

export const answerBounds: AnswerBounds = { maxSections: 256, maxUnpackedBytes: 32 * 1024 * 1024 };

/** Oldest and newest version of the probe program whose answers are understood. */
export const understoodVersions = { oldest: 1, newest: 1 } as const;

/** The section whose body is a gzip stream of further sections. */
const compressedSection = 'gzip';

const maxMarkerLineBytes = 200;
const gunzipAsync = promisify(gunzip);

/** Takes an answer apart; throws ProbeFailure with the reason `output` when it is cut off, malformed or too large. */
export async function decodeAnswer(output: Buffer, nonce: string, bounds = answerBounds): Promise<Answer> {
  const outer = splitSections(output, nonce, bounds.maxSections);
  if (outer.version === null) {
    throw new ProbeFailure('output', `no probe report in the answer (${describeStart(output)})`);
  }
  if (outer.version < understoodVersions.oldest || outer.version > understoodVersions.newest) {
    throw new ProbeFailure(
      'output',
      `the probe program on the host has version ${outer.version}; this exporter understands ` +
        `${understoodVersions.oldest} to ${understoodVersions.newest}`,
    );
  }
  if (!outer.done) {
    throw new ProbeFailure('output', `the probe report is cut off after ${output.length} bytes${describeOpen(outer)}`);
  }
  const packed = outer.sections.get(compressedSection);
  if (packed === undefined) return { version: outer.version, sections: outer.sections };

  const inner = splitSections(await unpack(packed, bounds), nonce, bounds.maxSections);
  const sections = new Map(inner.sections);
  for (const [name, section] of outer.sections) {
    if (name !== compressedSection) sections.set(name, section);
  }
  return { version: outer.version, sections };
}

interface Split {
  version: number | null;
  done: boolean;
  sections: Map<string, Section>;
  /** A section that was begun and not ended. */
  open: string | null;
}

function splitSections(output: Buffer, nonce: string, maxSections: number): Split {
  const marker = `\n=${nonce} `;
  const split: Split = { version: null, done: false, sections: new Map(), open: null };
  let bodyStart = 0;
  let at = output.indexOf(marker, 0, 'latin1');
  while (at !== -1 && !split.done) {
    const lineEnd = output.indexOf(0x0a, at + marker.length);
    if (lineEnd === -1 || lineEnd - at > maxMarkerLineBytes) break;
    const words = output.toString('latin1', at + marker.length, lineEnd).split(' ');
    readMarker(words, output.subarray(Math.min(bodyStart, at), at), split);
    if (split.sections.size > maxSections) throw new ProbeFailure('output', `more than ${maxSections} sections`);
    bodyStart = lineEnd + 1;
    // The line break that ends this marker may be the one that begins the next.
    at = output.indexOf(marker, lineEnd, 'latin1');
  }
  return split;
}

function readMarker(words: string[], body: Buffer, split: Split): void {
  const [verb, name, status] = words;
  if (verb === 'hello' && split.version === null) {
    split.version = readCount(name);
  } else if (verb === 'begin' && name !== undefined) {
    split.open = name;
  } else if (verb === 'end' && name !== undefined && name === split.open) {
    const code = readCount(status);
    // The first of two sections with one name stands: nothing that comes later can replace it.
    if (code !== null && !split.sections.has(name)) split.sections.set(name, { name, status: code, body });
    split.open = null;
  } else if (verb === 'done') {
    split.done = true;
  }
}

/** A word of at most six digits; anything else, an empty word too, is no number. */
function readCount(word: string | undefined): number | null {
  return word !== undefined && /^[0-9]{1,6}$/.test(word) ? Number(word) : null;
}

/**
 * Parts that are unpacked at a time: each may take twice its bound of memory until it is found to be too large, and the
 * pool of threads would unpack as many as it has threads.
 */
const maxUnpacking = 2;
let unpacking = 0;
const waiting: (() => void)[] = [];

async function unpack(packed: Section, bounds: AnswerBounds): Promise<Buffer> {
  if (unpacking >= maxUnpacking) await new Promise<void>((turn) => waiting.push(turn));
  else unpacking += 1;
  try {
    return await gunzipAsync(packed.body, { maxOutputLength: bounds.maxUnpackedBytes });
  } catch (error) {
    const tooLarge = error instanceof RangeError || (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    const what = tooLarge ? `unpacks to more than ${bounds.maxUnpackedBytes} bytes` : 'is not a whole gzip stream';
    throw new ProbeFailure('output', `the compressed part of the report ${what}`, { cause: error });
  } finally {
    // A turn that ends is handed on.
    const next = waiting.shift();
    if (next === undefined) unpacking -= 1;
    else next();
  }
}

function describeStart(output: Buffer): string {
  if (output.length === 0) return 'it is empty';
  const start = output.toString('latin1', 0, 80).replace(/[^\x20-\x7e]+/g, ' ');
  return `${output.length} bytes, beginning "${start.trim()}"`;
}

function describeOpen(split: Split): string {
  return split.open === null ? '' : `, in section ${split.open.slice(0, 40)}`;
}
