import { createInterface } from 'node:readline';

/** For each line "change" on standard input makes the next round's change; after each line prints the processor seconds so far. */
export async function serveChanges(change: (round: number) => void): Promise<void> {
  let round = 0;
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === 'change') change(round++);
    const { user, system } = process.cpuUsage();
    process.stdout.write(`${JSON.stringify({ processorSeconds: (user + system) / 1e6 })}\n`);
  }
}
