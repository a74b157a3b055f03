import { type Family, network, parseAddress } from './addresses';
import type { TableScope } from './nft-table';
import { type Written, valuesWritten } from './nft-effects';
import { scalarOf } from './nft-right';
import type { Flow } from './packet';
import type { Branch, Rule, Step } from './program';
import type { Bound } from './ranges';
import { asString, isRecord } from './reading';
import type { Run } from './run';
import { primaryAddress, translated } from './translation';

interface Destination {
  /** Undefined: left as it is; null: not known. */
  readonly address: Bound | null | undefined;
  readonly port: number | null | undefined;
  readonly flow: Flow;
}

/** `dnat to 10.0.0.1:80`, `dnat to tcp dport map { … }`; `snat` changes nothing about who gets in. */
export function natStep(kind: 'dnat' | 'snat', body: Record<string, unknown>, scope: TableScope): Step {
  if (kind === 'snat') return { kind: 'act', act: (flow) => [{ go: 'accept', flow }] };
  scope.usage.redirects = true;
  const addresses = { 4: side(body['addr'], 4, scope), 6: side(body['addr'], 6, scope) };
  const ports = portSide(body['port'], scope);
  const only = familyOf(body);
  return {
    kind: 'act',
    act: (flow, run, rule) => {
      // An inet table's `dnat ip to …` does nothing to IPv6 (net/netfilter/nft_nat.c, nft_nat_inet_eval).
      if (only !== null && only !== flow.packet.family) return [{ go: 'on', flow }];
      const out: Branch[] = [];
      const first = addresses[flow.packet.family](flow, run);
      for (const rest of first.broken) out.push({ go: 'next', flow: rest });
      for (const destination of first.destinations) {
        if (destination.port !== undefined || body['port'] === undefined) {
          out.push(branch(destination, rule));
          continue;
        }
        const second = ports(destination.flow, run);
        for (const rest of second.broken) out.push({ go: 'next', flow: rest });
        for (const port of second.destinations)
          out.push(branch({ ...destination, port: port.port, flow: port.flow }, rule));
      }
      return out;
    },
  };
}

function familyOf(body: Record<string, unknown>): Family | null {
  if (body['family'] === 'ip' || body['family'] === 'ip6') return body['family'] === 'ip' ? 4 : 6;
  return parseAddress(asString(body['addr']) ?? '')?.family ?? null;
}

function branch(destination: Destination, rule: Rule): Branch {
  const { flow, address, port } = destination;
  if (address === null)
    return { go: 'lost', flow, text: `${rule.label}: the destination that it maps to is not known` };
  const to = address === undefined ? flow.packet.daddr : address;
  if (to === null) return { go: 'lost', flow };
  return { go: 'accept', ...translated(flow, to, port === undefined ? flow.packet.dport : port, rule.label) };
}

type Side = (
  flow: Flow,
  run: Run,
) => { readonly destinations: readonly Destination[]; readonly broken: readonly Flow[] };

/** The address part: an address, a range, a prefix, or a map that may hold address and port together. */
function side(expr: unknown, family: Family, scope: TableScope): Side {
  const domain = family === 4 ? 'ipv4' : 'ipv6';
  if (expr === undefined)
    return (flow) => ({ destinations: [{ address: undefined, port: undefined, flow }], broken: [] });
  const like = { domain, symbols: 'none' } as const;
  const values = valuesWritten(expr, like, scope);
  return (flow, run) => {
    const { written, broken } = values(flow, run);
    return { destinations: written.flatMap((one) => destinationsOf(one, family)), broken };
  };
}

function destinationsOf({ data, value, flow }: Written, family: Family): readonly Destination[] {
  if (value !== null) return [{ address: value, port: undefined, flow }];
  const parts = isRecord(data) && Array.isArray(data['concat']) ? (data['concat'] as unknown[]) : [data];
  const port = parts.length > 1 ? scalarOf(parts[1], { domain: 'number', symbols: 'none' }) : undefined;
  const known = port === undefined ? undefined : port === null ? null : Number(port);
  const like = { domain: family === 4 ? ('ipv4' as const) : ('ipv6' as const), symbols: 'none' as const };
  const single = scalarOf(parts[0], like);
  if (single !== null) return [{ address: single, port: known, flow }];
  return several(parts[0], family).map((address) => ({ address, port: known, flow }));
}

const MOST_TARGETS = 16;

