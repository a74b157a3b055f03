import type { Reading } from './reading';

const MAX_LINES = 100_000;

/** Reads `net/ipv4/ip_forward = 0` lines: paths below /proc/sys, so that a dot in an interface's name cannot confuse. */
export function parseSysctls(text: Reading<string>): ReadonlyMap<string, number> {
  const out = new Map<string, number>();
  if (!text.known) return out;
  for (const line of text.value.split('\n', MAX_LINES)) {
    const at = line.indexOf(' = ');
    if (at < 0) continue;
    const value = Number(line.slice(at + 3).trim());
    if (Number.isInteger(value)) out.set(line.slice(0, at), value);
  }
  return out;
}

/** What the kernel itself says about the firewall code that it has, readable by everybody. */
export interface KernelFirewall {
  /** True only where it is certain that nf_tables is neither loaded nor built in: then there are no rules of that kind. */
  readonly nfTablesAbsent: boolean;
  readonly ipTablesAbsent: boolean;
  readonly ip6TablesAbsent: boolean;
  readonly ipvsAbsent: boolean;
}

/** Reads lines `nf_tables absent` / `nf_tables present`, which the collection script works out; anything else is "not certain". */
export function parseKernel(text: Reading<string>): KernelFirewall {
  const lines = text.known ? text.value.split('\n', 100) : [];
  return {
    nfTablesAbsent: lines.includes('nf_tables absent'),
    ipTablesAbsent: lines.includes('ip_tables absent'),
    ip6TablesAbsent: lines.includes('ip6_tables absent'),
    ipvsAbsent: lines.includes('ip_vs absent'),
  };
}
