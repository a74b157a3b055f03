import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exposureScript } from '../../src/exposure/collect';
import { DEFAULT_BOUNDS, evaluateExposure, examineExposure } from '../../src/exposure/evaluate';
import { parseExposureFacts } from '../../src/exposure/facts';
import { Arena } from './fuzz/arena';
import { curatedScenes } from './fuzz/curated';
import { compare, type Discrepancy } from './fuzz/compare';
import { splitSections } from './fuzz/sections';
import { makeScene } from './fuzz/make-scene';
import { probe, probeAgain } from './fuzz/probe';
import type { Scene } from './fuzz/scene';
import type { ExposureVerdict } from '../../src/exposure/verdict';

const settings = { mode: 'evaluate', public: true, edge: null, ignore: [], dialledAddress: null } as const;

interface Options {
  readonly seed: number;
  readonly count: number;
  readonly keep: string | null;
  /** Seeds of single scenes to be tried again, as a run shows them. */
  readonly only: readonly number[];
  /** Instead of random scenes the curated ones, or those with this in their name. */
  readonly curated: string | null;
}

function options(argv: readonly string[]): Options {
  const value = (name: string): string | undefined => {
    const at = argv.indexOf(name);
    return at < 0 ? undefined : argv[at + 1];
  };
  return {
    seed: Number(value('--seed') ?? 1),
    count: Number(value('--count') ?? 100),
    keep: value('--keep') ?? null,
    curated: argv.includes('--curated') ? (value('--curated') ?? '') : null,
    only: (value('--only') ?? '')
      .split(',')
      .filter((word) => word !== '')
      .map(Number),
  };
}

/** The collection script as the probe program embeds it, with sections framed by lines that no ruleset contains. */
function collection(): string {
  return `R= sudo= nonce=0f1e2d
PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
export PATH LC_ALL
section() {
  section_name=$1
  shift
  printf '\\n=%s begin %s\\n' "$nonce" "$section_name"
  "$@" 2>/dev/null
  printf '\\n=%s end %s %s\\n' "$nonce" "$section_name" "$?"
}
exposure() {
${exposureScript}
}
exposure
`;
}

interface Tally {
  tried: number;
  notLoaded: number;
  verdicts: Record<string, number>;
  open: number;
  /** Said "not exposed" although at least half of the public peers got in. */
  forbidden: number;
  /** Single peers that got in though they could not. */
  unsound: number;
  /** Single peers that did not get in though they surely would. */
  imprecise: number;
  wrongExposed: number;
  undecided: number;
  evaluateMs: number[];
}

function emptyTally(): Tally {
  return {
    tried: 0,
    notLoaded: 0,
    verdicts: {},
    open: 0,
    forbidden: 0,
    unsound: 0,
    imprecise: 0,
    wrongExposed: 0,
    undecided: 0,
    evaluateMs: [],
  };
}

