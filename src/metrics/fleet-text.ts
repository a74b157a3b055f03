import { Buffer } from 'node:buffer';
import type { HostStatus, Known } from '../fleet/status';
import { freshKnown } from '../fleet/status';
import { renderHead, renderLabels, renderNumber, renderSample, type ExpositionFormat } from './family';
import { hostFamilies, type HostFamily, type HostView } from './host-families';

/** Hosts whose lines are kept joined, one buffer a family. */
const hostsPerBlock = 256;

interface HostText {
  status: HostStatus;
  /** What was rendered; changes to null when it becomes stale. */
  known: Known | null;
  /** Lines by family; of live families, the line without its value. */
  lines: string[];
}

interface Block {
  readonly names: Set<string>;
  /** Joined lines by family; null where a host changed. */
  joined: (Buffer | null)[];
}

/**
 * The text of every host's metrics. A host's lines are rendered when it
 * changes, not when it is scraped; a scrape joins buffers that exist already,
 * and renders only the ages, which grow all the time.
 */
export class FleetText {
  private readonly hosts = new Map<string, HostText>();
  private readonly blocks: Block[] = [];
  private readonly blockOf = new Map<string, Block>();

  constructor(private readonly staleAfterSeconds: () => number) {}

  /** Takes what is now known of a host; `null` when it has left. */
  update(name: string, status: HostStatus | null, monotonicMs: number): void {
    if (status === null) {
      this.drop(name);
      return;
    }
    const known = freshKnown(status, monotonicMs, this.staleAfterSeconds());
    this.hosts.set(name, { status, known, lines: renderHost({ status, known, monotonicMs }) });
    this.blockFor(name).joined = [];
  }

  /** The families of every host, in order, as pieces to be sent one after the other. */
  render(format: ExpositionFormat, monotonicMs: number): Buffer[] {
    this.expire(monotonicMs);
    const pieces: Buffer[] = [];
    for (const [index, family] of hostFamilies.entries()) {
      const body = this.blocks.flatMap((block) => this.joined(block, family, index, monotonicMs));
      if (body.every((piece) => piece.length === 0)) continue;
      pieces.push(Buffer.from(renderHead(family, format)), ...body);
    }
    return pieces;
  }

  private expire(monotonicMs: number): void {
    const boundMs = this.staleAfterSeconds() * 1000;
    for (const [name, text] of this.hosts) {
      const isFresh = text.status.known !== null && monotonicMs - text.status.known.atMonotonicMs <= boundMs;
      if (isFresh !== (text.known !== null)) this.update(name, text.status, monotonicMs);
    }
  }

  private joined(block: Block, family: HostFamily, index: number, monotonicMs: number): Buffer[] {
    if (family.isLive !== true) {
      block.joined[index] ??= Buffer.from(this.linesOf(block, index).join(''));
      return [block.joined[index]];
    }
    const lines: string[] = [];
    for (const name of block.names) {
      const text = this.hosts.get(name);
      const prefix = text?.lines[index];
      if (text === undefined || prefix === undefined || prefix === '') continue;
      const [sample] = family.samples({ status: text.status, known: text.known, monotonicMs });
      if (sample !== undefined) lines.push(`${prefix} ${renderNumber(sample.value)}\n`);
    }
    return [Buffer.from(lines.join(''))];
  }

  private linesOf(block: Block, index: number): string[] {
    return [...block.names].map((name) => this.hosts.get(name)?.lines[index] ?? '');
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
    this.hosts.delete(name);
    const block = this.blockOf.get(name);
    if (block === undefined) return;
    block.names.delete(name);
    block.joined = [];
    this.blockOf.delete(name);
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

function renderHost(view: HostView): string[] {
  return hostFamilies.map((family) => {
    const samples = family.samples(view);
    if (family.isLive === true) {
      const [first] = samples;
      return first === undefined ? '' : `${family.name}${renderLabels(first.labels)}`;
    }
    return samples.map(({ labels, value }) => renderSample(family.name, labels, value)).join('');
  });
}
