import { Buffer } from 'node:buffer';
import { tellTheSame, type Known } from '../fleet/known';
import { freshKnown, type HostStatus } from '../fleet/status';
import { Interned } from '../interned';
import { renderHead, renderLabels, renderNumber, renderSample, type ExpositionFormat, type FamilyHead } from './family';
import { hostFamilies, type Ground, type HostFamily, type HostView } from './host-families';

/** Hosts whose lines are kept joined, one buffer a family. */
const hostsPerBlock = 256;

interface HostText {
  readonly status: HostStatus;
  /** What was rendered; null when it is stale. */
  readonly known: Known | null;
  readonly lines: Lines;
}

/**
 * The lines of one host, by what they rest on: where that did not change, the lines stay. Those on failed probes are a sixth of
 * the text and hardly ever change: they are rendered when they are joined.
 */
type Lines = Readonly<Record<'known' | 'status', Part>>;

/**
 * Lines by family; of live families, the line without its value. One flat text and where each family begins in
 * it: a fleet's lines as strings of their own would be half a million objects for the garbage collector to go through.
 */
interface Part {
  readonly text: string;
  /** Where each family begins, and last where the text ends. */
  readonly begins: readonly number[];
}

/** The families of each ground. */
const familiesOn: Readonly<Record<Ground, readonly HostFamily[]>> = {
  known: familiesOf('known'),
  failures: familiesOf('failures'),
  status: familiesOf('status'),
};

/** Where a family's lines are: its number within its part. */
const places = hostFamilies.map((family) => ({ ground: family.ground, at: familiesOn[family.ground].indexOf(family) }));

interface Block {
  readonly names: Set<string>;
  /** Joined lines by family; none where a line changed. */
  readonly joined: (Buffer | undefined)[];
}

/** One family of all hosts. */
export interface FamilyText {
  readonly head: FamilyHead;
  /** Its lines, in pieces that are to be sent one after the other. */
  readonly pieces: readonly Buffer[];
  /** Another number whenever the lines are others. */
  readonly version: number;
}

/**
 * The text of every host's metrics. A host's lines are rendered when it
 * changes, not when it is scraped; a scrape joins buffers that exist already,
 * and renders only the ages, which grow all the time. Most of what a probe finds is what the last one found,
 * so only the families in which a line changed are joined again.
 */
export class FleetText {
  private readonly hosts = new Map<string, HostText>();
  private readonly blocks: Block[] = [];
  private readonly blockOf = new Map<string, Block>();
  private readonly versions = hostFamilies.map(() => 0);
  /** Many hosts' lines are equally long. */
  private readonly begins = new Interned<readonly number[]>(5000);

  constructor(private readonly staleAfterSeconds: () => number) {}

  /** Takes what is now known of a host; `null` when it has left. */
  update(name: string, status: HostStatus | null, monotonicMs: number): void {
    if (status === null) {
      this.drop(name);
      return;
    }
    const known = freshKnown(status, monotonicMs, this.staleAfterSeconds());
    const view = { status, known, monotonicMs };
    const before = this.hosts.get(name);
    const kept = before !== undefined && isKnownTheSame(before, view) ? before.lines.known : null;
    const text: HostText = {
      status,
      known,
      lines: { known: kept ?? this.renderPart('known', view), status: this.renderPart('status', view) },
    };
    this.hosts.set(name, text);
    this.outdateChanged(this.blockFor(name), before, text);
  }

  /** The families that have lines, in order. */
  render(monotonicMs: number): FamilyText[] {
    this.expire(monotonicMs);
    const families: FamilyText[] = [];
    for (const [index, head] of hostFamilies.entries()) {
      if (head.isLive === true) this.versions[index] = (this.versions[index] ?? 0) + 1;
      const all = this.blocks.map((block) => this.joined(block, head, index, monotonicMs));
      const pieces = all.filter((piece) => piece.length > 0);
      if (pieces.length > 0) families.push({ head, pieces, version: this.versions[index] ?? 0 });
    }
    return families;
  }

  private outdateChanged(block: Block, before: HostText | undefined, text: HostText): void {
    for (const [index, { ground, at }] of places.entries()) {
      if (ground === 'failures') {
        if (before === undefined || !failedAlike(before.status, text.status)) this.outdate(block, index);
        continue;
      }
      const [was, is] = [before?.lines[ground], text.lines[ground]];
      if (was !== is && lineOf(was, at) !== lineOf(is, at)) this.outdate(block, index);
    }
  }

