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
  /** The release that the boot loader is told to boot, whatever else is installed; Proxmox only. null: none is. */
  readonly pinned: string | null;
}

/**
 * `proxmox-boot-tool kernel pin` keeps the release in the first file, with `--next-boot` in the second; where GRUB boots
 * without its help, it writes a menu entry into the third: bin/proxmox-boot-tool and proxmox-boot/functions.
 */
const pinFiles = [
  'etc/kernel/next-boot-pin',
  'etc/kernel/proxmox-boot-pin',
  'etc/default/grub.d/proxmox-kernel-pin.cfg',
];

export const kernel: Reading<RunningKernel> = {
  name: 'kernel',
  script: `
  line release "$R/proc/sys/kernel/osrelease"
  line version "$R/proc/sys/kernel/version"
  [ ! -e "$R/proc/version_signature" ] || line signature "$R/proc/version_signature"
  for file in ${pinFiles.join(' ')}; do
    [ ! -s "$R/$file" ] || line pin "$R/$file"
  done
  `,
  parse(section) {
    const fields = readFields(section);
    return {
      release: word(fields.get('release')),
      version: word(fields.get('version')),
      signature: word(fields.get('signature')),
      pinned: pinnedRelease(fields.get('pin')),
    };
  },
};

function word(text: string | undefined): string | null {
  return text === undefined || text === '' ? null : cleanText(text, 256);
}

/** A release, or an entry of GRUB's menu: `GRUB_DEFAULT="gnulinux-advanced-UUID>gnulinux-6.8.12-4-pve-advanced-UUID"`. */
function pinnedRelease(text: string | undefined): string | null {
  if (text === undefined) return null;
  const entry =
    /gnulinux-([0-9][0-9a-z.+~-]{0,100}?)-advanced/.exec(text) ?? /with Linux ([0-9][0-9a-z.+~-]{0,100})/.exec(text);
  return word(entry === null ? text.trim() : (entry[1] ?? ''));
}
