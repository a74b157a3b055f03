import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { faultAt, fileStart, type Fault } from '../../config/fault';
import { readTextFile } from '../../config/text-file';
import type { AnsibleInventory } from './inventory';
import { readAnsibleVars, vaultMark } from './yaml';

/** The variables of group_vars and host_vars beside an inventory. */
export interface VariableFiles {
  readonly groups: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly hosts: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly faults: readonly Fault[];
  readonly warnings: readonly Fault[];
}

/** Ansible's own list, in its order; a name may also be a folder of such files. */
const endings = ['', '.yml', '.yaml', '.json'];

/** Reads the files of variables that belong to the groups and hosts of an inventory. */
export function readVariableFiles(inventoryFile: string, inventory: AnsibleInventory): VariableFiles {
  const faults: Fault[] = [];
  const warnings: Fault[] = [];
  const readAll = (folder: string, names: Iterable<string>): Map<string, Map<string, string>> => {
    const all = new Map<string, Map<string, string>>();
    const present = new Set(list(folder));
    for (const name of names) {
      const files = endings
        .filter((ending) => present.has(name + ending))
        .flatMap((ending) => filesAt(join(folder, name + ending)));
      for (const file of files) {
        const vars = all.get(name) ?? new Map<string, string>();
        for (const [key, value] of readOne(file, faults, warnings)) vars.set(key, value);
        all.set(name, vars);
      }
    }
    return all;
  };
  const base = dirname(inventoryFile);
  const groups = readAll(join(base, 'group_vars'), new Set(['all', ...inventory.groups.keys()]));
  const hosts = readAll(join(base, 'host_vars'), inventory.hosts.keys());
  return { groups, hosts, faults, warnings };
}

function readOne(file: string, faults: Fault[], warnings: Fault[]): ReadonlyMap<string, string> {
  const source = readTextFile(file);
  if (!source.ok) {
    faults.push(faultAt(file, fileStart, source.message));
    return new Map();
  }
  if (source.value.startsWith(vaultMark)) {
    warnings.push(faultAt(file, fileStart, 'is encrypted by ansible-vault: its variables are not known here'));
    return new Map();
  }
  const { vars, faults: found } = readAnsibleVars(file, source.value);
  faults.push(...found);
  return vars;
}

function filesAt(path: string): string[] {
  if (!isFolder(path)) return [path];
  return list(path)
    .filter((name) => !name.startsWith('.') && endings.some((ending) => ending !== '' && name.endsWith(ending)))
    .map((name) => join(path, name))
    .filter((file) => !isFolder(file));
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    // Most inventories have no such folder.
    return [];
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
