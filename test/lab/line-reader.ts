import type { ChildProcess } from 'node:child_process';

/** Waits for a line of a child's standard output that a test accepts. */
export type AwaitLine = (accepts: (line: string) => boolean) => Promise<string>;

/**
 * Reads a child's standard output line by line. One waiter at a time; lines that none waits for are kept.
 * The promise rejects when the child ends first.
 */
export function lineReader(child: ChildProcess): AwaitLine {
  const lines: string[] = [];
  let rest = '';
  let ended: Error | undefined;
  let wake: () => void = () => undefined;
  child.stdout?.setEncoding('utf8');
  child.stdout?.on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    wake();
  });
  const end = (why: string): void => {
    ended ??= new Error(why);
    wake();
  };
  child.on('error', (error) => end(error.message));
  child.on('close', (code, signal) => end(`ended with ${signal ?? `status ${code}`}`));
  return async (accepts) => {
    for (;;) {
      while (lines.length > 0) {
        const line = lines.shift() ?? '';
        if (accepts(line)) {
          return line;
        }
      }
      if (ended !== undefined) {
        throw ended;
      }
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
}
