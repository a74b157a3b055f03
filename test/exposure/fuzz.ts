// Random rulesets, loaded in a real kernel and tried with real packets, against what the evaluation says of them.
//   npm run fuzz:exposure -- --seed 7 --count 500 [--keep FOLDER]   so many random ones
//   npm run fuzz:exposure -- --only 7000021,7000022                 single ones again, by the seeds that a run shows
//   npm run fuzz:exposure -- --curated [NAME]                       the ones that each turn on one thing of the kernel
import { seedsOf, tryNamed, tryRandom, type Campaign } from './fuzz/campaign';
import { curatedScenes } from './fuzz/curated';
import type { Tally } from './fuzz/tally';

function valueOf(flag: string): string | null {
  const at = process.argv.indexOf(flag);
  return at < 0 ? null : (process.argv[at + 1] ?? '');
}

function numberOf(flag: string, otherwise: number): number {
  const value = Number(valueOf(flag) ?? otherwise);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${flag} takes a whole number`);
  return value;
}

async function run(): Promise<Tally> {
  const campaign: Campaign = { say: (line) => process.stdout.write(`${line}\n`), keep: valueOf('--keep') };
  const curated = valueOf('--curated');
  if (curated !== null)
    return tryNamed(
      curatedScenes().filter(({ name }) => name.includes(curated)),
      campaign,
    );
  const only = valueOf('--only');
  if (only !== null) {
    const seeds = only.split(',').map(Number);
    return tryRandom(seeds, seeds.length, campaign);
  }
  return tryRandom(seedsOf(numberOf('--seed', 1)), numberOf('--count', 100), campaign);
}

run().then(
  (tally) => {
    process.stdout.write(`${tally.line()}\n`);
    process.exitCode = tally.tried > 0 && tally.isSound && tally.wrongExposed === 0 ? 0 : 1;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 1;
  },
);
