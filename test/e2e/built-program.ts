import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { seenWhole } from '../secrets/seen';
import { runProgram, type ProgramResult, type RunOptions } from '../lab/program';

/** The project's folder. */
export const projectFolder = join(__dirname, '../..');
/** The program as it is shipped. */
export const builtProgram = join(projectFolder, 'dist/main.js');

/** An incremental build leaves what has not changed as it was, so a fresh one is marked by the time of main.js. */
const buildProgram = String.raw`
cd "$1"
if [ ! -e dist/main.js ] || [ -n "$(find src -name '*.ts' ! -name '*.test.ts' -newer dist/main.js)" ]; then
  "$2" node_modules/typescript/bin/tsc -p tsconfig.build.json && touch dist/main.js
fi
`;

/**
 * Builds the program when it is missing or older than its source. Test files run side by side: one builds and the
 * others wait for its lock, which is on a file that is there anyway.
 * @throws Error with what the compiler says.
 */
export function ensureBuilt(): void {
  const argv = [join(projectFolder, 'tsconfig.build.json'), 'sh', '-c', buildProgram, 'build', projectFolder];
  const built = spawnSync('flock', [...argv, process.execPath], { encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`the program could not be built: ${built.stdout}${built.stderr}`);
}

/** Runs the built program to its end, as from a shell in `folder`. */
export async function runBuilt(
  folder: string,
  argv: readonly string[],
  options: RunOptions = {},
): Promise<ProgramResult> {
  const inFolder = ['sh', '-c', 'cd "$1"; shift; exec "$@"', 'run', folder];
  const result = await runProgram([...inFolder, process.execPath, builtProgram, ...argv], options);
  seenWhole(`output of ${argv[0] ?? ''}`, `${result.stdout}\n${result.stderr}`);
  return result;
}
