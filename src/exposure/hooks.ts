import type { Family } from './addresses';
import { type Flow, type Packet, merge } from './packet';
import { type BaseChain, runBase } from './program';
import type { Run } from './run';

/** What happens at one hook, in the order of priorities. */
type Event =
  | { readonly kind: 'chain'; readonly base: BaseChain; readonly priority: number }
  | { readonly kind: 'conntrack'; readonly priority: number }
  | { readonly kind: 'nat'; readonly priority: number };

/** Where conntrack looks at packets and where translation happens, whatever priority a nat chain asks for (since Linux 4.18). */
const CONNTRACK = -200;
const NAT_DESTINATION = -100;
const NAT_SOURCE = 100;

/** What conntrack makes of the packets under way. */
export type Track = (packet: Packet) => Packet['tracking'];

/** All base chains of a host, by hook and family. */
export class Hooks {
  private readonly events = new Map<string, readonly Event[]>();
  private readonly reversedEvents = new Map<string, readonly Event[]>();

  private readonly deviceChains: Readonly<Record<'ingress' | 'egress', readonly BaseChain[]>>;
  private readonly bridgeChains: readonly BaseChain[];

  constructor(private readonly bases: readonly BaseChain[]) {
    const sorted = [...bases].sort((a, b) => a.priority - b.priority);
    const onDevice = (hook: string): readonly BaseChain[] =>
      sorted.filter((base) => base.hook === hook && (base.family === 'netdev' || base.family === 'inet'));
    this.deviceChains = { ingress: onDevice('ingress'), egress: onDevice('egress') };
    this.bridgeChains = sorted.filter((base) => base.family === 'bridge');
  }

  /** Runs all chains of a hook; gives the flows that pass every one of them. */
  run(hook: string, family: Family, flows: readonly Flow[], run: Run, track: Track): readonly Flow[] {
    let current = flows;
    run.isRouted = hook !== 'prerouting';
    for (const event of this.eventsOf(hook, family, run.reversed)) {
      if (current.length === 0) break;
      if (event.kind === 'conntrack') current = current.map((flow) => tracked(flow, track));
      else if (event.kind === 'nat') current = this.translate(hook, family, current, run);
      else if (event.kind === 'chain') current = through(event.base, current, run);
    }
    return current;
  }

  /** Runs the chains of one interface (netdev ingress and egress, inet ingress); null: the interface is not known. */
  runDevice(hook: 'ingress' | 'egress', device: string | null, flows: readonly Flow[], run: Run): readonly Flow[] {
    let current = flows;
    run.isRouted = hook === 'egress';
    for (const base of this.deviceChains[hook]) {
      run.budget.spend(1 + (base.devices?.length ?? 0));
      if (base.devices !== undefined && base.devices !== null && device !== null && !base.devices.includes(device))
        continue;
      const doubtful = base.devices === null || base.devices === undefined || device === null;
      const passed = through(base, current, run);
      current = doubtful ? merge([...passed, ...current], run.algebra) : passed;
    }
    return current;
  }

  hasDevice(hook: 'ingress' | 'egress'): boolean {
    return this.deviceChains[hook].length > 0;
  }

  hasBridge(): boolean {
    return this.bridgeChains.length > 0;
  }

  /** Bridge chains see packets that come in through a bridge's port, before anything else does. */
  runBridge(hook: string, flows: readonly Flow[], run: Run): readonly Flow[] {
    let current = flows;
    run.isRouted = false;
    for (const base of this.bridgeChains) {
      if (base.hook !== hook) continue;
      // Whether conntrack works on bridges is a module's matter, so both are tried.
      const both = current.flatMap((flow) => [flow, { ...flow, packet: { ...flow.packet, tracking: 'new' as const } }]);
      current = merge(
        through(base, both, run).map((flow) => ({ ...flow, packet: { ...flow.packet, tracking: 'invalid' as const } })),
        run.algebra,
      );
    }
    return current;
  }

  /** Whether the order among equal priorities could matter for a family. */
  hasTies(family: Family): boolean {
    let found = this.ties.get(family);
    if (found === undefined) this.ties.set(family, (found = this.findTies(family)));
    return found;
  }

  private readonly ties = new Map<Family, boolean>();

  private findTies(family: Family): boolean {
    return ['prerouting', 'input', 'forward', 'output', 'postrouting'].some((hook) => {
      if (this.natChains(hook, family, false).most > 1) return true;
      const events = this.eventsOf(hook, family, false);
      return events.some((event, i) => {
        const next = events[i + 1];
        return next !== undefined && next.priority === event.priority && (changes(event) || changes(next));
      });
    });
  }

