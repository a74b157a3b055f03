import { resolve } from 'node:path';
import { defaultStack, type HostEntry } from '../inventory/entry';
import type { Host } from '../inventory/host';
import type { StackPolicy } from '../policy/policy';
import type { Config } from './config';
import { faultAt, fileStart, sortFaults, type Fault } from './fault';
import { NamedFiles } from './key-faults';
import { resolvePath } from './path-text';
import { entryOfHost, exposureOverrides, resolveHost, sshOverrides, type HostDefaults } from './resolve-host';
import { policyFaults, resolvePolicy, resolveStackPolicy } from './resolve-policy';
import { probeFaults, resolveProbe } from './resolve-probe';
import { configSchema, type ConfigInput } from './schema';
import { checkSchema } from './schema-faults';
import { readTextFile } from './text-file';
import { readYamlText, type YamlText } from './yaml-text';

/** A configuration ready for use, or everything that is wrong with it. */
export type LoadResult =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly Fault[] }
  | { readonly ok: false; readonly faults: readonly Fault[]; readonly warnings: readonly Fault[] };

/**
 * Reads a configuration and every file that it names. Each fault is told with its place, all of them at once; with any
 * fault there is no configuration, so that a caller who reloads keeps the one it has. Never rejects.
 */
export async function loadConfig(path: string): Promise<LoadResult> {
  const file = resolve(path);
  const read = readConfigText(file);
  if (read.input === null) return { ok: false, faults: read.faults, warnings: [] };
  const { text, input } = read;
  const faults: Fault[] = [...read.faults];
  const warnings: Fault[] = [];

  const probe = resolveProbe(input.probe);
  const probeResult = probeFaults(text, input.probe, probe);
  const topPolicy = resolvePolicy(input.policy);
  faults.push(...probeResult.faults, ...policyFaults(text, ['policy'], input.policy, topPolicy));
  warnings.push(...probeResult.warnings);

  const stacks = new Map<string, StackPolicy>();
  const stackDefaults = new Map<string, HostDefaults>();
  for (const [name, stack] of Object.entries(input.stacks ?? {})) {
    const policy = resolveStackPolicy(stack, topPolicy);
    stacks.set(name, policy);
    stackDefaults.set(name, { ssh: sshOverrides(file, stack.ssh), exposure: exposureOverrides(stack.exposure) });
    faults.push(...policyFaults(text, ['stacks', name, 'policy'], stack.policy, policy));
  }

  const entries = (input.hosts ?? []).map((host, i) => entryOfHost(text, ['hosts', i], host));
  faults.push(...duplicateFaults(entries));
  const top: HostDefaults = { ssh: sshOverrides(file, input.ssh), exposure: null };
  const hosts: Host[] = entries.map((entry) => resolveHost(entry, stackDefaults.get(entry.stack) ?? noDefaults, top));
  for (const name of [defaultStack, ...hosts.map((host) => host.stack)]) {
    if (!stacks.has(name)) stacks.set(name, topPolicy);
  }

  const named = new NamedFiles();
  named.addConfig(text, input);
  named.addDefaultsOf(file, hosts);
  const checked = named.check();
  faults.push(...checked.faults);
  warnings.push(...checked.warnings);

  if (faults.length > 0) return { ok: false, faults: sortFaults(faults), warnings: sortFaults(warnings) };
  const token = input.web?.refresh_token_file;
  const web = { refreshTokenFile: token === undefined ? null : resolvePath(file, token) };
  return { ok: true, config: { file, probe, web, stacks, hosts }, warnings: sortFaults(warnings) };
}

const noDefaults: HostDefaults = { ssh: {}, exposure: null };

type ReadResult =
  | { readonly input: null; readonly faults: readonly Fault[] }
  | { readonly input: ConfigInput; readonly text: YamlText; readonly faults: readonly Fault[] };

function readConfigText(file: string): ReadResult {
  const source = readTextFile(file);
  if (!source.ok) return { input: null, faults: [faultAt(file, fileStart, source.message)] };
  const { text, faults } = readYamlText(file, source.value);
  if (text === null) return { input: null, faults };
  if (text.value === null || text.value === undefined) {
    return { input: null, faults: [faultAt(file, fileStart, 'is empty: it must name hosts to probe')] };
  }
  const checked = checkSchema(text, configSchema);
  if (!checked.ok) return { input: null, faults: sortFaults([...faults, ...checked.faults]) };
  return { input: checked.value, text, faults };
}

function duplicateFaults(entries: readonly HostEntry[]): Fault[] {
  const first = new Map<string, HostEntry>();
  const faults: Fault[] = [];
  for (const entry of entries) {
    const other = first.get(entry.name);
    if (other === undefined) {
      first.set(entry.name, entry);
      continue;
    }
    const { line, col } = other.place();
    faults.push(
      faultAt(
        entry.file,
        entry.place(),
        `duplicate host \`${entry.name}\`: it is at ${other.file}:${line}:${col} already`,
      ),
    );
  }
  return faults;
}
