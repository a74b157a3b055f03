import { type Family, parseAddress, parseDecimal } from './addresses';
import type { Bound } from './ranges';
import { type Reading, asInteger, asString, asStrings, isRecord, jsonOf, known, notKnown } from './reading';

export interface InterfaceAddress {
  readonly family: Family;
  readonly address: Bound;
  readonly prefixLength: number;
  /** A tentative or duplicate IPv6 address answers nobody yet. */
  readonly tentative: boolean;
}

export interface Interface {
  readonly name: string;
  readonly loopback: boolean;
  /** `ether`, `none`, `loopback`, … as ip-link(8) prints it; null: not known. */
  readonly linkType: string | null;
  /** `veth`, `bridge`, `vrf`, `wireguard`, … (ip -d link); '' for none; null: not known. */
  readonly kind: string | null;
  /** Routing table of a VRF; null for everything else. */
  readonly vrfTable: string | null;
  /** Interface group; null: not known. */
  readonly group: string | null;
  /** The bridge, bond or VRF that it belongs to. */
  readonly master: string | null;
  /** The interface below a VLAN or macvlan. */
  readonly parent: string | null;
  readonly addresses: readonly InterfaceAddress[];
}

const MAX_INTERFACES = 20_000;

/** Reads `ip -j addr` or, from versions without JSON, the text of `ip addr`; kinds come from `ip -j -d link`. */
export function parseInterfaces(addresses: string, links: string | null): Reading<readonly Interface[]> {
  const found = addresses.trimStart().startsWith('[') ? fromJson(addresses) : fromText(addresses);
  if (!found.known || links === null) return found;
  const kinds = linkKinds(links);
  return known(found.value.map((iface) => ({ ...iface, ...(kinds.get(iface.name) ?? {}) })));
}

function fromJson(text: string): Reading<readonly Interface[]> {
  const json = jsonOf(text);
  if (!json.known) return json;
  if (!Array.isArray(json.value) || json.value.length > MAX_INTERFACES) return notKnown('is not a list of interfaces');
  const out: Interface[] = [];
  for (const item of json.value as unknown[]) {
    if (!isRecord(item)) return notKnown('is not a list of interfaces');
    const name = asString(item['ifname']);
    // Older versions of `ip -j addr` leave empty objects in the list.
    if (name === null) continue;
    const addresses = Array.isArray(item['addr_info']) ? (item['addr_info'] as unknown[]) : [];
    out.push({
      name,
      loopback: asStrings(item['flags']).includes('LOOPBACK'),
      linkType: asString(item['link_type']),
      kind: null,
      vrfTable: null,
      group: asString(item['group']),
      master: asString(item['master']),
      parent: asString(item['link']),
      addresses: addresses.flatMap(jsonAddress),
    });
  }
  return out.length > 0 ? known(out) : notKnown('is empty');
}

function jsonAddress(item: unknown): InterfaceAddress[] {
  if (!isRecord(item)) return [];
  const address = parseAddress(asString(item['local']) ?? '');
  const prefixLength = asInteger(item['prefixlen']);
  if (address === null || prefixLength === null) return [];
  const tentative = item['tentative'] === true || item['dadfailed'] === true;
  return [{ family: address.family, address: address.value, prefixLength, tentative }];
}

type Kind = Pick<Interface, 'kind' | 'vrfTable'>;

function linkKinds(text: string): ReadonlyMap<string, Kind> {
  const kinds = new Map<string, Kind>();
  const json = jsonOf(text);
  if (!json.known || !Array.isArray(json.value)) return kinds;
  for (const item of json.value as unknown[]) {
    const name = isRecord(item) ? asString(item['ifname']) : null;
    if (name === null || !isRecord(item)) continue;
    const info = isRecord(item['linkinfo']) ? item['linkinfo'] : {};
    const data = isRecord(info['info_data']) ? info['info_data'] : {};
    const kind = asString(info['info_kind']) ?? '';
    kinds.set(name, { kind, vrfTable: kind === 'vrf' ? String(data['table']) : null });
  }
  return kinds;
}

/** `2: eth0@if5: <BROADCAST,UP> mtu 1500 … master br0 … group default`, then indented `link/ether …` and `inet …` lines. */
function fromText(text: string): Reading<readonly Interface[]> {
  const out: (Interface & { addresses: InterfaceAddress[]; linkType: string | null })[] = [];
  for (const line of text.split('\n', MAX_INTERFACES * 10)) {
    const words = line.trim().split(/\s+/, 40);
    if (words[0] === '' || words[0] === undefined) continue;
    const current = out[out.length - 1];
    if (!line.startsWith(' ') && !line.startsWith('\t')) {
      const iface = headline(words);
      if (iface === null) return notKnown('is not a list of interfaces');
      out.push(iface);
    } else if (current === undefined) {
      return notKnown('is not a list of interfaces');
    } else if (words[0].startsWith('link/')) {
      current.linkType = words[0].slice('link/'.length);
    } else if (words[0] === 'inet' || words[0] === 'inet6') {
      const address = textAddress(words);
      if (address === null) return notKnown('has an address that is not understood');
      current.addresses.push(address);
    }
  }
  return out.length > 0 ? known(out) : notKnown('is empty');
}

function headline(
  words: readonly string[],
): (Interface & { addresses: InterfaceAddress[]; linkType: string | null }) | null {
  const label = words[1] ?? '';
  const flags = words[2] ?? '';
  if (
    parseDecimal((words[0] ?? '').replace(':', ''), 2 ** 31) === null ||
    !label.endsWith(':') ||
    !flags.startsWith('<')
  )
    return null;
  const [name = '', below = ''] = label.slice(0, -1).split('@', 2);
  const wordAfter = (key: string): string | null =>
    words.includes(key) ? (words[words.indexOf(key) + 1] ?? null) : null;
  return {
    name,
    loopback: flags.slice(1, -1).split(',').includes('LOOPBACK'),
    linkType: null,
    kind: null,
    vrfTable: null,
    group: wordAfter('group'),
    master: wordAfter('master'),
    parent: below === '' || below === 'NONE' || /^if\d+$/.test(below) ? null : below,
    addresses: [],
  };
}

function textAddress(words: readonly string[]): InterfaceAddress | null {
  const [host = '', length = ''] = (words[1] ?? '').split('/', 2);
  const address = parseAddress(host);
  if (address === null) return null;
  const bits = address.family === 4 ? 32 : 128;
  const prefixLength = length === '' ? bits : parseDecimal(length, bits);
  if (prefixLength === null) return null;
  const tentative = words.includes('tentative') || words.includes('dadfailed');
  return { family: address.family, address: address.value, prefixLength, tentative };
}

/** /proc/net/if_inet6: `address index length scope flags name`, all hex (Documentation/networking; net/ipv6/addrconf.c). */
export function parseIfInet6(
  text: string,
): readonly { readonly name: string; readonly address: InterfaceAddress }[] | null {
  const out: { name: string; address: InterfaceAddress }[] = [];
  for (const line of text.split('\n', MAX_INTERFACES)) {
    if (line.trim() === '') continue;
    const [digits = '', , length = '', , , name = ''] = line.trim().split(/\s+/, 6);
    if (!/^[0-9a-f]{32}$/.test(digits) || !/^[0-9a-f]{1,2}$/.test(length) || name === '') return null;
    const address = BigInt(`0x${digits}`);
    out.push({ name, address: { family: 6, address, prefixLength: parseInt(length, 16), tentative: false } });
  }
  return out;
}
