/** What an exporter's process held at one scrape, in bytes. */
export interface MemorySample {
  readonly atMs: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
  readonly externalBytes: number;
}

/** How the memory of one exporter went from its start to its end, once it was warm. */
export interface MemoryCourse {
  readonly lifeSeconds: number;
  /** Samples after the warm-up. */
  readonly samples: number;
  readonly resident: Course;
  readonly heap: Course;
  readonly external: Course;
}

/** Megabytes (10⁶ bytes). The heap is told by its lowest values of each half minute, just after a collection. */
export interface Course {
  readonly firstMegabytes: number;
  readonly lastMegabytes: number;
  /** Slope of the line of least squares. */
  readonly megabytesPerHour: number;
}

/** A straight line through points, by least squares. @returns its slope; 0 for fewer than two points. */
export function slopeOf(points: readonly (readonly [number, number])[]): number {
  const count = points.length;
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / count;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / count;
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  if (count < 2 || spread === 0) return 0;
  return points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread;
}

/** The slope of bytes against milliseconds, in megabytes an hour. */
export function megabytesPerHour(points: readonly (readonly [number, number])[]): number {
  return round((slopeOf(points) * 3600_000) / 1e6);
}

/** The part of a life in which memory counts. */
export interface CourseBounds {
  readonly sinceMs: number;
  readonly warmUpMs: number;
  /** Until when nothing but its work took memory; the heap and what it holds outside count to the end of the life. */
  readonly undisturbedUntilMs: number;
}

/** Null where the life was too short to say. */
export function courseOf(
  samples: readonly MemorySample[],
  { sinceMs, warmUpMs, undisturbedUntilMs }: CourseBounds,
): MemoryCourse | null {
  const warm = samples.filter(({ atMs }) => atMs - sinceMs >= warmUpMs);
  const last = warm.at(-1);
  const undisturbed = warm.filter(({ atMs }) => atMs < undisturbedUntilMs);
  if (last === undefined || undisturbed.length < 8) return null;
  const course = (of: readonly MemorySample[], bytesOf: (sample: MemorySample) => number, windowMs: number): Course => {
    const lows = lowest(of, bytesOf, windowMs);
    const quarter = Math.max(1, Math.floor(lows.length / 4));
    const mean = (part: readonly (readonly [number, number])[]): number =>
      part.reduce((sum, [, bytes]) => sum + bytes, 0) / part.length / 1e6;
    return {
      firstMegabytes: round(mean(lows.slice(0, quarter))),
      lastMegabytes: round(mean(lows.slice(-quarter))),
      megabytesPerHour: megabytesPerHour(lows),
    };
  };
  return {
    lifeSeconds: Math.round((last.atMs - sinceMs) / 1000),
    samples: warm.length,
    resident: course(undisturbed, ({ residentBytes }) => residentBytes, 1),
    heap: course(warm, ({ heapBytes }) => heapBytes, 30_000),
    external: course(warm, ({ externalBytes }) => externalBytes, 30_000),
  };
}

/** The lowest value of each stretch: what is held, without what waits to be collected. */
function lowest(
  samples: readonly MemorySample[],
  bytesOf: (sample: MemorySample) => number,
  windowMs: number,
): (readonly [number, number])[] {
  const lows = new Map<number, readonly [number, number]>();
  for (const sample of samples) {
    const window = Math.floor(sample.atMs / windowMs);
    const low = lows.get(window);
    const bytes = bytesOf(sample);
    if (low === undefined || bytes < low[1]) lows.set(window, [sample.atMs, bytes]);
  }
  return [...lows.values()];
}

function round(megabytes: number): number {
  return Math.round(megabytes * 100) / 100;
}

/** What is wrong with a course, in words; null: it is flat. */
export function growthOf({ resident, heap, external }: MemoryCourse, tolerance: number): string | null {
  const grown = Object.entries({ resident, heap, external }).filter(
    // A few megabytes are what a collector leaves lying, whatever the size of the fleet.
    ([, { firstMegabytes, lastMegabytes }]) => lastMegabytes > firstMegabytes * (1 + tolerance) + 3,
  );
  if (grown.length === 0) return null;
  return grown
    .map(([what, { firstMegabytes, lastMegabytes }]) => `${what} grew from ${firstMegabytes} to ${lastMegabytes} MB`)
    .join(', ');
}
