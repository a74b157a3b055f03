import { type Family, formatAddress } from './addresses';
import type { VirtualServer } from './ipvs';
import type { Bound } from './ranges';
import type { Listener, Transport } from './sockets';

/** Where a packet ends: address and port after every translation, interface, and the VRF that it came through. */
export interface Arrival {
  readonly family: Family;
  readonly transport: Transport;
  readonly address: Bound;
  /** Null: one of several, it is not known which. */
  readonly port: number | null;
  readonly iif: string | null;
  /** The enslaved interface, when it came in through a VRF. */
  readonly slave: string | null;
}

/** Sockets by what they take. */
export class Listeners {
  private readonly byPort = new Map<string, Listener[]>();
  private readonly all: readonly Listener[];
  private readonly virtual = new Map<string, VirtualServer[]>();
  private readonly virtualAddresses: ReadonlySet<Bound>;

  constructor(
    listeners: readonly Listener[],
    servers: readonly VirtualServer[],
    /** What net.ipv4.tcp_l3mdev_accept and udp_l3mdev_accept say; null: not known. */
    private readonly acrossVrfs: Readonly<Record<number, boolean | null>>,
    /** Whether a socket whose device is not known could be bound to one that does not face the internet. */
    private readonly deviceDoubt: boolean,
  ) {
    this.all = listeners;
    for (const listener of listeners) push(this.byPort, `${listener.transport}|${listener.port}`, listener);
    this.virtualAddresses = new Set(servers.map((server) => server.address));
    for (const server of servers) push(this.virtual, `${server.transport}|${server.port}`, server);
  }

  at(transport: Transport, port: number): readonly Listener[] {
    return this.byPort.get(`${transport}|${port}`) ?? [];
  }

  /** Every listener whose port is wanted, or all when the port is not known. */
  private candidates(transport: Transport, port: number | null): readonly Listener[] {
    return port === null ? this.all.filter((listener) => listener.transport === transport) : this.at(transport, port);
  }

  /** Whether somebody takes the packet. */
  answers(arrival: Arrival): 'yes' | 'no' | 'maybe' {
    let answer: 'yes' | 'no' | 'maybe' = 'no';
    for (const listener of this.candidates(arrival.transport, arrival.port)) {
      const one = this.takes(listener, arrival);
      if (one === 'yes' && arrival.port !== null) return 'yes';
      if (one !== 'no') answer = 'maybe';
    }
    return answer;
  }

  /** Whether this socket takes the packet (net/ipv4/inet_hashtables.c, compute_score). */
  takes(listener: Listener, arrival: Arrival): 'yes' | 'no' | 'maybe' {
    const doubts = [this.byAddress(listener, arrival), this.byDevice(listener, arrival)];
    if (doubts.includes('no')) return 'no';
    return doubts.includes('maybe') ? 'maybe' : 'yes';
  }

  private byAddress(listener: Listener, arrival: Arrival): 'yes' | 'no' | 'maybe' {
    if (listener.family === arrival.family)
      return isAny(listener) || listener.address === arrival.address ? 'yes' : 'no';
    if (arrival.family === 6 || !isAny(listener) || listener.v6only === true) return 'no';
    return listener.v6only === null ? 'maybe' : 'yes';
  }

  private byDevice(listener: Listener, arrival: Arrival): 'yes' | 'no' | 'maybe' {
    if (listener.device === null) return this.deviceDoubt ? 'maybe' : 'yes';
    if (listener.device !== '') {
      if (arrival.iif === null) return 'maybe';
      return listener.device === arrival.iif || listener.device === arrival.slave ? 'yes' : 'no';
    }
    if (arrival.slave === null) return 'yes';
    const accepts = this.acrossVrfs[arrival.transport] ?? null;
    return accepts === null ? 'maybe' : accepts ? 'yes' : 'no';
  }

  /** The load balancer's service at an address and port, if there is one. */
  virtualServer(arrival: Arrival): VirtualServer | null {
    const list = this.virtual.get(`${arrival.transport}|${arrival.port}`) ?? [];
    return list.find((server) => server.family === arrival.family && server.address === arrival.address) ?? null;
  }

  /** Who owns the sockets at a port, if they are all one user's; null: not known. */
  owner(transport: Transport, port: number | null): number | null {
    const owners = new Set(port === null ? [] : this.at(transport, port).map((listener) => listener.uid));
    const [uid] = owners;
    return owners.size === 1 && uid !== undefined ? uid : null;
  }

  /** Whether some service of the load balancer has the address. */
  hasVirtual(address: Bound): boolean {
    return this.virtualAddresses.has(address);
  }

  /** Ports with a socket or a service, for one protocol and family. */
  ports(transport: Transport, family: Family): readonly number[] {
    const out = new Set<number>();
    for (const listener of this.all) {
      if (listener.transport !== transport) continue;
      const dual = listener.family === 6 && family === 4 && isAny(listener) && listener.v6only !== true;
      if (listener.family === family || dual) out.add(listener.port);
    }
    for (const list of this.virtual.values()) {
      for (const server of list) if (server.transport === transport && server.family === family) out.add(server.port);
    }
    return [...out];
  }

  /** How the sockets at a port are bound: ports with the same binding fare alike wherever no rule tells them apart. */
  binding(transport: Transport, port: number): string {
    const sockets = this.at(transport, port).map((l) => `${l.family}/${l.address}/${l.v6only}/${l.device}/${l.uid}`);
    const servers = (this.virtual.get(`${transport}|${port}`) ?? []).map(
      (s) => `v${s.family}/${s.address}/${s.servers > 0}`,
    );
    return [...sockets, ...servers].sort().join(',');
  }
}

export function isAny(listener: Listener): boolean {
  return listener.address === 0 || listener.address === 0n;
}

/** "0.0.0.0", "[::]" or an address, with its interface. */
export function describeBinding(listener: Listener): string {
  const address = formatAddress(listener.family, listener.address);
  return listener.device === null || listener.device === '' ? address : `${address}%${listener.device}`;
}

function push<T>(map: Map<string, T[]>, key: string, item: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [item]);
  else list.push(item);
}
