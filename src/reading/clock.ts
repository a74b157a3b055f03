import { readFields, readNumber } from '../report/fields';
import type { Reading } from './reading';

/** The host's own clock, at the moment of the probe. */
export interface Clock {
  /** Unix time in seconds, with a fraction where the host's `date` has one; null when it could not be read. */
  readonly nowSeconds: number | null;
}

/** GNU date prints nanoseconds for %N, BusyBox the bare format: the whole seconds are good either way. */
export const clock: Reading<Clock> = {
  name: 'clock',
  script: `
  printf 'date='; date +%s.%N
  `,
  parse(section) {
    const text = readFields(section).get('date') ?? '';
    return { nowSeconds: readNumber(text) ?? readNumber(text.split('.', 1)[0]) };
  },
};