  private renderPart(ground: 'known' | 'status', view: HostView): Part {
    const lines = familiesOn[ground].map((family) => renderLines(family, view));
    const begins = [0];
    let at = 0;
    for (const line of lines) begins.push((at += line.length));
    return { text: lines.join(''), begins: this.begins.get(begins.join(), () => begins) };
  }

  private outdate(block: Block, index: number): void {
    block.joined[index] = undefined;
    this.versions[index] = (this.versions[index] ?? 0) + 1;
  }

  private expire(monotonicMs: number): void {
    const boundMs = this.staleAfterSeconds() * 1000;
    for (const [name, text] of this.hosts) {
      const isFresh = text.status.known !== null && monotonicMs - text.status.known.atMonotonicMs <= boundMs;
      if (isFresh !== (text.known !== null)) this.update(name, text.status, monotonicMs);
    }
  }

  private joined(block: Block, family: HostFamily, index: number, monotonicMs: number): Buffer {
    if (family.isLive !== true) {
      const joined = block.joined[index] ?? Buffer.from(this.linesOf(block, index).join(''));
      block.joined[index] = joined;
      return joined;
    }
    const lines: string[] = [];
    for (const name of block.names) {
      const text = this.hosts.get(name);
      if (text === undefined) continue;
      const prefix = lineAt(text, index);
      if (prefix === '') continue;
      const [sample] = family.samples({ status: text.status, known: text.known, monotonicMs });
      if (sample !== undefined) lines.push(`${prefix} ${renderNumber(sample.value)}\n`);
    }
    return Buffer.from(lines.join(''));
  }

  private linesOf(block: Block, index: number): string[] {
    return Array.from(block.names, (name) => lineAt(this.hosts.get(name), index));
  }

  private blockFor(name: string): Block {
    const existing = this.blockOf.get(name);
    if (existing !== undefined) return existing;
    let block = this.blocks.find((candidate) => candidate.names.size < hostsPerBlock);
    if (block === undefined) {
      block = { names: new Set(), joined: [] };
      this.blocks.push(block);
    }
    block.names.add(name);
    this.blockOf.set(name, block);
    return block;
  }

  private drop(name: string): void {
    const text = this.hosts.get(name);
    const block = this.blockOf.get(name);
    this.hosts.delete(name);
    this.blockOf.delete(name);
    if (block === undefined) return;
    block.names.delete(name);
    for (const index of hostFamilies.keys()) if (lineAt(text, index) !== '') this.outdate(block, index);
  }
}

/** One host alone, for /probe. */
export function renderOneHost(view: HostView, format: ExpositionFormat): string {
  const pieces: string[] = [];
  for (const family of hostFamilies) {
    const lines = family.samples(view).map(({ labels, value }) => renderSample(family.name, labels, value));
    if (lines.length > 0) pieces.push(renderHead(family, format), ...lines);
  }
  return pieces.join('');
}

function isKnownTheSame(before: HostText, { status, known }: HostView): boolean {
  if (status.host !== before.status.host) return false;
  return known === null || before.known === null ? known === before.known : tellTheSame(known, before.known);
}

function failedAlike(one: HostStatus, other: HostStatus): boolean {
  return one.host === other.host && one.failures === other.failures;
}

function renderLines(family: HostFamily, view: HostView): string {
  const samples = family.samples(view);
  if (family.isLive === true) {
    const [first] = samples;
    return first === undefined ? '' : `${family.name}${renderLabels(first.labels)}`;
  }
  return samples.map(({ labels, value }) => renderSample(family.name, labels, value)).join('');
}

function familiesOf(ground: Ground): HostFamily[] {
  return hostFamilies.filter((family) => family.ground === ground);
}

function lineAt(text: HostText | undefined, index: number): string {
  const [place, family] = [places[index], hostFamilies[index]];
  if (text === undefined || place === undefined || family === undefined) return '';
  if (place.ground !== 'failures') return lineOf(text.lines[place.ground], place.at);
  return renderLines(family, { status: text.status, known: text.known, monotonicMs: 0 });
}

function lineOf(part: Part | undefined, at: number): string {
  return part === undefined ? '' : part.text.slice(part.begins[at], part.begins[at + 1]);
}
