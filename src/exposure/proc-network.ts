import { type Family, after, network, parseDecimal, parseIpv4 } from './addresses';
import { type Interface, type InterfaceAddress, parseIfInet6 } from './interfaces';
import { LOOPBACK } from './address-space';
import { contains } from './ranges';
import { type Reading, known, notKnown } from './reading';
import type { Route } from './routes';

/**
 * Interfaces as far as /proc shows them, for hosts without `ip`: IPv6 addresses by interface (if_inet6), and the IPv4
 * addresses that are local (fib_trie), which carry no interface and are put on one without a name.
 */
export function procInterfaces(trie: Reading<string>, inet6: Reading<string>): Reading<readonly Interface[]> {
  if (!trie.known) return notKnown(`the addresses: ${trie.why}`);
  const locals = localAddresses(trie.value);
  const six = inet6.known ? parseIfInet6(inet6.value) : [];
  if (locals === null || six === null) return notKnown('the addresses are not understood');
  const byName = new Map<string, InterfaceAddress[]>();
  const add = (name: string, address: InterfaceAddress): void => {
    const list = byName.get(name);
    if (list === undefined) byName.set(name, [address]);
    else list.push(address);
  };
  for (const { name, address } of six) add(name, address);
  for (const address of locals) {
    const name = contains(LOOPBACK[4], address) ? 'lo' : '';
    add(name, { family: 4, address, prefixLength: 32, tentative: false });
  }
  return known(
    [...byName].map(([name, addresses]) => ({
      ...{
        name,
        addresses,
        loopback: name === 'lo',
        linkType: null,
        kind: null,
        vrfTable: null,
        group: null,
        master: null,
        parent: null,
      },
    })),
  );
}

/** The addresses with a `/32 host LOCAL` line below them in /proc/net/fib_trie; null if it is no such file. */
function localAddresses(text: string): readonly number[] | null {
  if (!text.includes('|--')) return null;
  const out = new Set<number>();
  let current: number | null = null;
  for (const line of text.split('\n', 2_000_000)) {
    const words = line.trim().split(/\s+/, 3);
    if (words[0] === '|--') current = parseIpv4(words[1] ?? '');
    else if (words[0] === '/32' && words[2] === 'LOCAL' && current !== null) out.add(current);
  }
  return [...out];
}

/**
 * The main table from /proc/net/route, or all tables from /proc/net/ipv6_route, with IPv4's local addresses from
 * fib_trie. Other tables and the rules of policy routing are not there.
 */
export function procRoutes(table: Reading<string>, trie: Reading<string>, family: Family): Reading<readonly Route[]> {
  if (!table.known) return notKnown(table.why);
  if (family === 6) return ipv6Routes(table.value);
  const locals = trie.known ? localAddresses(trie.value) : null;
  if (locals === null) return notKnown('the local addresses are not known');
  const out: Route[] = locals.map((address) => ({
    ...{
      type: 'local',
      table: 'local',
      to: { family: 4 as const, start: address, end: after(address) },
      prefixLength: 32,
    },
    ...{ metric: 0, devices: [], conditional: false },
  }));
  for (const line of table.value.split('\n', 200_000).slice(1)) {
    const [device = '', to = '', , flags = '', , , metric = '', mask = ''] = line.trim().split(/\s+/, 8);
    if (device === '') continue;
    const start = littleEndian(to);
    const bits = littleEndian(mask);
    if (start === null || bits === null) return notKnown('has a route that is not understood');
    const prefixLength = bits === 0 ? 0 : 32 - Math.round(Math.log2(2 ** 32 - bits));
    const found = network(4, start, prefixLength);
    if (found === null) return notKnown('has a route that is not understood');
    // RTF_REJECT (0x0200, linux/route.h): an unreachable route.
    const type = (parseInt(flags, 16) & 0x0200) !== 0 ? 'unreachable' : 'unicast';
    const devices = [device];
    out.push({
      type,
      table: 'main',
      to: found,
      prefixLength,
      metric: parseDecimal(metric, 2 ** 32) ?? 0,
      devices,
      conditional: false,
    });
  }
  return known(out);
}

function littleEndian(hex: string): number | null {
  if (!/^[0-9A-Fa-f]{8}$/.test(hex)) return null;
  return [6, 4, 2, 0].reduce((value, at) => value * 256 + parseInt(hex.slice(at, at + 2), 16), 0);
}

/** `dst dstlen src srclen nexthop metric refcnt use flags device`, all hex (net/ipv6/route.c). */
function ipv6Routes(text: string): Reading<readonly Route[]> {
  const out: Route[] = [];
  for (const line of text.split('\n', 200_000)) {
    if (line.trim() === '') continue;
    const words = line.trim().split(/\s+/, 10);
    const [to = '', length = '', , sourceLength = '', , metric = '', , , flags = '', device = ''] = words;
    if (!/^[0-9a-f]{32}$/.test(to) || device === '') return notKnown('has a route that is not understood');
    const found = network(6, BigInt(`0x${to}`), parseInt(length, 16));
    if (found === null) return notKnown('has a route that is not understood');
    const bits = parseInt(flags, 16);
    // RTF_LOCAL 0x80000000, RTF_REJECT 0x0200 (linux/ipv6_route.h, linux/route.h).
    const type = bits >= 0x80000000 ? 'local' : (bits & 0x0200) !== 0 ? 'unreachable' : 'unicast';
    const table = type === 'local' ? 'local' : 'main';
    const prefixLength = parseInt(length, 16);
    const conditional = sourceLength !== '00';
    out.push({ type, table, to: found, prefixLength, metric: parseInt(metric, 16), devices: [device], conditional });
  }
  return known(out);
}
