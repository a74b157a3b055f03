import { stringify } from 'yaml';
import type { LabHost } from './host';
import { labUser } from './skeleton';

/** Sections that are merged over those of the lab's config, key by key; `hosts` by the host's name. */
export interface ConfigOverrides {
  readonly probe?: Readonly<Record<string, unknown>>;
  readonly ssh?: Readonly<Record<string, unknown>>;
  readonly hosts?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly [section: string]: unknown;
}

/** A config for the exporter, as YAML, in which every host of a lab is listed. */
export function exporterConfig(
  hosts: readonly LabHost[],
  identityFile: string,
  knownHostsFile: string,
  overrides: ConfigOverrides,
): string {
  const { probe, ssh, hosts: hostOverrides, ...sections } = overrides;
  return stringify({
    probe: { interval: '5s', timeout: '5s', concurrency: 16, ...probe },
    ssh: { user: labUser, identity_file: identityFile, known_hosts: knownHostsFile, ...ssh },
    ...sections,
    hosts: hosts.map((host) => hostEntry(host, hostOverrides?.[host.name] ?? {})),
  });
}

function hostEntry(host: LabHost, overrides: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { stack, labels, exposure } = host.spec;
  const { ssh, ...others } = overrides;
  const sshSection = { ...(host.sshd.port === 22 ? {} : { port: host.sshd.port }), ...(ssh as object | undefined) };
  return {
    name: host.name,
    address: host.address,
    ...(stack === undefined ? {} : { stack }),
    ...(labels === undefined ? {} : { labels }),
    ...(exposure === undefined ? {} : { exposure }),
    ...(Object.keys(sshSection).length === 0 ? {} : { ssh: sshSection }),
    ...others,
  };
}
