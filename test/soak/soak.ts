// An hour of a fleet of which a fifth misbehaves: `npm run soak -- --minutes=60 --hosts=500 --kills=10`.
// `--inject=value,since,silence,forget` has something go wrong, to see that it is found: it ends with 1 then, as it should.
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { ensureBuilt } from '../e2e/built-program';
import { soakTable } from './report';
import { runSoak, type SoakOptions } from './run';

function say(line: string): void {
  process.stderr.write(`${new Date().toISOString()} ${line}\n`);
}

async function main(): Promise<void> {
  const flags = new Map(process.argv.slice(2).map((word) => word.replace(/^--/, '').split('=') as [string, string]));
  const number = (name: string, byDefault: number): number => Number(flags.get(name) ?? byDefault);
  const seconds = number('minutes', 60) * 60;
  const periodSeconds = number('period', 40);
  const injected = (flags.get('inject') ?? '').split(',').filter((word) => word !== '') as SoakOptions['injected'];
  ensureBuilt();
  const result = await runSoak({
    seed: number('seed', Math.floor(Math.random() * 2 ** 31)),
    hosts: number('hosts', 500),
    seconds,
    kills: number('kills', 10),
    periodSeconds,
    timeoutSeconds: Math.min(10, periodSeconds),
    staleAfterSeconds: periodSeconds * 3,
    scrapeEverySeconds: Math.min(5, periodSeconds / 8),
    slackSeconds: 15,
    lastLifeSeconds: Math.min(28 * 60, seconds / 2),
    warmUpSeconds: Math.min(3 * 60, seconds / 10),
    betweenSnapshotsSeconds: Math.min(10 * 60, seconds / 6),
    injected,
    withSnapshots: true,
    say,
  });
  const file = flags.get('json') ?? 'soak.json';
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  process.stdout.write(
    `${soakTable(result)}\n${cpus().length} cores, Node.js ${process.versions.node}; written to ${file}\n`,
  );
  process.exitCode = result.faults.length === 0 ? 0 : 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
