import type { HostEntry, SshOverrides } from '../inventory/entry';
import type { SshServer, SshSettings } from '../inventory/host';
import { maxJumps, type Jump } from '../inventory/jump';
import { firstOf, resolveSsh } from './resolve-host';

/** A way that can't be gone; `message` is for people. */
export class RouteFault extends Error {
  /** The line of another file that is to blame; `null`: the host's own settings are. */
  readonly line: { readonly file: string; readonly line: number } | null;

  constructor(message: string, line: RouteFault['line'] = null) {
    super(message);
    this.line = line;
  }
}

/** How to get to a server: where it is dialled, and with what. */
export interface Reached {
  readonly address: string;
  readonly ssh: SshSettings;
}

/** What a file such as ssh_config says of a server that nobody said otherwise. */
export interface Aliases {
  /** `null`: nothing. Throws a RouteFault, or a fault of the file. */
  lookUp(configFile: string, alias: string, said: SshOverrides): AliasAnswer | null;
}

/** What an alias stands for. */
export interface AliasAnswer {
  /** What to dial in place of the alias. */
  readonly address: string | null;
  readonly ssh: SshOverrides;
  readonly algorithms: SshSettings['algorithms'];
}

/** A host of the inventory, with the settings that it takes over: its own first. */
export interface LayeredEntry {
  readonly entry: HostEntry;
  readonly layers: readonly SshOverrides[];
}

/** Finds a host of the inventory by its name, as a bastion can be one. */
export type FindEntry = (name: string) => LayeredEntry | null;

/** Whether settings name bastions, or a file that may: else a host is simply dialled. */
export function isRouted(layers: readonly SshOverrides[]): boolean {
  return (firstOf(layers, 'configFile') ?? null) !== null || (firstOf(layers, 'proxyJump') ?? []).length > 0;
}

/** Settles by which servers each host is reached. Hosts that share their bastions share the objects. */
export class Routes {
  readonly #aliases: Aliases;
  readonly #find: FindEntry;
  readonly #bastions = new Map<string, SshServer>();

  constructor(aliases: Aliases, find: FindEntry) {
    this.#aliases = aliases;
    this.#find = find;
  }

  /** How a host is reached. Throws a RouteFault. */
  resolve({ entry, layers }: LayeredEntry): Reached {
    return this.#resolve(entry.name, entry.address, layers, layers.slice(1), []);
  }

  /** `shared` is what bastions take over that an ssh_config names; `going` are the servers whose way leads here. */
  #resolve(
    name: string,
    alias: string,
    layers: readonly SshOverrides[],
    shared: readonly SshOverrides[],
    going: readonly string[],
  ): Reached {
    if (going.includes(name)) throw new RouteFault(`the way goes in a circle: ${[...going, name].join(' → ')}`);
    if (going.length > maxJumps) throw new RouteFault(`the way has more than ${maxJumps} bastions`);
    const said = this.#lookUp(alias, layers);
    const all = said === null ? layers : [...layers, said.ssh];
    const address = said?.address ?? alias;
    const ssh: SshSettings = { ...resolveSsh(all), algorithms: said?.algorithms ?? null };
    const named = layers.findIndex((layer) => layer.proxyJump !== undefined);
    const jumps = firstOf(all, 'proxyJump') ?? [];
    // A bastion has its login from the section that names it: that of one host behind it may be the host's alone.
    // It is looked up in the file that the host was: where that names the bastion, before all else.
    const file: SshOverrides = { configFile: firstOf(layers, 'configFile') };
    const inherited = named < 0 ? [file, ...shared] : [...layers.slice(named), file];
    const via = this.#through(jumps, { name, alias, address, port: ssh.port }, inherited, [...going, name]);
    return { address, ssh: via === null ? ssh : { ...ssh, via } };
  }

  #lookUp(alias: string, layers: readonly SshOverrides[]): AliasAnswer | null {
    const configFile = firstOf(layers, 'configFile') ?? null;
    if (configFile === null) return null;
    return this.#aliases.lookUp(configFile, alias, saidBy(layers));
  }

  /** The last of some bastions in a row, each reached by the one before. */
  #through(
    jumps: readonly Jump[],
    target: { name: string; alias: string; address: string; port: number },
    inherited: readonly SshOverrides[],
    going: readonly string[],
  ): SshServer | null {
    let via: SshServer | null = null;
    for (const jump of jumps) {
      const next = this.#bastion(jump, via, inherited, going);
      // A section for all hosts names the bastion for the bastion as well.
      if (next === null || isSame(next, target, jump)) return via;
      via = next;
    }
    return via;
  }

  /** A bastion; `null` when it is the very host that is to be reached. */
  #bastion(
    jump: Jump,
    before: SshServer | null,
    inherited: readonly SshOverrides[],
    going: readonly string[],
  ): SshServer | null {
    const entry = this.#find(jump.host);
    // The host that is being reached is at the end of those that are on the way already.
    if (going[going.length - 1] === jump.host) return null;
    const own: SshOverrides = { user: jump.user ?? undefined, port: jump.port ?? undefined };
    const reach = before === null ? own : { ...own, proxyJump: [] };
    const layers = entry === null ? [reach, withoutTarget(inherited)].flat() : [reach, ...entry.layers];
    const address = entry?.entry.address ?? jump.host;
    const shared = entry === null ? inherited : entry.layers.slice(1);
    const reached = this.#resolve(jump.host, address, layers, shared, going);
    const ssh = before === null ? reached.ssh : { ...reached.ssh, via: before };
    return this.#shared({ name: jump.host, address: reached.address, ssh });
  }

  #shared(server: SshServer): SshServer {
    const key = JSON.stringify(server);
    const known = this.#bastions.get(key);
    if (known !== undefined) return known;
    this.#bastions.set(key, server);
    return server;
  }
}

/** What the configuration says itself, so that the file has no say in it. */
function saidBy(layers: readonly SshOverrides[]): SshOverrides {
  return Object.fromEntries(decisive.map((key) => [key, firstOf(layers, key)]));
}

const decisive = [
  'user',
  'port',
  'identityFiles',
  'certificateFiles',
  'knownHosts',
  'hostKeyAlias',
  'legacyAlgorithms',
  'proxyJump',
  'proxy',
] as const satisfies readonly (keyof SshOverrides)[];

/** What of a host's settings does not hold for the bastion before it. */
function withoutTarget(layers: readonly SshOverrides[]): SshOverrides[] {
  return layers.map((layer) => ({
    ...layer,
    port: undefined,
    proxyJump: undefined,
    hostKeyAlias: undefined,
    legacyAlgorithms: undefined,
    connection: undefined,
    sudo: undefined,
  }));
}

function isSame(
  bastion: SshServer,
  target: { name: string; alias: string; address: string; port: number },
  jump: Jump,
): boolean {
  const sameName = jump.host === target.name || jump.host === target.alias || bastion.address === target.address;
  return sameName && bastion.ssh.port === target.port;
}
