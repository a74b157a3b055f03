/** Random choices from a seed: the same seed gives the same rulesets everywhere. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** 0 to 1, by mulberry32. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** From `first` to `last`, both possible. */
  integer(first: number, last: number): number {
    return first + Math.floor(this.next() * (last - first + 1));
  }

  pick<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.next() * items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  /** Some of the items, in their order. */
  some<T>(items: readonly T[], atMost: number): readonly T[] {
    const wanted = this.integer(1, Math.min(atMost, items.length));
    const chosen = new Set<T>();
    while (chosen.size < wanted) chosen.add(this.pick(items));
    return items.filter((item) => chosen.has(item));
  }

  /** A branch by weight. */
  weighted<T>(branches: readonly (readonly [number, () => T])[]): T {
    let at = this.next() * branches.reduce((total, [weight]) => total + weight, 0);
    for (const [weight, make] of branches) {
      at -= weight;
      if (at < 0) return make();
    }
    return this.pick(branches)[1]();
  }
}
