import { Buffer } from 'node:buffer';
import { tellTheSame, type Known } from '../fleet/known';
import { freshKnown, type HostStatus } from '../fleet/status';
import { renderHead, renderSample, type ExpositionFormat, type FamilyHead } from './family';
import { hostFamilies, type Ground, type HostFamily, type HostView, type LiveValue } from './host-families';
import { JoinedLines } from './joined-lines';

/** Hosts whose lines are kept together, one buffer a family. */
const hostsPerBlock = 256;

/** A host and its place. */
interface HostText {
  readonly status: HostStatus;
  /** What its lines tell of it; null when it is stale. */
  readonly known: Known | null;
  readonly block: Block;
  readonly slot: number;
}

/** Some hosts, and their lines by family. */
class Block {
  readonly hosts: (HostText | undefined)[] = [];
  readonly lines = hostFamilies.map(() => new JoinedLines(hostsPerBlock));
  /** Of live families, what was last written of each host; null: no line, undefined: to be written in any case. */
  readonly values = hostFamilies.map((): (number | null | undefined)[] => []);
  private readonly free = Array.from({ length: hostsPerBlock }, (_, at) => hostsPerBlock - 1 - at);

  get isFull(): boolean {
    return this.free.length === 0;
  }

  /** A slot for a host. */
  take(): number {
    return this.free.pop() ?? 0;
  }

  release(slot: number): void {
    this.hosts[slot] = undefined;
    this.free.push(slot);
  }

  /** A live value is written at the next scrape, whatever it is. */
  forget(index: number, slot: number): void {
    const values = this.values[index];
    if (values !== undefined) values[slot] = undefined;
  }
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
 * The text of every host's metrics. A host's lines are rendered when it changes, not when it is scraped; a scrape sends bytes
 * that exist already, and renders only the ages, which grow all the time. Most of what a probe finds is what the last one
 * found: then not even that is rendered.
 */
export class FleetText {
  private readonly hosts = new Map<string, HostText>();
  private readonly blocks: Block[] = [];
  private readonly versions = hostFamilies.map(() => 0);

  constructor(private readonly staleAfterSeconds: () => number) {}

  /** Takes what is now known of a host; `null` when it has left. */
  update(name: string, status: HostStatus | null, monotonicMs: number): void {
    const before = this.hosts.get(name);
    if (status === null) {
      if (before !== undefined) this.drop(name, before);
      return;
    }
    const known = freshKnown(status, monotonicMs, this.staleAfterSeconds());
    const { block, slot } = before ?? this.place();
    const text: HostText = { status, known, block, slot };
    this.hosts.set(name, text);
    block.hosts[slot] = text;
    const view = { status, known, monotonicMs };
    const isSame: Readonly<Record<Ground, boolean>> = {
      known: before !== undefined && isKnownTheSame(before, view),
      failures: before !== undefined && failedAlike(before.status, status),
      status: false,
    };
    for (const [index, family] of hostFamilies.entries()) {
      if (isSame[family.ground]) continue;
      if (family.live === undefined) this.write(block, index, slot, renderLines(family, view));
      else block.forget(index, slot);
    }
  }

  /** The families that have lines, in order. */
  render(monotonicMs: number): FamilyText[] {
    this.expire(monotonicMs);
    const families: FamilyText[] = [];
    for (const [index, family] of hostFamilies.entries()) {
      if (family.live !== undefined) this.writeLive(index, family, family.live, monotonicMs);
      const pieces: Buffer[] = [];
      for (const { lines } of this.blocks) {
        const joined = lines[index]?.join();
        if (joined !== undefined && joined.length > 0) pieces.push(joined);
      }
      if (pieces.length > 0) families.push({ head: family, pieces, version: this.versions[index] ?? 0 });
    }
    return families;
  }

  private write({ lines }: Block, index: number, slot: number, text: string): void {
    if (lines[index]?.set(slot, text) === true) this.versions[index] = (this.versions[index] ?? 0) + 1;
  }

  private writeLive(index: number, family: HostFamily, live: LiveValue, monotonicMs: number): void {
    for (const block of this.blocks) {
      const values = block.values[index] ?? [];
      for (const host of block.hosts) {
        if (host === undefined) continue;
        const view = { status: host.status, known: host.known, monotonicMs };
        const value = live(view);
        if (value === values[host.slot]) continue;
        values[host.slot] = value;
        this.write(block, index, host.slot, renderLines(family, view));
      }
    }
  }

  private expire(monotonicMs: number): void {
    const boundMs = this.staleAfterSeconds() * 1000;
    for (const [name, text] of this.hosts) {
      const isFresh = text.status.known !== null && monotonicMs - text.status.known.atMonotonicMs <= boundMs;
      if (isFresh !== (text.known !== null)) this.update(name, text.status, monotonicMs);
    }
  }

  private place(): Pick<HostText, 'block' | 'slot'> {
    let block = this.blocks.find((candidate) => !candidate.isFull);
    if (block === undefined) this.blocks.push((block = new Block()));
    return { block, slot: block.take() };
  }

  private drop(name: string, { block, slot }: HostText): void {
    this.hosts.delete(name);
    block.release(slot);
    for (const index of hostFamilies.keys()) this.write(block, index, slot, '');
  }
}

/** One host alone, for /probe. */
export function renderOneHost(view: HostView, format: ExpositionFormat): string {
  const pieces: string[] = [];
  for (const family of hostFamilies) {
    const lines = renderLines(family, view);
    if (lines !== '') pieces.push(renderHead(family, format), lines);
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
  let lines = '';
  for (const sample of family.samples(view)) lines += renderSample(family.name, sample);
  return lines;
}
