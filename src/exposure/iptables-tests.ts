import { type Option, portSet } from './iptables-words';
import type { IptablesScope } from './iptables-scope';
import { type Match, type Test, both, invert, member, peersIn, whether } from './match';
import type { RangeSet } from './ranges';
import { nameMatches } from './values';

/** Compiles a match's options to a test; null: this match is not understood, it may match. */
export type MatchCompiler = (options: readonly Option[], scope: IptablesScope) => Test | null;

/** A trailing `+` stands for anything (iptables(8)). */
export function interfaceTest(side: 'iif' | 'oif', name: string, not: boolean): Test {
  const pattern = name.endsWith('+') ? `${name.slice(0, -1)}*` : name;
  return ({ packet }) => {
    const actual = packet[side];
    return actual === null ? 'maybe' : whether(nameMatches(pattern, actual) !== not);
  };
}

/** `set` undefined: a mask with holes; null: not understood. */
export function addressTest(
  side: 'saddr' | 'daddr',
  set: RangeSet | null | undefined,
  not: boolean,
  scope: IptablesScope,
): Test {
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
export function portTest(
  side: 'sport' | 'dport',
  text: string,
  not: boolean,
  scope: IptablesScope,
  transport: number | null,
): Test | null {
  const set = portSet(text);
  if (set === null) return null;
  scope.usage.names(side, set);
  return ({ packet }, run) => {
    if (transport !== null && packet.transport !== transport) return 'no';
    run.look(packet, side);
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
