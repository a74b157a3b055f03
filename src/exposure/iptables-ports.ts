import { type MatchCompiler, allOf, portTest } from './iptables-tests';
import type { Option } from './iptables-words';
import type { IptablesScope } from './iptables-scope';
import { type Match, type Test, invert, whether } from './match';
import { symbol } from './nft-symbols';

/** `-m tcp` and `-m udp`: ports, flags and options. */
export function ports(transport: number): MatchCompiler {
  return (options, scope) => {
    const tests: Test[] = [];
    for (const option of options) {
      const test = portOption(option, transport, scope);
      if (test === null) return null;
      tests.push(test);
    }
    return allOf([({ packet }) => whether(packet.transport === transport), ...tests]);
  };
}

function portOption(option: Option, transport: number, scope: IptablesScope): Test | null {
  const value = option.values[0] ?? '';
  if (option.name === '--sport' || option.name === '--source-port')
    return portTest('sport', value, option.not, scope, transport);
  if (option.name === '--dport' || option.name === '--destination-port')
    return portTest('dport', value, option.not, scope, transport);
  if (option.name === '--syn') return flagsTest('FIN,SYN,RST,ACK', 'SYN', option.not, scope);
  if (option.name === '--tcp-flags') return flagsTest(value, option.values[1] ?? '', option.not, scope);
  if (option.name === '--tcp-option') {
    // Kinds 2, 3, 4 and 8 are in every ordinary SYN, in later packets only the last (RFC 9293, RFC 7323).
    const isUsual = (flags: number): boolean => ((flags & SYN) !== 0 ? ['2', '3', '4', '8'] : ['8']).includes(value);
    return ({ packet }, run) => run.choice(isUsual(packet.flags) !== option.not);
  }
  return null;
}

const SYN = 0x02;
const ALL_FLAGS = 'FIN,SYN,RST,PSH,ACK,URG';

function flagBits(text: string): number | null {
  const words = text === 'ALL' ? ALL_FLAGS.split(',') : text === 'NONE' ? [] : text.split(',');
  let bits = 0;
  for (const word of words) {
    const bit = symbol('tcpFlags', word.toLowerCase());
    if (bit === null) return null;
    bits |= bit;
  }
  return bits;
}

function flagsTest(mask: string, expected: string, not: boolean, scope: IptablesScope): Test | null {
  const looked = flagBits(mask);
  const set = flagBits(expected);
  if (looked === null || set === null) return null;
  scope.usage.flagBits |= looked;
  return ({ packet }, run) => {
    run.sawFlags = true;
    return whether(((packet.flags & looked) === set) !== not);
  };
}

/** `-m multiport`: lists of ports and ranges. */
export function multiport(options: readonly Option[], scope: IptablesScope): Test | null {
  const tests: Test[] = [];
  for (const option of options) {
    const text = option.values.join('');
    const source = option.name === '--sports' || option.name === '--source-ports';
    const destination = option.name === '--dports' || option.name === '--destination-ports';
    if (!source && !destination && option.name !== '--ports' && option.name !== '--port') return null;
    const both = !source && !destination;
    const first = destination ? null : portTest('sport', text, false, scope, null);
    const second = source ? null : portTest('dport', text, false, scope, null);
    if (both ? first === null || second === null : (first ?? second) === null) return null;
    tests.push((flow, run) => {
      const either = eitherOf(first?.(flow, run) ?? 'no', second?.(flow, run) ?? 'no');
      return option.not ? invert(either, flow.packet.family, run) : either;
    });
  }
  return allOf(tests);
}

function eitherOf(a: Match, b: Match): Match {
  if (a === 'yes' || b === 'yes') return 'yes';
  return a === 'no' ? b : b === 'no' ? a : 'maybe';
}
