/** How the exposure of a host is to be found out; see `exposure:` in the configuration. */
export interface ExposureSettings {
  /** `evaluate`: from the host's rules. The other two are declared by the configuration, nothing is evaluated. */
  readonly mode: 'evaluate' | 'exposed' | 'internal';
  /** Whether the internet can route to the host; `auto` looks at its addresses, the one dialled and cloud-init's instance data. */
  readonly public: 'auto' | boolean;
  /** What a firewall in front of the host lets in; `null`: everything. */
  readonly edge: readonly EdgeRule[] | null;
  /** Ports that do not count, as `proto/port`; shown as ignored. */
  readonly ignore: readonly PortKey[];
}

/** One line of a cloud firewall: what it lets in. */
export interface EdgeRule {
  readonly proto: 'tcp' | 'udp' | 'any';
  /** Closed ranges, 0 to 65535; `null`: every port. */
  readonly ports: readonly PortRange[] | null;
  /** CIDR networks; `null`: from everywhere. */
  readonly from: readonly string[] | null;
}

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

export interface PortKey {
  readonly proto: 'tcp' | 'udp';
  readonly port: number;
}

/** How to reach a host by SSH, all defaults resolved. */
export interface SshSettings {
  readonly user: string;
  readonly port: number;
  /** Paths of private keys, tried in this order; with an agent also of public ones. Empty: every key that the agent has. */
  readonly identityFiles: readonly string[];
  /** Path of the file with the passphrase of those that are encrypted; `null`: none is. */
  readonly passphraseFile: string | null;
  /** The agent's socket: a path, `SSH_AUTH_SOCK`, or `$` and the name of a variable that holds the path; `null`: no agent. */
  readonly identityAgent: string | null;
  /** Paths of certificates of these keys, beside those that lie next to a key as `-cert.pub`. */
  readonly certificateFiles: readonly string[];
  /** Path of the known_hosts file; checked strictly. */
  readonly knownHosts: string;
  /** `auto`: `sudo -n` is used on the host where it is allowed, to read the firewall. */
  readonly sudo: 'auto' | 'never';
  readonly connection: 'auto' | 'keep' | 'fresh';
  /** Which of a name's addresses are dialled. */
  readonly addressFamily: AddressFamily;
  /** How long it may take to reach the host, handshake not counted; `null`: as long as the whole probe. */
  readonly connectTimeoutSeconds: number | null;
  /** The name that the host's key stands under in known_hosts; `null`: its address and its name. */
  readonly hostKeyAlias: string | null;
  /** Algorithms of old servers that are offered as well, by name. */
  readonly legacyAlgorithms: readonly string[];
  /** What alone is offered of what is permitted; `null`: all of it. */
  readonly algorithms: AlgorithmChoice | null;
  /** The bastion that leads to the host, with its own way to it; `null`: the host is dialled. */
  readonly via: SshServer | null;
  /** The proxy by which the first server on the way is dialled; `null`: none. */
  readonly proxy: SocksProxy | null;
}

/** As OpenSSH calls them: `inet` is IPv4, `inet6` is IPv6. */
export type AddressFamily = 'any' | 'inet' | 'inet6';

/** Lists of algorithms, best first; `null`: as usual. */
export interface AlgorithmChoice {
  readonly keyExchange: readonly string[] | null;
  readonly hostKey: readonly string[] | null;
  readonly ciphers: readonly string[] | null;
  readonly macs: readonly string[] | null;
}

/** An SSH server that is logged in to: a host, or a bastion. */
export interface SshServer {
  /** For messages, and one of the names that its key is looked up by. */
  readonly name: string;
  readonly address: string;
  readonly ssh: SshSettings;
}

/** Where a SOCKS proxy listens. */
export interface SocksAddress {
  readonly host: string;
  readonly port: number;
  /** Whether it is given names to resolve, rather than addresses. */
  readonly resolvesNames: boolean;
}

/** A SOCKS proxy, and the file with the `user:password` for it; `null`: it asks for none. */
export interface SocksProxy extends SocksAddress {
  readonly passwordFile: string | null;
}

/** One server of the inventory, all defaults resolved. */
export interface Host {
  readonly name: string;
  /** A name or an IP address to dial. */
  readonly address: string;
  readonly stack: string;
  /** The host's own labels, beside `host` and `stack`. */
  readonly labels: Readonly<Record<string, string>>;
  readonly ssh: SshSettings;
  readonly exposure: ExposureSettings;
}
