// How soon a page comes and how soon a restart is seen as done, with real programs. Takes about ten seconds a run:
//   node --require ./test/lab/typescript-hook.cjs test/paging/latency.ts --runs 30 --restarts 20
import { cpus, loadavg } from 'node:os';
import { timePages } from './page-runs';
import { timeRestarts } from './restart-runs';

function numberAfter(flag: string): number {
  const at = process.argv.indexOf(flag);
  const value = at < 0 ? 0 : Number(process.argv[at + 1]);
  if (!Number.isInteger(value) || value < 0) throw new Error(`${flag} takes a whole number`);
  return value;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(): Promise<void> {
  const [runs, restarts] = [numberAfter('--runs'), numberAfter('--restarts')];
  if (runs + restarts === 0) throw new Error('usage: latency.ts [--runs N] [--restarts N]');
  const reports = [];
  if (runs > 0) reports.push(await timePages(runs, say));
  if (restarts > 0) reports.push(await timeRestarts(restarts, say));
  say(`\n${cpus().length} cores, load ${loadavg()[1]?.toFixed(1)} over five minutes, Node ${process.versions.node}`);
  for (const line of reports.flatMap(({ figures }) => figures)) say(line);
  const faults = reports.flatMap((report) => report.faults);
  for (const line of faults) say(`FAULT ${line}`);
  if (faults.length > 0) process.exitCode = 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
