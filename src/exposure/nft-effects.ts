import type { Left } from './left';
import { compileLeft } from './nft-left';
import { scalarOf } from './nft-right';
import type { TableScope } from './nft-table';
import { split } from './match';
import type { Connection, Flow, Packet } from './packet';
import type { Branch, Step } from './program';
import type { Bound } from './ranges';
import { asString, isRecord } from './reading';
import type { Run } from './run';
import { BREAK, UNKNOWN, type Value } from './values';

/** A value that a statement writes: for some peers one, for others another; null where it is not known. */
export interface Written {
  readonly value: Bound | null;
  /** The raw right-hand value of a map, for those that hold more than a number. */
  readonly data: unknown;
  readonly flow: Flow;
}

/** Works out what an expression yields when it is written somewhere; flows for which it ends the rule are in `broken`. */
export function valuesWritten(
  expr: unknown,
  like: Pick<Left, 'domain' | 'symbols'>,
  scope: TableScope,
): (flow: Flow, run: Run) => { readonly written: readonly Written[]; readonly broken: readonly Flow[] } {
  if (isRecord(expr) && isRecord(expr['map'])) return mapped(expr['map'], like, scope);
  const scalar = scalarOf(expr, like);
  if (scalar !== null) return (flow) => ({ written: [{ value: scalar, data: expr, flow }], broken: [] });
  const left = compileLeft(expr, scope.context);
  if (left.uses !== undefined) scope.usage.computes(left.uses);
  return (flow, run) => {
    const value = left.read(flow, run);
    if (value === BREAK) return { written: [], broken: [flow] };
    return { written: [{ value: numeric(value), data: expr, flow }], broken: [] };
  };
}

function numeric(value: Value): Bound | null {
  return typeof value === 'number' || typeof value === 'bigint' ? value : null;
}

function mapped(
  map: Record<string, unknown>,
  like: Pick<Left, 'domain' | 'symbols'>,
  scope: TableScope,
): ReturnType<typeof valuesWritten> {
  const index = scope.index(map['data'], scope.keyOf(map['key']), true);
  if (index === null) return (flow) => ({ written: [{ value: null, data: undefined, flow }], broken: [] });
  return (flow, run) => {
    const hits = index.find(flow, run);
    if (hits === 'broken') return { written: [], broken: [flow] };
    const written: Written[] = [];
    const broken: Flow[] = [];
    for (const hit of hits) {
      const { taken } = split(flow, hit.match, run);
      if (taken === null) continue;
      if (hit.data === undefined) broken.push(taken);
      else if (hit.data === UNKNOWN) written.push({ value: null, data: undefined, flow: taken });
      else {
        const data = isRecord(hit.data) && isRecord(hit.data['elem']) ? hit.data['elem']['val'] : hit.data;
        written.push({ value: scalarOf(data, like), data, flow: taken });
      }
    }
    return { written, broken };
  };
}

/** `meta mark set …`, `ct mark set …`, `ip daddr set …`: what later rules may see. */
export function mangleStep(body: Record<string, unknown>, scope: TableScope): Step | null {
  const key = isRecord(body['key']) ? body['key'] : {};
  const kind = Object.keys(key)[0] ?? '';
  const inner = isRecord(key[kind]) ? key[kind] : {};
  const field = asString(inner['key']) ?? asString(inner['field']) ?? '';
  const name = kind === 'payload' ? `${asString(inner['protocol']) ?? ''} ${field}` : `${kind} ${field}`;
  const apply = EFFECTS[name];
  if (apply === undefined) return null;
  const left = compileLeft(body['key'], scope.context);
  const values = valuesWritten(body['value'], left, scope);
  return {
    kind: 'act',
    act: (flow, run): readonly Branch[] => {
      const { written, broken } = values(flow, run);
      const out: Branch[] = broken.map((rest) => ({ go: 'next', flow: rest }));
      for (const one of written) {
        const packet = apply(one.flow.packet, one.value);
        out.push(packet === null ? { go: 'lost', flow: one.flow } : { go: 'on', flow: { ...one.flow, packet } });
      }
      return out;
    },
  };
}

