import { readFileSync } from 'node:fs';

/** What part of the files that this process may have open its web side may take: the rest is for probes. */
const share = 4;

/** How many connections the web side may have by the process' own limit; proc(5), /proc/[pid]/limits. */
export function shareOfOpenFiles(read: () => string = readLimits): number {
  const line = read()
    .split('\n')
    .find((text) => text.startsWith('Max open files'));
  const soft = Number(line?.split(/\s+/)[3] ?? NaN);
  // "unlimited", or a system without /proc.
  return Number.isNaN(soft) ? Infinity : Math.max(16, Math.floor(soft / share));
}

function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return '';
  }
}
