import type { Bound } from './ranges';
import { type Family, parseIpv6 } from './addresses';
import { type Reading, known, notKnown } from './reading';

/** A service of the kernel's load balancer: it takes connections without any socket (kube-proxy in IPVS mode). */
export interface VirtualServer {
  readonly transport: 6 | 17;
  readonly family: Family;
  readonly address: Bound;
  readonly port: number;
  /** Whether it has anybody to hand connections to. */
  readonly servers: number;
}

/** Reads /proc/net/ip_vs: `TCP  CB00710A:0050 rr`, each followed by `  -> …` lines; firewall-mark services are `FWM`. */
export function parseIpvs(text: string): Reading<readonly VirtualServer[]> {
  const out: (VirtualServer & { servers: number })[] = [];
  for (const line of text.split('\n', 200_000)) {
    const words = line.trim().split(/\s+/, 4);
    const last = out[out.length - 1];
    if (words[0] === '->' && last !== undefined && words[1] !== 'RemoteAddress:Port') last.servers += 1;
    if (words[0] === 'FWM') return notKnown('the IPVS table has services by firewall mark');
    if (words[0] !== 'TCP' && words[0] !== 'UDP') continue;
    const end = words[1] ?? '';
    const colon = end.lastIndexOf(':');
    const address = virtualAddress(end.slice(0, colon));
    const port = /^[0-9A-Fa-f]{4}$/.test(end.slice(colon + 1)) ? parseInt(end.slice(colon + 1), 16) : null;
    if (address === null || port === null) return notKnown('the IPVS table is not understood');
    out.push({ transport: words[0] === 'TCP' ? 6 : 17, ...address, port, servers: 0 });
  }
  return known(out);
}

/** IPv4 as eight hex digits in network order, IPv6 in brackets. */
function virtualAddress(text: string): { family: Family; address: Bound } | null {
  if (/^[0-9A-Fa-f]{8}$/.test(text)) return { family: 4, address: parseInt(text, 16) };
  const address = text.startsWith('[') && text.endsWith(']') ? parseIpv6(text.slice(1, -1)) : null;
  return address === null ? null : { family: 6, address };
}
