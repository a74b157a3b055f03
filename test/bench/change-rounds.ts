import { createInterface } from 'node:readline';

/** What changes in a round. */
export interface Rounds {
  /** Has at hand what the next change sets, as the alternatives have their values: a probe is not part of a scrape. */
  readonly prepare?: (round: number) => void;
  readonly change: (round: number) => void;
}

/** Answers the lines "prepare", "change" and "cpu" on standard input, each with the processor seconds so far. */
export async function serveChanges({ prepare, change }: Rounds): Promise<void> {
  let round = 0;
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === 'prepare') prepare?.(round);
    if (line === 'change') change(round++);
    const { user, system } = process.cpuUsage();
    process.stdout.write(`${JSON.stringify({ processorSeconds: (user + system) / 1e6 })}\n`);
  }
}
