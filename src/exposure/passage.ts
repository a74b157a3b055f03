import { LOOPBACK } from './address-space';
import { type Family, formatEndpoint } from './addresses';
import { type Environment, sysctl, vrfOf } from './environment';
import type { Hooks, Track } from './hooks';
import { narrowed } from './match';
import { type Flow, type Packet, because, merge } from './packet';
import { contains } from './ranges';
import type { Query } from './routing';
import type { Outcome } from './routing-table';
import type { Run } from './run';

/** Where a packet ended: at a socket of the host, or sent on through an interface. */
export interface Delivery {
  readonly flow: Flow;
  readonly by: 'socket' | 'forward';
}

/** Follows a packet from the interface that it comes in by to a socket, or out again. `first`: it asks for a new connection. */
export function arrive(
  flows: readonly Flow[],
  hooks: Hooks,
  run: Run,
  track: Track,
  first: boolean,
): readonly Delivery[] {
  const entered = enter(flows, hooks, run);
  const out: Delivery[] = [];
  for (const flow of preroute(entered, hooks, run, track)) out.push(...route(flow, hooks, run, track, first));
  return out;
}

/** The interfaces' own chains: those below a VLAN, bridge or bond first, then its own; then the bridge's. */
function enter(flows: readonly Flow[], hooks: Hooks, run: Run): readonly Flow[] {
  const name = flows[0]?.packet.iif ?? null;
  const iface = name === null ? undefined : run.environment.interfaces.get(name);
  let current = flows;
  if (hooks.hasDevice('ingress')) {
    run.budget.spend(run.environment.interfaces.size);
    const members = [...run.environment.interfaces.values()].filter(
      (other) => other.master === name && iface?.kind !== 'vrf',
    );
    // A veth's other end is no interface below it.
    const parent = iface === undefined || iface.kind === 'veth' ? null : iface.parent;
    const below = parent !== null ? [parent] : members.map((member) => member.name);
    if (below.length > 0)
      current = merge(
        below.flatMap((device) => [...hooks.runDevice('ingress', device, current, run)]),
        run.algebra,
      );
    current = hooks.runDevice('ingress', name, current, run);
  }
  if (hooks.hasBridge() && (iface === undefined || iface.kind === 'bridge' || iface.kind === null)) {
    const crossed = bridged(current, hooks, run);
    current = iface?.kind === 'bridge' ? crossed : merge([...crossed, ...current], run.algebra);
  }
  return current;
}

function bridged(flows: readonly Flow[], hooks: Hooks, run: Run): readonly Flow[] {
  const name = flows[0]?.packet.iif ?? null;
  const inside = flows.map((flow) => ({ ...flow, packet: { ...flow.packet, iif: null } }));
  const passed = hooks.runBridge('input', hooks.runBridge('prerouting', inside, run), run);
  return passed.map((flow) => ({ ...flow, packet: { ...flow.packet, iif: name } }));
}

/** In a VRF the hook is passed twice: as the interface, then as the VRF (drivers/net/vrf.c, vrf_rcv_nfhook). */
function preroute(flows: readonly Flow[], hooks: Hooks, run: Run, track: Track): readonly Flow[] {
  const family = flows[0]?.packet.family ?? 4;
  const once = hooks.run('prerouting', family, flows, run, track);
  const vrf = vrfOf(run.environment, flows[0]?.packet.iif ?? null);
  if (vrf === null) return once;
  return hooks.run(
    'prerouting',
    family,
    once.map((flow) => ({ ...flow, packet: { ...flow.packet, iif: vrf.name } })),
    run,
    track,
  );
}

function route(flow: Flow, hooks: Hooks, run: Run, track: Track, first: boolean): readonly Delivery[] {
  const { packet } = flow;
  if (packet.daddr === null) {
    run.lose(flow, 'sent to an address that is not known');
    return [];
  }
  const filtered = reversePath(flow, run);
  if (filtered === null) return [];
  const outcomes = run.environment.routing[packet.family].outcomes(packet.daddr, queryOf(packet, run.environment));
  const out: Delivery[] = [];
  for (const outcome of outcomes) {
    if (outcome.kind === 'local') out.push(...local(filtered, hooks, run, track, first));
    else if (outcome.kind === 'unicast') out.push(...forward(filtered, outcome, hooks, run, track));
    else if (outcome.kind === 'unknown') run.lose(filtered, 'the routing tables are not known');
    else run.stop(filtered, `the host has no route to ${formatEndpoint(packet.family, packet.daddr, packet.dport)}`);
  }
  return out;
}

function queryOf(packet: Packet, environment: Environment): Query {
  const iface = packet.iif === null ? undefined : environment.interfaces.get(packet.iif);
  const vrfTable = iface?.kind === 'vrf' ? iface.vrfTable : null;
  return { from: packet.saddr, iif: packet.iif, mark: packet.mark, vrfTable };
}

/**
 * rp_filter, IPv4 only: 1 drops packets whose source would be answered through another interface, 2 those that could not
 * be answered at all (Documentation/networking/ip-sysctl.rst); the larger of `all` and the interface's counts.
 */
