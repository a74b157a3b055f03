import { readConfigFile, type ConfigFile } from './config-file';
import { faultAt, type Fault } from './fault';
import { stampOf, type FileMemory } from './file-memory';
import { expandPattern, isPattern } from './file-pattern';
import { resolvePath } from './path-text';
import { fragmentSchema, type ConfigInput, type FragmentInput } from './schema';
import type { YamlText } from './yaml-text';

/** The files that a configuration includes. */
export interface Included {
  readonly files: readonly ConfigFile<FragmentInput>[];
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
  /** The paths and patterns as they are to be watched. */
  readonly patterns: readonly string[];
}

/** Reads the files that `include` names, each once, in the order of the list and then of their names. */
export function readIncluded(text: YamlText, input: ConfigInput, memory: FileMemory): Included {
  const files = new Map<string, ConfigFile<FragmentInput>>();
  const faults: Fault[] = [];
  const warnings: Fault[] = [];
  const patterns = (input.include ?? []).map((written) => resolvePath(text.file, written));
  for (const [i, pattern] of patterns.entries()) {
    const here = (message: string): Fault =>
      faultAt(text.file, text.placeOf(['include', i]), `include: ${pattern} ${message}`);
    const expanded = expandPattern(pattern);
    if (!expanded.ok) faults.push(here(expanded.message));
    else if (expanded.value.length === 0) warnings.push(here('matches no file yet'));
    else if (!isPattern(pattern) && stampOf(pattern) === null) faults.push(here('does not exist'));
    else {
      for (const file of expanded.value) {
        // A pattern such as `*.yml` in the configuration's own folder matches the configuration as well.
        if (file !== text.file && !files.has(file))
          files.set(file, readConfigFile(file, 'fragment', fragmentSchema, memory));
      }
    }
  }
  return { files: [...files.values()], faults, warnings, patterns };
}
