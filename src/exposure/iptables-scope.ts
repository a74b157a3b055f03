import type { Family } from './addresses';
import type { Environment, Usage } from './environment';
import type { IpSets } from './ipset-match';

/** What the rules of one iptables table are compiled against. */
export interface IptablesScope {
  readonly family: Family;
  readonly table: string;
  readonly usage: Usage;
  readonly environment: Pick<Environment, 'interfaces'>;
  readonly sets: IpSets;
}
