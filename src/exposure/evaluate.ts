import { cleanText } from '../report/fields';
import { Algebra } from './algebra';
import type { Family } from './addresses';
import { type Environment, Usage } from './environment';
import type { ExposureFacts } from './facts';
import { type Firewall, assemble } from './firewall';
import { Hooks } from './hooks';
import {
  type EvaluationSettings,
  MAX_DESTINATIONS,
  PEERS,
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
import type { ExposureVerdict, PortVerdict } from './verdict';
import { EMPTY, intersect } from './ranges';

/** How much an evaluation may cost, in steps of about ten nanoseconds to a microsecond; the same input always stops at the same step. */
export interface EvaluationBounds {
  readonly operations: number;
  /** Every kind of packet is tried for every port, also when the answer is clear already. */
  readonly exhaustive: boolean;
}

export const DEFAULT_BOUNDS: EvaluationBounds = { operations: 40_000_000, exhaustive: false };

/** Longest sentences, in characters: names of chains and interfaces are the host's own. */
const MAX_BECAUSE = 400;

/** Most ports that are reported; the rest is counted in the sentence for the host. */
const MAX_PORTS = 20_000;

const FAMILY_NAME = { 4: 'ipv4', 6: 'ipv6' } as const;

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
    const { findings, doubts, isCutShort } = examineExposure(facts, settings, bounds);
    const ports = verdicts(findings, settings);
    return { verdict: unreachable ? noPublicAddress(ports) : summary(ports, doubts), isCutShort };
  } catch (error) {
    // A host may send what nobody has thought of: it is not worth more than its own exposure.
    const why = error instanceof Error ? error.message : String(error);
    return { verdict: unknown(`the evaluation failed: ${why}`, []), isCutShort: false };
  }
}

/** What was found about each port, with who gets in as sets of addresses, and what could not be found out. */
export interface Examination {
  readonly findings: readonly PortFinding[];
  readonly doubts: readonly string[];
  /** The bounds were too tight for all of it. */
  readonly isCutShort: boolean;
}

/** Tries every port of a host that has a socket, or that a rule sends on. */
export function examineExposure(
  facts: ExposureFacts,
  settings: EvaluationSettings,
  bounds: EvaluationBounds = DEFAULT_BOUNDS,
): Examination {
  const { sockets } = facts;
  if (!sockets.known) return { findings: [], doubts: [sockets.why], isCutShort: false };
  const { interfaces: found } = facts;
  if (!found.known) {
    return { findings: [], doubts: [`the addresses of the host: ${found.why}`], isCutShort: false };
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
  for (const one of approaches) {
    if (one.destinations.length === 0) continue;
    const missing = [...firewall.doubts[one.family]];
    if (!facts.virtualServers.known) missing.push(facts.virtualServers.why);
    if (missing.length > 0) {
      for (const why of missing) doubts.add(why);
      findings.push(unread(one.family, lab, missing));
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
      findings.push(unread(one.family, lab, ['the rules are too many to be evaluated within bounds']));
    }
  }
  return { findings: findings.flat(), doubts: [...doubts], isCutShort: lab.budget.isSpent };
}

/** Ports that have a socket, when nobody can tell what the firewall does with them. */
function unread(family: Family, lab: Laboratory, missing: readonly string[]): readonly PortFinding[] {
  const because = `not certain: ${missing.slice(0, 2).join('; ')}`;
  const reach = { surely: EMPTY, maybe: PEERS[family] };
  return ([6, 17] as const).flatMap((transport) =>
    lab.environment.listeners
      .ports(transport, family)
      .map((port) => ({ transport, family, port, lastPort: port, openTo: 'unknown' as const, because, reach })),
  );
}

/** The one that is open the widest stands for a port that is taken over UDP and over UDP-Lite. */
const WIDTH: Readonly<Record<PortVerdict['openTo'], number>> = { anywhere: 3, unknown: 2, some: 1, none: 0 };

function verdicts(findings: readonly PortFinding[], settings: EvaluationSettings): readonly PortVerdict[] {
  const sorted = [...findings].sort((a, b) => a.port - b.port || a.transport - b.transport || a.family - b.family);
  const out = new Map<string, PortVerdict>();
  const sentences = new Map<string, string>();
  for (const finding of sorted) {
    const proto = finding.transport === 6 ? 'tcp' : 'udp';
    const key = `${proto} ${finding.family} ${finding.port}`;
    const former = out.get(key);
    if (former !== undefined && WIDTH[former.openTo] >= WIDTH[finding.openTo]) continue;
    out.set(key, {
      proto,
      port: finding.port,
      family: FAMILY_NAME[finding.family],
      openTo: finding.openTo,
      because: sentence(finding, sentences),
      ignored: settings.ignore.some((ignored) => ignored.proto === proto && ignored.port === finding.port),
    });
  }
  return [...out.values()];
}

/** Thousands of ports often share one sentence. */
function sentence({ transport, because }: PortFinding, known: Map<string, string>): string {
  const text = transport === 136 ? `UDP-Lite: ${because}` : because;
  let clean = known.get(text);
  if (clean === undefined) known.set(text, (clean = cleanText(text, MAX_BECAUSE)));
  return clean;
}

function summary(all: readonly PortVerdict[], doubts: readonly string[]): ExposureVerdict {
  const counted = all.filter((port) => !port.ignored);
  const ports = all.slice(0, MAX_PORTS);
  const open = counted.filter((port) => port.openTo === 'anywhere');
  if (open.length > 0) {
    const because = `open to anywhere: ${names(open)}`;
    return { verdict: 'exposed', basis: 'proven', because, ports };
  }
  const unsure = counted.filter((port) => port.openTo === 'unknown');
  if (doubts.length > 0) return unknown(doubts.slice(0, 3).join('; '), ports);
  if (unsure.length > 0) return unknown(`${names(unsure)}: ${(unsure[0] as PortVerdict).because}`, ports);
  const some = counted.filter((port) => port.openTo === 'some');
  const because =
    some.length > 0
      ? `no port is open to anywhere; ${names(some)} to some networks`
      : 'no port is open to anyone on the internet';
  return { verdict: 'not_exposed', basis: 'proven', because, ports };
}

function names(ports: readonly PortVerdict[]): string {
  const distinct = [...new Set(ports.map((port) => `${port.proto}/${port.port}`))];
  return distinct.length > 5
    ? `${distinct.slice(0, 5).join(', ')} and ${distinct.length - 5} more`
    : distinct.join(', ');
}

function unknown(because: string, ports: readonly PortVerdict[]): ExposureVerdict {
  return {
    verdict: 'unknown',
    basis: 'assumed',
    because: cleanText(`taken as exposed, since it is not certain: ${because}`, MAX_BECAUSE),
    ports,
  };
}

function noPublicAddress(ports: readonly PortVerdict[]): ExposureVerdict {
  return {
    verdict: 'not_exposed',
    basis: 'no-public-address',
    because: 'the host has no address that the internet can route to',
    ports,
  };
}

function declared(mode: 'exposed' | 'internal'): ExposureVerdict {
  const because = `declared ${mode} in the configuration; nothing was evaluated`;
  return { verdict: mode === 'exposed' ? 'exposed' : 'not_exposed', basis: 'declared', because, ports: [] };
}
