import { cleanText, readFields } from '../report/fields';
import type { Reading } from './reading';

/** Which distribution the host runs: os-release(5). */
export interface OperatingSystem {
  /** `ID`, for instance `debian`; null when the file could not be read. */
  readonly id: string | null;
  /** `ID_LIKE`, the families it belongs to. */
  readonly like: readonly string[];
  readonly versionId: string | null;
  readonly prettyName: string | null;
}

export const os: Reading<OperatingSystem> = {
  name: 'os',
  script: `
  file="$R/etc/os-release" lines=0
  [ -r "$file" ] || file="$R/usr/lib/os-release"
  [ -r "$file" ] || return 1
  while [ "$lines" -lt 200 ] && { IFS= read -r text || [ -n "$text" ]; }; do
    lines=$((lines + 1))
    printf '%s\\n' "$text"
  done <"$file"
  `,
  parse(section) {
    const fields = readFields(section);
    return {
      id: value(fields.get('ID')),
      like: (value(fields.get('ID_LIKE')) ?? '').split(' ').filter((word) => word !== ''),
      versionId: value(fields.get('VERSION_ID')),
      prettyName: value(fields.get('PRETTY_NAME')),
    };
  },
};

/** Values may be in shell quotes; distributions use no escapes in these four. */
function value(text: string | undefined): string | null {
  if (text === undefined) return null;
  const bare = text.trim().replace(/^(["'])([^"']*)\1$/, '$2');
  return bare === '' ? null : cleanText(bare, 120);
}
