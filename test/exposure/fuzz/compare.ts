import { parseAddress } from '../../../src/exposure/addresses';
import type { Examination } from '../../../src/exposure/summary';
import { contains } from '../../../src/exposure/ranges';
import type { ExposureVerdict } from '../../../src/exposure/verdict';
import type { Truth } from './probe';
import { PUBLIC4, PUBLIC6, type Scene } from './scene';

export interface Discrepancy {
  readonly kind: 'unsound' | 'imprecise';
  /** `tcp 4 443` */
  readonly key: string;
  readonly what: string;
}

export interface Comparison {
  readonly anywhere: readonly string[];
  readonly forbidden: boolean;
  readonly wrongExposed: boolean;
  readonly undecided: boolean;
  readonly discrepancies: readonly Discrepancy[];
}

const PUBLIC = new Set<string>([...PUBLIC4, ...PUBLIC6]);

/** Holds what was evaluated against what the packets did, verdict by verdict and peer by peer. */
export function compare(scene: Scene, verdict: ExposureVerdict, examination: Examination, truth: Truth): Comparison {
  const anywhere: string[] = [];
  const discrepancies: Discrepancy[] = [];
  for (const [key, peers] of truth.tried) {
    const reached = truth.reached.get(key) ?? new Set<string>();
    const publicPeers = [...peers].filter((peer) => PUBLIC.has(peer) && truth.complete.has(peer));
    const publicReached = publicPeers.filter((peer) => reached.has(peer));
    if (publicReached.length > 0 && publicReached.length >= publicPeers.length / 2) anywhere.push(key);
    discrepancies.push(...single(key, [...peers], reached, examination, truth.complete));
  }
  const certain = examination.doubts.length === 0;
  return {
    anywhere,
    forbidden: anywhere.length > 0 && verdict.verdict === 'not_exposed',
    wrongExposed:
      anywhere.length === 0 &&
      verdict.verdict === 'exposed' &&
      !scene.fickle &&
      discrepancies.some((one) => one.kind === 'imprecise'),
    undecided: verdict.verdict === 'unknown',
    discrepancies: certain ? discrepancies : discrepancies.filter((one) => one.kind === 'imprecise'),
  };
}

function single(
  key: string,
  peers: readonly string[],
  reached: ReadonlySet<string>,
  examination: Examination,
  complete: ReadonlySet<string>,
): readonly Discrepancy[] {
  const [proto, family, port] = key.split(' ');
  const transport = proto === 'tcp' ? 6 : 17;
  const finding = examination.findings.find(
    (one) =>
      one.transport === transport &&
      one.family === Number(family) &&
      Number(port) >= one.port &&
      Number(port) <= one.lastPort,
  );
  const out: Discrepancy[] = [];
  for (const peer of peers) {
    const value = parseAddress(peer)?.value ?? 0;
    const may = finding !== undefined && contains(finding.reach.maybe, value);
    const surely = finding !== undefined && contains(finding.reach.surely, value);
    if (reached.has(peer) && !may)
      out.push({ kind: 'unsound', key, what: `${peer} reached ${key}: ${finding?.because ?? 'not listed'}` });
    if (!reached.has(peer) && surely && complete.has(peer))
      out.push({ kind: 'imprecise', key, what: `${peer} did not reach ${key}: ${finding?.because ?? ''}` });
  }
  return out;
}
