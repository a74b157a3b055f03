import { Algebra } from './algebra';
import type { Family } from './addresses';
import { type Environment, Usage } from './environment';
import type { ExposureFacts } from './facts';
import { type Firewall, assemble } from './firewall';
import { Hooks } from './hooks';
import {
  type EvaluationSettings,
  MAX_DESTINATIONS,
  PRIVATE_PEERS,
  destinations,
  edgePeers,
  edgePorts,
  facing,
  isPublic,
} from './internet';
import { Listeners } from './listeners';
import { type Approach, type PortFinding, findPorts } from './port-verdicts';
import { Routing } from './routing';
import { Budget, TooLarge } from './run';
import type { Laboratory } from './trial';
import { intersect } from './ranges';
import { type Examination, declared, noPublicAddress, summary, unknown, verdicts } from './summary';
import { isShutByEdge, unreadPorts } from './unread';
import type { ExposureVerdict } from './verdict';

/** How much an evaluation may cost, in steps of about ten nanoseconds to a microsecond; the same input always stops at the same step. */
export interface EvaluationBounds {
  readonly operations: number;
  /** Every kind of packet is tried for every port, also when the answer is clear already. */
  readonly exhaustive: boolean;
}

export const DEFAULT_BOUNDS: EvaluationBounds = { operations: 40_000_000, exhaustive: false };

/**
 * Whether any port of a host accepts a new connection from any internet address, worked out from what the host said.
 * A pure function: never throws, whatever the host sent.
 */
export function evaluateExposure(
  facts: ExposureFacts,
  settings: EvaluationSettings,
  bounds: EvaluationBounds = DEFAULT_BOUNDS,
): ExposureVerdict {
  return evaluateWithin(facts, settings, bounds).verdict;
}

/** The verdict, and whether it is one for want of more steps. Never throws. */
export function evaluateWithin(
  facts: ExposureFacts,
  settings: EvaluationSettings,
  bounds: EvaluationBounds,
): { readonly verdict: ExposureVerdict; readonly isCutShort: boolean } {
  if (settings.mode !== 'evaluate') return { verdict: declared(settings.mode), isCutShort: false };
  try {
    const unreachable = ([4, 6] as const).every((family) => isPublic(facts, settings, family) === 'no');
    const examination = examineExposure(facts, settings, bounds);
    const { isCutShort } = examination;
    const ports = verdicts(examination.findings, settings);
    return { verdict: unreachable ? noPublicAddress(ports) : summary(ports, examination), isCutShort };
  } catch (error) {
    // A host may send what nobody has thought of: it is not worth more than its own exposure.
    const why = error instanceof Error ? error.message : String(error);
    return { verdict: unknown(`the evaluation failed: ${why}`, []), isCutShort: false };
  }
}

/** Tries every port of a host that has a socket, or that a rule sends on. */
export function examineExposure(
  facts: ExposureFacts,
  settings: EvaluationSettings,
  bounds: EvaluationBounds = DEFAULT_BOUNDS,
): Examination {
  const { sockets } = facts;
  if (!sockets.known) return nothingFound(sockets.why);
  const { interfaces: found } = facts;
  if (!found.known) {
    return nothingFound(`the addresses of the host: ${found.why}`);
  }
  const families = ([4, 6] as const).filter((family) => isPublic(facts, settings, family) !== 'no');
  const unreachable = families.length === 0;
  const usage = new Usage();
  if (settings.edge !== null) usage.names('dport', edgePorts(settings));
  const interfaces = new Map(found.value.map((iface) => [iface.name, iface] as const));
  const budget = new Budget(bounds.operations);
  const spend = (operations: number): void => budget.spend(operations);
  const routing = {
    4: new Routing(4, facts.routes[4], facts.rules[4], spend),
    6: new Routing(6, facts.routes[6], facts.rules[6], spend),
  };
  const firewall = assemble(facts, { interfaces }, usage);
  const wanted: readonly Family[] = unreachable ? [4, 6] : families;
  const approaches = wanted.map((family) => approach(facts, settings, routing[family], family, unreachable));
  const environment: Environment = {
    interfaces,
    listeners: listenersOf(facts, approaches),
    routing,
    sysctls: facts.sysctls,
    usage,
  };
  const algebra = new Algebra(spend);
  const lab: Laboratory = {
    environment,
    hooks: new Hooks(firewall.bases),
    budget,
    algebra,
    exhaustive: bounds.exhaustive,
  };
  return examine(approaches, firewall, lab, facts);
}

