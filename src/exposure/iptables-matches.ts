import { addressTest, interfaceTest, type MatchCompiler } from './iptables-tests';
import { type Option, type ParsedRule, addressRange, optionNamed, portSet } from './iptables-words';
import { CONNECTION_MATCHES } from './iptables-conntrack';
import { PACKET_MATCHES } from './iptables-packet';
import { STATEFUL_MATCHES } from './iptables-stateful';
import type { IptablesScope } from './iptables-scope';
import { type Match, type Test, whether } from './match';
import { symbol } from './nft-symbols';
import type { TestStep } from './program';
import { listed } from './ranges';

/** Every test of a rule: the rule's own options, then each `-m`. */
export function compileMatches(rule: ParsedRule, scope: IptablesScope): readonly TestStep[] {
  const steps: TestStep[] = [];
  for (const option of rule.options) {
    const late = option.name === '-s' || option.name === '--source';
    steps.push({ kind: 'test', test: ownOption(option, scope), late });
  }
  for (const { name, options } of rule.matches) {
    const test = COMPILERS.get(name)?.(options, scope) ?? ((): Match => 'maybe');
    const ports = fewPorts(name, options);
    const late = ASKS_PEER.has(name);
    steps.push(ports === undefined ? { kind: 'test', test, late } : { kind: 'test', test, late, ports });
  }
  return steps;
}

/** Matches that mostly ask for the peer's address. */
const ASKS_PEER = new Set(['iprange', 'set', 'rpfilter', 'addrtype']);

const PORT_MATCHES = new Set(['tcp', 'udp', 'udplite', 'multiport']);
const PORT_OPTIONS = ['--dport', '--destination-port', '--dports', '--destination-ports'];

/** The destination ports that a rule asks for, if they are few. */
function fewPorts(name: string, options: readonly Option[]): readonly number[] | undefined {
  const option = PORT_MATCHES.has(name) ? optionNamed(options, ...PORT_OPTIONS) : null;
  if (option === null || option.not) return undefined;
  const set = portSet(option.values.join(''));
  return set === null ? undefined : listed(set);
}

const COMPILERS: ReadonlyMap<string, MatchCompiler> = new Map(
  Object.entries({ ...PACKET_MATCHES, ...CONNECTION_MATCHES, ...STATEFUL_MATCHES }),
);

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
