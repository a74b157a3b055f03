import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describeWithLab } from '../lab/describe-with-lab';
import { until } from '../e2e/until';

jest.setTimeout(60_000);

/** All processes below one, by their numbers and when each was started, so that a number that is used again is another. */
function below(pid: number): readonly string[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8')
      .split(' ')
      .filter((child) => child !== ''),
  );
  return children.flatMap((child) => [`${child} ${startOf(child)}`, ...below(Number(child))]);
}

function startOf(pid: string): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')')).split(' ')[20] ?? '';
}

function isThere(process: string): boolean {
  const [pid = '', start] = process.split(' ');
  return existsSync(`/proc/${pid}`) && startOf(pid) === start;
}

describeWithLab('a run of random rulesets that is ended', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
    'by %s leaves no process behind, and so no namespace',
    async (signal) => {
      const hook = join(__dirname, '..', 'lab', 'typescript-hook.cjs');
      const argv = ['--require', hook, join(__dirname, 'fuzz.ts'), '--count', '1000'];
      const run = spawn(process.execPath, argv, { stdio: 'ignore' });
      const ended = once(run, 'exit');
      try {
        // Three that hold the namespaces, each with a program below it, and three agents.
        const started = await until(30, () => {
          const found = below(run.pid ?? 0);
          expect(found.length).toBeGreaterThanOrEqual(6);
          return found;
        });
        run.kill(signal);
        await ended;
        await until(10, () => expect(started.filter(isThere)).toEqual([]));
      } finally {
        run.kill('SIGKILL');
      }
    },
  );
});
