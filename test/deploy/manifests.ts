import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';

export const repository = join(__dirname, '..', '..');
export const deploy = join(repository, 'deploy');

/** Something read from YAML, of which nothing is known yet. */
export type Mapping = Readonly<Record<string, unknown>>;

/** The documents of a YAML file. @throws Error on faults and on warnings, duplicate keys among them. */
export function documents(file: string): Mapping[] {
  const parsed = parseAllDocuments(readFileSync(join(deploy, file), 'utf8'), { uniqueKeys: true, merge: true });
  return [...parsed].map((document) => {
    const faults = [...document.errors, ...document.warnings];
    if (faults.length > 0) throw new Error(`${file}: ${faults.map(String).join('; ')}`);
    return document.toJS() as Mapping;
  });
}

/** What lies at a path: `at(deployment, 'spec', 'containers', 0)`. @throws Error naming where it ends. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce((here, key) => {
    if (typeof here !== 'object' || here === null || !(key in here))
      throw new Error(`no ${String(key)} in ${JSON.stringify(here)}`);
    return (here as Record<string | number, unknown>)[key];
  }, value);
}

export function text(value: unknown): string {
  if (typeof value !== 'string') throw new Error(`not a text: ${JSON.stringify(value)}`);
  return value;
}

export function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new Error(`not a list: ${JSON.stringify(value)}`);
  return value as unknown[];
}

/** The document of a kind in a file of several. */
export function ofKind(file: string, kind: string): Mapping {
  const found = documents(file).find((document) => document['kind'] === kind);
  if (found === undefined) throw new Error(`${file} has no ${kind}`);
  return found;
}

export function scratchFolder(): string {
  return mkdtempSync(join(tmpdir(), 'reboot-exporter-deploy-'));
}
