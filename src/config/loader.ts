import { resolve } from 'node:path';
import type { HostEntry } from '../inventory/entry';
import type { Host } from '../inventory/host';
import { mergeAnswers, type InventorySource, type KeptAnswer } from '../inventory/source';
import { namedSource } from '../inventory/sources';
import type { Config } from './config';
import { readConfigFile, type ConfigFile } from './config-file';
import { faultAt, fileStart, sortFaults, type Fault } from './fault';
import { FileMemory } from './file-memory';
import { readIncluded } from './include';
import { NamedFiles } from './named-files';
import { resolvePath } from './path-text';
import { defaultSsh, entryOfHost, sshOverrides } from './resolve-host';
import { policyFaults, resolvePolicy } from './resolve-policy';
import { RouteFault, Routes } from './resolve-route';
import { probeFaults, resolveProbe } from './resolve-probe';
import { configSchema, type ConfigInput, type FragmentInput } from './schema';
import { SshConfigAliases } from './ssh-config/aliases';
import { Stacks } from './stacks';
import type { Watch } from './watch';
import type { YamlText } from './yaml-text';

/** A configuration ready for use, or everything that is wrong with it; and what to look at for changes. */
export type LoadResult = (
  { readonly ok: true; readonly config: Config } | { readonly ok: false; readonly faults: readonly Fault[] }
) & { readonly warnings: readonly Fault[]; readonly watch: Watch };

/** Loads one configuration as often as wanted; what has not changed in between costs little. */
export interface ConfigLoader {
  /**
   * Reads the configuration and every file that it names. Every fault is told with its place, all of them at once; with
   * any fault there is no configuration, so that a caller who reloads keeps the one it has. Never rejects.
   */
  load(): Promise<LoadResult>;
}

/** Makes a loader for a file; its clock decides when services are asked again. */
export function createConfigLoader(path: string, nowMs: () => number = Date.now): ConfigLoader {
  const file = resolve(path);
  const files = new FileMemory();
  const answers = new Map<string, KeptAnswer>();
  let last: Promise<unknown> = Promise.resolve();
  return {
    load() {
      // One after the other: two at once would ask the same services twice.
      const result = last.then(() => new Loading(file, files, answers, nowMs).run());
      // A defect in one load must not end all the later ones.
      last = result.catch(() => undefined);
      return result;
    },
  };
}

/** A file's content with its places. */
interface Part<T> {
  readonly text: YamlText;
  readonly input: T;
}

interface NamedSource {
  readonly source: InventorySource;
  readonly text: YamlText;
  readonly at: readonly (string | number)[];
}

/** One load, from the first file read to the result. */
class Loading {
  readonly #faults: Fault[] = [];
  readonly #warnings: Fault[] = [];
  readonly #watched: string[];
  #refreshSeconds: number | null = null;

  constructor(
    private readonly file: string,
    private readonly files: FileMemory,
    private readonly answers: Map<string, KeptAnswer>,
    private readonly nowMs: () => number,
  ) {
    this.#watched = [file];
  }

