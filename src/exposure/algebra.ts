import { type RangeSet, intersect, subtract, union } from './ranges';

/**
 * The same few large sets are cut with the same few flows again and again, once for each port, address and interface that
 * is tried: results are kept by identity.
 */
export class Algebra {
  private readonly cuts = new WeakMap<RangeSet, WeakMap<RangeSet, RangeSet>>();
  private readonly rests = new WeakMap<RangeSet, WeakMap<RangeSet, RangeSet>>();
  private readonly sums = new WeakMap<RangeSet, WeakMap<RangeSet, RangeSet>>();

  constructor(private readonly spend: (operations: number) => void) {}

  intersect(a: RangeSet, b: RangeSet): RangeSet {
    return this.remembered(this.cuts, a, b, intersect);
  }

  subtract(a: RangeSet, b: RangeSet): RangeSet {
    return this.remembered(this.rests, a, b, subtract);
  }

  union(a: RangeSet, b: RangeSet): RangeSet {
    return a === b ? a : this.remembered(this.sums, a, b, union);
  }

  private remembered(
    memory: WeakMap<RangeSet, WeakMap<RangeSet, RangeSet>>,
    a: RangeSet,
    b: RangeSet,
    operation: (a: RangeSet, b: RangeSet) => RangeSet,
  ): RangeSet {
    const size = a.length + b.length;
    if (size <= 16) {
      this.spend(1);
      return operation(a, b);
    }
    let row = memory.get(a);
    if (row === undefined) memory.set(a, (row = new WeakMap()));
    const found = row.get(b);
    if (found !== undefined) return found;
    this.spend(size);
    const result = operation(a, b);
    row.set(b, result);
    return result;
  }
}
