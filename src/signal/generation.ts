import { cleanText, readLines, readNumber } from '../report/fields';
import type { Section } from '../report/section';
import { elsewhere, type Finding, type Signal, type SinceCandidate } from './signal';

/** What a restart alone replaces. The rest of a generation is switched to as it is made. */
const parts = ['kernel', 'initrd', 'kernel-modules'] as const;

/**
 * NixOS: the system that was booted against the one that will be, by where three of its links lead. The whole closure
 * would ask for a restart after any change of settings. Both are made so by nixos/modules/system/activation/top-level.nix
 * and stage-2; `nixos-rebuild boot` and `switch` alike set the profile.
 */
export const generation: Signal = {
  name: 'generation',
  summary:
    'NixOS: kernel, initrd or kernel modules of `/run/booted-system` are not those of `/nix/var/nix/profiles/system`.',
  script: `
  [ -L "$R/run/booted-system" ] || return 4
  profile="$R/nix/var/nix/profiles/system"
  set --
  for folder in "$R/run/booted-system" "$profile" "$profile"/specialisation/*; do
    for part in ${parts.join(' ')}; do set -- "$@" "$folder/$part"; done
  done
  stat -c 'link=%Y %N' "$profile" "$@"
  true
  `,
  judge(section, context) {
    const { os, machine } = context.facts;
    if (os.id !== 'nixos' && section?.status !== 0) return elsewhere('this is not NixOS');
    if (machine.container !== null) {
      return { says: 'silent', because: `a ${machine.container} container runs its host's kernel` };
    }
    return judgeLinks(parseLinks(section));
  },
};

interface Link {
  readonly target: string;
  /** Unix time in seconds; in the store, all files have the same. */
  readonly modifiedSeconds: number | null;
}

/** GNU and BusyBox' stat print a link as `'NAME' -> 'TARGET'`. */
function parseLinks(section: Section | undefined): ReadonlyMap<string, Link> {
  const links = new Map<string, Link>();
  for (const line of readLines(section, 1000)) {
    const [names, target] = line.split("' -> '");
    if (names === undefined || target === undefined || !names.startsWith('link=')) continue;
    const [time, path] = names.slice('link='.length).split(" '");
    if (path === undefined) continue;
    // Below a folder that stands for the root, in tests, paths are longer.
    const from = Math.max(path.indexOf('/run/booted-system'), path.indexOf('/nix/var/nix/profiles/system'));
    if (from === -1) continue;
    const bare = target.endsWith("'") ? target.slice(0, -1) : target;
    links.set(path.slice(from), { target: cleanText(bare, 500), modifiedSeconds: readNumber(time) });
  }
  return links;
}

const profile = '/nix/var/nix/profiles/system';

function judgeLinks(links: ReadonlyMap<string, Link>): Finding {
  const booted = systemIn(links, '/run/booted-system');
  const next = systemIn(links, profile);
  if (booted === null || next === null) {
    return { says: 'unknown', because: 'the booted and the current system of NixOS could not be compared' };
  }
  // A specialisation is booted by choice from the menu, and has a kernel of its own in the same generation.
  const folders = [...links.keys()].filter((path) => path.startsWith(`${profile}/specialisation/`));
  const specialised = [...new Set(folders.map((path) => path.slice(0, path.lastIndexOf('/'))))];
  const choices = [next, ...specialised.map((folder) => systemIn(links, folder))];
  if (choices.some((choice) => choice !== null && parts.every((part) => choice.get(part) === booted.get(part)))) {
    return { says: 'not_required', because: `${storeName(booted.get('kernel'))} was booted and is the current one` };
  }
  const changed = parts.filter((part) => booted.get(part) !== next.get(part));
  const named = changed.map((part) => `${part} ${storeName(booted.get(part))}, now ${storeName(next.get(part))}`);
  return {
    says: 'required',
    because: `booted with ${named.join('; ')}`,
    since: sinceOf(links.get(profile)),
    packages: [...new Set(changed.map((part) => storeName(next.get(part))))],
  };
}

function systemIn(links: ReadonlyMap<string, Link>, folder: string): ReadonlyMap<string, string> | null {
  const system = new Map<string, string>();
  for (const part of parts) {
    const target = links.get(`${folder}/${part}`)?.target;
    if (target === undefined) return null;
    system.set(part, target);
  }
  return system;
}

/** `linux-6.6.58` of `/nix/store/HASH-linux-6.6.58/bzImage`. */
function storeName(target: string | undefined): string {
  const folder = (target ?? '').split('/').find((part) => /^[0-9a-z]{32}-./.test(part));
  return folder === undefined ? cleanText(target ?? '', 128) : cleanText(folder.slice(33), 128);
}

/** The link is made anew at every switch: a later one hides when the kernel came. */
function sinceOf(link: Link | undefined): SinceCandidate[] {
  return link?.modifiedSeconds == null ? [] : [{ atSeconds: link.modifiedSeconds, evidence: 'modified' }];
}
