import { cleanText, readFields } from '../report/fields';
import type { Reading } from './reading';

/** The kernel that runs. */
export interface RunningKernel {
  /** `uname -r`, for instance `6.1.0-27-amd64`. */
  readonly release: string | null;
  /** `uname -v`; on Debian it ends with the package's version. */
  readonly version: string | null;
  /** /proc/version_signature, Ubuntu only: `Ubuntu 6.8.0-45.45-generic 6.8.12`. */
  readonly signature: string | null;
}

export const kernel: Reading<RunningKernel> = {
  name: 'kernel',
  script: `
  line release "$R/proc/sys/kernel/osrelease"
  line version "$R/proc/sys/kernel/version"
  [ ! -e "$R/proc/version_signature" ] || line signature "$R/proc/version_signature"
  `,
  parse(section) {
    const fields = readFields(section);
    return {
      release: word(fields.get('release')),
      version: word(fields.get('version')),
      signature: word(fields.get('signature')),
    };
  },
};

function word(text: string | undefined): string | null {
  return text === undefined || text === '' ? null : cleanText(text, 256);
}
