import type { Host } from '../inventory/host';
import { faultAt, type Fault, type Place } from './fault';
import { checkIdentityFile, checkKnownHosts, checkTokenFile } from './key-file';
import { resolvePath } from './path-text';
import type { ConfigInput } from './schema';
import type { SshInput } from './schema-host';
import { formatPath } from './schema-faults';
import type { YamlText } from './yaml-text';
import type { PathStep } from './yaml-value';

/** A file that the configuration names, or that it needs by default. */
interface NamedFile {
  readonly path: string;
  readonly kind: 'identity' | 'known_hosts' | 'token';
  readonly file: string;
  readonly place: () => Place;
  /** What names it, such as `ssh.identity_file`. */
  readonly label: string;
}

const checks = { identity: checkIdentityFile, known_hosts: checkKnownHosts, token: checkTokenFile } as const;

/** Collects the files that configurations name and checks each once. */
export class NamedFiles {
  readonly #files = new Map<string, NamedFile>();

  /** Takes the files of the sections that a whole configuration file may have. */
  addConfig(text: YamlText, input: ConfigInput): void {
    this.addSsh(text, ['ssh'], input.ssh);
    for (const [name, stack] of Object.entries(input.stacks ?? {}))
      this.addSsh(text, ['stacks', name, 'ssh'], stack.ssh);
    for (const [i, host] of (input.hosts ?? []).entries()) this.addSsh(text, ['hosts', i, 'ssh'], host.ssh);
    const token = input.web?.refresh_token_file;
    if (token !== undefined) this.#add(text, ['web', 'refresh_token_file'], 'token', token);
  }

  addSsh(text: YamlText, path: readonly PathStep[], input: SshInput | undefined): void {
    const { identity_file: identity, known_hosts: knownHosts } = input ?? {};
    if (typeof identity === 'string') this.#add(text, [...path, 'identity_file'], 'identity', identity);
    if (Array.isArray(identity))
      identity.forEach((one, i) => this.#add(text, [...path, 'identity_file', i], 'identity', one));
    if (knownHosts !== undefined) this.#add(text, [...path, 'known_hosts'], 'known_hosts', knownHosts);
  }

  /** Takes what hosts use without any file naming it: the defaults. */
  addDefaultsOf(file: string, hosts: readonly Host[]): void {
    for (const { ssh } of hosts) {
      for (const path of ssh.identityFiles)
        this.#addOnce({ path, kind: 'identity', file, place: topOf, label: 'ssh.identity_file, left out,' });
      this.#addOnce({
        path: ssh.knownHosts,
        kind: 'known_hosts',
        file,
        place: topOf,
        label: 'ssh.known_hosts, left out,',
      });
    }
  }

  /** Every file's name, for whoever watches them. */
  paths(): string[] {
    return [...new Set([...this.#files.values()].map((named) => named.path))];
  }

  check(): { faults: Fault[]; warnings: Fault[] } {
    const faults: Fault[] = [];
    const warnings: Fault[] = [];
    for (const named of this.#files.values()) {
      const result = checks[named.kind](named.path);
      const say = (what: string): Fault => faultAt(named.file, named.place(), `${named.label}: ${named.path} ${what}`);
      if (!result.ok) faults.push(say(result.message));
      else if (result.value !== null) warnings.push(say(result.value));
    }
    return { faults, warnings };
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

function topOf(): Place {
  return { line: 1, col: 1 };
}
