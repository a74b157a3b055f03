/** A number of 32 bits as SSH writes it (RFC 4251, section 5). */
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Strings with their lengths before them (RFC 4251, section 5). */
export function strings(...fields: readonly (Buffer | string)[]): Buffer {
  return Buffer.concat(
    fields.flatMap((field) => {
      const bytes = typeof field === 'string' ? Buffer.from(field) : field;
      return [uint32(bytes.length), bytes];
    }),
  );
}

/** A positive number as RFC 4251, section 5, writes it: no leading zeros but the one that keeps the sign bit clear. */
export function mpint(magnitude: Buffer): Buffer {
  const digits = withoutLeadingZeros(magnitude);
  return (digits[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.from([0]), digits]) : digits;
}

/** The bytes of a number without the zeros before them. */
export function withoutLeadingZeros(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  return first < 0 ? Buffer.alloc(0) : bytes.subarray(first);
}

/**
 * Reads the fields of a message one after the other. Beyond the end it gives empty fields and remembers it in `failed`, so
 * that a message is read straight through and judged once, at its end.
 */
export class WireReader {
  readonly #bytes: Buffer;
  #at = 0;
  #failed = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Whether a field reached beyond the end. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Whether all was read, and no more than there is. */
  get complete(): boolean {
    return !this.#failed && this.#at === this.#bytes.length;
  }

  /** How far it has read. */
  get at(): number {
    return this.#at;
  }

  uint32(): number {
    const at = this.#take(4);
    return at === null ? 0 : this.#bytes.readUInt32BE(at);
  }

  uint64(): bigint {
    const at = this.#take(8);
    return at === null ? 0n : this.#bytes.readBigUInt64BE(at);
  }

  /** A string's bytes, which are those of the message, not a copy. */
  string(): Buffer {
    const length = this.uint32();
    const at = this.#take(length);
    return at === null ? Buffer.alloc(0) : this.#bytes.subarray(at, at + length);
  }

  #take(length: number): number | null {
    const at = this.#at;
    if (this.#failed || length > this.#bytes.length - at) {
      this.#failed = true;
      return null;
    }
    this.#at = at + length;
    return at;
  }
}

/** Cuts a blob into its strings; null unless they fill it exactly. */
export function readStrings(blob: Buffer): Buffer[] | null {
  const reader = new WireReader(blob);
  const fields: Buffer[] = [];
  while (!reader.failed && !reader.complete) fields.push(reader.string());
  return reader.complete ? fields : null;
}
