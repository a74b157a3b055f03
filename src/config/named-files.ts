import type { HostEntry } from '../inventory/entry';
import type { Host, SshServer } from '../inventory/host';
import type { LoginUse } from '../ssh/login-check';
import { faultAt, fileStart, type Fault, type Place } from './fault';
import {
  checkAgent,
  checkCertificate,
  checkIdentity,
  checkKnownHosts,
  checkPassphrase,
  checkProxyPassword,
  checkReadable,
  checkSecretFile,
} from './key-file';
import { resolvePath } from './path-text';
import { formatPath } from './schema-faults';
import type { FragmentInput } from './schema';
import type { SshInput } from './schema-host';
import type { NamedLine } from './ssh-config/aliases';
import type { YamlText } from './yaml-text';
import type { PathStep } from './yaml-value';

/** A file that the configuration names, or that it needs by default. */
interface NamedFile {
  readonly path: string;
  readonly kind: keyof typeof checks;
  readonly file: string;
  readonly place: () => Place;
  /** The key that names it, such as `ssh.identity_file`. */
  readonly label: string;
}

const checks = {
  identity: checkIdentity,
  agent: checkAgent,
  certificate: checkCertificate,
  passphrase: checkPassphrase,
  known_hosts: checkKnownHosts,
  secret: checkSecretFile,
  proxy_password: checkProxyPassword,
  ssh_config: checkReadable,
} as const;

const lineLabels = {
  identity: 'IdentityFile',
  certificate: 'CertificateFile',
  known_hosts: 'UserKnownHostsFile',
} as const;

/** Collects the key files that configurations name, and checks each of them once. */
export class NamedFiles {
  readonly #files = new Map<string, NamedFile>();
  /** How hosts use each key and certificate, each way once. */
  readonly #uses = new Map<string, Map<string, LoginUse>>();

  /** Takes the files of an `ssh:` section. */
  addSsh(text: YamlText, path: readonly PathStep[], input: SshInput | undefined): void {
    const { known_hosts: knownHosts, passphrase_file: passphrase } = input ?? {};
    this.#addList(text, [...path, 'identity_file'], 'identity', input?.identity_file);
    this.#addList(text, [...path, 'certificate_file'], 'certificate', input?.certificate_file);
    if (passphrase !== undefined) this.#add(text, [...path, 'passphrase_file'], 'passphrase', passphrase);
    if (knownHosts !== undefined) this.#add(text, [...path, 'known_hosts'], 'known_hosts', knownHosts);
    const config = input?.config_file;
    if (config !== undefined && config !== 'none') this.#add(text, [...path, 'config_file'], 'ssh_config', config);
    const password = input?.proxy_password_file;
    if (password !== undefined) this.#add(text, [...path, 'proxy_password_file'], 'proxy_password', password);
  }

  /** Takes the files that stacks and hosts name. */
  addFragment(text: YamlText, input: FragmentInput): void {
    for (const [name, stack] of Object.entries(input.stacks ?? {}))
      this.addSsh(text, ['stacks', name, 'ssh'], stack.ssh);
    for (const [i, host] of (input.hosts ?? []).entries()) this.addSsh(text, ['hosts', i, 'ssh'], host.ssh);
  }

  /** Takes a file with a secret in it. */
  addSecret(text: YamlText, path: readonly PathStep[], written: string | undefined): void {
    if (written !== undefined) this.#add(text, path, 'secret', written);
  }

  /** Takes the keys that a source of the inventory names for its hosts. */
  addEntries(entries: readonly HostEntry[]): void {
    for (const { name, ssh, file, place } of entries) {
      for (const path of ssh.identityFiles ?? []) {
        this.#addOnce({ path, kind: 'identity', file, place, label: `identity file of ${name}` });
      }
    }
  }

  /** Takes what an ssh_config names for hosts. */
  addLines(lines: Iterable<NamedLine>): void {
    for (const { kind, path, file, line } of lines)
      this.#addOnce({ path, kind, file, place: () => ({ line, col: 1 }), label: lineLabels[kind] });
  }

  /** Takes what hosts use that nothing named: the defaults. */
  addHosts(file: string, hosts: readonly Host[]): void {
    const place = (): Place => fileStart;
    const done = new Set<SshServer>();
    const add = ({ name, ssh }: Pick<SshServer, 'name' | 'ssh'>): void => {
      for (const path of ssh.identityFiles) {
        this.#addOnce({ path, kind: 'identity', file, place, label: `ssh.identity_file of ${name}` });
        this.#addUse('identity', path, { ...ssh, identityFiles: [path] });
      }
      for (const path of ssh.certificateFiles) this.#addUse('certificate', path, ssh);
      if (ssh.identityFiles.length === 0 && ssh.identityAgent !== null)
        this.#addOnce({ path: ssh.identityAgent, kind: 'agent', file, place, label: `ssh.identity_agent of ${name}` });
      this.#addOnce({ path: ssh.knownHosts, kind: 'known_hosts', file, place, label: `ssh.known_hosts of ${name}` });
      if (ssh.via === null || done.has(ssh.via)) return;
      done.add(ssh.via);
      add(ssh.via);
    };
    hosts.forEach(add);
  }

  async check(): Promise<{ faults: Fault[]; warnings: Fault[] }> {
    const faults: Fault[] = [];
    const warnings: Fault[] = [];
    for (const named of this.#files.values()) {
      const { fault, warnings: few, inside } = await checks[named.kind](named.path, this.#usesOf(named));
      const say = (what: string): Fault => faultAt(named.file, named.place(), `${named.label}: ${what}`);
      if (fault !== null) faults.push(say(fault));
      warnings.push(...few.map(say), ...inside);
    }
    return { faults, warnings };
  }

  #usesOf({ kind, path }: Pick<NamedFile, 'kind' | 'path'>): LoginUse[] {
    return [...(this.#uses.get(`${kind} ${path}`)?.values() ?? [])];
  }

  #addUse(kind: NamedFile['kind'], path: string, { identityFiles, passphraseFile, identityAgent }: LoginUse): void {
    const file = `${kind} ${path}`;
    const uses = this.#uses.get(file) ?? new Map<string, LoginUse>();
    const use = { identityFiles, passphraseFile, identityAgent };
    this.#uses.set(file, uses.set(JSON.stringify(use), use));
  }

  #addList(
    text: YamlText,
    path: readonly PathStep[],
    kind: NamedFile['kind'],
    written: string | readonly string[] | undefined,
  ): void {
    if (typeof written === 'string') this.#add(text, path, kind, written);
    else for (const [i, one] of (written ?? []).entries()) this.#add(text, [...path, i], kind, one);
  }

  #add(text: YamlText, path: readonly PathStep[], kind: NamedFile['kind'], written: string): void {
    const place = (): Place => text.placeOf(path);
    this.#addOnce({ path: resolvePath(text.file, written), kind, file: text.file, place, label: formatPath(path) });
  }

  #addOnce(named: NamedFile): void {
    const key = `${named.kind} ${named.path}`;
    if (!this.#files.has(key)) this.#files.set(key, named);
  }
}
