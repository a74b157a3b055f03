import { defaultStack, type HostEntry } from '../inventory/entry';
import type { ExposureSettings, Host, SshSettings } from '../inventory/host';
import type { StackPolicy } from '../policy/policy';
import { faultAt, type Fault } from './fault';
import { exposureOverrides, resolveExposure, resolveSsh, sshOverrides, type HostDefaults } from './resolve-host';
import { policyFaults, resolveStackPolicy } from './resolve-policy';
import { isRouted, type LayeredEntry, type Reached, type Routes } from './resolve-route';
import type { FragmentInput } from './schema';
import { nearestWord } from './suggestion';
import type { YamlText } from './yaml-text';

const nothing: HostDefaults = { ssh: {}, exposure: null };

interface Stack {
  readonly policy: StackPolicy;
  readonly defaults: HostDefaults;
  /** What hosts have that say nothing themselves; one object for all of them, as there can be many. */
  readonly ssh: SshSettings;
  readonly exposure: ExposureSettings;
  /** Where it is configured; `null` for one that only hosts name. */
  readonly definedAt: { readonly text: YamlText } | null;
}

/** The stacks of a configuration, from all its files, and what their hosts take over from them. */
export class Stacks {
  readonly #stacks = new Map<string, Stack>();
  readonly #topPolicy: StackPolicy;
  readonly #top: HostDefaults;

  /** `topPolicy` and `top` are what stacks take over in turn. */
  constructor(topPolicy: StackPolicy, top: HostDefaults) {
    this.#topPolicy = topPolicy;
    this.#top = top;
  }

  /** Takes the stacks of one file; gives what is wrong with them. */
  add(text: YamlText, inputs: FragmentInput['stacks']): Fault[] {
    const faults: Fault[] = [];
    for (const [name, input] of Object.entries(inputs ?? {})) {
      const other = this.#stacks.get(name)?.definedAt;
      if (other !== undefined && other !== null) {
        const { line, col } = other.text.placeOf(['stacks', name], 'key');
        const message = `duplicate stack \`${name}\`: it is at ${other.text.file}:${line}:${col} already`;
        faults.push(faultAt(text.file, text.placeOf(['stacks', name], 'key'), message));
        continue;
      }
      const policy = resolveStackPolicy(input, this.#topPolicy);
      const defaults = { ssh: sshOverrides(text.file, input.ssh), exposure: exposureOverrides(input.exposure) };
      this.#stacks.set(name, this.#stack(policy, defaults, { text }));
      faults.push(...policyFaults(text, ['stacks', name, 'policy'], input.policy, policy));
    }
    return faults;
  }

  /** A host and the ssh settings that hold for it, its own first. */
  layered(entry: HostEntry): LayeredEntry {
    return { entry, layers: [entry.ssh, this.#named(entry.stack).defaults.ssh, this.#top.ssh] };
  }

  /**
   * A host with everything filled in; a stack that no file configured comes to be with the defaults. Throws a RouteFault
   * where there is no way to it.
   */
  resolve(entry: HostEntry, routes: Routes): Host {
    const stack = this.#named(entry.stack);
    return {
      name: entry.name,
      stack: entry.stack,
      labels: entry.labels,
      ...this.#reached(entry, stack, routes),
      exposure:
        entry.exposure === null
          ? stack.exposure
          : resolveExposure([entry.exposure, stack.defaults.exposure, this.#top.exposure]),
    };
  }

  #reached(entry: HostEntry, stack: Stack, routes: Routes): Reached {
    const layered = this.layered(entry);
    if (isRouted(layered.layers)) return routes.resolve(layered);
    const plain = Object.values(entry.ssh).every((value) => value === undefined);
    return { address: entry.address, ssh: plain ? stack.ssh : resolveSsh(layered.layers) };
  }

  /** Hosts whose stack is a letter or two off one that is configured: most likely they miss its policy. */
  warnings(entries: readonly HostEntry[]): Fault[] {
    const configured = [...this.#stacks].filter(([, stack]) => stack.definedAt !== null).map(([name]) => name);
    const warned = new Set([defaultStack, ...configured]);
    const warnings: Fault[] = [];
    for (const entry of entries) {
      if (warned.has(entry.stack)) continue;
      warned.add(entry.stack);
      const nearest = nearestWord(entry.stack, configured);
      if (nearest === null) continue;
      const message = `the stack \`${entry.stack}\` of \`${entry.name}\` is not configured, did you mean \`${nearest}\`?`;
      warnings.push(faultAt(entry.file, entry.place(), message));
    }
    return warnings;
  }

  /** The policy of every stack, that of `default` among them. */
  policies(): ReadonlyMap<string, StackPolicy> {
    this.#named(defaultStack);
    return new Map([...this.#stacks].map(([name, { policy }]) => [name, policy]));
  }

  #named(name: string): Stack {
    const known = this.#stacks.get(name);
    if (known !== undefined) return known;
    const stack = this.#stack(this.#topPolicy, nothing, null);
    this.#stacks.set(name, stack);
    return stack;
  }

  #stack(policy: StackPolicy, defaults: HostDefaults, definedAt: Stack['definedAt']): Stack {
    return {
      policy,
      defaults,
      ssh: resolveSsh([defaults.ssh, this.#top.ssh]),
      exposure: resolveExposure([defaults.exposure, this.#top.exposure]),
      definedAt,
    };
  }
}
