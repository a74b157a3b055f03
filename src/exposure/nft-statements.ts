import { matchStep } from './nft-match';
import { natStep, redirectStep, tproxyStep } from './nft-nat';
import { mangleStep, setStep } from './nft-effects';
import type { TableScope } from './nft-table';
import type { Branch, Step } from './program';
import { verdict } from './program';
import { asString, isRecord } from './reading';
import { split } from './match';
import type { Flow, Packet } from './packet';
import type { Run } from './run';
import { UNKNOWN } from './values';

/** Statements that let every packet pass on unchanged, as far as reachability goes. */
const NEUTRAL = new Set([
  ...[
    'counter',
    'log',
    'comment',
    'dup',
    'flow',
    'last',
    'ct helper',
    'ct timeout',
    'ct expectation',
    'reset',
    'secmark',
    'continue',
  ],
]);

/** Compiles one statement; null for one that decides nothing. What is not understood may do anything. */
export function compileStatement(statement: unknown, scope: TableScope): Step | null {
  if (!isRecord(statement)) return unknownStep('a statement');
  const kind = Object.keys(statement)[0] ?? '';
  const body = statement[kind];
  if (NEUTRAL.has(kind)) return null;
  const object = isRecord(body) ? body : {};
  switch (kind) {
    case 'match':
      return matchStep(object, scope);
    case 'accept':
    case 'drop':
    case 'return':
      return verdict(kind);
    case 'reject':
      return rejectStep(object);
    case 'jump':
    case 'goto':
      return jumpStep(kind, asString(object['target']) ?? '', scope);
    case 'vmap':
      return vmapStep(object, scope);
    case 'mangle':
      return mangleStep(object, scope);
    case 'notrack':
      return { kind: 'act', act: (flow) => [{ go: 'on', flow: untracked(flow) }] };
    case 'set':
    case 'map':
    case 'meter':
      return setStep(object, scope, compileStatement);
    case 'limit':
      return limitStep(body, scope);
    case 'quota':
      return quotaStep(body, scope);
    case 'ct count':
      return countStep(object);
    case 'dnat':
    case 'snat':
      return natStep(kind, object, scope);
    case 'redirect':
      return redirectStep(object, scope);
    case 'masquerade':
      return verdict('accept');
    case 'tproxy':
      return tproxyStep(object, scope);
    case 'synproxy':
      return { kind: 'act', act: synproxied };
    case 'queue':
      return unknownEnd('handed to a program by queue');
    case 'fwd':
      return unknownEnd('sent to another interface');
    case 'xt':
      return object['type'] === 'match'
        ? { kind: 'test', test: () => 'maybe' }
        : unknownStep(`the target ${asString(object['name'])}`);
    default:
      return unknownStep(kind);
  }
}

/**
 * A reset is for TCP, and an ICMP error for its own family: nft puts the match on that before the statement by itself, and
 * leaves it out of the listing again (nftables' netlink_delinearize.c, stmt_reject_postprocess).
 */
function rejectStep({ type }: Record<string, unknown>): Step {
  const applies = ({ family, transport }: Packet): boolean => {
    if (type === 'tcp reset') return transport === 6;
    if (type === 'icmp') return family === 4;
    return type === 'icmpv6' ? family === 6 : true;
  };
  return { kind: 'act', act: (flow) => [{ go: applies(flow.packet) ? 'drop' : 'next', flow }] };
}

/** No effect once conntrack has the packet (net/netfilter/nft_ct.c, nft_notrack_eval). */
export function untracked(flow: Flow): Flow {
  if (flow.packet.tracking !== 'invalid') return flow;
  return { ...flow, packet: { ...flow.packet, tracking: 'untracked' } };
}

/** It may go on, be accepted or dropped, and come out marked. */
export function unknownStep(what: string): Step {
  return {
    kind: 'act',
    act: (flow, _run, rule) => {
      const marked: Flow = {
        ...flow,
        packet: { ...flow.packet, mark: null, connection: { ...flow.packet.connection, mark: null } },
      };
      return [
        { go: 'on', flow: marked },
        { go: 'lost', flow, text: `${rule.label}: ${what} is not understood` },
      ];
    },
  };
}

function unknownEnd(what: string): Step {
  return {
    kind: 'act',
    act: (flow, _run, rule) => [
      { go: 'accept', flow },
      { go: 'drop', flow, text: `${rule.label}: ${what}` },
    ],
  };
}