function reversePath(flow: Flow, run: Run): Flow | null {
  const { packet } = flow;
  if (packet.family === 6 || packet.saddr !== null) return flow;
  const mode = effective(run.environment, packet, 'rp_filter', Math.max);
  if (mode === 0) return flow;
  const { routing } = run.environment;
  const vrf = run.environment.interfaces.get(packet.iif ?? '');
  const query: Query = {
    from: packet.daddr,
    iif: packet.iif,
    mark: null,
    vrfTable: vrf?.kind === 'vrf' ? vrf.vrfTable : null,
  };
  const back = routing[4].where(
    query,
    (outcome) => outcome.kind === 'unicast' && (mode !== 1 || outcome.devices.includes(packet.iif ?? '')),
  );
  const stopped = narrowed(flow, run.algebra.subtract(flow.peers, back.sure));
  if (stopped !== null) run.stop(stopped, 'dropped by the reverse path filter (rp_filter)');
  return narrowed(flow, mode === null ? flow.peers : run.algebra.intersect(flow.peers, back.may));
}

/** A per-interface setting together with the one for all; null: not known. */
function effective(
  environment: Environment,
  packet: Packet,
  name: string,
  join: (a: number, b: number) => number,
): number | null {
  const base = `net/ipv${packet.family}/conf`;
  const all = sysctl(environment, `${base}/all/${name}`);
  const own = packet.iif === null ? null : sysctl(environment, `${base}/${packet.iif}/${name}`);
  return all === null || own === null ? null : join(all, own);
}

function local(flow: Flow, hooks: Hooks, run: Run, track: Track, first: boolean): readonly Delivery[] {
  const { packet } = flow;
  const admitted = loopbackRule(flow, run);
  if (admitted === null) return [];
  const passed = hooks.run('input', packet.family, [admitted], run, track);
  const out: Delivery[] = [];
  for (const one of passed) {
    const taken = first ? atSocket(one, run) : [one];
    for (const delivered of taken) out.push({ flow: delivered, by: 'socket' });
  }
  return out;
}

/** From outside nobody reaches 127.0.0.0/8 unless route_localnet is set, and never ::1 (net/ipv4/route.c, ip_route_input_slow). */
function loopbackRule(flow: Flow, run: Run): Flow | null {
  const { packet } = flow;
  if (packet.daddr === null || packet.iif === 'lo' || !contains(LOOPBACK[packet.family], packet.daddr)) return flow;
  const allowed = packet.family === 6 ? 0 : effective(run.environment, packet, 'route_localnet', (a, b) => a | b);
  if (allowed === 1) return flow;
  run.stop(flow, 'sent on to the loopback address, which the kernel does not let packets from outside reach');
  return allowed === null ? flow : null;
}

function atSocket(flow: Flow, run: Run): readonly Flow[] {
  const { packet } = flow;
  const { listeners } = run.environment;
  const address = packet.tproxy === null ? packet.daddr : packet.tproxy.address;
  const port = packet.tproxy === null ? packet.dport : packet.tproxy.port;
  if (address === null) {
    run.lose(flow, 'given to a socket that is not known');
    return [flow];
  }
  const inVrf = packet.iif !== null && run.environment.interfaces.get(packet.iif)?.kind === 'vrf';
  const slave = inVrf ? packet.connection.slave : null;
  const arrival = { family: packet.family, transport: packet.transport, address, port, iif: packet.iif, slave };
  const service = listeners.virtualServer(arrival);
  if (service !== null) {
    if (service.servers === 0) run.stop(flow, 'an IPVS service without servers');
    return service.servers === 0 ? [] : [because(flow, 'nat', 'handed on by IPVS')];
  }
  run.budget.spend(listeners.at(packet.transport, port ?? 0).length);
  const answer = listeners.answers(arrival);
  if (answer !== 'yes')
    run.stop(flow, answer === 'no' ? 'nothing listens there' : 'it is not known whether a socket takes it');
  return answer === 'no' ? [] : [flow];
}

function forward(flow: Flow, outcome: Outcome, hooks: Hooks, run: Run, track: Track): readonly Delivery[] {
  const { packet } = flow;
  if (packet.daddr !== null && contains(LOOPBACK[packet.family], packet.daddr)) {
    run.stop(flow, 'sent on to a loopback address');
    return [];
  }
  const allowed = forwarding(run.environment, packet);
  if (allowed !== true)
    run.stop(
      flow,
      allowed === null
        ? 'it is not known whether the host forwards packets'
        : 'the host does not forward packets (ip_forward)',
    );
  if (allowed === false) return [];
  const out: Delivery[] = [];
  const devices: readonly (string | null)[] = outcome.devices.length > 0 ? outcome.devices : [null];
  for (const device of devices) {
    const leaving = { ...flow, packet: { ...packet, oif: device } };
    const passed = hooks.run('forward', packet.family, [leaving], run, track);
    for (const one of leave(passed, packet.family, hooks, run, track)) out.push({ flow: one, by: 'forward' });
  }
  return out;
}

function forwarding(environment: Environment, packet: Packet): boolean | null {
  // Since Linux 6.17 one interface can forward where the others don't (ip-sysctl.rst, force_forwarding).
  if (packet.family === 6 && sysctl(environment, `net/ipv6/conf/${packet.iif ?? ''}/force_forwarding`) === 1)
    return true;
  const value =
    packet.family === 6
      ? sysctl(environment, 'net/ipv6/conf/all/forwarding')
      : ((packet.iif === null ? null : sysctl(environment, `net/ipv4/conf/${packet.iif}/forwarding`)) ??
        sysctl(environment, 'net/ipv4/ip_forward'));
  return value === null ? null : value !== 0;
}

/** The way out: postrouting, then the interface's own egress chains. */
export function leave(flows: readonly Flow[], family: Family, hooks: Hooks, run: Run, track: Track): readonly Flow[] {
  const passed = hooks.run('postrouting', family, flows, run, track);
  if (!hooks.hasDevice('egress')) return passed;
  return passed.flatMap((flow) => [...hooks.runDevice('egress', flow.packet.oif, [flow], run)]);
}
