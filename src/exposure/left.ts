import type { Environment, Usage, Used } from './environment';
import type { SymbolTable } from './nft-symbols';
import type { Flow } from './packet';
import type { Run } from './run';
import type { Value } from './values';

/** What kind of values an expression yields, which tells how to read what it is compared with. */
export type Domain = 'ipv4' | 'ipv6' | 'number' | 'name' | 'opaque';

/** The left side of a comparison. */
export interface Left {
  readonly domain: Domain;
  readonly symbols: SymbolTable;
  /** Values are sets of flags; a comparison without an operator asks for any of them. */
  readonly bits: boolean;
  /** Which of the packet's properties it reads, where rules that name values of it must be known. */
  readonly uses?: Used;
  /** Yields the destination port that the packet has now, and nothing else. */
  readonly isPort?: boolean;
  /** May yield the peer's address. */
  readonly peer?: boolean;
  readonly read: (flow: Flow, run: Run) => Value;
}

export interface LeftContext {
  readonly usage: Usage;
  readonly family: string;
  /** Hook of the chain, '' for chains that others jump to. */
  readonly environment: Pick<Environment, 'interfaces'>;
}

export function plain(domain: Domain, symbols: SymbolTable, read: Left['read']): Left {
  return { domain, symbols, bits: false, read };
}
