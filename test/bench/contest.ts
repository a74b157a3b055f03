import { medianOf } from '../paging/figures';

/** What one round of a contestant took. */
export interface Round {
  readonly probes: number;
  readonly processorSeconds: number;
  readonly elapsedSeconds: number;
}

/** One way of doing the same work. */
export interface Contestant {
  readonly name: string;
  /** Probes in one round, where it can't stand as many as the others. */
  readonly probes?: number;
  run(probes: number): Promise<Round>;
  stop(): Promise<void>;
}

/** The middle, the least and the most of some figures. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export function spreadOf(figures: readonly number[]): Spread {
  if (figures.length === 0) return { median: NaN, least: NaN, most: NaN };
  return { median: medianOf(figures), least: Math.min(...figures), most: Math.max(...figures) };
}

export interface ContestOptions {
  /** Rounds before counting, in which the code gets compiled and connections are made. */
  readonly warmRounds: number;
  readonly rounds: number;
  readonly probes: number;
  readonly say: (line: string) => void;
}

/** Lets contestants take turns, so that whatever else the machine does meets all of them, and stops them. */
export async function takeTurns(
  contestants: readonly Contestant[],
  { warmRounds, rounds, probes, say }: ContestOptions,
): Promise<ReadonlyMap<string, readonly Round[]>> {
  const counted = new Map<string, Round[]>(contestants.map(({ name }) => [name, []]));
  try {
    for (let round = -warmRounds; round < rounds; round++) {
      for (const contestant of contestants) {
        const taken = await contestant.run(contestant.probes ?? probes);
        if (round >= 0) counted.get(contestant.name)?.push(taken);
      }
      say(round < 0 ? 'warming up' : `round ${round + 1} of ${rounds}`);
    }
  } finally {
    await Promise.all(contestants.map((contestant) => contestant.stop()));
  }
  return counted;
}

/** Processor time of the client, in milliseconds a probe, round by round. */
export function processorMs(rounds: readonly Round[]): number[] {
  return rounds.map(({ probes, processorSeconds }) => (processorSeconds / probes) * 1000);
}

/** Time on the clock, in milliseconds a probe, round by round. */
export function elapsedMs(rounds: readonly Round[]): number[] {
  return rounds.map(({ probes, elapsedSeconds }) => (elapsedSeconds / probes) * 1000);
}
