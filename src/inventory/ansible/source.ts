import { statSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { z } from 'zod';
import { faultAt, type Fault } from '../../config/fault';
import { resolvePath } from '../../config/path-text';
import { duration, line, path } from '../../config/schema-fields';
import { readTextFile } from '../../config/text-file';
import { signatureOf } from '../../config/watch';
import { mergeAnswers, noHosts, type InventoryAnswer, type OpenSource, type SourceContext } from '../source';
import { hostsOfAnsible, type AnsibleSettings } from './hosts';
import { readAnsibleIni } from './ini';
import { AnsibleInventory } from './inventory';
import { mergeVariables } from './merge';
import { askAnsible } from './program';
import { readVariableFiles } from './variables';
import { readAnsibleYaml } from './yaml';

const longestTimerSeconds = 24 * 86_400;

const groupsSchema = z.array(line(128)).min(1).optional();

/** An Ansible inventory: a path, or a mapping with the path and how to read it. */
export const ansible = z
  .union([
    path(),
    z.strictObject({
      inventory: path().meta({
        description: 'The inventory: INI or YAML, or whatever ansible-inventory can read. Relative to this file.',
      }),
      stack_groups: groupsSchema.meta({
        description:
          'The groups that are stacks; a host belongs to the first that it is in. Left out: to its first group.',
      }),
      only_groups: groupsSchema.meta({ description: 'Only hosts of these groups and of those within. Left out: all.' }),
      login: z.enum(['inventory', 'own']).optional().meta({
        description:
          "inventory: log in with the inventory's ansible_user and ansible_ssh_private_key_file. own: as `ssh` says. Default: inventory.",
      }),
      program: z.enum(['auto', 'never']).optional().meta({
        description:
          'auto: ask ansible-inventory where it is installed. never: read the file, with group_vars and host_vars. Default: auto.',
      }),
      refresh_interval: duration({ min: 1, max: longestTimerSeconds }).optional().meta({
        description:
          'How often to read it again although no file changed, for inventories that ask a cloud. Left out: never.',
      }),
    }),
  ])
  .transform((input): OpenSource => {
    const settings = typeof input === 'string' ? { inventory: input } : input;
    return (context) => {
      const file = resolvePath(context.file, settings.inventory);
      const files = watchedFiles(file);
      const groups: AnsibleSettings = {
        stackGroups: settings.stack_groups ?? [],
        onlyGroups: settings.only_groups ?? [],
        login: settings.login ?? 'inventory',
      };
      const refreshSeconds = settings.refresh_interval ?? null;
      const key = `ansible ${JSON.stringify(settings)} ${file}`;
      return {
        files,
        local: settings.program === 'never',
        refreshSeconds,
        secretFiles: [],
        load: () =>
          remembered(context, key, files, refreshSeconds, () =>
            read(file, groups, settings.program !== 'never', context),
          ),
      };
    };
  })
  .meta({
    description: 'An Ansible inventory; groups become stacks, connection variables ssh settings. A path, or a mapping.',
  });

/** Ansible takes a second to start, so what it said is kept until a file changes or the interval is over. */
async function remembered(
  { memory, nowMs }: SourceContext,
  key: string,
  files: readonly string[],
  refreshSeconds: number | null,
  load: () => Promise<InventoryAnswer>,
): Promise<InventoryAnswer> {
  const keyNow = `${key}\n${signatureOf(files)}`;
  const kept = memory.answers.get(key);
  const fresh = kept !== undefined && nowMs() - kept.atMs < (refreshSeconds ?? Infinity) * 900;
  if (fresh && kept.signature === keyNow) return kept.answer;
  const answer = await load();
  if (answer.faults.length === 0) memory.answers.set(key, { answer, atMs: nowMs(), signature: keyNow });
  return answer;
}

async function read(
  file: string,
  settings: AnsibleSettings,
  mayAsk: boolean,
  context: SourceContext,
): Promise<InventoryAnswer> {
  const here = (message: string): InventoryAnswer => ({
    ...noHosts,
    faults: [faultAt(context.file, context.placeOf([]), message)],
  });
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return here(`${file} does not exist`);
  const asked = mayAsk ? await askAnsible(file) : null;
  if (asked !== null && !asked.ok) return here(`${file}: ${asked.message}`);
  if (asked !== null && asked.value !== null) return hostsOfAnsible(file, asked.value, (host) => host.vars, settings);
  if (stat.isDirectory()) return here(`${file} is a directory: to read it, ansible-inventory must be installed`);
  return readFile(file, settings, here);
}

function readFile(
  file: string,
  settings: AnsibleSettings,
  here: (message: string) => InventoryAnswer,
): InventoryAnswer {
  const source = readTextFile(file);
  if (!source.ok) return here(`${file} ${source.message}`);
  if (source.value.startsWith('#!'))
    return here(`${file} is a program: to run it, ansible-inventory must be installed`);
  const inventory = new AnsibleInventory();
  const isYaml = /^\.(ya?ml|json)$/i.test(extname(file)) || source.value.startsWith('---');
  const faults: Fault[] = (isYaml ? readAnsibleYaml : readAnsibleIni)(file, source.value, inventory);
  if (faults.length > 0) return { ...noHosts, faults };
  const files = readVariableFiles(file, inventory);
  const varsOf = mergeVariables(inventory, files);
  if (varsOf === null) return here(`${file}: a group contains itself`);
  const read: InventoryAnswer = { ...noHosts, faults: files.faults, warnings: files.warnings };
  return mergeAnswers([read, hostsOfAnsible(file, inventory, varsOf, settings)]);
}

function watchedFiles(file: string): string[] {
  const beside = dirname(file);
  return [file, join(file, '*'), join(beside, 'group_vars', '*'), join(beside, 'host_vars', '*')];
}
