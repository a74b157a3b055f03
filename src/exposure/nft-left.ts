import type { Family } from './addresses';
import { type Left, type LeftContext, plain } from './left';
import { ctField } from './nft-ct';
import { fibField, socketField } from './nft-lookups';
import { metaField } from './nft-meta';
import { payloadField, rawField, tcpOption } from './nft-payload';
import { asInteger, asString, isRecord } from './reading';
import { BREAK, PEER, UNKNOWN, type Value, bitwise } from './values';
import { scalarOf } from './nft-right';

const MAX_NESTING = 32;

/** Compiles an expression of `nft -j` that a packet is asked for. What is not understood yields UNKNOWN, never nothing. */
export function compileLeft(expr: unknown, context: LeftContext, depth = 0): Left {
  if (!isRecord(expr) || depth > MAX_NESTING) return constantLeft(expr);
  const kind = Object.keys(expr)[0] ?? '';
  const body = expr[kind];
  if (kind === 'payload' && isRecord(body)) {
    const protocol = asString(body['protocol']);
    return protocol === null ? rawField(body, context) : payloadField(protocol, asString(body['field']) ?? '', context);
  }
  if (kind === 'meta')
    return metaField(isRecord(body) ? (asString(body['key']) ?? '') : (asString(body) ?? ''), context);
  if (kind === 'ct' && isRecord(body)) return ctField(body, context);
  if (kind === 'fib' && isRecord(body)) return fibField(body);
  if (kind === 'socket' && isRecord(body)) return socketField(asString(body['key']) ?? '');
  if (kind === 'tcp option' && isRecord(body)) return tcpOption(body);
  if (kind === 'exthdr') return optionalHeader(body, 6);
  if (kind === 'ip option') return optionalHeader(body, 4);
  if (kind === 'sctp chunk' || kind === 'dccp option') return otherHeader(body);
  if (kind === 'rt' && isRecord(body) && body['key'] === 'ipsec')
    // Without a route the expression ends the rule (net/netfilter/nft_rt.c).
    return plain('number', 'none', (_flow, run) => (run.isRouted ? { kind: 'choice', low: 0, high: 0 } : UNKNOWN));
  if (kind === 'ipsec') return plain('opaque', 'none', () => ({ kind: 'choice', low: null, high: 0 }));
  if (kind === 'numgen' && isRecord(body)) return numgen(body, context);
  if (BITWISE.has(kind)) return bitwiseLeft(kind, body, context, depth);
  if (kind === 'elem' && isRecord(body)) return compileLeft(body['val'], context, depth + 1);
  noteUse(expr, context, depth);
  return plain('opaque', 'none', () => UNKNOWN);
}

/** Parts of a concatenation, or the expression itself. */
export function compileKey(expr: unknown, context: LeftContext): readonly Left[] {
  const inner = isRecord(expr) && isRecord(expr['elem']) ? expr['elem']['val'] : expr;
  if (isRecord(inner) && Array.isArray(inner['concat'])) {
    return (inner['concat'] as unknown[]).slice(0, 16).map((part) => compileLeft(part, context));
  }
  return [compileLeft(inner, context)];
}

const BITWISE = new Set(['&', '|', '^', '<<', '>>']);

function bitwiseLeft(op: string, body: unknown, context: LeftContext, depth: number): Left {
  if (!Array.isArray(body) || body.length < 2) return plain('opaque', 'none', () => UNKNOWN);
  const [first, ...rest] = body as [unknown, ...unknown[]];
  const left = compileLeft(first, context, depth + 1);
  if (left.uses !== undefined) context.usage.computes(left.uses);
  const rights = rest.map((item) => scalarOf(item, left));
  if (left.symbols === 'tcpFlags' && op === '&') context.usage.flagBits |= Number(rights[0] ?? 0xff);
  const read: Left['read'] = (flow, run) => {
    let value: Value = left.read(flow, run);
    for (const [i, right] of rights.entries()) {
      // The right side may be an expression itself: `ct mark or meta mark`.
      if (right === null)
        return value === BREAK ? BREAK : combined(op, value, compiledRights[i]?.read(flow, run) ?? UNKNOWN);
      value = bitwise(op, value, right);
    }
    return value;
  };
  const compiledRights = rest.map((item, i) => (rights[i] === null ? compileLeft(item, context, depth + 1) : null));
  return { domain: left.domain, symbols: left.symbols, bits: left.bits, read };
}

function combined(op: string, left: Value, right: Value): Value {
  if (right === BREAK) return BREAK;
  return typeof right === 'number' || typeof right === 'bigint' ? bitwise(op, left, right) : UNKNOWN;
}

function constantLeft(expr: unknown): Left {
  const value = Number.isSafeInteger(expr) || typeof expr === 'string' ? (expr as number | string) : UNKNOWN;
  return plain('number', 'none', () => value);
}

/** IPv6 extension headers and IPv4 options: an ordinary client sends none, and packets of the other family have none. */
function optionalHeader(body: unknown, family: Family): Left {
  const asksField = isRecord(body) && asString(body['field']) !== null;
  const value: Value = { kind: 'choice', low: asksField ? null : 0, high: 0 };
  return plain(asksField ? 'opaque' : 'number', 'none', ({ packet }) => (packet.family === family ? value : BREAK));
}

/** Asked whether there is one, the kernel says no of packets that can have none (net/netfilter/nft_exthdr.c). */
function otherHeader(body: unknown): Left {
  const asksField = isRecord(body) && asString(body['field']) !== null;
  return plain('number', 'none', () => (asksField ? BREAK : 0));
}

function numgen(body: Record<string, unknown>, context: LeftContext): Left {
  const count = Math.max(1, asInteger(body['mod']) ?? 1);
  const first = asInteger(body['offset']) ?? 0;
  context.usage.randomness = Math.max(context.usage.randomness, Math.min(count, 16));
  return plain('number', 'none', () => ({ kind: 'chance', first, count }));
}

/** Hashes and the like: whatever ports they compute with must not be lumped together. */
function noteUse(expr: unknown, context: LeftContext, depth: number): void {
  if (depth > MAX_NESTING) return;
  if (Array.isArray(expr)) {
    for (const item of expr as unknown[]) noteUse(item, context, depth + 1);
    return;
  }
  if (!isRecord(expr)) return;
  if (isRecord(expr['payload'])) {
    const left = compileLeft({ payload: expr['payload'] }, context, depth + 1);
    if (left.uses !== undefined) context.usage.computes(left.uses);
    return;
  }
  for (const value of Object.values(expr)) noteUse(value, context, depth + 1);
}

/** Whether reading it says something about the peer's address. */
export function readsPeer(lefts: readonly Left[], value: (left: Left) => Value): boolean {
  return lefts.some((left) => value(left) === PEER);
}
