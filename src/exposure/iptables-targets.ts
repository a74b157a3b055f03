import { type Family, parseAddress, parseDecimal, parseNetwork } from './addresses';
import { type Option, type ParsedRule, has, markOf, optionNamed } from './iptables-words';
import { connmark, newMark } from './iptables-marks';
import { ipsetKey } from './ipset-element';
import type { IptablesScope } from './iptables-scope';
import { joined } from './nft-effects';
import { portsOf } from './nft-nat';
import { unknownStep, untracked } from './nft-statements';
import type { Flow, Packet } from './packet';
import { type Branch, type Chain, type Step, verdict } from './program';
import type { Bound } from './ranges';
import type { Run } from './run';
import { primaryAddress, translated } from './translation';

/** Targets after which the next rule is asked, with nothing changed that decides who gets in. */
const NEUTRAL = new Set([
  ...[
    'LOG',
    'NFLOG',
    'ULOG',
    'AUDIT',
    'CHECKSUM',
    'CLASSIFY',
    'CONNSECMARK',
    'SECMARK',
    'DSCP',
    'ECN',
    'HL',
    'TTL',
    'IDLETIMER',
  ],
  ...['LED', 'RATEEST', 'TCPMSS', 'TCPOPTSTRIP', 'TEE', 'TOS', 'TRACE', 'ACCOUNT'],
]);

/** Compiles the target; null: the rule decides nothing. */
export function compileTarget(rule: ParsedRule, scope: IptablesScope, chains: ReadonlyMap<string, Chain>): Step | null {
  const { target, targetOptions: options } = rule;
  if (target === null || NEUTRAL.has(target)) return null;
  const chain = chains.get(target);
  if (chain !== undefined) return { kind: 'act', act: (flow) => [{ go: rule.isGoto ? 'goto' : 'jump', flow, chain }] };
  switch (target) {
    case 'ACCEPT':
      return verdict('accept');
    case 'DROP':
    case 'REJECT':
    case 'TARPIT':
      return verdict('drop');
    case 'RETURN':
      return verdict('return');
    case 'SNAT':
    case 'MASQUERADE':
      return verdict('accept');
    case 'MARK':
      return effect((packet) => ({ ...packet, mark: newMark(packet.mark, options) }));
    case 'CONNMARK':
      return effect((packet) => connmark(packet, options));
    case 'NOTRACK':
      return { kind: 'act', act: (flow) => [{ go: 'on', flow: untracked(flow) }] };
    case 'CT':
      return has(options, '--notrack') ? { kind: 'act', act: (flow) => [{ go: 'on', flow: untracked(flow) }] } : null;
    case 'SET':
      return setTarget(options);
    case 'DNAT':
      return dnat(options, scope);
    case 'REDIRECT':
      return redirect(options, scope);
    case 'NETMAP':
      return netmap(options, scope);
    case 'TPROXY':
      return tproxy(options, scope);
    case 'SYNPROXY':
      return {
        kind: 'act',
        act: (flow) => [{ go: 'accept', flow: { ...flow, packet: { ...flow.packet, tracking: 'established' } } }],
      };
    case 'NFQUEUE':
    case 'QUEUE':
      return queue();
    default:
      scope.usage.redirects = true;
      return unknownStep(`the target ${target}`);
  }
}

function effect(change: (packet: Packet) => Packet): Step {
  return { kind: 'act', act: (flow) => [{ go: 'on', flow: { ...flow, packet: change(flow.packet) } }] };
}

function queue(): Step {
  return {
    kind: 'act',
    act: (flow, _run, rule) => [
      { go: 'accept', flow },
      { go: 'drop', flow, text: `${rule.label}: handed to a program by NFQUEUE` },
    ],
  };
}

/** Puts the peer on a list, or takes it off; --map-set changes marks. */
function setTarget(options: readonly Option[]): Step | null {
  const add = optionNamed(options, '--add-set');
  if (has(options, '--map-set')) return unknownStep('SET --map-set');
  if (add === null) return null;
  return { kind: 'act', act: (flow) => [{ go: 'on', flow: joined(flow, ipsetKey(add.values[0] ?? '')) }] };
}

interface Target {
  readonly address: Bound | null | undefined;
  readonly port: number | null | undefined;
}

const UNKNOWN_TARGET: Target = { address: null, port: null };

/** `10.0.0.1`, `10.0.0.1-10.0.0.9:80-90`, `:80`, `[2001:db8::1]:80`. */
export function natTargets(text: string, family: Family): readonly Target[] {
  const { hosts, ports } = separate(text, family);
  const [first = '', last = first] = hosts.split('-', 2);
  const start = first === '' ? undefined : parseAddress(first);
  const end = last === '' ? undefined : parseAddress(last);
  if (start === null || end === null) return [UNKNOWN_TARGET];
  const portRange =
    ports === '' ? undefined : (ports.split('/')[0] ?? '').split('-').map((word) => parseDecimal(word, 65535));
  if (portRange?.includes(null) === true) return [UNKNOWN_TARGET];
  const [low = 0, high = low] = (portRange ?? []) as number[];
  const portChoices: readonly (number | null | undefined)[] =
    portRange === undefined ? [undefined] : portsOf([low, high]);
  const addresses = addressChoices(start?.value, end?.value);
  return addresses.flatMap((address) => portChoices.map((port) => ({ address, port })));
}

