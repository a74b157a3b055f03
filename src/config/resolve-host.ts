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
  addressFamily: 'any',
  connectTimeoutSeconds: null,
  hostKeyAlias: null,
  legacyAlgorithms: [],
  algorithms: null,
  via: null,
  proxy: null,
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
    addressFamily: input.address_family,
    connectTimeoutSeconds: input.connect_timeout,
    hostKeyAlias: input.host_key_alias,
    legacyAlgorithms: input.legacy_algorithms,
    proxyJump: input.proxy_jump,
    proxy: input.proxy,
    proxyPasswordFile: input.proxy_password_file === undefined ? undefined : resolved(input.proxy_password_file),
    configFile: input.config_file === undefined ? undefined : configFileOf(file, input.config_file),
  };
}

function configFileOf(file: string, written: string): string | null {
  return written === 'none' ? null : resolvePath(file, written);
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

/** What the first layer that says anything of a setting says of it. */
export function firstOf<K extends keyof SshOverrides>(layers: readonly SshOverrides[], key: K): SshOverrides[K] {
  return layers.find((layer) => layer[key] !== undefined)?.[key];
}

/** Merges ssh settings key by key; the first layer that has one wins. Which bastions lead to the host is not settled here. */
export function resolveSsh(layers: readonly SshOverrides[]): SshSettings {
  const first = <K extends keyof SshOverrides & keyof SshSettings>(key: K): SshSettings[K] =>
    (firstOf(layers, key) as SshSettings[K] | undefined) ?? defaultSsh[key];
  const proxy = firstOf(layers, 'proxy') ?? null;
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
    addressFamily: first('addressFamily'),
    connectTimeoutSeconds: first('connectTimeoutSeconds'),
    hostKeyAlias: first('hostKeyAlias'),
    legacyAlgorithms: first('legacyAlgorithms'),
    algorithms: null,
    via: null,
    proxy: proxy === null ? null : { ...proxy, passwordFile: firstOf(layers, 'proxyPasswordFile') ?? null },
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
