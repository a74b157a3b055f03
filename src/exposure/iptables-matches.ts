import { type Option, type ParsedRule, addressRange, portSet } from './iptables-words';
import { CONNECTION_MATCHES } from './iptables-conntrack';
import { PACKET_MATCHES } from './iptables-packet';
import { STATEFUL_MATCHES } from './iptables-stateful';
import type { IptablesScope } from './iptables-scope';
import { type Match, type Test, both, invert, member, peersIn, whether } from './match';
import { symbol } from './nft-symbols';
import { nameMatches } from './values';
import type { RangeSet } from './ranges';

/** Compiles a match's options to a test; null: this match is not understood, it may match. */
export type MatchCompiler = (options: readonly Option[], scope: IptablesScope) => Test | null;

/** Every test of a rule, in the order in which the kernel asks: the rule's own options first, then each `-m`. */
export function compileMatches(rule: ParsedRule, scope: IptablesScope): readonly Test[] {
  const tests: Test[] = [];
  for (const option of rule.options) tests.push(ownOption(option, scope));
  for (const match of rule.matches) {
    const compile = COMPILERS[match.name];
    const test = compile === undefined ? null : compile(match.options, scope);
    tests.push(test ?? (() => 'maybe'));
  }
  return tests;
}

const COMPILERS: Readonly<Record<string, MatchCompiler>> = {
  ...PACKET_MATCHES,
  ...CONNECTION_MATCHES,
  ...STATEFUL_MATCHES,
};

function ownOption(option: Option, scope: IptablesScope): Test {
  const value = option.values[0] ?? '';
  switch (option.name) {
    case '-s':
    case '--source':
      return addressTest('saddr', addressRange(value, scope.family), option.not, scope);
    case '-d':
    case '--destination':
      return addressTest('daddr', addressRange(value, scope.family), option.not, scope);
    case '-i':
    case '--in-interface':
      return interfaceTest('iif', value, option.not);
    case '-o':
    case '--out-interface':
      return interfaceTest('oif', value, option.not);
    case '-p':
    case '--protocol':
      return protocolTest(value, option.not);
    case '-f':
    case '--fragment':
      // Second and further fragments, which conntrack has put together by then.
      return (_flow, run) => run.choice(option.not);
    default:
      return () => 'maybe';
  }
}

function protocolTest(text: string, not: boolean): Test {
  const wanted = text === 'all' ? 0 : symbol('protocol', text);
  if (wanted === null) return () => 'maybe';
  return ({ packet }) => whether((wanted === 0 || wanted === packet.transport) !== not);
}

/** A trailing `+` stands for anything (iptables(8)). */
export function interfaceTest(side: 'iif' | 'oif', name: string, not: boolean): Test {
  const pattern = name.endsWith('+') ? `${name.slice(0, -1)}*` : name;
  return ({ packet }) => {
    const actual = packet[side];
    return actual === null ? 'maybe' : whether(nameMatches(pattern, actual) !== not);
  };
}

/** `set` undefined: a mask with holes; null: not understood. */
export function addressTest(side: 'saddr' | 'daddr', set: RangeSet | null | undefined, not: boolean, scope: IptablesScope): Test {
  if (set === null || set === undefined) {
    scope.usage.computes(scope.family === 4 ? 'daddr4' : 'daddr6');
    return () => 'maybe';
  }
  if (side === 'daddr') scope.usage.names(scope.family === 4 ? 'daddr4' : 'daddr6', set);
  return ({ packet }, run) => {
    const address = packet[side];
    const match: Match = address === null ? peersIn(set, false, packet.family) : member(set, false, address);
    return not ? invert(match, packet.family, run) : match;
  };
}

/** A test on the source or destination port; null if the text is no list of ports. */
export function portTest(side: 'sport' | 'dport', text: string, not: boolean, scope: IptablesScope, transport: number | null): Test | null {
  const set = portSet(text);
  if (set === null) return null;
  scope.usage.names(side, set);
  return ({ packet }) => {
    if (transport !== null && packet.transport !== transport) return 'no';
    const port = packet[side];
    return port === null ? 'maybe' : whether((member(set, false, port) === 'yes') !== not);
  };
}

export function allOf(tests: readonly Test[]): Test {
  return (flow, run) => {
    let match: Match = 'yes';
    for (const test of tests) {
      match = both(match, test(flow, run));
      if (match === 'no') return match;
    }
    return match;
  };
}
