import { cleanText } from '../report/fields';
import type { EvaluationSettings } from './internet';
import type { PortFinding } from './port-verdicts';
import type { ExposureVerdict, PortVerdict } from './verdict';

/** What was found about each port, with who gets in as sets of addresses, and what could not be found out. */
export interface Examination {
  readonly findings: readonly PortFinding[];
  readonly doubts: readonly string[];
  /** The bounds were too tight for all of it. */
  readonly isCutShort: boolean;
  /** Rules could not be read, but the edge lets too few through to matter: it rests on the configuration. */
  readonly isShutByEdge: boolean;
}

/** Longest sentences, in characters: names of chains and interfaces are the host's own. */
const MAX_BECAUSE = 400;

/** Most ports that are reported; the rest is counted in the sentence for the host. */
const MAX_PORTS = 20_000;

const FAMILY_NAME = { 4: 'ipv4', 6: 'ipv6' } as const;

/** The one that is open the widest stands for a port that is taken over UDP and over UDP-Lite. */
const WIDTH: Readonly<Record<PortVerdict['openTo'], number>> = { anywhere: 3, unknown: 2, some: 1, none: 0 };

/** What is said of each port, sorted by port, protocol and family. */
export function verdicts(findings: readonly PortFinding[], settings: EvaluationSettings): readonly PortVerdict[] {
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

/** The verdict on a host that the internet can reach. */
export function summary(all: readonly PortVerdict[], { doubts, isShutByEdge }: Examination): ExposureVerdict {
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
  if (isShutByEdge) {
    const because =
      'the edge rules of the configuration let the internet at large in to no port; the host’s own were not read';
    return { verdict: 'not_exposed', basis: 'declared', because, ports };
  }
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

/** Whatever is not certain counts as exposed. */
export function unknown(because: string, ports: readonly PortVerdict[]): ExposureVerdict {
  return {
    verdict: 'unknown',
    basis: 'assumed',
    because: cleanText(`taken as exposed, since it is not certain: ${because}`, MAX_BECAUSE),
    ports,
  };
}

export function noPublicAddress(ports: readonly PortVerdict[]): ExposureVerdict {
  return {
    verdict: 'not_exposed',
    basis: 'no-public-address',
    because: 'the host has no address that the internet can route to',
    ports,
  };
}

export function declared(mode: 'exposed' | 'internal'): ExposureVerdict {
  const because = `declared ${mode} in the configuration; nothing was evaluated`;
  return { verdict: mode === 'exposed' ? 'exposed' : 'not_exposed', basis: 'declared', because, ports: [] };
}
