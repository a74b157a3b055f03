import type { Host } from '../inventory/host';
import type { StackPolicy } from '../policy/policy';

/**
 * When hosts are probed: at each match of a cron expression, or every so many seconds, spread over the period either
 * way; or never by itself, only when somebody asks.
 */
export type ProbeSchedule =
  | { readonly kind: 'cron'; readonly expression: string }
  | { readonly kind: 'interval'; readonly seconds: number }
  | { readonly kind: 'never' };

/** How often and within which bounds hosts are probed. */
export interface ProbeSettings {
  readonly schedule: ProbeSchedule;
  /** One host, start to end, every step. */
  readonly timeoutSeconds: number;
  /** Probes in flight at once. */
  readonly concurrency: number;
  /** How long the last known values of a host that stopped answering are kept. */
  readonly staleAfterSeconds: number;
  /** How often the firewall is read when nothing shows that it changed. */
  readonly exposureIntervalSeconds: number;
}

export interface WebSettings {
  /** Path of a file with the bearer token that refresh calls must carry; `null`: none is asked for. */
  readonly refreshTokenFile: string | null;
}

/** A whole configuration, validated, every default resolved. */
export interface Config {
  /** Absolute path of the file it was read from. */
  readonly file: string;
  readonly probe: ProbeSettings;
  readonly web: WebSettings;
  /** Every stack that the configuration or a host names, `default` among them. */
  readonly stacks: ReadonlyMap<string, StackPolicy>;
  readonly hosts: readonly Host[];
}
