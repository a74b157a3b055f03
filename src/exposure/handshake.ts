import type { Hooks, Track } from './hooks';
import { narrowed } from './match';
import { type Delivery, arrive, leave } from './passage';
import { type Flow, type Packet, merge } from './packet';
import type { Query } from './routing';
import type { Run } from './run';

const SYN_ACK = 0x12;
const ACK = 0x10;

/** What conntrack makes of the first packet. */
export const FIRST: Track = () => 'new';

/**
 * A TCP connection is only open once the host's SYN-ACK has got out and the peer's ACK has got in: a ruleset that lets in
 * new packets only, or lets no answer out, lets nobody connect. Gives what is left of the deliveries after both.
 */
export function handshake(deliveries: readonly Delivery[], start: Packet, hooks: Hooks, run: Run): readonly Flow[] {
  const done: Flow[] = [];
  for (const { flow, by } of deliveries) {
    if (flow.packet.transport !== 6 || (flow.packet.tracking === 'established' && by === 'socket')) {
      done.push(flow);
      continue;
    }
    // A stateless connection is tracked from any packet on that nobody exempts: what comes of it depends on settings.
    const wasUntracked = flow.packet.tracking === 'untracked';
    run.about = 'its answer ';
    const answered = answer(flow, by, hooks, run, () => (wasUntracked ? 'invalid' : 'established'));
    run.about = 'the connection’s next packet ';
    done.push(...acknowledge(answered, flow, start, hooks, run, wasUntracked));
    run.about = '';
  }
  return merge(done, run.algebra);
}

/** The SYN-ACK on its way out. */
function answer(flow: Flow, by: Delivery['by'], hooks: Hooks, run: Run, track: Track): readonly Flow[] {
  const { packet } = flow;
  const reply: Packet = {
    ...packet,
    direction: 'reply',
    saddr: packet.daddr,
    daddr: packet.saddr,
    sport: packet.dport,
    dport: packet.sport,
    flags: SYN_ACK,
    iif: by === 'socket' ? '' : packet.oif,
    oif: null,
    mark: 0,
    tracking: 'invalid',
    tproxy: null,
  };
  const start: Flow = { ...flow, packet: reply };
  const before = by === 'socket' ? [start] : hooks.run('prerouting', packet.family, [start], run, track);
  const out: Flow[] = [];
  for (const one of before) {
    for (const routed of back(one, packet, run)) {
      const hook = by === 'socket' ? 'output' : 'forward';
      const passed = hooks.run(hook, packet.family, [routed], run, track);
      out.push(...leave(passed, packet.family, hooks, run, track));
    }
  }
  return merge(out, run.algebra);
}

/** The route back to the peers; those to whom none leads cannot connect. */
function back(flow: Flow, original: Packet, run: Run): readonly Flow[] {
  const { packet } = flow;
  const iface = original.iif === null ? undefined : run.environment.interfaces.get(original.iif);
  const query: Query = {
    from: packet.saddr,
    iif: packet.iif === '' ? 'lo' : packet.iif,
    mark: packet.mark,
    vrfTable: iface?.kind === 'vrf' ? iface.vrfTable : null,
  };
  const out: Flow[] = [];
  for (const { to, outcome } of run.environment.routing[packet.family].lookup(query)) {
    const part = narrowed(flow, run.algebra.intersect(flow.peers, to));
    if (part === null) continue;
    if (outcome.kind === 'unicast') {
      for (const device of outcome.devices.length > 0 ? outcome.devices : [null])
        out.push({ ...part, packet: { ...packet, oif: device } });
    } else if (outcome.kind === 'unknown') {
      run.stop(part, 'has a route that is not known');
      out.push(part);
    } else {
      run.stop(part, 'finds no route back');
    }
  }
  return out;
}

/** The peer's ACK on its way in: the same way as the SYN, but of a known connection. */
function acknowledge(
  answered: readonly Flow[],
  flow: Flow,
  start: Packet,
  hooks: Hooks,
  run: Run,
  wasUntracked: boolean,
): readonly Flow[] {
  const out: Flow[] = [];
  for (const { peers } of answered) {
    const packet: Packet = { ...start, flags: ACK, connection: flow.packet.connection, joined: flow.packet.joined };
    const again: Flow = { ...flow, packet, peers };
    const tracks: readonly Track[] = wasUntracked ? [() => 'new', () => 'invalid'] : [() => 'established'];
    const ways = tracks.map((track) => arrive([again], hooks, run, track, false).map((delivery) => delivery.flow));
    for (const arrived of merge(ways.flat(), run.algebra)) out.push({ ...flow, peers: arrived.peers });
  }
  return out;
}