function separate(text: string, family: Family): { hosts: string; ports: string } {
  if (family === 6) {
    const close = text.lastIndexOf(']');
    if (close < 0)
      return text.startsWith(':') && parseDecimal(text.slice(1), 65535) !== null
        ? { hosts: '', ports: text.slice(1) }
        : { hosts: text, ports: '' };
    return { hosts: text.slice(0, close).replace(/[[\]]/g, ''), ports: text.slice(close + 1).replace(':', '') };
  }
  const colon = text.indexOf(':');
  return colon < 0 ? { hosts: text, ports: '' } : { hosts: text.slice(0, colon), ports: text.slice(colon + 1) };
}

function addressChoices(start: Bound | undefined, end: Bound | undefined): readonly (Bound | null | undefined)[] {
  if (start === undefined || end === undefined) return [undefined];
  if (start === end) return [start];
  if (typeof start !== 'number' || typeof end !== 'number' || end < start || end - start >= 16) return [null];
  return Array.from({ length: end - start + 1 }, (_, i) => start + i);
}

function dnat(options: readonly Option[], scope: IptablesScope): Step {
  scope.usage.redirects = true;
  const targets = options
    .filter(({ name }) => name === '--to-destination')
    .flatMap(({ values }) => natTargets(values[0] ?? '', scope.family));
  return {
    kind: 'act',
    act: (flow, _run, rule) => targets.map((target) => sent(flow, target, flow.packet.daddr, rule.label)),
  };
}

function sent(flow: Flow, target: Target, otherwise: Bound | null, label: string): Branch {
  const address = target.address === undefined ? otherwise : target.address;
  if (address === null) return { go: 'lost', flow, text: `${label}: the destination that it maps to is not known` };
  return {
    go: 'accept',
    ...translated(flow, address, target.port === undefined ? flow.packet.dport : target.port, label),
  };
}

function redirect(options: readonly Option[], scope: IptablesScope): Step {
  scope.usage.redirects = true;
  const to = optionNamed(options, '--to-ports', '--to-port')?.values[0];
  const range = to === undefined ? undefined : to.split('-').map(Number);
  const ports: readonly (number | null | undefined)[] =
    range === undefined ? [undefined] : portsOf([range[0] ?? 0, range[1] ?? range[0] ?? 0]);
  return {
    kind: 'act',
    act: (flow, run, rule) => {
      const address = primaryAddress(flow.packet, run);
      return ports.map((port) => sent(flow, { address, port }, null, rule.label));
    },
  };
}

/** Keeps the host part of the destination (net/netfilter/xt_NETMAP.c). */
function netmap(options: readonly Option[], scope: IptablesScope): Step {
  scope.usage.redirects = true;
  scope.usage.computes(scope.family === 4 ? 'daddr4' : 'daddr6');
  const net = parseNetwork(optionNamed(options, '--to')?.values[0] ?? '');
  return {
    kind: 'act',
    act: (flow, _run, rule) => {
      const { daddr } = flow.packet;
      if (net === null || daddr === null) return [{ go: 'lost', flow }];
      const size = BigInt(net.end) - BigInt(net.start);
      const address = BigInt(net.start) + (BigInt(daddr) % size);
      return [
        sent(
          flow,
          { address: typeof daddr === 'bigint' ? address : Number(address), port: undefined },
          null,
          rule.label,
        ),
      ];
    },
  };
}

/** Gives the packet to a listening socket and marks it; without such a socket it is dropped (net/netfilter/xt_TPROXY.c). */
function tproxy(options: readonly Option[], scope: IptablesScope): Step {
  scope.usage.redirects = true;
  const port = Number(optionNamed(options, '--on-port')?.values[0] ?? 0);
  const ip = parseAddress(optionNamed(options, '--on-ip')?.values[0] ?? '');
  const mark = markOf(optionNamed(options, '--tproxy-mark')?.values[0] ?? '0x0/0x0');
  return {
    kind: 'act',
    act: (flow, run: Run): readonly Branch[] => {
      const { packet } = flow;
      const address = ip === null || ip.value === 0 || ip.value === 0n ? primaryAddress(packet, run) : ip.value;
      const wanted = port === 0 ? packet.dport : port;
      const marked = mark === null || packet.mark === null ? null : ((packet.mark & ~mark.mask) ^ mark.value) >>> 0;
      return [
        { go: 'accept', flow: { ...flow, packet: { ...packet, mark: marked, tproxy: { address, port: wanted } } } },
      ];
    },
  };
}
