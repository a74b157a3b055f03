import type { Fault, Place } from '../config/fault';
import type { FileMemory } from '../config/file-memory';
import type { PathStep } from '../config/yaml-value';
import type { HostEntry } from './entry';

/** What reading one source of the inventory gives. Faults make the configuration invalid, warnings do not. */
export interface InventoryAnswer {
  readonly hosts: readonly HostEntry[];
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
}

/** A place that hosts come from, beside `hosts:`. */
export interface InventorySource {
  /** Absolute paths, some with `*`, that are to be watched: when one changes, the hosts may have. */
  readonly files: readonly string[];
  /** Whether loading it reads files only, and neither runs a program nor asks a service. */
  readonly local: boolean;
  /** How often to ask again although no file changed; `null`: never. */
  readonly refreshSeconds: number | null;
  /** Files with secrets that it needs: the path in its settings, and what is written there. */
  readonly secretFiles: readonly { readonly path: readonly PathStep[]; readonly written: string }[];
  /** Reads the hosts. Never rejects. */
  load(): Promise<InventoryAnswer>;
}

/** What a source is given to work with. */
export interface SourceContext {
  /** The file that names the source. */
  readonly file: string;
  /** Where a part of the source's settings is in that file. */
  readonly placeOf: (path: readonly PathStep[], part?: 'key' | 'value') => Place;
  readonly memory: SourceMemory;
  readonly nowMs: () => number;
}

/** What sources keep from one load to the next. */
export interface SourceMemory {
  readonly files: FileMemory;
  /** What services and programs answered last, by a key of the source's own. */
  readonly answers: Map<string, KeptAnswer>;
}

export interface KeptAnswer {
  readonly answer: InventoryAnswer;
  readonly atMs: number;
  /** What it was made from: another signature is another answer. */
  readonly signature: string;
}

/** Makes a source; the schema of each kind of source reads its settings to one of these. */
export type OpenSource = (context: SourceContext) => InventorySource;

export const noHosts: InventoryAnswer = { hosts: [], faults: [], warnings: [] };

/** Several answers as one, in order. */
export function mergeAnswers(answers: readonly InventoryAnswer[]): InventoryAnswer {
  return {
    hosts: answers.flatMap((answer) => answer.hosts),
    faults: answers.flatMap((answer) => answer.faults),
    warnings: answers.flatMap((answer) => answer.warnings),
  };
}
