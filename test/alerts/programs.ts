import { execFileSync, type ExecFileSyncOptions } from 'node:child_process';

/** How to get each program that these tests call. */
const packages = {
  promtool: 'apt-get install prometheus, or the archive of https://prometheus.io/download/',
  prometheus: 'apt-get install prometheus, or the archive of https://prometheus.io/download/',
  amtool: 'apt-get install prometheus-alertmanager, or the archive of https://prometheus.io/download/',
  alertmanager: 'apt-get install prometheus-alertmanager, or the archive of https://prometheus.io/download/',
} as const;

export type Program = keyof typeof packages;

/** Debian calls the server by another name than its own archive does. */
const names: Record<Program, readonly string[]> = {
  promtool: ['promtool'],
  prometheus: ['prometheus'],
  amtool: ['amtool'],
  alertmanager: ['prometheus-alertmanager', 'alertmanager'],
};

/**
 * `describe` for tests that call real programs. Where one is missing they are
 * skipped with a line that says how to get it; never where CI runs them.
 */
export function describeWith(programs: readonly Program[], title: string, body: () => void): void {
  const missing = programs.filter((program) => find(program) === null);
  if (missing.length === 0) {
    describe(title, body);
    return;
  }
  const message = missing.map((program) => `${program} is missing: ${packages[program]}`).join('; ');
  if (process.env['CI'] === 'true') {
    throw new Error(message);
  }
  process.stderr.write(`Skipped "${title}": ${message}\n`);
  describe.skip(title, body);
}

/** @throws Error when the program is not installed. */
export function pathOf(program: Program): string {
  const found = find(program);
  if (found === null) {
    throw new Error(`${program} is missing: ${packages[program]}`);
  }
  return found;
}

/** Runs a program to its end. @throws Error with all that it printed when it exits with another status than 0. */
export function run(program: Program, args: readonly string[], options: ExecFileSyncOptions = {}): string {
  try {
    return execFileSync(pathOf(program), args, { encoding: 'utf8', stdio: 'pipe', ...options }).toString();
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(' ')} failed:\n${stdout ?? ''}${stderr ?? ''}`, { cause: error });
  }
}

function find(program: Program): string | null {
  for (const name of names[program]) {
    try {
      return execFileSync('sh', ['-c', `command -v ${name}`], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim();
    } catch {
      continue;
    }
  }
  return null;
}
