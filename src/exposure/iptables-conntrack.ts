import type { MatchCompiler } from './iptables-tests';
import { type Option, addressRange, markOf, numberRange, portSet } from './iptables-words';
import type { IptablesScope } from './iptables-scope';
import { type Match, type Test, both, invert, member, peersIn, whether } from './match';
import type { Packet } from './packet';
import type { Run } from './run';

type Judge = (packet: Packet, run: Run) => Match;

/** Whether conntrack has a connection for the packet (nf_ct_get is not NULL and it is no template). */
export function isTracked(packet: Packet): boolean {
  return packet.tracking === 'new' || packet.tracking === 'established';
}

const STATES: Readonly<Record<string, Packet['tracking']>> = {
  INVALID: 'invalid',
  NEW: 'new',
  ESTABLISHED: 'established',
  UNTRACKED: 'untracked',
};

/** `--ctstate NEW,DNAT`: any of them (net/netfilter/xt_conntrack.c). */
function stateTest(option: Option): Test {
  const words = (option.values[0] ?? '').split(',');
  return ({ packet }) => {
    const dnat = words.includes('DNAT') && isTracked(packet) && packet.connection.dnat !== null;
    const matches = dnat || words.some((word) => STATES[word] === packet.tracking);
    return whether(matches !== option.not);
  };
}

/** Everything but the state: without a connection only a rule that asks for the state alone can match. */
function conntrack(options: readonly Option[], scope: IptablesScope): Test | null {
  const tests: Test[] = [];
  let statesOnly = true;
  let asksState = false;
  for (const option of options) {
    if (option.name === '--ctstate' || option.name === '--state') {
      tests.push(stateTest(option));
      asksState = true;
      continue;
    }
    statesOnly = false;
    const judge = connectionOption(option, scope);
    tests.push(
      judge === null
        ? () => 'maybe'
        : ({ packet }, run) => (option.not ? invert(judge(packet, run), packet.family, run) : judge(packet, run)),
    );
  }
  return (flow, run) => {
    const tracked = isTracked(flow.packet);
    let match: Match = tracked || statesOnly || asksState ? 'yes' : 'no';
    for (const [i, test] of tests.entries()) {
      const isState = options[i]?.name === '--ctstate' || options[i]?.name === '--state';
      // xt_conntrack returns right after the state where there is no connection to ask further.
      if (!tracked && !isState) continue;
      match = both(match, test(flow, run));
    }
    return match;
  };
}

function connectionOption(option: Option, scope: IptablesScope): Judge | null {
  const value = option.values[0] ?? '';
  switch (option.name) {
    case '--ctproto':
      return ({ transport }) =>
        value === 'tcp' || value === '6'
          ? whether(transport === 6)
          : value === 'udp' || value === '17'
            ? whether(transport === 17)
            : 'maybe';
    case '--ctdir':
      return ({ direction }) => whether((value === 'ORIGINAL') === (direction === 'original'));
    case '--ctorigsrc':
    case '--ctrepldst':
      return peerAddress(value, scope);
    case '--ctorigdst':
      return hostAddress(value, scope, (packet) => packet.connection.address);
    case '--ctreplsrc':
      return hostAddress(value, scope, (packet) => packet.connection.dnat?.address ?? packet.connection.address);
    case '--ctorigdstport':
      return hostPort(value, scope, (packet) => packet.connection.port);
    case '--ctreplsrcport':
      return hostPort(value, scope, (packet) =>
        packet.connection.dnat === null ? packet.connection.port : packet.connection.dnat.port,
      );
    case '--ctorigsrcport':
    case '--ctrepldstport':
      return peerPort(value, scope);
    case '--ctstatus':
      return (packet) => status(value.split(','), packet);
    default:
      return null;
  }
}

function peerAddress(value: string, scope: IptablesScope): Judge {
  const set = addressRange(value, scope.family);
  return ({ family }) => (set === null || set === undefined ? 'maybe' : peersIn(set, false, family));
}

function hostAddress(value: string, scope: IptablesScope, of: (packet: Packet) => number | bigint): Judge {
  const set = addressRange(value, scope.family);
  if (set === null || set === undefined) return () => 'maybe';
  scope.usage.names(scope.family === 4 ? 'daddr4' : 'daddr6', set);
  return (packet) => member(set, false, of(packet));
}

function hostPort(value: string, scope: IptablesScope, of: (packet: Packet) => number | null): Judge {
  const set = portSet(value);
  if (set === null) return () => 'maybe';
  scope.usage.names('dport', set);
  return (packet) => {
    const port = of(packet);
    return port === null ? 'maybe' : member(set, false, port);
  };
}

function peerPort(value: string, scope: IptablesScope): Judge {
  const set = portSet(value);
  if (set === null) return () => 'maybe';
  scope.usage.names('sport', set);
  return ({ connection }, run) => {
    run.sawPeerPort = true;
    return connection.peerPort === null ? 'maybe' : member(set, false, connection.peerPort);
  };
}

/** NONE stands for no status bit at all, which a first packet's connection may have. */
function status(words: readonly string[], packet: Packet): Match {
  if (words.includes('NONE')) return 'maybe';
  if (packet.tracking === 'established') {
    return words.includes('SEEN_REPLY') || words.includes('CONFIRMED')
      ? 'yes'
      : words.includes('ASSURED')
        ? 'maybe'
        : 'no';
  }
  return 'no';
}

function mark(of: (packet: Packet) => number | null): MatchCompiler {
  return (options) => {
    const option = options.find(({ name }) => name === '--mark');
    const wanted = markOf(option?.values[0] ?? '');
    if (option === undefined || wanted === null) return null;
    return ({ packet }) => {
      const actual = of(packet);
      return actual === null ? 'maybe' : whether(((actual & wanted.mask) >>> 0 === wanted.value) !== option.not);
    };
  };
}

function connmark(options: readonly Option[], scope: IptablesScope): Test | null {
  const test = mark((packet) => packet.connection.mark)(options, scope);
  if (test === null) return null;
  return (flow, run) => (isTracked(flow.packet) ? test(flow, run) : 'no');
}

/** Only connections that another one's helper expected have a helper to show (net/netfilter/xt_helper.c). */
function helper(options: readonly Option[]): Test {
  const not = options.find(({ name }) => name === '--helper')?.not ?? false;
  return () => whether(not);
}

function conncount(options: readonly Option[]): Test | null {
  const above = options.find(({ name }) => name === '--connlimit-above');
  const upto = options.find(({ name }) => name === '--connlimit-upto');
  const limit = Number((above ?? upto)?.values[0]);
  if (!Number.isFinite(limit)) return null;
  return (_flow, run) => run.choice(above === undefined ? 1 <= limit : 1 > limit);
}

function connbytes(options: readonly Option[]): Test | null {
  const option = options.find(({ name }) => name === '--connbytes');
  const range = numberRange(option?.values[0] ?? '');
  if (option === undefined || range === null) return null;
  return (_flow, run) => run.choice((range[0] === 0) !== option.not);
}

export const CONNECTION_MATCHES: Readonly<Record<string, MatchCompiler>> = {
  conntrack,
  state: conntrack,
  mark: mark((packet) => packet.mark),
  connmark,
  helper,
  connlimit: conncount,
  connbytes,
};