  /** Whether any chain looks at a family's packets at all. */
  isEmpty(family: Family): boolean {
    return !this.bases.some((base) => sees(base, family) || base.family === 'netdev' || base.family === 'bridge');
  }

  private eventsOf(hook: string, family: Family, reversed: boolean): readonly Event[] {
    const cache = reversed ? this.reversedEvents : this.events;
    const key = `${hook} ${family}`;
    const found = cache.get(key);
    if (found !== undefined) return found;
    const events: Event[] = [];
    if (hook === 'prerouting' || hook === 'output') {
      events.push({ kind: 'conntrack', priority: CONNTRACK }, { kind: 'nat', priority: NAT_DESTINATION });
    }
    if (hook === 'input' || hook === 'postrouting') events.push({ kind: 'nat', priority: NAT_SOURCE });
    for (const base of this.bases) {
      if (base.hook === hook && base.type !== 'nat' && sees(base, family))
        events.push({ kind: 'chain', base, priority: base.priority });
    }
    const ordered = reversed ? events.reverse() : events;
    ordered.sort((a, b) => a.priority - b.priority);
    cache.set(key, ordered);
    return ordered;
  }

  private readonly nats = new Map<string, NatChains>();

  private natChains(hook: string, family: Family, reversed: boolean): NatChains {
    const key = `${hook} ${family} ${reversed}`;
    let found = this.nats.get(key);
    if (found === undefined) {
      const own = this.bases.filter((base) => base.hook === hook && base.type === 'nat' && sees(base, family));
      if (reversed) own.reverse();
      const counts = new Map<number, number>();
      for (const { priority } of own) counts.set(priority, (counts.get(priority) ?? 0) + 1);
      found = { chains: own.sort((a, b) => a.priority - b.priority), most: Math.max(0, ...counts.values()) };
      this.nats.set(key, found);
    }
    return found;
  }

  /** New connections are shown to the nat chains until one of them decides; for known ones the decision is applied. */
  private translate(hook: string, family: Family, flows: readonly Flow[], run: Run): readonly Flow[] {
    const { chains, most } = this.natChains(hook, family, run.reversed);
    if (chains.length === 0 && flows.every((flow) => flow.packet.connection.dnat === null)) return flows;
    const source = hook === 'input' || hook === 'postrouting';
    const done: Flow[] = [];
    let open: Flow[] = [];
    for (const flow of flows) {
      if (flow.packet.tracking === 'new') open.push(flow);
      else done.push(source ? flow : applied(flow));
    }
    // Of two with one priority both orders are tried; of more, any may be the first that is asked.
    const isCertain = run.environment.usage.tracked.has(family) && most < 3;
    for (const base of chains) {
      const asked = through(base, open, run);
      const passed = isCertain ? asked : merge([...asked, ...open], run.algebra);
      if (source) {
        open = [...passed];
        continue;
      }
      open = passed.filter((flow) => !flow.packet.connection.mapped);
      done.push(...passed.filter((flow) => flow.packet.connection.mapped));
    }
    return merge([...done, ...open], run.algebra);
  }
}

/** Chains of type nat at one hook, in their order, and how many of them share a priority at most. */
interface NatChains {
  readonly chains: readonly BaseChain[];
  readonly most: number;
}

function changes(event: Event): boolean {
  return event.kind !== 'chain' || event.base.effects;
}

function sees(base: BaseChain, family: Family): boolean {
  return base.family === 'inet' || base.family === (family === 4 ? 'ip' : 'ip6');
}

/** A chain of a table that may be dormant may see the packets or not. */
function through(base: BaseChain, flows: readonly Flow[], run: Run): readonly Flow[] {
  const passed = runBase(base, flows, run);
  return base.active === null ? merge([...passed, ...flows], run.algebra) : passed;
}

function tracked(flow: Flow, track: Track): Flow {
  if (flow.packet.tracking !== 'invalid') return flow;
  return { ...flow, packet: { ...flow.packet, tracking: track(flow.packet) } };
}

/** A later packet of a translated connection goes where the first one went. */
function applied(flow: Flow): Flow {
  const { packet } = flow;
  const { dnat } = packet.connection;
  if (packet.tracking !== 'established' || packet.direction !== 'original' || dnat === null) return flow;
  return { ...flow, packet: { ...packet, daddr: dnat.address, dport: dnat.port } };
}
