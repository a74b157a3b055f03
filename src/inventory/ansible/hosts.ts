import { resolvePath } from '../../config/path-text';
import { faultAt, type Fault } from '../../config/fault';
import { right, wrong, type Reading } from '../../config/reading';
import { defaultStack, type HostEntry, type SshOverrides } from '../entry';
import { readAddress, readHostName } from '../name';
import type { InventoryAnswer } from '../source';
import type { AnsibleHost, AnsibleInventory } from './inventory';
import { readSshArgs, type SshArgs } from './ssh-args';
import { vaultMark } from './yaml';

/** What the configuration says of an Ansible inventory. */
export interface AnsibleSettings {
  /** Groups that are stacks; a host belongs to the first of them that it is in. Empty: every group is a stack. */
  readonly stackGroups: readonly string[];
  /** Only hosts in one of these groups; empty: all. */
  readonly onlyGroups: readonly string[];
  /** Whether to log in with Ansible's user and key, or with those of the configuration. */
  readonly login: 'inventory' | 'own';
}

/** The variables of each host, with those of its groups merged in. */
export type HostVars = (host: AnsibleHost) => ReadonlyMap<string, string>;

/** Ansible's connection plugins that are SSH. */
const sshConnections = new Set([
  'ssh',
  'smart',
  'paramiko',
  'paramiko_ssh',
  'ansible.builtin.ssh',
  'ansible.builtin.paramiko_ssh',
]);

/** Variables that change how Ansible connects, but not how this program does. */
const unused = ['ansible_password', 'ansible_ssh_pass'];

/** Variables with arguments for ssh, in the order in which Ansible gives them to it. */
const argumentKeys = ['ansible_ssh_args', 'ansible_ssh_common_args', 'ansible_ssh_extra_args'];

/** The host's own word on its stack, before any group. */
const stackVariable = 'reboot_exporter_stack';

/** Turns an Ansible inventory into hosts; groups become stacks, connection variables ssh settings. */
export function hostsOfAnsible(
  file: string,
  inventory: AnsibleInventory,
  varsOf: HostVars,
  settings: AnsibleSettings,
): InventoryAnswer {
  const hosts: HostEntry[] = [];
  const faults: Fault[] = [];
  const warnings = new Map<string, Fault>();
  const groups = inventory.groupsOfHosts();
  for (const host of inventory.hosts.values()) {
    const { own = [], all = new Set<string>() } = groups.get(host.name) ?? {};
    if (settings.onlyGroups.length > 0 && !settings.onlyGroups.some((name) => all.has(name))) continue;
    const vars = varsOf(host);
    const warn = (kind: string, message: string): void => {
      if (!warnings.has(kind)) warnings.set(kind, faultAt(host.file, host.place(), message));
    };
    const connection = vars.get('ansible_connection');
    if (connection !== undefined && !sshConnections.has(connection)) {
      warn(
        `connection ${connection}`,
        `\`${host.name}\` is left out, as others may be: its ansible_connection is \`${connection}\`, not ssh`,
      );
      continue;
    }
    for (const name of unused) if (vars.has(name)) warn(name, `${name} of \`${host.name}\` is not used here`);
    const stack = stackOf(vars, own, all, settings);
    if (stack.unclear) {
      warn(
        'stack',
        `\`${host.name}\` is in several groups, and others may be; \`${stack.name}\` is taken as its stack: name the groups that are with \`stack_groups\``,
      );
    }
    const given = argumentKeys.map((name) => [name, vars.get(name) ?? ''] as const).filter(([, text]) => text !== '');
    for (const [name, text] of given) {
      const [first] = readSshArgs(text).unused;
      if (first !== undefined) warn(name, `${name} of \`${host.name}\`: \`${first}\` is not used here`);
    }
    const way = readSshArgs(given.map(([, text]) => text).join(' ')).ssh;
    const entry = entryOf(file, host, vars, stack.name, settings, way);
    if (entry.ok) hosts.push(entry.value);
    else faults.push(faultAt(host.file, host.place(), entry.message));
  }
  return { hosts, faults, warnings: [...warnings.values()] };
}

function entryOf(
  file: string,
  host: AnsibleHost,
  vars: ReadonlyMap<string, string>,
  stack: string,
  { login }: AnsibleSettings,
  way: SshArgs['ssh'],
): Reading<HostEntry> {
  const name = readHostName(host.name);
  if (!name.ok) return name;
  const loginKeys = login === 'inventory' ? [...userKeys, ...identityKeys] : [];
  for (const key of [...addressKeys, ...portKeys, ...loginKeys]) {
    const value = vars.get(key);
    if (value?.includes('{{') === true)
      return wrong(`${key} of \`${host.name}\` is a template, which can't be evaluated here: \`${value}\``);
    if (value?.startsWith(vaultMark) === true) return wrong(`${key} of \`${host.name}\` is encrypted by ansible-vault`);
  }
  const address = readAddress(first(vars, addressKeys) ?? host.name);
  if (!address.ok) return wrong(`\`${host.name}\`: ${address.message}`);
  const ssh = sshOf(file, host.name, vars, login);
  if (!ssh.ok) return ssh;
  return right({
    name: name.value,
    address: address.value,
    stack,
    labels: {},
    ssh: { ...ssh.value, ...way },
    exposure: null,
    file: host.file,
    place: host.place,
    fromService: false,
  });
}

/** Where two names stand, the first is the one that Ansible prefers. */
const addressKeys = ['ansible_host', 'ansible_ssh_host'];
const portKeys = ['ansible_port', 'ansible_ssh_port'];
const userKeys = ['ansible_user', 'ansible_ssh_user'];
const identityKeys = ['ansible_ssh_private_key_file', 'ansible_private_key_file'];

function sshOf(
  file: string,
  name: string,
  vars: ReadonlyMap<string, string>,
  login: AnsibleSettings['login'],
): Reading<SshOverrides> {
  const port = first(vars, portKeys);
  if (port !== null && (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535)) {
    return wrong(`the port of \`${name}\` must be a number from 1 to 65535, not \`${port}\``);
  }
  if (login === 'own') return right({ port: port === null ? undefined : Number(port) });
  const user = first(vars, userKeys);
  if (user !== null && (user.startsWith('-') || /[\s\p{Cc}]/u.test(user)))
    return wrong(`the user of \`${name}\` must be a user name, not \`${user}\``);
  const identity = first(vars, identityKeys);
  return right({
    port: port === null ? undefined : Number(port),
    user: user ?? undefined,
    identityFiles: identity === null ? undefined : [resolvePath(file, identity)],
  });
}

function first(vars: ReadonlyMap<string, string>, keys: readonly string[]): string | null {
  for (const key of keys) {
    const value = vars.get(key);
    if (value !== undefined && value !== '') return value;
  }
  return null;
}

function stackOf(
  vars: ReadonlyMap<string, string>,
  own: readonly string[],
  all: ReadonlySet<string>,
  { stackGroups }: AnsibleSettings,
): { readonly name: string; readonly unclear: boolean } {
  const said = vars.get(stackVariable) ?? '';
  if (said !== '') return { name: said, unclear: false };
  if (stackGroups.length > 0)
    return { name: stackGroups.find((name) => all.has(name)) ?? defaultStack, unclear: false };
  return { name: own[0] ?? defaultStack, unclear: own.length > 1 };
}
