import { defaultSsh } from '../../src/config/resolve-host';
import type { Host, SshSettings } from '../../src/inventory/host';
import type { CommandRequest } from '../../src/ssh/transport';

/** Where the tests' servers are, and with what they are reached. */
export interface Target {
  readonly port: number;
  readonly user?: string;
  readonly name?: string;
  readonly address?: string;
  readonly identityFiles: readonly string[];
  readonly passphraseFile?: string;
  readonly identityAgent?: string;
  readonly certificateFiles?: readonly string[];
  readonly knownHosts: string;
  readonly connection?: 'auto' | 'keep' | 'fresh';
  /** By what it is reached, and whatever else differs from the defaults. */
  readonly ssh?: Partial<SshSettings>;
}

/** A host of the inventory with these settings. */
export function hostAt(target: Target): Host {
  return {
    name: target.name ?? 'web-1',
    address: target.address ?? '127.0.0.1',
    stack: 'default',
    labels: {},
    ssh: {
      ...defaultSsh,
      user: target.user ?? 'probe',
      port: target.port,
      identityFiles: target.identityFiles,
      passphraseFile: target.passphraseFile ?? null,
      identityAgent: target.identityAgent ?? null,
      certificateFiles: target.certificateFiles ?? [],
      knownHosts: target.knownHosts,
      sudo: 'never',
      connection: target.connection ?? 'fresh',
      ...target.ssh,
    },
    exposure: { mode: 'internal', public: 'auto', edge: null, ignore: [] },
  };
}

/** A request to run a shell program, with a deadline far off and a bound that is large enough. */
export function requestFor(host: Host, program: string, more: Partial<CommandRequest> = {}): CommandRequest {
  return {
    host,
    command: '/bin/sh',
    input: Buffer.from(program),
    maxOutputBytes: 1024 * 1024,
    signal: AbortSignal.timeout(10_000),
    ...more,
  };
}
