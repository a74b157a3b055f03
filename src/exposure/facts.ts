import type { Sections } from '../report/section';
import type { Family } from './addresses';
import { parseCloudAddresses } from './cloud-init';
import { type Interface, parseInterfaces } from './interfaces';
import { type IpSet, parseIpsetSave } from './ipset-save';
import { type IptablesSave, parseIptablesSave } from './iptables-save';
import { type VirtualServer, parseIpvs } from './ipvs';
import { type NftRuleset, parseNftJson } from './nft-json';
import { parseNftText, withOutline } from './nft-text';
import { procInterfaces, procRoutes } from './proc-network';
import { type Reading, known, notKnown, textOf } from './reading';
import { type Route, type RouteRule, parseRoutes, parseRules } from './routes';
import { SECTION } from './section-names';
import { type Listener, type Transport, parseProcSockets, parseSs, withSs } from './sockets';
import { parseKernel, parseSysctls } from './sysctls';

/** Everything that a host said about who can reach its ports: parsed, not judged. Plain data. */
export interface ExposureFacts {
  readonly sockets: Reading<readonly Listener[]>;
  readonly interfaces: Reading<readonly Interface[]>;
  readonly routes: Readonly<Record<Family, Reading<readonly Route[]>>>;
  readonly rules: Readonly<Record<Family, Reading<readonly RouteRule[]>>>;
  /** By path below /proc/sys, for example `net/ipv4/ip_forward`; a key that is missing was not read. */
  readonly sysctls: ReadonlyMap<string, number>;
  readonly nft: Reading<NftRuleset>;
  /** Tables that iptables keeps in nf_tables: the same rules as in `nft`, in iptables' words. */
  readonly iptables: Readonly<Record<Family, Reading<IptablesSave>>>;
  /** Tables of the kernel's old x_tables, which nft does not show. */
  readonly legacy: Readonly<Record<Family, Reading<IptablesSave>>>;
  readonly ipsets: Reading<readonly IpSet[]>;
  /** Services of the kernel's load balancer (IPVS), which have no socket. */
  readonly virtualServers: Reading<readonly VirtualServer[]>;
  /** Public addresses that cloud-init's instance data names; null: there is none, or it could not be read. */
  readonly cloudAddresses: readonly string[] | null;
  /** `ENABLED=` of ufw.conf; null: there is none. Only worth a sentence: the rules decide. */
  readonly ufwEnabled: boolean | null;
}

const MEGABYTE = 1024 * 1024;

/** Reads all sections that concern exposure. Whatever is missing or not understood is "not known"; never throws. */
export function parseExposureFacts(sections: Sections): ExposureFacts {
  const kernel = parseKernel(textOf(sections, SECTION.kernel, 65_536));
  const saves = { 4: save(sections, SECTION.iptables4), 6: save(sections, SECTION.iptables6) };
  return {
    sockets: sockets(sections),
    interfaces: interfaces(sections),
    routes: { 4: routes(sections, 4), 6: routes(sections, 6) },
    rules: { 4: rules(sections, SECTION.rules4, 4), 6: rules(sections, SECTION.rules6, 6) },
    sysctls: parseSysctls(textOf(sections, SECTION.sysctls, 4 * MEGABYTE)),
    nft: nft(sections, kernel.nfTablesAbsent),
    iptables: {
      4: onlyKind(saves[4], true, kernel.nfTablesAbsent),
      6: onlyKind(saves[6], true, kernel.nfTablesAbsent),
    },
    legacy: {
      4: legacy(sections, 4, saves[4], kernel.ipTablesAbsent),
      6: legacy(sections, 6, saves[6], kernel.ip6TablesAbsent),
    },
    ipsets: ipsets(sections),
    virtualServers: virtualServers(sections, kernel.ipvsAbsent),
    cloudAddresses: cloud(sections),
    ufwEnabled: ufw(sections),
  };
}

function sockets(sections: Sections): Reading<readonly Listener[]> {
  const files: readonly (readonly [string, Transport, Family, boolean])[] = [
    [SECTION.tcp, 6, 4, true],
    [SECTION.tcp6, 6, 6, true],
    [SECTION.udp, 17, 4, true],
    [SECTION.udp6, 17, 6, true],
    [SECTION.udplite, 136, 4, false],
    [SECTION.udplite6, 136, 6, false],
  ];
  const out: Listener[] = [];
  for (const [name, transport, family, needed] of files) {
    const text = textOf(sections, name, 32 * MEGABYTE);
    if (!text.known) {
      if (needed || sections.has(name)) return notKnown(`the list of sockets (${name}): ${text.why}`);
      continue;
    }
    // A kernel without IPv6 or UDP-Lite has no such file: the script then sends nothing, with status 0.
    if (text.value === '' && name !== SECTION.tcp && name !== SECTION.udp) continue;
    const found = parseProcSockets(text.value, transport, family);
    if (!found.known) return notKnown(`the list of sockets (${name}) ${found.why}`);
    for (const listener of found.value) out.push(listener);
  }
  const ss = textOf(sections, SECTION.ss, 32 * MEGABYTE);
  return known(ss.known ? withSs(out, parseSs(ss.value)) : out);
}

