/** Who can open a connection to a port. */
export type OpenTo = 'anywhere' | 'some' | 'none' | 'unknown';

export type Basis = 'proven' | 'assumed' | 'declared' | 'no-public-address';

/** What was found about one port of one host, for one protocol and address family. */
export interface PortVerdict {
  readonly proto: 'tcp' | 'udp';
  readonly port: number;
  readonly family: 'ipv4' | 'ipv6';
  readonly openTo: OpenTo;
  /** In words, with the rules that decided: "accepted by table inet filter, chain input, rule 7". */
  readonly because: string;
  /** Listed in `exposure.ignore`: shown, not counted. */
  readonly ignored: boolean;
}

/** Whether any port of a host accepts a new connection from any internet address. */
export interface ExposureVerdict {
  readonly verdict: 'exposed' | 'not_exposed' | 'unknown';
  readonly basis: Basis;
  /** In words, for the whole host. */
  readonly because: string;
  /** Every listener or forwarded port, sorted by port, protocol and family. */
  readonly ports: readonly PortVerdict[];
}
