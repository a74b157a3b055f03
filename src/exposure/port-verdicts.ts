import { LARGE_SHARE, publicShare } from './address-space';
import type { Family } from './addresses';
import { distinctDestinations, tryAll, variants } from './attempts';
import { type Reach, openTo, portReason } from './explain';
import type { Destination } from './internet';
import type { Listener, Transport } from './sockets';
import { EMPTY, type RangeSet, isEmpty, union } from './ranges';
import { TooLarge } from './run';
import { type Laboratory, type Outcome, attempt } from './trial';
import type { OpenTo } from './verdict';

/** One family's way in: where packets can be for and come in by. */
export interface Approach {
  readonly family: Family;
  readonly destinations: readonly Destination[];
  readonly interfaces: readonly string[];
  /** Sources that may try a port at all. */
  readonly peers: (transport: Transport, port: number) => RangeSet;
  /** False: interfaces or routes are guesses, so nobody surely gets in. */
  readonly certain: boolean;
}

export interface PortFinding {
  readonly transport: Transport;
  readonly family: Family;
  readonly port: number;
  /** The last port of a run of ports that fare alike and have no socket of their own. */
  readonly lastPort: number;
  readonly openTo: OpenTo;
  readonly because: string;
  /** Who gets in, as far as was looked: once enough do to call it anywhere, the rest is not tried. */
  readonly reach: Reach;
}

/** Everything worth saying about the ports of one family; ports that are simply closed are left out. */
export function findPorts(approach: Approach, lab: Laboratory): readonly PortFinding[] {
  const { usage, listeners } = lab.environment;
  const out: PortFinding[] = [];
  const memory = new Map<string, PortFinding>();
  for (const transport of [6, 17, 136] as const) {
    const own = listeners.ports(transport, approach.family);
    const taken = new Set(own);
    for (const port of own) {
      const binding = listeners.binding(transport, port);
      const key = `${transport}|${usage.classOf('dport', port)}|${binding}`;
      const found = memory.get(key);
      if (found !== undefined) {
        out.push({ ...found, port, lastPort: port });
        continue;
      }
      const finding = judge(transport, port, port, approach, lab) as PortFinding;
      memory.set(key, finding);
      out.push(finding);
    }
    if (!usage.redirects || transport === 136) continue;
    for (const { first, last } of usage.classes('dport', 65535)) {
      const port = unused(Math.max(first, 1), last, taken);
      const finding = port === null ? null : judge(transport, port, last, approach, lab);
      if (finding !== null) out.push(finding);
    }
  }
  return out;
}

function unused(first: number, last: number, taken: ReadonlySet<number>): number | null {
  for (let port = first; port <= last; port += 1) if (!taken.has(port)) return port;
  return null;
}

/** Tries one port in every way; null if it has no socket and nobody is sent on from it either. */
function judge(
  transport: Transport,
  port: number,
  lastPort: number,
  approach: Approach,
  lab: Laboratory,
): PortFinding | null {
  const { family } = approach;
  const { listeners } = lab.environment;
  const sockets = listeners
    .at(transport, port)
    .filter((listener) => listener.family === family || listener.family === 6);
  const has = sockets.length > 0 || listeners.binding(transport, port) !== '';
  try {
    return judged(transport, port, lastPort, approach, lab, sockets, has);
  } catch (error) {
    if (!(error instanceof TooLarge)) throw error;
    const because = 'not certain: the rules are too many to be evaluated within bounds';
    const reach = { surely: EMPTY, maybe: approach.peers(transport, port) };
    return has ? { transport, family, port, lastPort, openTo: 'unknown', because, reach } : rethrow(error);
  }
}

function rethrow(error: TooLarge): never {
  throw error;
}

function judged(
  transport: Transport,
  port: number,
  lastPort: number,
  approach: Approach,
  lab: Laboratory,
  sockets: readonly Listener[],
  has: boolean,
): PortFinding | null {
  const { family } = approach;
  const { usage, listeners } = lab.environment;
  const peers = approach.peers(transport, port);
  lab.budget.spend(approach.destinations.length + sockets.length);
  let surely: RangeSet = EMPTY;
  let maybe: RangeSet = EMPTY;
  let shown = null as Outcome | null;
  let redirected = false;
  const targets = distinctDestinations(approach.destinations, family, transport, has ? port : null, usage, listeners);
  const kinds = variants(transport, usage);
  let clear = isEmpty(peers);
  for (const { address } of targets) {
    for (const iif of approach.interfaces) {
      if (clear) break;
      tryAll(kinds, (kind) => {
        const outcome = attempt({ family, transport, port, address, iif, ...kind }, peers, lab);
        redirected ||= outcome.redirected;
        if (shown === null || better(family, outcome, shown)) shown = outcome;
        if (approach.certain) surely = union(surely, outcome.surely);
        maybe = union(maybe, outcome.maybe);
        clear = !lab.exhaustive && publicShare(family, surely) >= LARGE_SHARE;
        return clear ? null : outcome;
      });
    }
  }
  if (!has && !redirected) return null;
  const to = openTo(family, { surely, maybe });
  if (!has && to === 'none') return null;
  const alike = !has && lastPort > port ? ` (the same for ports up to ${lastPort})` : '';
  const because = isEmpty(peers)
    ? 'open to nobody: the edge rules let nobody through to it'
    : `${portReason(family, to, { surely, maybe }, shown, sockets)}${alike}`;
  return { transport, family, port, lastPort, openTo: to, because, reach: { surely, maybe } };
}

/** The outcome worth explaining: the one by which most get in. */
function better(family: Family, a: Outcome, b: Outcome): boolean {
  const surely = publicShare(family, a.surely) - publicShare(family, b.surely);
  return surely !== 0 ? surely > 0 : publicShare(family, a.maybe) > publicShare(family, b.maybe);
}
