import { faultAt, type Fault } from '../../config/fault';
import { readJsonText } from '../../config/json-text';
import { readYamlText, type YamlText } from '../../config/yaml-text';
import type { PathStep } from '../../config/yaml-value';
import { expandHostRange, splitPort } from './host-range';
import type { AnsibleGroup, AnsibleInventory } from './inventory';

/** Tags that Ansible gives a meaning; their values are kept as text. */
const ansibleTags = ['!vault', '!unsafe'];

/** How a value starts that ansible-vault encrypted; ansible-inventory wraps it, the file has it as it is. */
export const vaultMark = '$ANSIBLE_VAULT';

type Mapping = Readonly<Record<string, unknown>>;

/** Reads an inventory in Ansible's YAML form into `inventory`; JSON is YAML as well. */
export function readAnsibleYaml(file: string, source: string, inventory: AnsibleInventory): Fault[] {
  const { text, faults } = readYamlText(file, source, 'text', ansibleTags);
  if (text === null || text.value === null || text.value === undefined) return [...faults];
  const reader = new YamlReader(text, inventory);
  reader.readGroups([], text.value);
  return [...faults, ...reader.faults];
}

/** Reads a file of variables, as in group_vars; those whose value is no text are left out. */
export function readAnsibleVars(
  file: string,
  source: string,
): { readonly vars: Map<string, string>; readonly faults: readonly Fault[] } {
  const { text, faults } = /\.json$/i.test(file)
    ? readJsonText(file, source)
    : readYamlText(file, source, 'text', ansibleTags);
  const value = text?.value;
  return { vars: textVars(isMapping(value) ? value : {}), faults };
}

/** The variables with text for a value; numbers and booleans of JSON as Ansible would write them. */
export function textVars(vars: Mapping): Map<string, string> {
  const texts = new Map<string, string>();
  for (const [name, value] of Object.entries(vars)) {
    if (isMapping(value) && '__ansible_vault' in value) texts.set(name, vaultMark);
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      texts.set(name, String(value));
  }
  return texts;
}

class YamlReader {
  readonly faults: Fault[] = [];

  constructor(
    private readonly text: YamlText,
    private readonly inventory: AnsibleInventory,
  ) {}

  /** Reads a mapping of groups; gives their names. */
  readGroups(path: readonly PathStep[], groups: unknown): string[] {
    if (groups === null) return [];
    if (!isMapping(groups)) return this.#say(path, 'must be a mapping of groups');
    for (const [name, content] of Object.entries(groups))
      this.#readGroup([...path, name], this.inventory.group(name), content);
    return Object.keys(groups);
  }

  #readGroup(path: readonly PathStep[], group: AnsibleGroup, content: unknown): void {
    if (isNothing(content)) return;
    if (!isMapping(content)) return void this.#say(path, 'must be a mapping with `hosts`, `vars` or `children`');
    for (const [key, value] of Object.entries(content)) {
      const at = [...path, key];
      if (key === 'hosts') this.#readHosts(at, group, value);
      else if (key === 'children') for (const child of this.readGroups(at, value)) group.children.add(child);
      else if (key === 'vars') for (const [name, text] of this.#readVars(at, value)) group.vars.set(name, text);
      else this.#say(at, `unknown key \`${key}\`: a group has \`hosts\`, \`vars\` and \`children\``);
    }
  }

  #readHosts(path: readonly PathStep[], group: AnsibleGroup, hosts: unknown): void {
    if (isNothing(hosts)) return;
    if (!isMapping(hosts)) return void this.#say(path, 'must be a mapping of hosts, each name followed by a colon');
    for (const [pattern, vars] of Object.entries(hosts)) {
      const at = [...path, pattern];
      const { host: range, port } = splitPort(pattern);
      const names = expandHostRange(range);
      if (!names.ok) {
        this.#say(at, names.message);
        continue;
      }
      const texts = this.#readVars(at, vars);
      if (port !== null) texts.set('ansible_port', port);
      for (const name of names.value) {
        const host = this.inventory.host(name, this.text.file, () => this.text.placeOf(at, 'key'));
        group.hosts.add(name);
        for (const [key, value] of texts) host.vars.set(key, value);
      }
    }
  }

  #readVars(path: readonly PathStep[], vars: unknown): Map<string, string> {
    if (isNothing(vars)) return new Map();
    if (isMapping(vars)) return textVars(vars);
    this.#say(path, 'must be a mapping of variables');
    return new Map();
  }

  #say(path: readonly PathStep[], message: string): string[] {
    this.faults.push(faultAt(this.text.file, this.text.placeOf(path, 'key'), message));
    return [];
  }
}

/** With every scalar read as text, an empty value is an empty text, and null is written out. */
function isNothing(value: unknown): boolean {
  return value === null || value === undefined || value === '' || value === '~' || value === 'null';
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