async function main(): Promise<void> {
  const { seed, count, keep, only, curated } = options(process.argv.slice(2));
  if (curated !== null) return curatedOnes(curated, keep);
  const arena = new Arena(`rexfuzz${process.pid}`);
  const tally = emptyTally();
  const stop = (): void => {
    arena.destroy();
    process.exit(1);
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const began = Date.now();
  try {
    arena.build();
    await arena.start();
    const script = collection();
    const wanted = only.length > 0 ? only.length : count;
    for (let i = 0; tally.tried < wanted && i < wanted * 3; i += 1) {
      await once(arena, makeScene(only[i] ?? seed * 1_000_003 + i), script, tally, keep);
      if (tally.tried > 0 && tally.tried % 100 === 0) process.stdout.write(`${report(tally, began)}\n`);
    }
  } finally {
    arena.destroy();
  }
  process.stdout.write(`${report(tally, began)}\n`);
  process.exitCode = tally.forbidden === 0 && tally.unsound === 0 ? 0 : 1;
}

/** Tries the curated scenes, each in an arena of its own, since they change routes and interfaces, too. */
async function curatedOnes(name: string, keep: string | null): Promise<void> {
  const tally = emptyTally();
  const began = Date.now();
  const script = collection();
  for (const scene of curatedScenes().filter((one) => one.name.includes(name))) {
    const arena = new Arena(`rexfuzz${process.pid}`);
    try {
      arena.build();
      await arena.start();
      const before = { ...tally };
      process.stdout.write(`${scene.name}: `);
      await once(arena, scene, script, tally, keep);
      process.stdout.write(tally.notLoaded > before.notLoaded ? 'did not load\n' : `${last}\n`);
    } finally {
      arena.destroy();
    }
  }
  process.stdout.write(`${report(tally, began)}\n`);
  process.exitCode = tally.forbidden === 0 && tally.unsound === 0 ? 0 : 1;
}

let last = '';

async function once(arena: Arena, scene: Scene, script: string, tally: Tally, keep: string | null): Promise<void> {
  const agents = arena.agents;
  if (agents === null) throw new Error('the arena is not running');
  arena.clear();
  const files = Object.fromEntries(Object.entries(scene.sysctls).map(([key, value]) => [`/proc/sys/${key}`, value]));
  await agents.host.ask({ do: 'write', files });
  const failed = await agents.host.ask<readonly string[]>({ do: 'listen', listeners: scene.listeners });
  const loaded = scene.loads.map((load) => ({ argv: load.argv, ...arena.load(load.argv, load.input) }));
  if (failed.length > 0 || loaded.some((one) => !one.ok)) {
    tally.notLoaded += 1;
    if (process.env['FUZZ_SHOW_ERRORS'] !== undefined)
      process.stdout.write(`${scene.seed}: ${failed.join()} ${loaded.map((one) => one.error).join('')}\n`);
    await agents.host.ask({ do: 'close' });
    return;
  }
  const sections = splitSections(arena.run(['sh'], script).output, '0f1e2d');
  const facts = parseExposureFacts(sections);
  const start = process.hrtime.bigint();
  const verdict = evaluateExposure(facts, settings);
  tally.evaluateMs.push(Number(process.hrtime.bigint() - start) / 1e6);
  if ((tally.evaluateMs.at(-1) ?? 0) > 50)
    process.stdout.write(`seed ${scene.seed}: evaluation took ${tally.evaluateMs.at(-1)?.toFixed(0)} ms\n`);
  const examination = examineExposure(facts, settings, { ...DEFAULT_BOUNDS, exhaustive: true });
  let truth = await probe(agents, scene);
  let result = compare(scene, verdict, examination, truth);
  const missed = result.discrepancies.filter((one) => one.kind === 'imprecise').map((one) => one.key);
  if (missed.length > 0 && !scene.fickle) {
    truth = await probeAgain(agents, scene, truth, new Set(missed));
    result = compare(scene, verdict, examination, truth);
  }
  await agents.host.ask({ do: 'close' });
  tally.tried += 1;
  last = summaryOf(verdict, result.anywhere);
  tally.verdicts[verdict.verdict] = (tally.verdicts[verdict.verdict] ?? 0) + 1;
  tally.open += result.anywhere.length > 0 ? 1 : 0;
  tally.forbidden += result.forbidden ? 1 : 0;
  tally.wrongExposed += result.wrongExposed ? 1 : 0;
  tally.undecided += result.undecided ? 1 : 0;
  for (const one of result.discrepancies) tally[one.kind] += 1;
  const shown = result.discrepancies.filter((one) => one.kind === 'unsound' || !scene.fickle);
  if (shown.length > 0 || result.forbidden || result.wrongExposed)
    describe(
      { ...scene, loads: loaded.map(({ argv, text }) => ({ argv, input: text })) },
      shown,
      verdict.because,
      keep,
      sections,
    );
}

function summaryOf(verdict: ExposureVerdict, anywhere: readonly string[]): string {
  const right = (verdict.verdict === 'exposed') === anywhere.length > 0;
  const word = verdict.verdict === 'unknown' ? 'UNDECIDED' : right ? 'right' : 'WRONG';
  return `${word}: ${verdict.verdict}; open: ${anywhere.join(', ') || 'none'}${word === 'right' ? '' : `; ${verdict.because}`}`;
}

function describe(
  scene: Scene,
  shown: readonly Discrepancy[],
  because: string,
  keep: string | null,
  sections: ReadonlyMap<string, { body: Buffer }>,
): void {
  const lines = [
    `seed ${scene.seed}${scene.fickle ? ' (fickle)' : ''}: ${because}`,
    ...shown.slice(0, 6).map((one) => `  ${one.kind}: ${one.what}`),
    `  listeners ${scene.listeners.map((l) => `${l.proto} ${l.address}:${l.port}${l.address === '::' ? ` v6only=${l.ipv6Only}` : ''}`).join(', ')}; ${JSON.stringify(scene.sysctls)}`,
    ...scene.loads.map(
      (load) => `  ${load.argv.join(' ')}\n${load.input.replace(/\n+/g, '\n').replace(/^/gm, '    ')}`,
    ),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  if (keep === null) return;
  mkdirSync(keep, { recursive: true });
  writeFileSync(
    join(keep, `${scene.seed}.json`),
    JSON.stringify({ scene, shown, sections: [...sections].map(([name, section]) => [name, section.body.toString()]) }),
  );
}

function report(tally: Tally, began: number): string {
  const sorted = [...tally.evaluateMs].sort((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(2);
  return (
    `${tally.tried} rulesets in ${Math.round((Date.now() - began) / 1000)} s (${tally.notLoaded} did not load): ` +
    `${tally.open} open to anywhere; said ${JSON.stringify(tally.verdicts)}; ` +
    `wrongly not exposed ${tally.forbidden}, wrongly exposed ${tally.wrongExposed}, undecided ${tally.undecided}; ` +
    `single peers: ${tally.unsound} got in unforeseen, ${tally.imprecise} did not though foreseen; ` +
    `evaluation median ${at(0.5)} ms, 99 % ${at(0.99)} ms`
  );
}

void main();