function approach(
  facts: ExposureFacts,
  settings: EvaluationSettings,
  routing: Routing,
  family: Family,
  unreachable: boolean,
): Approach {
  const interfaces = facts.interfaces.known ? facts.interfaces.value : [];
  const names = facing(interfaces, routing, family);
  const auto = settings.public === 'auto' && !unreachable;
  const targets = destinations(interfaces, routing, family, names, auto);
  return {
    family,
    destinations: targets.slice(0, MAX_DESTINATIONS),
    interfaces: names,
    peers: (transport, port) => {
      const through = edgePeers(settings, family, transport === 6 ? 'tcp' : 'udp', port);
      return unreachable ? intersect(through, PRIVATE_PEERS[family]) : through;
    },
    certain: routing.known && !names.includes(''),
  };
}

function listenersOf(facts: ExposureFacts, approaches: readonly Approach[]): Listeners {
  const accept = (name: string): boolean | null => {
    const value = facts.sysctls.get(`net/ipv4/${name}`);
    return value === undefined ? null : value !== 0;
  };
  const outward = new Set(approaches.flatMap((one) => one.interfaces));
  const interfaces = facts.interfaces.known ? facts.interfaces.value : [];
  // With ss missing, a socket may be bound to an interface that the internet does not come in by, where there is one.
  const doubt = interfaces.some((iface) => !iface.loopback && !outward.has(iface.name));
  const vrfs = { 6: accept('tcp_l3mdev_accept'), 17: accept('udp_l3mdev_accept'), 136: accept('udp_l3mdev_accept') };
  const servers = facts.virtualServers.known ? facts.virtualServers.value : [];
  return new Listeners(facts.sockets.known ? facts.sockets.value : [], servers, vrfs, doubt);
}

function examine(
  approaches: readonly Approach[],
  firewall: Firewall,
  lab: Laboratory,
  facts: ExposureFacts,
): Examination {
  const findings: (readonly PortFinding[])[] = [];
  const doubts = new Set<string>();
  let shut = false;
  for (const one of approaches) {
    if (one.destinations.length === 0) continue;
    const missing = [...firewall.doubts[one.family]];
    if (!facts.virtualServers.known) missing.push(facts.virtualServers.why);
    if (missing.length > 0) {
      findings.push(unreadPorts(one, lab, missing));
      if (isShutByEdge(one, lab)) shut = true;
      else for (const why of missing) doubts.add(why);
      continue;
    }
    if (one.destinations.length === MAX_DESTINATIONS) doubts.add('the host has too many addresses to try them all');
    if (lab.environment.usage.redirects && lab.environment.usage.isComputed('dport'))
      doubts.add('a rule computes with port numbers');
    try {
      findings.push(findPorts(one, lab));
    } catch (error) {
      if (!(error instanceof TooLarge)) throw error;
      doubts.add('the rules are too many to be evaluated within bounds');
      findings.push(unreadPorts(one, lab, ['the rules are too many to be evaluated within bounds']));
    }
  }
  return { findings: findings.flat(), doubts: [...doubts], isCutShort: lab.budget.isSpent, isShutByEdge: shut };
}

function nothingFound(why: string): Examination {
  return { findings: [], doubts: [why], isCutShort: false, isShutByEdge: false };
}
