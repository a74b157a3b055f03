import { faultAt, type Fault } from '../../config/fault';
import { expandHostRange, splitPort } from './host-range';
import type { AnsibleGroup, AnsibleInventory } from './inventory';

type Section =
  { readonly kind: 'hosts' | 'vars' | 'children'; readonly group: AnsibleGroup } | { readonly kind: 'skip' };

/** Reads an inventory in Ansible's INI form into `inventory`: https://docs.ansible.com/ansible/latest/inventory_guide/intro_inventory.html */
export function readAnsibleIni(file: string, source: string, inventory: AnsibleInventory): Fault[] {
  const faults: Fault[] = [];
  let section: Section = { kind: 'hosts', group: inventory.group('ungrouped') };
  for (const [i, raw] of source.split(/\r\n|\n/).entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    const here = { line: i + 1, col: raw.length - raw.trimStart().length + 1 };
    const say = (message: string): void => {
      faults.push(faultAt(file, here, message));
    };
    if (line.startsWith('[') && isSection(line)) section = readSection(line, inventory, say);
    else if (section.kind === 'hosts') readHosts(line, file, here, section.group, inventory, say);
    else if (section.kind === 'vars') readVar(line, section.group, say);
    else if (section.kind === 'children') section.group.children.add(inventory.group(withoutComment(line)).name);
  }
  return faults;
}

type Say = (message: string) => void;

/** A line that starts with a bracket is a section, but for a host like `[::1]:22` or `[a:c].example.com`. */
function isSection(line: string): boolean {
  return /^\[[^:\]]+(:\w+)?\]\s*([#;].*)?$/.test(line) && !/^\[(\d+|[A-Za-z]):(\d+|[A-Za-z])\]/.test(line);
}

function readSection(line: string, inventory: AnsibleInventory, say: Say): Section {
  const [name = '', kind] = line.slice(1, line.indexOf(']')).split(':');
  if (kind === undefined) return { kind: 'hosts', group: inventory.group(name) };
  if (kind === 'vars' || kind === 'children') return { kind, group: inventory.group(name) };
  say(`\`[${name}:${kind}]\` is no section: it is \`[${name}]\`, \`[${name}:vars]\` or \`[${name}:children]\``);
  return { kind: 'skip' };
}

function readHosts(
  line: string,
  file: string,
  here: { line: number; col: number },
  group: AnsibleGroup,
  inventory: AnsibleInventory,
  say: Say,
): void {
  const words = splitWords(line);
  if (words === null) return say('a quote is not closed');
  const [pattern = '', ...assignments] = words;
  const { host: hosts, port } = splitPort(pattern);
  const names = expandHostRange(hosts);
  if (!names.ok) return say(names.message);
  const vars = new Map<string, string>(port === null ? [] : [['ansible_port', port]]);
  for (const assignment of assignments) {
    const equals = assignment.indexOf('=');
    if (equals < 1) return say(`\`${assignment}\` must be \`key=value\``);
    vars.set(assignment.slice(0, equals), assignment.slice(equals + 1));
  }
  for (const name of names.value) {
    const host = inventory.host(name, file, () => here);
    group.hosts.add(name);
    for (const [key, value] of vars) host.vars.set(key, value);
  }
}

function readVar(line: string, group: AnsibleGroup, say: Say): void {
  const equals = line.indexOf('=');
  if (equals < 1) return say(`\`${line}\` must be \`key=value\``);
  const value = line.slice(equals + 1).trim();
  // Ansible reads what looks like a Python literal as one, and there alone a comment may follow.
  const literal = /^(?:"([^"\\]*)"|'([^'\\]*)'|(-?\d+))\s*(?:#.*)?$/.exec(value);
  group.vars.set(line.slice(0, equals).trim(), literal?.[1] ?? literal?.[2] ?? literal?.[3] ?? value);
}

function withoutComment(line: string): string {
  return (line.split(/\s[#;]/, 1)[0] ?? '').trim();
}

/** Splits a line as a shell does, with quotes, backslashes and comments; `null` when a quote is left open. */
function splitWords(line: string): string[] | null {
  const words: string[] = [];
  let word: string | null = null;
  let quote = '';
  for (let at = 0; at < line.length; at += 1) {
    const char = line.charAt(at);
    if (quote !== '') {
      if (char === quote) quote = '';
      else if (char === '\\' && quote === '"' && /["\\]/.test(line.charAt(at + 1))) word += line.charAt((at += 1));
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (char === '#' && word === null) break;
    else if (/\s/.test(char)) {
      if (word !== null) words.push(word);
      word = null;
    } else word = (word ?? '') + (char === '\\' ? line.charAt((at += 1)) : char);
  }
  if (quote !== '') return null;
  if (word !== null) words.push(word);
  return words;
}
