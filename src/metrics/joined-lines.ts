import { Buffer } from 'node:buffer';

const nothing = Buffer.alloc(0);

/**
 * The lines of one family of up to so many hosts, one after the other: a scrape sends bytes that exist already. Where a line
 * changed, those of the others are copied, not made again. Bytes that were handed out are never written to, for a scrape may be
 * sending them still.
 */
export class JoinedLines {
  private bytes = nothing;
  /** Where the lines of each slot end. */
  private readonly ends: Uint32Array;
  /** Lines that are not among the bytes yet, by slot. */
  private readonly pending = new Map<number, string>();

  constructor(slots: number) {
    this.ends = new Uint32Array(slots);
  }

  /** Takes the lines of a slot, none or any number. Returns whether they are others than before. */
  set(slot: number, lines: string): boolean {
    if (this.isAlike(slot, lines)) return false;
    this.pending.set(slot, lines);
    return true;
  }

  /** All lines as they are now. */
  join(): Buffer {
    if (this.pending.size === 0) return this.bytes;
    const changed = [...this.pending].sort(([one], [other]) => one - other);
    const old = this.bytes;
    let size = old.length;
    for (const [slot, lines] of changed) size += Buffer.byteLength(lines) - this.sizeOf(slot);
    const joined = size === 0 ? nothing : Buffer.allocUnsafeSlow(size);
    let next = 0;
    /** Up to where the old bytes are taken, and by how much what follows them moves. */
    let taken = 0;
    let shift = 0;
    for (const [slot, lines] of changed) {
      this.move(next, slot, shift);
      const at = this.end(slot - 1);
      if (at > taken + shift) old.copy(joined, taken + shift, taken, at - shift);
      taken = this.end(slot);
      const end = at + joined.write(lines, at);
      this.ends[slot] = end;
      shift = end - taken;
      next = slot + 1;
    }
    this.move(next, this.ends.length, shift);
    old.copy(joined, taken + shift, taken);
    this.pending.clear();
    this.bytes = joined;
    return joined;
  }

  private move(from: number, to: number, shift: number): void {
    if (shift === 0) return;
    for (let slot = from; slot < to; slot++) this.ends[slot] = this.end(slot) + shift;
  }

  private isAlike(slot: number, lines: string): boolean {
    const pending = this.pending.get(slot);
    if (pending !== undefined) return pending === lines;
    const size = this.sizeOf(slot);
    // A character is at least one byte; most differ in size or are ASCII, which latin1 is the quickest to compare with.
    if (size < lines.length || Buffer.byteLength(lines) !== size) return false;
    const encoding = size === lines.length ? 'latin1' : 'utf8';
    return this.bytes.toString(encoding, this.end(slot - 1), this.end(slot)) === lines;
  }

  private sizeOf(slot: number): number {
    return this.end(slot) - this.end(slot - 1);
  }

  private end(slot: number): number {
    return this.ends[slot] ?? 0;
  }
}
