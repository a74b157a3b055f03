/** Random choices that are the same for the same seed. */
export interface SeededRandom {
  /** A number of [0, 1). */
  fraction(): number;
  /** A whole number of [from, to]. */
  between(from: number, to: number): number;
  /** One of them. */
  oneOf<T>(choices: readonly T[]): T;
  /** So many of them, each at most once. */
  some<T>(choices: readonly T[], count: number): T[];
}

/** mulberry32 by Tommy Ettinger, in the public domain: 32 bits of state, good enough to choose tests by. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (from: number, to: number): number => from + Math.floor(fraction() * (to - from + 1));
  return {
    fraction,
    between,
    oneOf(choices) {
      const chosen = choices[between(0, choices.length - 1)];
      if (chosen === undefined) throw new Error('nothing to choose from');
      return chosen;
    },
    some(choices, count) {
      const left = [...choices];
      const chosen = [];
      while (left.length > 0 && chosen.length < count) chosen.push(...left.splice(between(0, left.length - 1), 1));
      return chosen;
    },
  };
}

/** The seed of this run: `E2E_SEED`, or one that is told so that a failure can be had again. */
export function seedOfRun(): number {
  const given = process.env['E2E_SEED'];
  return given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
}
