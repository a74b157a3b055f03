import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { seededRandom, type SeededRandom } from '../e2e/seeded-random';
import { fileTargets } from './file-targets';
import { drawn } from './generated';
import { handshakeTargets } from './handshake-targets';
import { hostTargets } from './host-targets';
import { mutated } from './mutate';
import type { Target } from './target';
import { startWatchdog } from './watchdog';

/** One input may take this long, in milliseconds of processor time: far more than any should. */
export const boundMs = 1000;
/** After this the process is ended: an input that never ends can not be told otherwise. */
const hangMs = 60_000;
/** What the heap may have grown from a tenth of the way to its end, in bytes. */
export const growthBytes = 16 * 1024 * 1024;
/** Of a hundred inputs, so many are changed recordings; the others are generated. */
const mutatedShare = 70;
/** Faults after which a run ends: the rest would most likely be the same. */
const maxFaults = 20;

/** Every reader that is tried. */
export const allTargets: readonly Target[] = [...hostTargets, ...handshakeTargets, ...fileTargets];

export interface FuzzOptions {
  readonly seed: number;
  readonly count: number;
  /** The first input; others than 0 are for trying single ones again. */
  readonly from?: number;
  readonly say: (line: string) => void;
  /** Default: all. */
  readonly targets?: readonly Target[];
}

export interface FuzzResult {
  readonly tried: ReadonlyMap<string, number>;
  readonly faults: readonly string[];
  readonly slowestMs: number;
  /** Which input that was. */
  readonly slowest: string;
  /** Bytes of heap in use after a collection, buffers among them, at a tenth, half and the whole of the way. */
  readonly heapBytes: readonly number[];
  readonly seconds: number;
}

/** Tries so many inputs, each made from the seed and its number alone. */
export async function fuzz({ seed, count, from = 0, say, targets = allTargets }: FuzzOptions): Promise<FuzzResult> {
  const collect = collector();
  const watchdog = startWatchdog(hangMs);
  const tried = new Map<string, number>();
  const faults: string[] = [];
  const heapBytes: number[] = [];
  const marks = [Math.floor(count / 10), Math.floor(count / 2), count];
  let [slowestMs, slowest] = [0, ''];
  const begunMs = performance.now();
  try {
    for (let done = 0; done < count && faults.length < maxFaults; done += 1) {
      const index = from + done;
      watchdog.note(index);
      const { target, input, take } = inputOf(targets, seed, index);
      tried.set(target.name, (tried.get(target.name) ?? 0) + 1);
      const fault = await outcome(take);
      if (fault.tookMs > slowestMs) [slowestMs, slowest] = [fault.tookMs, `${target.name} ${index}`];
      if (fault.words !== null) {
        faults.push(
          `${target.name}, --seed ${seed} --from ${index} --count 1: ${fault.words}\n${input.toString('base64')}`,
        );
        say(faults.at(-1) ?? '');
      }
      if (marks.includes(done + 1)) {
        // What is let go of outside of the heap goes in a later turn of the event loop.
        for (let turn = 0; turn < 3; turn += 1) {
          collect();
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        const { heapUsed, external } = process.memoryUsage();
        heapBytes.push(heapUsed + external);
      }
      if ((done + 1) % 50_000 === 0) say(`${done + 1} inputs, ${Math.round((performance.now() - begunMs) / 1000)} s`);
    }
  } finally {
    await watchdog.stop();
  }
  return { tried, faults, slowestMs, slowest, heapBytes, seconds: (performance.now() - begunMs) / 1000 };
}

/** By how much the heap grew between a tenth of the way and its end, in bytes. */
export function growthOf({ heapBytes }: FuzzResult): number {
  return (heapBytes.at(-1) ?? 0) - (heapBytes[0] ?? 0);
}

export function summaryOf(result: FuzzResult): string {
  const total = [...result.tried.values()].reduce((sum, each) => sum + each, 0);
  const heaps = result.heapBytes.map((bytes) => `${(bytes / 1e6).toFixed(1)} MB`).join(', ');
  return (
    `${total} inputs in ${result.seconds.toFixed(0)} s: ${result.faults.length} faults; slowest ${result.slowestMs.toFixed(0)} ms ` +
    `(${result.slowest}); heap after a collection at 10, 50 and 100 %: ${heaps}\n` +
    [...result.tried].map(([name, each]) => `  ${name}: ${each}`).join('\n')
  );
}

interface Made {
  readonly target: Target;
  readonly input: Buffer;
  readonly take: () => Promise<void> | void;
}

function inputOf(targets: readonly Target[], seed: number, index: number): Made {
  // Seeds that lie close together would begin alike.
  const random = seededRandom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
  const target = targetOf(targets, random);
  const isGenerated = random.between(0, 99) >= mutatedShare;
  const input = isGenerated
    ? drawn(target.generated, random.between(0, 2 ** 31 - 1))
    : mutated(random.oneOf(target.corpus), target.corpus, random);
  const takeSeed = random.between(0, 2 ** 31 - 1);
  return { target, input, take: () => target.take(input, seededRandom(takeSeed), isGenerated) };
}

function targetOf(targets: readonly Target[], random: SeededRandom): Target {
  const totalShare = targets.reduce((sum, { share }) => sum + share, 0);
  let left = random.between(0, totalShare - 1);
  for (const target of targets) {
    if (left < target.share) return target;
    left -= target.share;
  }
  throw new Error('no target');
}

/** Another process may have had the processor: an input counts as slow when it is so again, in time of its own. */
async function outcome(take: Made['take']): Promise<{ readonly words: string | null; readonly tookMs: number }> {
  const first = await timed(take);
  if (first.words !== null || first.tookMs < boundMs) return first;
  const again = await timed(take);
  return again.tookMs < boundMs ? again : { ...again, words: `it took ${again.tookMs.toFixed(0)} ms` };
}

async function timed(take: Made['take']): Promise<{ readonly words: string | null; readonly tookMs: number }> {
  const begun = process.cpuUsage();
  const tookMs = (): number => {
    const { user, system } = process.cpuUsage(begun);
    return (user + system) / 1000;
  };
  try {
    await take();
    return { words: null, tookMs: tookMs() };
  } catch (error) {
    return { words: error instanceof Error ? (error.stack ?? error.message) : String(error), tookMs: tookMs() };
  }
}

/** V8's garbage collector, to be called. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
