import { isIP, isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { PortKey, PortRange } from '../inventory/host';
import { right, wrong, type Reading } from './reading';

export const portRangePattern = '^[0-9]{1,5}( *- *[0-9]{1,5})?$';
export const portKeyPattern = '^(tcp|udp)/[0-9]{1,5}$';

const highestPort = 65_535;
const rangeForm = /^(\d{1,5})(?: *- *(\d{1,5}))?$/;

/** Reads `443` or `8000-8100`; both ends belong to the range. */
export function parsePortRange(value: unknown): Reading<PortRange> {
  const example = 'write a port like `443` or a range like `"8000-8100"`';
  const match = typeof value === 'number' || typeof value === 'string' ? rangeForm.exec(String(value)) : null;
  if (match === null) return wrong(`\`${show(value)}\` is no port: ${example}`);
  const first = Number(match[1]);
  const last = match[2] === undefined ? first : Number(match[2]);
  if (first > highestPort || last > highestPort)
    return wrong(`\`${show(value)}\` is no port: the highest is ${highestPort}`);
  if (first > last) return wrong(`\`${show(value)}\` runs backwards: write \`"${last}-${first}"\``);
  return right({ first, last });
}

/** Reads `udp/68`, and `68/udp` as well in its message. */
export function parsePortKey(value: unknown): Reading<PortKey> {
  if (typeof value !== 'string') return wrong(`\`${show(value)}\` needs its protocol: write one like \`udp/68\``);
  const [proto, port, ...rest] = value.split('/');
  if (port === undefined || rest.length > 0) return wrong(`\`${value}\` needs its protocol: write one like \`udp/68\``);
  if (/^\d+$/.test(proto ?? '') && (port === 'tcp' || port === 'udp'))
    return wrong(`\`${value}\` is the wrong way round: write \`${port}/${proto}\``);
  if (proto !== 'tcp' && proto !== 'udp')
    return wrong(`\`${value}\` has an unknown protocol: only \`tcp\` and \`udp\` have ports`);
  if (!/^\d{1,5}$/.test(port) || Number(port) > highestPort)
    return wrong(`\`${value}\` has no port: it is a number up to ${highestPort}`);
  return right({ proto, port: Number(port) });
}

/** Reads a network like `10.0.0.0/8` or `::/0`; a bare address is a network of itself. Gives the canonical text. */
export function parseNetwork(value: unknown): Reading<string> {
  if (typeof value !== 'string')
    return wrong(`\`${show(value)}\` is no network: write one like \`10.0.0.0/8\` or \`"::/0"\``);
  const [address, prefix, ...rest] = value.split('/');
  // isIP refuses the short and octal forms (`10.1`, `010.0.0.1`) on whose meaning programs disagree.
  if (address === undefined || rest.length > 0 || isIP(address) === 0 || address.includes('%')) {
    const advice = ['any', 'all', '*', 'anywhere'].includes(value)
      ? 'for anywhere write `[0.0.0.0/0, "::/0"]`'
      : 'write one like `10.0.0.0/8` or `"::/0"`';
    return wrong(`\`${value}\` is no network: ${advice}`);
  }
  const bits = isIPv4(address) ? 32 : 128;
  if (prefix !== undefined && (!/^\d{1,3}$/.test(prefix) || Number(prefix) > bits)) {
    return wrong(`\`${value}\` has a wrong prefix: it is a number from 0 to ${bits}`);
  }
  const length = prefix === undefined ? bits : Number(prefix);
  const base = isIPv4(address)
    ? ipaddr.IPv4.networkAddressFromCIDR(`${address}/${length}`)
    : ipaddr.IPv6.networkAddressFromCIDR(`${address}/${length}`);
  const canonical = `${base.toString()}/${length}`;
  if (base.toString() !== ipaddr.parse(address).toString()) {
    return wrong(`\`${value}\` has bits set behind its prefix: the network is \`${canonical}\``);
  }
  return right(canonical);
}

function show(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value).slice(0, 60) : String(value);
}
