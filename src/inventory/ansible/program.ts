import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { fileStart } from '../../config/fault';
import { errorCode } from '../../config/text-file';
import { right, wrong, type Reading } from '../../config/reading';
import { AnsibleInventory } from './inventory';
import { textVars } from './yaml';

/** Inventories that ask a cloud take their time. */
const timeoutMs = 60_000;
const maxOutputBytes = 64 * 1024 * 1024;

/** What asking `ansible-inventory` gives: an inventory whose hosts have their groups' variables already; `null`: it is not installed. */
export async function askAnsible(
  file: string,
  program = 'ansible-inventory',
): Promise<Reading<AnsibleInventory | null>> {
  const output = await run(program, ['-i', file, '--list'], dirname(file));
  if (!output.ok) return output;
  if (output.value === null) return right(null);
  try {
    const listing: unknown = JSON.parse(output.value);
    return isMapping(listing) ? right(readListing(file, listing)) : wrong(`${program} did not answer with a mapping`);
  } catch {
    return wrong(`${program} did not answer with JSON`);
  }
}

function run(program: string, args: readonly string[], folder: string): Promise<Reading<string | null>> {
  return new Promise((resolve) => {
    const options = {
      cwd: folder,
      timeout: timeoutMs,
      killSignal: 'SIGKILL' as const,
      maxBuffer: maxOutputBytes,
      // Without this an inventory that can't be parsed is an empty one, and the exit status says nothing.
      env: { ...process.env, ANSIBLE_INVENTORY_UNPARSED_FAILED: 'true', ANSIBLE_NOCOLOR: 'true' },
    };
    execFile(program, [...args], options, (error, stdout, stderr) => {
      if (error === null) resolve(right(stdout));
      else if (errorCode(error) === 'ENOENT') resolve(right(null));
      else if (error.killed === true) resolve(wrong(`${program} did not end within ${timeoutMs / 1000} s`));
      else resolve(wrong(`${program} failed: ${reasonIn(stderr) ?? `exit status ${String(error.code)}`}`));
    });
  });
}

/** The line of Ansible's messages that names the cause; it writes an ERROR at last, and before it what each reader had to say. */
function reasonIn(stderr: string): string | null {
  const lines = stderr
    .slice(0, 100_000)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const named = lines.find((line) => /:\d+: |line \d+/.test(line));
  const last = lines[lines.length - 1];
  return (named ?? last ?? null)?.slice(0, 500) ?? null;
}

type Mapping = Readonly<Record<string, unknown>>;

/** The form that inventory scripts have as well: https://docs.ansible.com/ansible/latest/dev_guide/developing_inventory.html */
function readListing(file: string, listing: Mapping): AnsibleInventory {
  const inventory = new AnsibleInventory();
  const meta = listing['_meta'];
  const hostvars = isMapping(meta) && isMapping(meta['hostvars']) ? meta['hostvars'] : {};
  const addHost = (name: string): void => {
    const host = inventory.host(name, file, () => fileStart);
    const vars = hostvars[name];
    if (isMapping(vars)) for (const [key, value] of textVars(vars)) host.vars.set(key, value);
  };
  for (const [name, content] of Object.entries(listing)) {
    if (name === '_meta' || !isMapping(content)) continue;
    const group = inventory.group(name);
    for (const host of texts(content['hosts'])) {
      addHost(host);
      group.hosts.add(host);
    }
    for (const child of texts(content['children'])) group.children.add(child);
  }
  return inventory;
}

function texts(list: unknown): string[] {
  return Array.isArray(list) ? list.filter((item): item is string => typeof item === 'string') : [];
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
