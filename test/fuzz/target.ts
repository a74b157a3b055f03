import type fc from 'fast-check';
import type { SeededRandom } from '../e2e/seeded-random';

/** A reader of something that may be hostile or broken, and what to try it with. */
export interface Target {
  readonly name: string;
  /** How many of a hundred inputs or so it gets. */
  readonly share: number;
  /** Recorded inputs, to be changed. */
  readonly corpus: readonly Buffer[];
  /** Inputs of pieces of the format. */
  readonly generated: fc.Arbitrary<Buffer>;
  /** Reads one input. @throws Error when what comes out is not as it must be; a fault of the input is no error. */
  take(input: Buffer, random: SeededRandom, isGenerated: boolean): Promise<void> | void;
}
