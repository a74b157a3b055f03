import { readLines, readNumber } from '../report/fields';
import { isAfterBoot } from './boot-time';
import { elsewhere, type Signal } from './signal';

/**
 * The C library on Arch and Alpine, whose package managers tell of no time that a package was installed at, or to root
 * alone: the time of change (ctime) of the library is when its package put it there, for both rename a new file to it.
 * As with dpkg's and rpm's, only a restart takes the old one out of use: process 1 has it too.
 */
export const libc: Signal = {
  name: 'libc',
  reason: 'library',
  summary: 'Arch and Alpine: the C library was replaced after this boot.',
  script: `
  set --
  if [ -d "$R/var/lib/pacman/local" ]; then set -- "$R/usr/lib/libc.so.6"
  elif [ -e "$R/lib/apk/db/installed" ]; then set -- "$R"/lib/ld-musl-*.so.1
  fi
  [ "$#" != 0 ] || return 4
  stat -c 'replaced=%Z %n' "$@"
  `,
  judge(section, context) {
    const { os, machine } = context.facts;
    const names = [os.id, ...os.like];
    if (!names.includes('arch') && !names.includes('alpine')) return elsewhere('this is neither Arch nor Alpine');
    const name = names.includes('alpine') ? 'musl' : 'glibc';
    const line = readLines(section, 10).find((text) => text.startsWith('replaced='));
    const atSeconds = readNumber(line?.slice('replaced='.length).split(' ', 1)[0]);
    if (atSeconds === null) return { says: 'unknown', because: `when ${name} was replaced could not be read` };
    const isNewer = isAfterBoot(atSeconds, context.bootTime);
    if (isNewer === null) return { says: 'unknown', because: `whether ${name} is older than this boot is not certain` };
    if (isNewer) {
      return {
        says: 'required',
        because: `${name} was replaced after this boot`,
        since: [{ atSeconds, evidence: 'package' }],
        packages: [name],
      };
    }
    // Outside a container this sees too little to speak for the kernel as well.
    return { says: machine.container === null ? 'silent' : 'not_required', because: `${name} is older than this boot` };
  },
};