/** The kernel answers the SYN itself and connects to the service once the peer has answered back. */
function synproxied(flow: Flow): readonly Branch[] {
  const packet = { ...flow.packet, tracking: 'established' as const };
  return [{ go: 'accept', flow: { ...flow, packet } }];
}

function jumpStep(go: 'jump' | 'goto', name: string, scope: TableScope): Step {
  return {
    kind: 'act',
    act: (flow, _run, rule) => {
      const chain = scope.chains.get(name);
      return [
        chain === undefined ? { go: 'lost', flow, text: `${rule.label}: no chain ${name}` } : { go, flow, chain },
      ];
    },
  };
}

/** A verdict as `{"accept": null}` or `{"jump": {"target": …}}`. */
function branchOf(data: unknown, flow: Flow, scope: TableScope, label: string): Branch {
  const holder = isRecord(data) && isRecord(data['elem']) ? data['elem']['val'] : data;
  const kind = isRecord(holder) ? (Object.keys(holder)[0] ?? '') : '';
  if (kind === 'accept' || kind === 'drop' || kind === 'return') return { go: kind, flow };
  if (kind === 'continue') return { go: 'next', flow };
  const body = isRecord(holder) ? holder[kind] : null;
  const chain = isRecord(body) ? scope.chains.get(asString(body['target']) ?? '') : undefined;
  if ((kind === 'jump' || kind === 'goto') && chain !== undefined) return { go: kind, flow, chain };
  return { go: 'lost', flow, text: `${label}: a verdict is not understood` };
}

function vmapStep(body: Record<string, unknown>, scope: TableScope): Step {
  const index = scope.index(body['data'], scope.keyOf(body['key']), true);
  if (index === null) return unknownStep('vmap');
  return {
    kind: 'act',
    act: (flow, run, rule) => {
      const hits = index.find(flow, run);
      if (hits === 'broken') return [{ go: 'next', flow }];
      const out: Branch[] = [];
      for (const hit of hits) {
        const { taken } = split(flow, hit.match, run);
        if (taken === null) continue;
        if (hit.data === undefined) out.push({ go: 'next', flow: taken });
        else if (hit.data === UNKNOWN)
          out.push({ go: 'lost', flow: taken, text: `${rule.label}: the map is not understood` });
        else out.push(branchOf(hit.data, taken, scope, rule.label));
      }
      return out;
    },
  };
}

/** A limit has tokens for an ordinary first packet; `over` matches only what exceeds it. */
function limitStep(body: unknown, scope: TableScope): Step {
  const object = typeof body === 'string' ? scope.table.objects[`limit ${body}`] : isRecord(body) ? body : undefined;
  if (object === undefined) return { kind: 'test', test: (_flow, run) => unknownChoice(run) };
  const over = object['inv'] === true;
  return { kind: 'test', test: (_flow, run) => run.choice(!over) };
}

function unknownChoice(run: Run): 'maybe' {
  run.choiceSeen = true;
  return 'maybe';
}

const UNITS: Readonly<Record<string, number>> = { bytes: 1, kbytes: 1024, mbytes: 1024 ** 2, gbytes: 1024 ** 3 };

/** A quota matches until it is used up, with `over` from then on. */
function quotaStep(body: unknown, scope: TableScope): Step {
  const object = typeof body === 'string' ? scope.table.objects[`quota ${body}`] : isRecord(body) ? body : undefined;
  if (object === undefined) return { kind: 'test', test: (_flow, run) => unknownChoice(run) };
  const size = amount(object['val'] ?? object['bytes'], object['val_unit']);
  const used = amount(object['used'] ?? 0, object['used_unit']);
  const over = object['inv'] === true;
  return { kind: 'test', test: (_flow, run) => run.choice(used < size !== over) };
}

function amount(value: unknown, unit: unknown): number {
  return typeof value === 'number' ? value * (UNITS[asString(unit) ?? 'bytes'] ?? 1) : 0;
}

/** Counts the peer's connections; an ordinary one is the first. */
function countStep(body: Record<string, unknown>): Step {
  const limit = typeof body['val'] === 'number' ? body['val'] : 0;
  const over = body['inv'] === true;
  return { kind: 'test', test: (_flow, run) => run.choice(over ? 1 > limit : 1 <= limit) };
}