/** All addresses of a short range; a long one, or what is not understood, is one address that is not known. */
function several(raw: unknown, family: Family): readonly (Bound | null)[] {
  if (family !== 4 || !isRecord(raw)) return [null];
  let first: Bound | null = null;
  let last: Bound | null = null;
  if (Array.isArray(raw['range']))
    [first, last] = (raw['range'] as unknown[]).map((end) => parseAddress(asString(end) ?? '')?.value ?? null) as [
      Bound | null,
      Bound | null,
    ];
  if (isRecord(raw['prefix'])) {
    const address = parseAddress(asString(raw['prefix']['addr']) ?? '');
    const net = address === null ? null : network(4, address.value, Number(raw['prefix']['len']));
    if (net !== null) [first, last] = [net.start, Number(net.end) - 1];
  }
  if (first === null || last === null || Number(last) - Number(first) >= MOST_TARGETS) return [null];
  return Array.from({ length: Number(last) - Number(first) + 1 }, (_, i) => Number(first) + i);
}

function portSide(expr: unknown, scope: TableScope): Side {
  const like = { domain: 'number', symbols: 'none' } as const;
  const range = isRecord(expr) && Array.isArray(expr['range']) ? (expr['range'] as unknown[]).map(Number) : null;
  if (range !== null) {
    return (flow) => ({ destinations: portsOf(range).map((port) => ({ address: undefined, port, flow })), broken: [] });
  }
  const values = valuesWritten(expr, like, scope);
  return (flow, run) => {
    const { written, broken } = values(flow, run);
    const destinations = written.map((one) => ({
      address: undefined,
      port: one.value === null ? null : Number(one.value),
      flow: one.flow,
    }));
    return { destinations, broken };
  };
}

/** Any port of a range may be taken. */
export function portsOf(range: readonly number[]): readonly (number | null)[] {
  const [first = 0, last = 0] = range;
  if (!(last >= first) || last - first >= MOST_TARGETS) return [null];
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

/** `redirect`: to the address of the interface that the packet came in by (net/netfilter/nf_nat_redirect.c). */
export function redirectStep(body: Record<string, unknown>, scope: TableScope): Step {
  scope.usage.redirects = true;
  const ports = body['port'] === undefined ? null : portSide(body['port'], scope);
  return {
    kind: 'act',
    act: (flow, run, rule) => {
      const address = primaryAddress(flow.packet, run);
      if (address === null) return [{ go: 'lost', flow, text: `${rule.label}: the interface's address is not known` }];
      if (ports === null) return [{ go: 'accept', ...translated(flow, address, flow.packet.dport, rule.label) }];
      const { destinations, broken } = ports(flow, run);
      const out: Branch[] = broken.map((rest) => ({ go: 'next', flow: rest }));
      for (const one of destinations)
        out.push({ go: 'accept', ...translated(one.flow, address, one.port ?? null, rule.label) });
      return out;
    },
  };
}

/** `tproxy to …:port`: ends the rule if there is no such transparent socket (net/netfilter/nft_tproxy.c). */
export function tproxyStep(body: Record<string, unknown>, scope: TableScope): Step {
  scope.usage.redirects = true;
  const target = parseAddress(asString(body['addr']) ?? '');
  const port = typeof body['port'] === 'number' ? body['port'] : null;
  const dynamic = body['port'] !== undefined && port === null;
  return {
    kind: 'act',
    act: (flow, run) => {
      if (target !== null && target.family !== flow.packet.family) return [{ go: 'next', flow }];
      const address = target?.value ?? primaryAddress(flow.packet, run);
      const wanted = dynamic ? null : (port ?? flow.packet.dport);
      if (wanted !== null && address !== null && !mayListen(flow, address, wanted, run)) return [{ go: 'next', flow }];
      const proxied: Flow = { ...flow, packet: { ...flow.packet, tproxy: { address, port: wanted } } };
      // Whether the socket is transparent is not known; a socket on exactly this port most likely is.
      return run.choice(true) === 'maybe'
        ? [
            { go: 'on', flow: proxied },
            { go: 'next', flow },
          ]
        : [{ go: 'on', flow: proxied }];
    },
  };
}

function mayListen(flow: Flow, address: Bound, port: number, run: Run): boolean {
  const { family, transport, iif } = flow.packet;
  return run.environment.listeners.answers({ family, transport, address, port, iif, slave: null }) !== 'no';
}
