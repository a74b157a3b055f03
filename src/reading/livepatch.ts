import { cleanText, readLines } from '../report/fields';
import type { Reading } from './reading';

/** A live patch of the running kernel. */
export interface LoadedPatch {
  /** Name of its module: `lkp_Ubuntu_6_8_0_45_45_generic_106`, `kpatch_5_14_0_427_13_1_1_2`, `livepatch_3`. */
  readonly name: string;
  /** The patched code runs, and no task is left in the old one. */
  readonly isApplied: boolean;
}

/** Live patches, as far as everybody may see them: the kernel's Documentation/ABI/testing/sysfs-kernel-livepatch. */
export interface LivepatchFacts {
  readonly patches: readonly LoadedPatch[];
  /** Canonical's client is installed; what it says of its patches is root's to ask. */
  readonly hasCanonicalClient: boolean;
}

export const livepatch: Reading<LivepatchFacts> = {
  name: 'livepatch',
  script: `
  for folder in "$R"/sys/kernel/livepatch/*; do
    [ -d "$folder" ] || continue
    enabled='' transition=0
    read -r enabled <"$folder/enabled"
    [ ! -r "$folder/transition" ] || read -r transition <"$folder/transition"
    printf 'patch=%s %s %s\\n' "$enabled" "$transition" "\${folder##*/}"
  done
  if [ -d "$R/snap/canonical-livepatch" ] || [ -d "$R/var/snap/canonical-livepatch" ]; then echo client=canonical; fi
  true
  `,
  parse(section) {
    const lines = readLines(section, maxPatches);
    const patches: LoadedPatch[] = [];
    for (const line of lines) {
      const found = /^patch=([01]?) ([01]) (.{1,200})$/.exec(line);
      if (found === null) continue;
      patches.push({ name: cleanText(found[3] ?? '', 128), isApplied: found[1] === '1' && found[2] === '0' });
    }
    return { patches, hasCanonicalClient: lines.includes('client=canonical') };
  },
};

const maxPatches = 100;
