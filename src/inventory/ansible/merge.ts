import type { AnsibleHost, AnsibleInventory } from './inventory';
import type { VariableFiles } from './variables';
import type { HostVars } from './hosts';

/**
 * Merges variables as Ansible does ("Variable precedence" in its guide): those of groups in the inventory, of
 * group_vars/all, of the other group_vars, of the host in the inventory, of host_vars; the later wins. Among groups the one
 * that is deeper below `all` wins, and among equals the one whose name comes later. `null`: some group contains itself.
 */
export function mergeVariables(inventory: AnsibleInventory, files: VariableFiles): HostVars | null {
  const depths = inventory.depths();
  if (depths === null) return null;
  const groups = inventory.groupsOfHosts();
  const order = (a: string, b: string): number => (depths.get(a) ?? 1) - (depths.get(b) ?? 1) || (a < b ? -1 : 1);
  return (host: AnsibleHost) => {
    const names = [...(groups.get(host.name)?.all ?? [])].sort(order);
    const layers = [
      inventory.groups.get('all')?.vars,
      inventory.groups.get('ungrouped')?.hosts.has(host.name) === true
        ? inventory.groups.get('ungrouped')?.vars
        : undefined,
      ...names.map((name) => inventory.groups.get(name)?.vars),
      files.groups.get('all'),
      ...names.map((name) => files.groups.get(name)),
      host.vars,
      files.hosts.get(host.name),
    ];
    const merged = new Map<string, string>();
    for (const layer of layers) for (const [key, value] of layer ?? []) merged.set(key, value);
    return merged;
  };
}
