import { readFileSync } from 'node:fs';

/** How many files of each kind this process may have open, so that none takes all that there are. */
export interface OpenFilesShares {
  /** Connections of the web side's clients. */
  readonly web: number;
  /** Probes under way, each with a connection. */
  readonly probes: number;
  /** Connections kept to hosts between their probes. */
  readonly kept: number;
}

/** The web side's part of all. */
const webShare = 1 / 4;
const leastWeb = 16;
/** What the process has open anyway, the state file, keys and what it reads for a reload. */
const own = 32;
const leastProbes = 4;

/**
 * Shares out the files that this process may have open. A process without a free descriptor can take no
 * connection, so that /metrics would not answer, and read no key: that must not be for want of a bound on probes.
 */
export function shareOpenFiles(limit = openFilesLimit()): OpenFilesShares {
  if (limit === Infinity) return { web: Infinity, probes: Infinity, kept: Infinity };
  const web = Math.max(leastWeb, Math.floor(limit * webShare));
  const rest = limit - web - own;
  const kept = Math.max(0, Math.floor(rest / 2));
  return { web, probes: Math.max(leastProbes, rest - kept), kept };
}

/** How many files this process may have open; Infinity where the system tells no bound: proc(5), /proc/[pid]/limits. */
export function openFilesLimit(read: () => string = readLimits): number {
  const line = read()
    .split('\n')
    .find((text) => text.startsWith('Max open files'));
  const soft = Number(line?.split(/\s+/)[3] ?? NaN);
  // "unlimited", or a system without /proc.
  return Number.isNaN(soft) ? Infinity : soft;
}

function readLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return '';
  }
}
