// Everything that reads what hosts, files and requests hold, tried with recordings that were changed byte by byte and
// with generated pieces of each format.
//   npm run fuzz:reports -- --seed 7 --count 1000000
//   npm run fuzz:reports -- --seed 7 --from 123456 --count 1     one input again
import { boundMs, fuzz, growthBytes, growthOf, summaryOf } from './campaign';

function numberOf(flag: string, otherwise: number): number {
  const at = process.argv.indexOf(flag);
  const value = Number(at < 0 ? otherwise : process.argv[at + 1]);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${flag} takes a whole number`);
  return value;
}

async function run(): Promise<number> {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const count = numberOf('--count', 100_000);
  const result = await fuzz({ seed: numberOf('--seed', 1), from: numberOf('--from', 0), count, say });
  say(summaryOf(result));
  const grew = growthOf(result);
  if (count >= 10_000 && grew > growthBytes) {
    say(`the heap grew by ${grew} bytes`);
    return 1;
  }
  return result.faults.length === 0 && result.slowestMs < boundMs ? 0 : 1;
}

run().then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exitCode = 1;
  },
);
