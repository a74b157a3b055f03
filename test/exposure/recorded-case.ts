import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { SECTION } from '../../src/exposure/section-names';
import type { Section, Sections } from '../../src/report/section';

/** What one command or file gave on the recorded host. */
export interface Recorded {
  readonly status: number;
  readonly text: string;
}

/** A set-up that was loaded into a network namespace and probed with real packets. */
export interface RecordedCase {
  readonly name: string;
  readonly description: string;
  readonly listeners: readonly string[];
  /** What each verdict is worth: right, weak, tolerable, wrong or FORBIDDEN. */
  readonly grading: Readonly<Record<string, string>>;
  /** Ports that at least half of the public sources reached, for example `tcp4/443`. */
  readonly openFromAnywhere: readonly string[];
  readonly root: Readonly<Record<string, Recorded>>;
  readonly user: Readonly<Record<string, Recorded>>;
}

/** Recorded files and the sections that they stand for. */
export const SOURCES: Readonly<Record<string, string>> = {
  proc_net_tcp: SECTION.tcp,
  proc_net_tcp6: SECTION.tcp6,
  proc_net_udp: SECTION.udp,
  proc_net_udp6: SECTION.udp6,
  'ss-tulnep.txt': SECTION.ss,
  'ip_addr.json': SECTION.addresses,
  'ip_link.json': SECTION.links,
  'ip_route.json': SECTION.routes4,
  'ip6_route.json': SECTION.routes6,
  'ip_rule.json': SECTION.rules4,
  'ip6_rule.json': SECTION.rules6,
  proc_net_fib_trie: SECTION.procFibTrie,
  proc_net_if_inet6: SECTION.procIfInet6,
  'sysctl.txt': SECTION.sysctls,
  'nft.json': SECTION.nftJson,
  'nft.txt': SECTION.nftText,
  'iptables-save.txt': SECTION.iptables4,
  'ip6tables-save.txt': SECTION.iptables6,
  'iptables-legacy-save.txt': SECTION.legacy4,
  'ip6tables-legacy-save.txt': SECTION.legacy6,
  proc_net_ip_tables_names: SECTION.legacyNames4,
  proc_net_ip6_tables_names: SECTION.legacyNames6,
  'ipset-save.txt': SECTION.ipsets,
  'etc_ufw_ufw.conf': SECTION.ufw,
  'kernel.txt': SECTION.kernel,
  proc_net_udplite: SECTION.udplite,
  proc_net_udplite6: SECTION.udplite6,
  proc_net_ip_vs: SECTION.ipvs,
};

/** The sections that a host in this state would send, as root or as nobody, in either dialect of nft's JSON. */
export function sectionsOf(
  recorded: RecordedCase,
  as: 'root' | 'user',
  dialect: 'nft.json' | 'nft-1.1.3.json',
  without: string | null = null,
): Sections {
  const files = as === 'root' ? recorded.root : recorded.user;
  const sections = new Map<string, Section>();
  for (const [file, name] of Object.entries(SOURCES)) {
    // What random rules were recorded from has one version of nft.
    const found = (file === 'nft.json' && as === 'root' ? files[dialect] : undefined) ?? files[file];
    if (file === without || found === undefined) continue;
    sections.set(name, { name, status: found.status, body: Buffer.from(found.text) });
  }
  return sections;
}

/** Reads every case of a folder: files `NAME.json` as kept here, or folders as they were recorded. */
export function readCases(folder: string): readonly RecordedCase[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.name.endsWith('.json') || entry.isDirectory())
    .map((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? readFolder(path) : (JSON.parse(readFileSync(path, 'utf8')) as RecordedCase);
    })
    .sort((a, b) => a.name.localeCompare(b.name));
}

interface CaseFile {
  readonly name: string;
  readonly description: string;
  readonly listeners: readonly string[];
  readonly grading: Readonly<Record<string, string>>;
  readonly truth: { readonly open_from_anywhere: readonly string[] };
}

interface UserFile {
  readonly rc: number;
  readonly stdout?: string;
  readonly same_as_root?: boolean;
}

function readFolder(path: string): RecordedCase {
  const described = JSON.parse(readFileSync(join(path, 'case.json'), 'utf8')) as CaseFile;
  const statuses = new Map(
    readFileSync(join(path, 'root', 'rc.txt'), 'utf8')
      .split('\n')
      .map((line) => [line.split(' ')[0] ?? '', Number(line.split(' ')[1] ?? 0)] as const),
  );
  const root: Record<string, Recorded> = {};
  for (const file of readdirSync(join(path, 'root'))) {
    if (!(file in SOURCES) && file !== 'nft-1.1.3.json') continue;
    root[file] = { status: statuses.get(file) ?? 0, text: readFileSync(join(path, 'root', file), 'utf8') };
  }
  const asUser = JSON.parse(readFileSync(join(path, 'user.json'), 'utf8')) as Record<string, UserFile>;
  const user: Record<string, Recorded> = {};
  for (const file of Object.keys(SOURCES)) {
    const own = asUser[file];
    const same = root[file];
    if (own === undefined || own.same_as_root === true) {
      if (same !== undefined) user[file] = same;
    } else {
      user[file] = { status: own.rc, text: own.stdout ?? '' };
    }
  }
  const { name, description, listeners, grading, truth } = described;
  return { name, description, listeners, grading, openFromAnywhere: truth.open_from_anywhere, root, user };
}
