import { spawn } from 'node:child_process';

/** What a finished program left behind. */
export interface ProgramResult {
  /** Exit status; null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run a program. */
export interface RunOptions {
  /** Written to its standard input, which is then closed. Default: nothing. */
  readonly input?: string | Buffer;
  /** SIGKILL after this many milliseconds. Default: 30 s. */
  readonly timeoutMilliseconds?: number;
  readonly env?: NodeJS.ProcessEnv;
}

/** A program that the lab cannot do without has failed. */
export class ProgramError extends Error {
  constructor(
    readonly argv: readonly string[],
    readonly result: ProgramResult,
  ) {
    const ending = result.signal === null ? `exit ${result.code}` : result.signal;
    super(`${argv.join(' ')}: ${ending}: ${result.stderr.trim() || result.stdout.trim() || 'no output'}`);
    this.name = 'ProgramError';
  }
}

/** Runs a program to its end. Rejects only when it cannot be started. */
export function runProgram(argv: readonly string[], options: RunOptions = {}): Promise<ProgramResult> {
  const [command, ...rest] = argv;
  if (command === undefined) {
    return Promise.reject(new Error('no program named'));
  }
  return new Promise((resolve, reject) => {
    const child = spawn(command, rest, { stdio: 'pipe', ...(options.env === undefined ? {} : { env: options.env }) });
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMilliseconds ?? 30_000);
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    // A program that does not read its input closes the pipe early: that is its affair, the exit status tells.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() });
    });
  });
}

/**
 * Runs a program that has to succeed, and returns its standard output.
 * @throws ProgramError when it fails.
 */
export async function mustRun(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await runProgram(argv, options);
  if (result.code !== 0) {
    throw new ProgramError(argv, result);
  }
  return result.stdout;
}
