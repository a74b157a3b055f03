import { readFields, readNumber } from '../report/fields';
import type { Reading } from './reading';

/** The host's own clock, at the moment of the probe. */
export interface Clock {
  /** Unix time in seconds, with a fraction where the host's `date` has one; null when it could not be read. */
  readonly nowSeconds: number | null;
  /** How far the time zone of the host's settings is east of UTC now, in seconds; null when it could not be read. */
  readonly zoneSeconds: number | null;
}

/** GNU date prints nanoseconds for %N, BusyBox the bare format: the whole seconds are good either way. */
export const clock: Reading<Clock> = {
  name: 'clock',
  script: `
  printf 'date='; date '+%s.%N %z'
  `,
  parse(section) {
    const [time = '', zone = ''] = (readFields(section).get('date') ?? '').split(' ');
    return { nowSeconds: readNumber(time) ?? readNumber(time.split('.', 1)[0]), zoneSeconds: offsetOf(zone) };
  },
};

/** `+0130` is an hour and a half east. */
function offsetOf(zone: string): number | null {
  const [, sign, hours, minutes] = /^([+-])([0-9]{2})([0-5][0-9])$/.exec(zone) ?? [];
  if (hours === undefined || minutes === undefined) return null;
  const seconds = Number(hours) * 3600 + Number(minutes) * 60;
  return sign === '-' && seconds !== 0 ? -seconds : seconds;
}
