import { cleanText, readFields, readNumber } from '../report/fields';
import type { Reading } from './reading';

/** A restart that somebody has already scheduled with shutdown(8). */
export interface Scheduled {
  /** Unix time in seconds; null when nothing is scheduled or it can't be told. */
  readonly atSeconds: number | null;
  /** `reboot`, `poweroff`, … as systemd-logind writes it. */
  readonly mode: string | null;
}

export const scheduled: Reading<Scheduled> = {
  name: 'scheduled',
  script: `
  [ ! -e "$R/run/systemd/shutdown/scheduled" ] || cat "$R/run/systemd/shutdown/scheduled"
  `,
  parse(section) {
    const fields = readFields(section);
    const microseconds = readNumber(fields.get('USEC'));
    const mode = fields.get('MODE');
    if (microseconds === null || microseconds === 0) return { atSeconds: null, mode: null };
    return { atSeconds: Math.floor(microseconds / 1e6), mode: mode === undefined ? null : cleanText(mode, 20) };
  },
};
