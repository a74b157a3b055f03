/** How durations are spread, in seconds. */
export interface Spread {
  readonly count: number;
  readonly median: number;
  readonly worst: number;
}

export function spreadOf(seconds: readonly number[]): Spread {
  return { count: seconds.length, median: medianOf(seconds), worst: seconds.length > 0 ? Math.max(...seconds) : NaN };
}

export function medianOf(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

export function inWords({ count, median, worst }: Spread): string {
  if (count === 0) return 'never';
  return `${count} times, median ${median.toFixed(2)} s, worst ${worst.toFixed(2)} s`;
}

/** What a run found out: its figures in lines, and what should not have been. */
export interface RunReport {
  readonly figures: readonly string[];
  readonly faults: readonly string[];
}