type Effect = (packet: Packet, value: Bound | null) => Packet | null;

const EFFECTS: Readonly<Record<string, Effect>> = {
  'meta mark': (packet, value) => ({ ...packet, mark: value === null ? null : Number(value) >>> 0 }),
  'ct mark': (packet, value) =>
    packet.tracking === 'new' || packet.tracking === 'established'
      ? { ...packet, connection: withMark(packet.connection, value) }
      : packet,
  // Rewriting headers without conntrack: the packet goes where it says now.
  'ip daddr': (packet, value) => (packet.family !== 4 ? packet : value === null ? null : { ...packet, daddr: value }),
  'ip6 daddr': (packet, value) => (packet.family !== 6 ? packet : value === null ? null : { ...packet, daddr: value }),
  'ip saddr': (packet, value) => (packet.family !== 4 ? packet : value === null ? null : { ...packet, saddr: value }),
  'ip6 saddr': (packet, value) => (packet.family !== 6 ? packet : value === null ? null : { ...packet, saddr: value }),
  'tcp dport': (packet, value) => (packet.transport === 6 ? { ...packet, dport: asPort(value) } : packet),
  'udp dport': (packet, value) => (packet.transport === 17 ? { ...packet, dport: asPort(value) } : packet),
  'th dport': (packet, value) => ({ ...packet, dport: asPort(value) }),
  'tcp sport': (packet, value) => (packet.transport === 6 ? { ...packet, sport: asPort(value) } : packet),
  'udp sport': (packet, value) => (packet.transport === 17 ? { ...packet, sport: asPort(value) } : packet),
  'th sport': (packet, value) => ({ ...packet, sport: asPort(value) }),
};

/** Statements that change a destination, so that ports without a socket matter. */
export const REWRITES = new Set(['ip daddr', 'ip6 daddr', 'tcp dport', 'udp dport', 'th dport']);

function withMark(connection: Connection, value: Bound | null): Connection {
  return { ...connection, mark: value === null ? null : Number(value) >>> 0 };
}

function asPort(value: Bound | null): number | null {
  return value === null ? null : Number(value) & 0xffff;
}

type Compile = (statement: unknown, scope: TableScope) => Step | null;

/**
 * `add @set { ip saddr limit rate over 10/second }`: puts the packet's key into a set, then asks the element's own limits.
 * A full set ends the rule (net/netfilter/nft_dynset.c).
 */
export function setStep(body: Record<string, unknown>, scope: TableScope, compile: Compile): Step {
  const name = (asString(body['set']) ?? asString(body['map']) ?? '').replace(/^@/, '');
  const rawKey = body['elem'] ?? body['key'];
  const lefts = scope.keyOf(rawKey);
  const statements = Array.isArray(body['stmt'])
    ? (body['stmt'] as unknown[])
    : isRecord(body['stmt'])
      ? [body['stmt']]
      : [];
  const inner = statements.map((statement) => compile(statement, scope)).filter((step): step is Step => step !== null);
  const key = scope.key(name);
  const removes = body['op'] === 'delete';
  return {
    kind: 'act',
    act: (flow, run) => {
      const values = lefts.map((left) => left.read(flow, run));
      if (values.includes(BREAK)) return [{ go: 'next', flow }];
      const room = run.choice(true);
      const out: Branch[] = room === 'maybe' ? [{ go: 'next', flow }] : [];
      let flows: readonly Flow[] = [removes ? flow : joined(flow, key)];
      for (const step of inner) flows = flows.flatMap((one) => passed(step, one, run, out));
      for (const one of flows) out.push({ go: 'on', flow: one });
      return out;
    },
  };
}

function passed(step: Step, flow: Flow, run: Run, out: Branch[]): readonly Flow[] {
  if (step.kind !== 'test') return [flow];
  const { taken, rest } = split(flow, step.test(flow, run), run);
  if (rest !== null) out.push({ go: 'next', flow: rest });
  return taken === null ? [] : [taken];
}

export function joined(flow: Flow, key: string): Flow {
  if (flow.packet.joined.includes(key)) return flow;
  return { ...flow, packet: { ...flow.packet, joined: [...flow.packet.joined, key].sort() } };
}
