import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Arena } from './arena';
import { inWords, recorded } from './failure';
import { makeScene } from './make-scene';
import type { Scene } from './scene';
import { Tally } from './tally';
import { tryScene, type Tried } from './try-scene';

/** What a campaign tries, and where it says what it found. */
export interface Campaign {
  readonly say: (line: string) => void;
  /** A folder for what failed, each as a recorded case; null: it is only said. */
  readonly keep: string | null;
}

/** An evaluation that takes longer is worth a line. */
const SLOW_MS = 50;

/** The seeds that a campaign's seed stands for. */
export function* seedsOf(seed: number): Generator<number> {
  for (let i = 0; ; i += 1) yield seed * 1_000_003 + i;
}

/** Tries scenes of these seeds, one after the other, until so many were loaded; or for three times as many seeds. */
export async function tryRandom(seeds: Iterable<number>, wanted: number, campaign: Campaign): Promise<Tally> {
  const tally = new Tally();
  const arena = await Arena.open();
  try {
    let made = 0;
    for (const seed of seeds) {
      if (tally.tried >= wanted || made >= wanted * 3) break;
      made += 1;
      await one(arena, makeScene(seed), tally, campaign);
      if (tally.tried > 0 && tally.tried % 100 === 0) campaign.say(tally.line());
    }
  } finally {
    await arena.close();
  }
  return tally;
}

/** Tries scenes with a name, each in an arena of its own, since they change routes and interfaces, too. */
export async function tryNamed(
  scenes: readonly (Scene & { readonly name: string })[],
  campaign: Campaign,
): Promise<Tally> {
  const tally = new Tally();
  for (const scene of scenes) {
    const arena = await Arena.open();
    try {
      const tried = await one(arena, scene, tally, campaign);
      campaign.say(`${scene.name}: ${typeof tried === 'string' ? `did not load: ${tried}` : summary(tried)}`);
    } finally {
      await arena.close();
    }
  }
  return tally;
}

async function one(arena: Arena, scene: Scene, tally: Tally, { say, keep }: Campaign): Promise<Tried | string> {
  const tried = await tryScene(arena, scene);
  if (typeof tried === 'string') {
    tally.notLoaded += 1;
    return tried;
  }
  tally.add(tried);
  if (tried.evaluateMs > SLOW_MS) say(`seed ${scene.seed}: evaluation took ${tried.evaluateMs.toFixed(0)} ms`);
  if (tried.sectionsOfNobody === null) return tried;
  say(inWords(tried));
  if (keep !== null) {
    mkdirSync(keep, { recursive: true });
    const text = JSON.stringify(recorded(tried));
    writeFileSync(join(keep, `z-${scene.seed}.json`), `${text}\n`);
  }
  return tried;
}

function summary({ verdict, result }: Tried): string {
  const said = `${verdict.verdict}; open: ${result.anywhere.join(', ') || 'none'}`;
  if (verdict.verdict === 'unknown') return `UNDECIDED: ${said}; ${verdict.because}`;
  return `${result.forbidden || result.wrongExposed ? 'WRONG' : 'right'}: ${said}`;
}
