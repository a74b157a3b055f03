import type { HostDocument } from '../document/host-document';
import type { Logger } from '../logging/logger';
import type { Exposition } from '../metrics/exposition';
import type { ExpositionFormat } from '../metrics/family';
import type { StackPolicy } from '../policy/policy';
import type { HostDigest } from './fleet-list/digest';

/** What the web side asks of the exporter. */
export interface WebBackend {
  readonly log: Logger;
  readonly exposition: Exposition;
  /** Unix time in milliseconds. */
  nowMs(): number;
  /** Milliseconds that never go back. */
  monotonicMs(): number;
  /** Whether the exporter has started and is not stopping. */
  isReady(): boolean;
  /** Every host, as lists need it. */
  digests(): HostDigest[];
  /** One host whole; null when it is not in the inventory. */
  document(host: string): HostDocument | null;
  policy(stack: string): StackPolicy;
  /** Probes now, or joins; null for a host that is not in the inventory. Resolves after the probe. */
  probe(host: string, options: { readonly exposure: boolean }): Promise<void> | null;
  /** One host's metrics, with the time of the scrape. */
  hostMetrics(host: string, format: ExpositionFormat): string | null;
  /** Path of the file with the token of refresh calls; null: none is asked for. */
  refreshTokenFile(): string | null;
  /** null where the lifecycle API is off; else reloads, and says what is wrong when it could not. */
  readonly reload: (() => Promise<string | null>) | null;
}
