import type { Place } from '../config/fault';
import type { AddressFamily, EdgeRule, PortKey, SocksAddress } from './host';
import type { Jump } from './jump';

/** What an inventory says of how to log in to a host; what it leaves out comes from the host's stack or the defaults. */
export interface SshOverrides {
  readonly user?: string | undefined;
  readonly port?: number | undefined;
  /** Absolute paths. */
  readonly identityFiles?: readonly string[] | undefined;
  readonly passphraseFile?: string | null | undefined;
  /** `null`: no agent, whatever the layers after this say. */
  readonly identityAgent?: string | null | undefined;
  readonly certificateFiles?: readonly string[] | undefined;
  readonly knownHosts?: string | undefined;
  readonly sudo?: 'auto' | 'never' | undefined;
  readonly connection?: 'auto' | 'keep' | 'fresh' | undefined;
  readonly addressFamily?: AddressFamily | undefined;
  readonly connectTimeoutSeconds?: number | undefined;
  readonly hostKeyAlias?: string | undefined;
  readonly legacyAlgorithms?: readonly string[] | undefined;
  /** The bastions, first the one that is dialled first; none of them: whatever the layers after this say. */
  readonly proxyJump?: readonly Jump[] | undefined;
  /** `null`: no proxy, whatever the layers after this say. */
  readonly proxy?: SocksAddress | null | undefined;
  readonly proxyPasswordFile?: string | undefined;
  /** The ssh_config file that fills in what no layer says; `null`: none. */
  readonly configFile?: string | null | undefined;
}

/** What an inventory says of a host's exposure: a word that settles all, or single keys. */
export type ExposureOverrides =
  | 'auto'
  | 'exposed'
  | 'internal'
  | {
      readonly public?: 'auto' | boolean | undefined;
      readonly edge?: readonly EdgeRule[] | undefined;
      readonly ignore?: readonly PortKey[] | undefined;
    };

/** One host as an inventory names it, before defaults; every inventory source gives these. */
export interface HostEntry {
  readonly name: string;
  readonly address: string;
  readonly stack: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ssh: SshOverrides;
  readonly exposure: ExposureOverrides | null;
  /** The file that names the host, and where; finding the line costs, so it is done when asked. */
  readonly file: string;
  readonly place: () => Place;
  /** Whether a service named it, whose answers change by themselves. */
  readonly fromService: boolean;
}

/** The stack of a host that names none. */
export const defaultStack = 'default';
