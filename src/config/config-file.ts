import type { z } from 'zod';
import { faultAt, fileStart, sortFaults, type Fault } from './fault';
import type { FileMemory } from './file-memory';
import { checkSchema } from './schema-faults';
import { readYamlText, type YamlText } from './yaml-text';

/** A configuration file as it was written: what of it is well-formed, and what is wrong. */
export interface ConfigFile<T> {
  /** `null` when there is nothing that could be used; the faults say why. */
  readonly content: { readonly text: YamlText; readonly input: T } | null;
  readonly faults: readonly Fault[];
}

/** Reads a file against a schema; a file that has not changed since is not parsed again. */
export function readConfigFile<S extends z.ZodType>(
  file: string,
  kind: string,
  schema: S,
  memory: FileMemory,
): ConfigFile<z.output<S>> {
  const read = memory.read(file, kind, (source) => parseConfigFile(file, source, schema));
  return read.ok ? read.value : { content: null, faults: [faultAt(file, fileStart, read.message)] };
}

function parseConfigFile<S extends z.ZodType>(file: string, source: string, schema: S): ConfigFile<z.output<S>> {
  const { text, faults } = readYamlText(file, source);
  if (text === null) return { content: null, faults };
  if (text.value === null || text.value === undefined)
    return { content: null, faults: [faultAt(file, fileStart, 'is empty')] };
  const checked = checkSchema(text, schema);
  const content = checked.value === null ? null : { text: checked.text, input: checked.value };
  // A part that YAML could not give is missing to the schema as well; one fault a place is enough.
  const told = new Set(faults.map(({ line, col }) => `${line}:${col}`));
  const others = checked.faults.filter(({ line, col }) => !told.has(`${line}:${col}`));
  return { content, faults: sortFaults([...faults, ...others]) };
}
