import { defaultStack, type ExposureOverrides, type HostEntry, type SshOverrides } from '../inventory/entry';
import type { ExposureSettings, PortKey, SshSettings } from '../inventory/host';
import { resolvePath } from './path-text';
import type { ExposureInput, HostInput, SshInput } from './schema-host';
import type { YamlText } from './yaml-text';
import type { PathStep } from './yaml-value';

/** Settings that a host takes over where it has none of its own. */
export interface HostDefaults {
  readonly ssh: SshOverrides;
  readonly exposure: ExposureOverrides | null;
}

/** The ssh settings of a configuration that gives none. */
export const defaultSsh: SshSettings = {
  user: 'reboot-exporter',
  port: 22,
  identityFiles: ['/etc/reboot-exporter/id_ed25519'],
  passphraseFile: null,
  identityAgent: null,
  certificateFiles: [],
  knownHosts: '/etc/reboot-exporter/known_hosts',
  sudo: 'auto',
  connection: 'auto',
};

/** DHCP clients: the kernel lets their answers in from anywhere, and nothing else listens there. */
export const defaultIgnore: readonly PortKey[] = [
  { proto: 'udp', port: 68 },
  { proto: 'udp', port: 546 },
];

/** A host of a `hosts:` list as an inventory entry. */
export function entryOfHost(text: YamlText, path: readonly PathStep[], host: HostInput): HostEntry {
  return {
    name: host.name,
    address: host.address ?? host.name,
    stack: host.stack ?? defaultStack,
    labels: { ...host.labels },
    ssh: sshOverrides(text.file, host.ssh),
    exposure: exposureOverrides(host.exposure),
    file: text.file,
    place: () => text.placeOf([...path, 'name']),
    fromService: false,
  };
}

/** Reads an `ssh:` section, its paths from the file's folder. */
export function sshOverrides(file: string, input: SshInput | undefined): SshOverrides {
  if (input === undefined) return {};
  const {
    identity_file: identity,
    known_hosts: knownHosts,
    passphrase_file: passphrase,
    certificate_file: cert,
  } = input;
  const resolved = (path: string): string => resolvePath(file, path);
  return {
    user: input.user,
    port: input.port,
    identityFiles: identity === undefined ? undefined : [identity].flat().map(resolved),
    passphraseFile: passphrase === undefined ? undefined : resolved(passphrase),
    identityAgent: input.identity_agent === undefined ? undefined : agentOf(file, input.identity_agent),
    certificateFiles: cert === undefined ? undefined : [cert].flat().map(resolved),
    knownHosts: knownHosts === undefined ? undefined : resolved(knownHosts),
    sudo: input.sudo,
    connection: input.connection,
  };
}

/** An agent as ssh_config(5) names it under IdentityAgent: a word, a variable, or the path of a socket. */
function agentOf(file: string, written: string): string | null {
  if (written === 'none') return null;
  return written === 'SSH_AUTH_SOCK' || written.startsWith('$') ? written : resolvePath(file, written);
}

/** Reads an `exposure:` value. */
export function exposureOverrides(input: ExposureInput | undefined): ExposureOverrides | null {
  if (input === undefined) return null;
  if (typeof input === 'string') return input;
  const edge = input.edge?.map((rule) => ({
    proto: rule.proto ?? 'any',
    ports: rule.ports ?? null,
    from: rule.from ?? null,
  }));
  return { public: input.public, edge, ignore: input.ignore };
}

/** Merges ssh settings key by key; the first layer that has one wins. */
export function resolveSsh(layers: readonly SshOverrides[]): SshSettings {
  const first = <K extends keyof SshSettings>(key: K): SshSettings[K] => {
    for (const layer of layers) {
      const value = layer[key];
      if (value !== undefined) return value as SshSettings[K];
    }
    return defaultSsh[key];
  };
  const identityAgent = first('identityAgent');
  const named = layers.some((layer) => layer.identityFiles !== undefined);
  return {
    user: first('user'),
    port: first('port'),
    // Whoever has an agent and names no key means the agent's keys, not the file that is the default without one.
    identityFiles: identityAgent !== null && !named ? [] : first('identityFiles'),
    passphraseFile: first('passphraseFile'),
    identityAgent,
    certificateFiles: first('certificateFiles'),
    knownHosts: first('knownHosts'),
    sudo: first('sudo'),
    connection: first('connection'),
  };
}

/** Merges exposure settings key by key; a layer that is a single word settles all that layers before it left open. */
export function resolveExposure(layers: readonly (ExposureOverrides | null)[]): ExposureSettings {
  let isPublic: 'auto' | boolean | undefined;
  let edge: ExposureSettings['edge'] | undefined;
  let ignore: readonly PortKey[] | undefined;
  let declared: 'exposed' | 'internal' | null = null;
  let evaluated = false;
  for (const layer of layers) {
    if (layer === null) continue;
    if (typeof layer === 'string') {
      if (layer !== 'auto' && !evaluated) declared = layer;
      break;
    }
    evaluated = true;
    isPublic ??= layer.public;
    edge ??= layer.edge;
    ignore ??= layer.ignore;
  }
  return {
    mode: declared ?? 'evaluate',
    public: isPublic ?? 'auto',
    edge: edge ?? null,
    ignore: ignore ?? defaultIgnore,
  };
}
