import type { Place } from '../../config/fault';

/** Variables whose values are text; of others only the name matters to Ansible, and none of them is used here. */
export type AnsibleVars = ReadonlyMap<string, string>;

/** A host of an Ansible inventory, as it is written. */
export interface AnsibleHost {
  readonly name: string;
  readonly vars: Map<string, string>;
  /** Where it is named first. */
  readonly file: string;
  readonly place: () => Place;
}

/** A group of an Ansible inventory. */
export interface AnsibleGroup {
  readonly name: string;
  readonly hosts: Set<string>;
  readonly children: Set<string>;
  readonly vars: Map<string, string>;
}

/** An Ansible inventory while it is read; groups and hosts keep the order in which they are named. */
export class AnsibleInventory {
  readonly groups = new Map<string, AnsibleGroup>();
  readonly hosts = new Map<string, AnsibleHost>();

  group(name: string): AnsibleGroup {
    const known = this.groups.get(name);
    if (known !== undefined) return known;
    const group = { name, hosts: new Set<string>(), children: new Set<string>(), vars: new Map<string, string>() };
    this.groups.set(name, group);
    return group;
  }

  host(name: string, file: string, place: () => Place): AnsibleHost {
    const known = this.hosts.get(name);
    if (known !== undefined) return known;
    const host = { name, vars: new Map<string, string>(), file, place };
    this.hosts.set(name, host);
    return host;
  }

  /** How far each group is below `all`: a child's variables go before its parent's. `null`: some group contains itself. */
  depths(): ReadonlyMap<string, number> | null {
    const depths = new Map<string, number>();
    const open = new Set<string>();
    const visit = (name: string, depth: number): boolean => {
      if (open.has(name)) return false;
      if ((depths.get(name) ?? -1) >= depth) return true;
      depths.set(name, depth);
      open.add(name);
      const fine = [...(this.groups.get(name)?.children ?? [])].every((child) => visit(child, depth + 1));
      open.delete(name);
      return fine;
    };
    for (const name of this.groups.keys()) {
      if (!visit(name, name === 'all' ? 0 : 1)) return null;
    }
    return depths;
  }

  /** The groups that each host is in, its own first and then those that contain them; none of Ansible's two of its own. */
  groupsOfHosts(): ReadonlyMap<string, { readonly own: readonly string[]; readonly all: ReadonlySet<string> }> {
    const parents = new Map<string, string[]>();
    for (const { name, children } of this.groups.values()) {
      for (const child of children) parents.set(child, [...(parents.get(child) ?? []), name]);
    }
    const own = new Map<string, string[]>([...this.hosts.keys()].map((name) => [name, []]));
    for (const name of this.#fromTheTop(parents)) {
      if (name === 'all' || name === 'ungrouped') continue;
      for (const host of this.groups.get(name)?.hosts ?? []) own.get(host)?.push(name);
    }
    return new Map([...own].map(([host, names]) => [host, { own: names, all: ancestors(names, parents) }]));
  }

  /** Every group, each before those that it contains, in the order of their lists: `ansible-inventory` keeps only that one. */
  #fromTheTop(parents: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
    const order = new Set<string>();
    const visit = (name: string): void => {
      if (order.has(name)) return;
      order.add(name);
      for (const child of this.groups.get(name)?.children ?? []) visit(child);
    };
    if (this.groups.has('all')) visit('all');
    for (const name of this.groups.keys()) if (!parents.has(name)) visit(name);
    return order;
  }
}

function ancestors(names: readonly string[], parents: ReadonlyMap<string, readonly string[]>): Set<string> {
  const all = new Set(names);
  // A set gives what is added while it is walked through.
  for (const name of all) {
    for (const parent of parents.get(name) ?? []) if (parent !== 'all') all.add(parent);
  }
  return all;
}
