/** How durations are spread, in seconds. */
export interface Spread {
  readonly count: number;
  readonly median: number;
  readonly worst: number;
}

export function spreadOf(seconds: readonly number[]): Spread {
  const sorted = [...seconds].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
  return { count: sorted.length, median, worst: sorted.at(-1) ?? NaN };
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