function interfaces(sections: Sections): Reading<readonly Interface[]> {
  const addresses = textOf(sections, SECTION.addresses, 16 * MEGABYTE);
  const links = textOf(sections, SECTION.links, 16 * MEGABYTE);
  const found = addresses.known ? parseInterfaces(addresses.value, links.known ? links.value : null) : addresses;
  if (found.known) return found;
  return procInterfaces(
    textOf(sections, SECTION.procFibTrie, 4 * MEGABYTE),
    textOf(sections, SECTION.procIfInet6, 4 * MEGABYTE),
  );
}

function routes(sections: Sections, family: Family): Reading<readonly Route[]> {
  const text = textOf(sections, family === 4 ? SECTION.routes4 : SECTION.routes6, 32 * MEGABYTE);
  const found = text.known ? parseRoutes(text.value, family) : text;
  if (found.known) return found;
  const proc = textOf(sections, family === 4 ? SECTION.procRoute : SECTION.procRoute6, 32 * MEGABYTE);
  return procRoutes(proc, textOf(sections, SECTION.procFibTrie, 4 * MEGABYTE), family);
}

function rules(sections: Sections, name: string, family: Family): Reading<readonly RouteRule[]> {
  const text = textOf(sections, name, 4 * MEGABYTE);
  return text.known ? parseRules(text.value, family) : text;
}

function nft(sections: Sections, absent: boolean): Reading<NftRuleset> {
  if (absent) return known({ tables: [] });
  const json = textOf(sections, SECTION.nftJson, 64 * MEGABYTE);
  // nft writes nothing at all, not even its version, where the kernel has no nf_tables.
  const found = json.known
    ? json.value.trim() === ''
      ? notKnown<NftRuleset>('is empty')
      : parseNftJson(json.value)
    : json;
  if (!found.known) return notKnown(`the nftables ruleset (nft list ruleset) ${found.why}`);
  const text = textOf(sections, SECTION.nftText, 64 * MEGABYTE);
  return text.known ? known(withOutline(found.value, parseNftText(text.value))) : found;
}

function save(sections: Sections, name: string): Reading<IptablesSave> {
  const text = textOf(sections, name, 64 * MEGABYTE);
  if (!text.known) return text;
  const found = parseIptablesSave(text.value);
  return found === null ? notKnown('is not understood') : known(found);
}

function onlyKind(found: Reading<IptablesSave>, nfTables: boolean, absent: boolean): Reading<IptablesSave> {
  if (absent) return known({ nfTables, tables: [], incompatible: [] });
  if (!found.known || found.value.nfTables === nfTables) return found;
  // An empty listing names no variant.
  return found.value.tables.length === 0 ? found : notKnown('was written by the other variant of iptables');
}

/**
 * x_tables rules come from `iptables-legacy-save`, or from `iptables-save` where that is the old program. Neither is
 * needed where the kernel says that there is no such table.
 */
function legacy(
  sections: Sections,
  family: Family,
  plain: Reading<IptablesSave>,
  absent: boolean,
): Reading<IptablesSave> {
  const none: Reading<IptablesSave> = known({ nfTables: false, tables: [], incompatible: [] });
  if (absent) return none;
  const own = save(sections, family === 4 ? SECTION.legacy4 : SECTION.legacy6);
  if (own.known) return own;
  const names = textOf(sections, family === 4 ? SECTION.legacyNames4 : SECTION.legacyNames6, 65_536);
  if (names.known && names.value.trim() === '') return none;
  if (plain.known && !plain.value.nfTables && plain.value.tables.length > 0) return plain;
  const tool = family === 4 ? 'iptables-legacy-save' : 'ip6tables-legacy-save';
  return notKnown(`the old iptables rules (${tool}): ${own.why}`);
}

function ipsets(sections: Sections): Reading<readonly IpSet[]> {
  const text = textOf(sections, SECTION.ipsets, 64 * MEGABYTE);
  if (!text.known) return text;
  const found = parseIpsetSave(text.value);
  return found === null ? notKnown('is not understood') : known(found);
}

function virtualServers(sections: Sections, absent: boolean): Reading<readonly VirtualServer[]> {
  const text = textOf(sections, SECTION.ipvs, 16 * MEGABYTE);
  if (text.known) return parseIpvs(text.value);
  return absent || !sections.has(SECTION.ipvs) ? known([]) : text;
}

function cloud(sections: Sections): readonly string[] | null {
  const text = textOf(sections, SECTION.cloud, 4 * MEGABYTE);
  return text.known ? parseCloudAddresses(text.value) : null;
}

function ufw(sections: Sections): boolean | null {
  const text = textOf(sections, SECTION.ufw, 65_536);
  if (!text.known) return null;
  const line = text.value.split('\n').find((row) => row.trim().toLowerCase().startsWith('enabled='));
  return line === undefined ? null : line.trim().toLowerCase() === 'enabled=yes';
}
