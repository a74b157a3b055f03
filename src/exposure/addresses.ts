import type { Bound } from './ranges';

export type Family = 4 | 6;

/** A network or a single address: half open, so that it can be put into a set as it is. */
export interface Network {
  readonly family: Family;
  readonly start: Bound;
  readonly end: Bound;
}

/** The whole space of a family, half open. */
export const SPACE_END: Readonly<Record<Family, Bound>> = { 4: 2 ** 32, 6: 1n << 128n };

/** Reads a dotted quad; null for anything else, also for the short forms that inet_aton(3) takes. */
export function parseIpv4(text: string): number | null {
  if (text.length > 15) return null;
  let value = 0;
  let octet = 0;
  let digits = 0;
  let dots = 0;
  // Sets of tens of thousands of addresses are read: no pieces are made.
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === 0x2e) {
      if (digits === 0) return null;
      value = value * 256 + octet;
      octet = digits = 0;
      dots += 1;
    } else {
      if (code < 0x30 || code > 0x39) return null;
      octet = octet * 10 + code - 0x30;
      digits += 1;
      if (octet > 255) return null;
    }
  }
  return dots === 3 && digits > 0 ? value * 256 + octet : null;
}

/** Reads an IPv6 address (RFC 4291, 2.2); null for anything else. A zone (`%eth0`) is not part of an address. */
export function parseIpv6(text: string): bigint | null {
  if (text.length > 45 || !text.includes(':')) return null;
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = groups(halves[0] as string, halves.length === 1);
  const tail = halves.length === 2 ? groups(halves[1] as string, true) : [];
  if (head === null || tail === null) return null;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  let value = 0n;
  for (const group of [...head, ...new Array<number>(missing).fill(0), ...tail]) value = (value << 16n) | BigInt(group);
  return value;
}

/** A dotted quad may stand for the last two groups of an address. */
function groups(text: string, isLast: boolean): number[] | null {
  if (text === '') return [];
  const out: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (part.includes('.')) {
      const quad = isLast && index === parts.length - 1 ? parseIpv4(part) : null;
      if (quad === null) return null;
      out.push(Math.floor(quad / 65536), quad % 65536);
      continue;
    }
    if (part.length === 0 || part.length > 4 || !/^[0-9a-fA-F]+$/.test(part)) return null;
    out.push(parseInt(part, 16));
  }
  return out;
}

/** Reads an unsigned decimal up to `max`; null for anything else. */
export function parseDecimal(text: string, max: number): number | null {
  if (text.length === 0 || text.length > 15) return null;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code < 48 || code > 57) return null;
  }
  const value = Number(text);
  return value <= max ? value : null;
}

export function parseAddress(text: string): { readonly family: Family; readonly value: Bound } | null {
  const four = parseIpv4(text);
  if (four !== null) return { family: 4, value: four };
  const six = parseIpv6(text);
  return six === null ? null : { family: 6, value: six };
}

/** The network of an address and a prefix length; host bits are cleared. */
export function network(family: Family, address: Bound, length: number): Network | null {
  const bits = family === 4 ? 32 : 128;
  if (!Number.isInteger(length) || length < 0 || length > bits) return null;
  if (family === 4) {
    const size = 2 ** (32 - length);
    const start = Math.floor(Number(address) / size) * size;
    return { family, start, end: start + size };
  }
  const shift = BigInt(128 - length);
  const start = (BigInt(address) >> shift) << shift;
  return { family, start, end: start + (1n << shift) };
}

/** Reads `a.b.c.d`, `a.b.c.d/len`, and the same for IPv6; null for anything else. */
export function parseNetwork(text: string): Network | null {
  const slash = text.indexOf('/');
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === null) return null;
  const bits = address.family === 4 ? 32 : 128;
  const length = slash < 0 ? bits : parseDecimal(text.slice(slash + 1), bits);
  return length === null ? null : network(address.family, address.value, length);
}

/** The address after this one: the end of a range that has only this one. */
export function after(value: Bound): Bound {
  return typeof value === 'bigint' ? value + 1n : value + 1;
}

export function formatAddress(family: Family, value: Bound): string {
  if (family === 4) {
    const n = Number(value);
    return [n / 2 ** 24, n / 2 ** 16, n / 2 ** 8, n].map((part) => String(Math.floor(part) % 256)).join('.');
  }
  const parts: string[] = [];
  let rest = BigInt(value);
  for (let i = 0; i < 8; i += 1) {
    parts.unshift((rest & 0xffffn).toString(16));
    rest >>= 16n;
  }
  return compress(parts);
}

/** RFC 5952: the longest run of zero groups becomes `::`. */
function compress(parts: readonly string[]): string {
  let best = { at: -1, length: 1 };
  for (let i = 0; i < parts.length; i += 1) {
    let end = i;
    while (end < parts.length && parts[end] === '0') end += 1;
    if (end - i > best.length) best = { at: i, length: end - i };
  }
  if (best.at < 0) return parts.join(':');
  return `${parts.slice(0, best.at).join(':')}::${parts.slice(best.at + best.length).join(':')}`;
}

/** `tcp/[2001:db8::1]:80` and the like, as people write an address with its port. */
export function formatEndpoint(family: Family, address: Bound | null, port: number | null): string {
  const host = address === null ? '?' : formatAddress(family, address);
  return `${family === 6 ? `[${host}]` : host}:${port === null ? '?' : port}`;
}

/** ::ffff:0:0/96: an IPv4 address in the clothes of an IPv6 socket (RFC 4291, 2.5.5.2). */
export function mappedIpv4(value: bigint): number | null {
  return value >> 32n === 0xffffn ? Number(value & 0xffffffffn) : null;
}
