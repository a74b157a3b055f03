import { right, wrong, type Reading } from '../../config/reading';

/** More hosts than this from one pattern are taken for a slip. */
const maxHosts = 100_000;
const maxPatternLength = 1000;

/**
 * Expands `web[01:50]`, `db-[a:f]` and `n[0:10:2]`, as Ansible does: both ends belong to the range, leading zeros set
 * the width, a start that is left out is 0.
 */
export function expandHostRange(pattern: string): Reading<readonly string[]> {
  if (pattern.length > maxPatternLength) return wrong(`a host has at most ${maxPatternLength} characters`);
  let expanded = [''];
  let rest = pattern;
  while (rest !== '') {
    const open = rest.indexOf('[');
    const close = rest.indexOf(']', open);
    const range = open < 0 || close < 0 ? null : rest.slice(open + 1, close);
    if (range === null || !range.includes(':')) {
      expanded = expanded.map((head) => head + rest);
      break;
    }
    const values = expandRange(range);
    if (values === null || values.length === 0)
      return wrong(`\`[${range}]\` is no range: write one like \`[01:20]\` or \`[a:f]\``);
    const before = rest.slice(0, open);
    if (expanded.length * values.length > maxHosts)
      return wrong(`\`${pattern}\` stands for more than ${maxHosts} hosts`);
    expanded = expanded.flatMap((head) => values.map((value) => head + before + value));
    rest = rest.slice(close + 1);
  }
  return right(expanded);
}

function expandRange(range: string): readonly string[] | null {
  const match = /^(\d*|[A-Za-z]):(\d+|[A-Za-z])(?::(\d+))?$/.exec(range);
  if (match === null) return null;
  const [, first = '', last = '', stepText = '1'] = match;
  const step = Number(stepText);
  if (step < 1) return null;
  const letters = /^[A-Za-z]$/.test(first);
  if (letters !== /^[A-Za-z]$/.test(last)) return null;
  const start = letters ? first.charCodeAt(0) : Number(first === '' ? '0' : first);
  const end = letters ? last.charCodeAt(0) : Number(last);
  const width = first.startsWith('0') && first.length > 1 ? first.length : 0;
  if (width > 0 && width !== last.length) return null;
  if ((end - start) / step > maxHosts) return null;
  const values: string[] = [];
  for (let at = start; at <= end; at += step)
    values.push(letters ? String.fromCharCode(at) : String(at).padStart(width, '0'));
  return values;
}

/** The port that a pattern names after its host, as in `db[1:3]:2222` or `[::1]:22`, and the pattern without it. */
export function splitPort(pattern: string): { readonly host: string; readonly port: string | null } {
  if (pattern.length > maxPatternLength) return { host: pattern, port: null };
  const bracketed = /^\[([0-9a-fA-F:.]*::?[0-9a-fA-F:.]*)\](?::(\d+))?$/.exec(pattern);
  // `[1:3]` is a range, `[::1]` an address: an address has two colons at least.
  if (bracketed !== null && (bracketed[1] ?? '').split(':').length > 2)
    return { host: bracketed[1] ?? '', port: bracketed[2] ?? null };
  const plain = /^(.*[^:\]]|.*\][^:]*):(\d+)$/.exec(pattern);
  const host = plain?.[1] ?? pattern;
  // A colon left outside of brackets makes the whole an IPv6 address without a port.
  if (plain === null || host.replace(/\[[^\]]*\]/g, '').includes(':')) return { host: pattern, port: null };
  return { host, port: plain[2] ?? null };
}