  async run(): Promise<LoadResult> {
    const main = this.#take(readConfigFile(this.file, 'config', configSchema, this.files));
    if (main === null) return this.#result(null);
    const parts = [main, ...this.#include(main)];
    const config = await this.#resolve(main, parts);
    this.files.forgetUnused();
    return this.#result(config);
  }

  async #resolve({ text, input }: Part<ConfigInput>, parts: readonly Part<FragmentInput>[]): Promise<Config> {
    const wellFormed = this.#faults.length === 0;
    const probe = resolveProbe(input.probe);
    const probeProblems = probeFaults(text, input.probe, probe);
    const policy = resolvePolicy(input.policy);
    this.#faults.push(...probeProblems.faults, ...policyFaults(text, ['policy'], input.policy, policy));
    this.#warnings.push(...probeProblems.warnings);

    const stacks = new Stacks(policy, { ssh: sshOverrides(this.file, input.ssh), exposure: null });
    for (const part of parts) this.#faults.push(...stacks.add(part.text, part.input.stacks));
    const sources = parts.flatMap((part) => this.#sources(part));
    // A configuration that will be refused in any case is no reason to run programs and ask services.
    const asked = sources.filter(({ source }) => wellFormed || source.local);
    const entries = this.#unique(await this.#entries(parts, asked));
    const aliases = new SshConfigAliases(this.files, defaultSsh.user);
    const hosts = this.#hosts(entries, stacks, aliases);
    this.#warnings.push(...stacks.warnings(entries));
    if (hosts.length === 0 && this.#faults.length === 0) {
      this.#warnings.push(faultAt(this.file, fileStart, 'names no hosts: there is nothing to probe'));
    }

    const named = new NamedFiles();
    named.addSsh(text, ['ssh'], input.ssh);
    named.addSecret(text, ['web', 'refresh_token_file'], input.web?.refresh_token_file);
    for (const part of parts) named.addFragment(part.text, part.input);
    for (const { source, text: where, at } of sources) {
      for (const secret of source.secretFiles) named.addSecret(where, [...at, ...secret.path], secret.written);
    }
    named.addEntries(entries);
    named.addLines(aliases.named);
    // With faults in the form, the key files that hosts seem to use may not be the ones that were meant.
    if (wellFormed) named.addHosts(this.file, hosts);
    const checked = await named.check();
    this.#faults.push(...checked.faults);
    this.#warnings.push(...checked.warnings);

    const token = input.web?.refresh_token_file;
    const web = { refreshTokenFile: token === undefined ? null : resolvePath(this.file, token) };
    return { file: this.file, probe, web, stacks: stacks.policies(), hosts };
  }

  /** The hosts that can be got at. One that a service named without a way to it is left out, and must not stop a restart. */
  #hosts(entries: readonly HostEntry[], stacks: Stacks, aliases: SshConfigAliases): Host[] {
    const byName = new Map(entries.map((entry) => [entry.name, entry]));
    const routes = new Routes(aliases, (name) => {
      const entry = byName.get(name);
      return entry === undefined ? null : stacks.layered(entry);
    });
    // A line of another file is told of once, with the first host that it is for.
    const told = new Set<string>();
    const hosts = entries.flatMap((entry) => {
      try {
        return [stacks.resolve(entry, routes)];
      } catch (error) {
        if (!(error instanceof RouteFault)) throw error;
        const { line, message } = error;
        const key = line === null ? entry.name : `${line.file}:${line.line}`;
        const says = `\`${entry.name}\`: ${message}`;
        const fault =
          line === null ? faultAt(entry.file, entry.place(), says) : faultAt(line.file, { ...line, col: 1 }, says);
        if (!told.has(key)) (entry.fromService ? this.#warnings : this.#faults).push(fault);
        told.add(key);
        return [];
      }
    });
    this.#faults.push(...aliases.faults);
    this.#warnings.push(...aliases.warnings);
    this.#watched.push(...aliases.watched);
    return hosts;
  }

  #include({ text, input }: Part<ConfigInput>): Part<FragmentInput>[] {
    const included = readIncluded(text, input, this.files);
    this.#faults.push(...included.faults);
    this.#warnings.push(...included.warnings);
    this.#watched.push(...included.patterns);
    return included.files.map((one) => this.#take(one)).filter((part) => part !== null);
  }

  #sources({ text, input }: Part<FragmentInput>): NamedSource[] {
    return (input.inventory ?? []).flatMap((entry, i) => {
      const kind = namedSource(entry);
      if (kind === null) return [];
      const at = ['inventory', i, kind.name];
      const source = kind.open({
        file: text.file,
        placeOf: (path, part) => text.placeOf([...at, ...path], part),
        memory: { files: this.files, answers: this.answers },
        nowMs: this.nowMs,
      });
      this.#watched.push(...source.files);
      if (source.refreshSeconds !== null)
        this.#refreshSeconds = Math.min(this.#refreshSeconds ?? Infinity, source.refreshSeconds);
      return [{ source, text, at }];
    });
  }

  async #entries(parts: readonly Part<FragmentInput>[], sources: readonly NamedSource[]): Promise<HostEntry[]> {
    const listed = parts.flatMap(({ text, input }) =>
      (input.hosts ?? []).map((host, i) => entryOfHost(text, ['hosts', i], host)),
    );
    const answered = mergeAnswers(await Promise.all(sources.map(({ source }) => source.load())));
    this.#faults.push(...answered.faults);
    this.#warnings.push(...answered.warnings);
    return [...listed, ...answered.hosts];
  }

  /** Leaves out hosts named twice. What a service names twice is only a warning: its mistake must not stop a restart. */
  #unique(entries: readonly HostEntry[]): HostEntry[] {
    const first = new Map<string, HostEntry>();
    for (const entry of entries) {
      const other = first.get(entry.name);
      if (other === undefined) {
        first.set(entry.name, entry);
        continue;
      }
      const { line, col } = other.place();
      const message = `duplicate host \`${entry.name}\`: it is at ${other.file}:${line}:${col} already`;
      (entry.fromService ? this.#warnings : this.#faults).push(faultAt(entry.file, entry.place(), message));
    }
    return [...first.values()];
  }

  #take<T>(read: ConfigFile<T>): Part<T> | null {
    this.#faults.push(...read.faults);
    return read.content;
  }

  #result(config: Config | null): LoadResult {
    const watch: Watch = { files: [...new Set(this.#watched)], refreshSeconds: this.#refreshSeconds };
    const warnings = sortFaults(this.#warnings);
    if (config === null || this.#faults.length > 0)
      return { ok: false, faults: sortFaults(this.#faults), warnings, watch };
    return { ok: true, config, warnings, watch };
  }
}
