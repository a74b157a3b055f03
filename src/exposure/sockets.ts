import { type Family, mappedIpv4, parseAddress, parseDecimal } from './addresses';
import type { Bound } from './ranges';
import { type Reading, known, notKnown } from './reading';

/** IP protocol numbers that sockets are looked at for; UDP-Lite is shown as udp. */
export type Transport = 6 | 17 | 136;

/** A socket that takes new connections or datagrams from peers that it does not know yet. */
export interface Listener {
  readonly transport: Transport;
  /** Of the address it is bound to; `::` with `v6only` false takes IPv4 as well. */
  readonly family: Family;
  /** The bound address; 0 is any. */
  readonly address: Bound;
  readonly port: number;
  /** IPV6_V6ONLY; null: not known. Only for family 6. */
  readonly v6only: boolean | null;
  /** SO_BINDTODEVICE or a link-local scope: the interface; '' for none; null: not known. */
  readonly device: string | null;
  /** Whose socket it is; null: not known. */
  readonly uid: number | null;
}

/** More sockets than any host has; what is beyond is not looked at and makes the answer "unknown". */
const MAX_SOCKETS = 100_000;

const LISTEN = '0A';
const UNCONNECTED = '07';

/**
 * Reads /proc/net/{tcp,udp}{,6}: a header, then rows `sl local remote st …` (Documentation/networking/proc_net_tcp.rst).
 * TCP listens in state 0A; a UDP socket in 07 has no peer, in 01 it is connected and takes only its peer's datagrams.
 */
export function parseProcSockets(text: string, transport: Transport, family: Family): Reading<readonly Listener[]> {
  const lines = text.split('\n');
  if (lines.length > MAX_SOCKETS) return notKnown('too many sockets');
  if (!(lines[0] ?? '').includes('local_address')) return notKnown('has no header');
  const wanted = transport === 6 ? LISTEN : UNCONNECTED;
  const out: Listener[] = [];
  for (const line of lines.slice(1)) {
    const fields = line.trim().split(/\s+/, 8);
    if (fields.length === 1 && fields[0] === '') continue;
    if (fields.length < 4) return notKnown('has a row that is not a socket');
    if (fields[3] !== wanted) continue;
    const socket = localAddress(fields[1] as string, family);
    if (socket === null) return notKnown('has a row that is not a socket');
    out.push({
      transport,
      ...fold(family, socket.address),
      port: socket.port,
      device: null,
      uid: parseDecimal(fields[7] ?? '', 2 ** 32),
    });
  }
  return known(out);
}

/** `0100007F:0016`: 32-bit words as the CPU stores them (little endian on everything that matters), then the port in hex. */
function localAddress(text: string, family: Family): { address: Bound; port: number } | null {
  const digits = family === 4 ? 8 : 32;
  if (text.length !== digits + 5 || text[digits] !== ':') return null;
  if (!/^[0-9A-Fa-f]+$/.test(text.slice(0, digits)) || !/^[0-9A-Fa-f]{4}$/.test(text.slice(digits + 1))) return null;
  const port = parseInt(text.slice(digits + 1), 16);
  if (family === 4) return { address: swap(text), port };
  let address = 0n;
  for (let i = 0; i < 32; i += 8) address = (address << 32n) | BigInt(swap(text.slice(i, i + 8)));
  return { address, port };
}

function swap(word: string): number {
  let value = 0;
  for (let i = 6; i >= 0; i -= 2) value = value * 256 + parseInt(word.slice(i, i + 2), 16);
  return value;
}

/** An IPv6 socket bound to ::ffff:a.b.c.d is an IPv4 listener. */
function fold(family: Family, address: Bound): { family: Family; address: Bound; v6only: boolean | null } {
  if (family === 4) return { family: 4, address, v6only: null };
  const mapped = mappedIpv4(BigInt(address));
  return mapped === null ? { family: 6, address, v6only: null } : { family: 4, address: mapped, v6only: null };
}

/** One row of `ss -tuln -e`. */
export interface SsRow {
  readonly transport: Transport;
  readonly address: { readonly family: Family; readonly value: Bound } | 'any';
  readonly port: number;
  readonly device: string;
  readonly v6only: boolean | null;
}

/** Reads `ss -H -tuln -e`: `tcp LISTEN 0 128 [fe80::1]%eth0:22 [::]:* … v6only:1`. Rows not understood are left out. */
export function parseSs(text: string): readonly SsRow[] {
  const out: SsRow[] = [];
  for (const line of text.split('\n', MAX_SOCKETS)) {
    const fields = line.trim().split(/\s+/, 40);
    const transport = fields[0] === 'tcp' ? 6 : fields[0] === 'udp' ? 17 : null;
    const local = fields[4];
    if (transport === null || local === undefined) continue;
    const row = ssLocal(local);
    if (row === null) continue;
    const v6only = fields.includes('v6only:1') ? true : fields.includes('v6only:0') ? false : null;
    out.push({ transport, ...row, v6only });
  }
  return out;
}

function ssLocal(text: string): Pick<SsRow, 'address' | 'port' | 'device'> | null {
  const colon = text.lastIndexOf(':');
  const port = parseDecimal(text.slice(colon + 1), 65535);
  if (colon < 0 || port === null) return null;
  const [host = '', device = ''] = text.slice(0, colon).split('%', 2);
  if (host === '*') return { address: 'any', port, device };
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  const address = parseAddress(bare);
  if (address === null) return null;
  const mapped = address.family === 6 ? mappedIpv4(BigInt(address.value)) : null;
  return { address: mapped === null ? address : { family: 4, value: mapped }, port, device };
}

/**
 * Adds to the sockets of /proc what only `ss` shows. Several sockets can share an address and port (SO_REUSEPORT, one
 * for each device): each gets its own row; a socket without a row keeps "not known".
 */
export function withSs(listeners: readonly Listener[], rows: readonly SsRow[]): readonly Listener[] {
  const byKey = new Map<string, SsRow[]>();
  for (const row of rows) {
    for (const key of rowKeys(row)) {
      const list = byKey.get(key);
      if (list === undefined) byKey.set(key, [row]);
      else list.push(row);
    }
  }
  const taken = new Map<string, number>();
  return listeners.map((listener) => {
    const key = `${listener.transport}|${listener.family}|${listener.address}|${listener.port}`;
    const list = byKey.get(key);
    if (list === undefined) return listener;
    const at = taken.get(key) ?? 0;
    taken.set(key, at + 1);
    const row = list[at];
    return row === undefined ? listener : { ...listener, device: row.device, v6only: row.v6only ?? listener.v6only };
  });
}

/** `*` is how ss writes `::` when the socket takes IPv4 too, and older versions write it for 0.0.0.0. */
function rowKeys(row: SsRow): readonly string[] {
  if (row.address !== 'any') return [`${row.transport}|${row.address.family}|${row.address.value}|${row.port}`];
  return row.v6only === null
    ? [`${row.transport}|4|0|${row.port}`, `${row.transport}|6|0|${row.port}`]
    : [`${row.transport}|6|0|${row.port}`];
}
