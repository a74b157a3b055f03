import { addressTest, interfaceTest, type MatchCompiler } from './iptables-tests';
import { type Option, type ParsedRule, addressRange } from './iptables-words';
import { CONNECTION_MATCHES } from './iptables-conntrack';
import { PACKET_MATCHES } from './iptables-packet';
import { STATEFUL_MATCHES } from './iptables-stateful';
import type { IptablesScope } from './iptables-scope';
import { type Test, whether } from './match';
import { symbol } from './nft-symbols';

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
