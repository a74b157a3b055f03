import { permittedAlgorithms } from '../../ssh/algorithms';
import { certificateHostAlgorithms } from '../../ssh/host-certificate-exchange';
import { matchesPatternList } from '../../ssh/host-pattern';
import { isLegacyAlgorithm } from '../../ssh/legacy-algorithms';

/** What a list of algorithms means for what is offered. */
export interface AlgorithmList {
  /** Best first; `null`: what is offered to all. */
  readonly names: readonly string[] | null;
  /** Names that would have to be opted into. */
  readonly notOptedInto: readonly string[];
}

/**
 * Reads a list as ssh_config(5) has it: as it stands, or with `+` to add, `-` to take away (patterns are allowed), `^` to
 * prefer. It can choose among what is permitted, and adds nothing to that.
 */
export function readAlgorithmList(
  kind: keyof typeof permittedAlgorithms,
  written: string,
  optedInto: readonly string[],
): AlgorithmList {
  const certificates = kind === 'hostKey' ? certificateHostAlgorithms(null) : [];
  const usual: readonly string[] = [...certificates, ...permittedAlgorithms[kind]].filter(
    (name) => !isLegacyAlgorithm(name) || optedInto.includes(name),
  );
  const sign = /^[+^-]/.exec(written)?.[0] ?? '';
  const named = written.slice(sign.length).split(',');
  if (sign === '-') {
    const left = usual.filter((name) => !matchesPatternList(name, named));
    return { names: left, notOptedInto: [] };
  }
  const notOptedInto = named.filter((name) => isLegacyAlgorithm(name) && !optedInto.includes(name));
  if (sign === '+') return { names: null, notOptedInto };
  const chosen = named.filter((name) => usual.includes(name));
  if (sign === '^') return { names: [...new Set([...chosen, ...usual])], notOptedInto };
  return { names: [...new Set(chosen)], notOptedInto: chosen.length === 0 ? notOptedInto : [] };
}
