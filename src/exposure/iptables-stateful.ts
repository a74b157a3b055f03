import type { MatchCompiler } from './iptables-tests';
import { type Option, has, optionNamed } from './iptables-words';
import type { IptablesScope } from './iptables-scope';
import { isAny } from './listeners';
import { type Match, type Test, invert, whether } from './match';
import { ownerOf } from './nft-meta';
import type { Flow } from './packet';
import type { Run } from './run';

/** Buckets that hold tokens for an ordinary first packet. */
function limit(): Test {
  return (_flow, run) => run.choice(true);
}

function hashlimit(options: readonly Option[]): Test | null {
  const above = optionNamed(options, '--hashlimit-above');
  const upto = optionNamed(options, '--hashlimit-upto', '--hashlimit');
  if (above === null && upto === null) return null;
  // The older spelling `! --hashlimit-upto` is "above".
  const matchesFirst = above === null ? !(upto as Option).not : above.not;
  return (_flow, run) => run.choice(matchesFirst);
}

/**
 * Lists of recently seen addresses (net/netfilter/xt_recent.c). --set always matches and puts the peer on the list; the
 * others match a peer that is on it, which an ordinary one is only if this very packet put it there.
 */
function recent(options: readonly Option[], scope: IptablesScope): Test | null {
  const name = optionNamed(options, '--name')?.values[0] ?? 'DEFAULT';
  const set = optionNamed(options, '--set');
  if (set !== null) return () => whether(!set.not);
  const asks = optionNamed(options, '--rcheck', '--update', '--remove');
  if (asks === null) return null;
  const hits = Number(optionNamed(options, '--hitcount')?.values[0] ?? 1);
  const key = recentKey(name, scope);
  return (flow, run) => {
    run.choiceSeen = true;
    if (run.mode === 'free') return alwaysListed(flow, key, hits, options) ? whether(!asks.not) : 'maybe';
    return whether((flow.packet.joined.includes(key) && hits <= 1) !== asks.not);
  };
}

/** The packet has put its peer on the list a moment ago, and nothing more is asked. */
function alwaysListed(flow: Flow, key: string, hits: number, options: readonly Option[]): boolean {
  return flow.packet.joined.includes(key) && hits <= 1 && !has(options, '--rttl') && !has(options, '--remove');
}

/** The list that `-m recent --set` puts the peer on, if the rule does that. */
export function recentSet(options: readonly Option[], scope: IptablesScope): string | null {
  if (!has(options, '--set')) return null;
  return recentKey(optionNamed(options, '--name')?.values[0] ?? 'DEFAULT', scope);
}

function recentKey(name: string, scope: IptablesScope): string {
  return `recent${scope.family} ${name}`;
}

function statistic(options: readonly Option[], scope: IptablesScope): Test | null {
  const probability = Number(optionNamed(options, '--probability')?.values[0] ?? 0.5);
  scope.usage.randomness = Math.max(scope.usage.randomness, 2);
  const inverted = optionNamed(options, '--probability', '--every')?.not ?? false;
  if (probability >= 1 || probability <= 0) return () => whether(probability >= 1 !== inverted);
  return (_flow, run) => run.chance();
}

function quota(options: readonly Option[]): Test {
  const option = optionNamed(options, '--quota');
  return (_flow, run) => run.choice(!(option?.not ?? false) && option?.values[0] !== '0');
}

/** A SYN carries no text that anybody looks for. */
function string(options: readonly Option[]): Test {
  const not = optionNamed(options, '--string', '--hex-string')?.not ?? false;
  return (_flow, run) => run.choice(not);
}

function set(options: readonly Option[], scope: IptablesScope): Test | null {
  const option = optionNamed(options, '--match-set');
  const [name, flags] = option?.values ?? [];
  if (option === null || name === undefined || flags === undefined) return null;
  const counters = options.some(
    ({ name: key }) => key.startsWith('--packets-') || key.startsWith('--bytes-') || key === '--return-nomatch',
  );
  const member = scope.sets.test(name, flags.split(','), scope);
  return (flow, run) => {
    const match: Match = counters ? doubtful(run) : member(flow, run);
    return option.not ? invert(match, flow.packet.family, run) : match;
  };
}

function doubtful(run: Run): Match {
  run.choiceSeen = true;
  return 'maybe';
}

const ACK = 0x10;

/** A socket that is bound to any address counts only with --nowildcard (net/netfilter/xt_socket.c). */
function socket(options: readonly Option[]): Test {
  const anyToo = has(options, '--nowildcard');
  const transparent = has(options, '--transparent');
  return ({ packet }, run) => {
    if (packet.daddr === null || packet.dport === null || packet.direction === 'reply' || packet.tproxy !== null)
      return 'maybe';
    // A connection that is being opened has a small socket of its own, bound to the very address.
    if ((packet.flags & ACK) !== 0) return transparent ? 'maybe' : 'yes';
    const arrival = {
      family: packet.family,
      transport: packet.transport,
      address: packet.daddr,
      port: packet.dport,
      iif: packet.iif,
      slave: null,
    };
    const { listeners } = run.environment;
    const taking = listeners.at(packet.transport, packet.dport).filter((listener) => {
      return (anyToo || !isAny(listener)) && listeners.takes(listener, arrival) !== 'no';
    });
    if (taking.length === 0) return 'no';
    return transparent || taking.some((listener) => listeners.takes(listener, arrival) === 'maybe') ? 'maybe' : 'yes';
  };
}

/** A new connection's packet has no socket whose owner could be asked. */
function cgroup(): Test {
  return ({ packet }) => (packet.direction === 'original' && packet.tproxy === null ? 'no' : 'maybe');
}

/** For answers the owner is the listening socket's (net/netfilter/xt_owner.c). */
function owner(options: readonly Option[]): Test {
  const option = options.length === 1 ? optionNamed(options, '--uid-owner') : null;
  const [first = '', last = first] = (option?.values[0] ?? '').split('-', 2);
  const range = /^\d{1,10}$/.test(first) && /^\d{1,10}$/.test(last) ? ([Number(first), Number(last)] as const) : null;
  return ({ packet }, run) => {
    if (packet.direction === 'original' && packet.tproxy === null) return 'no';
    const uid = range === null ? null : ownerOf(packet, run);
    return uid === null || option === null || range === null
      ? 'maybe'
      : whether((uid >= range[0] && uid <= range[1]) !== option.not);
  };
}

export const STATEFUL_MATCHES: Readonly<Record<string, MatchCompiler>> = {
  limit,
  hashlimit,
  recent,
  statistic,
  quota,
  string,
  set,
  socket,
  owner,
  cgroup,
};
