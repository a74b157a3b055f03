import type { ChildProcess } from 'node:child_process';

interface Referable {
  ref?(): void;
  unref?(): void;
}

/**
 * Whether a child keeps the test process alive. Hosts and listeners live as long as the test process does, so they
 * must not be a reason for it to stay; but while one waits for their answer it must not end either.
 */
export function keepsAlive(child: ChildProcess, keeps: boolean): void {
  const parts: (Referable | null)[] = [child, child.stdin, child.stdout, child.stderr] as (Referable | null)[];
  parts.forEach((part) => (keeps ? part?.ref?.() : part?.unref?.()));
}
