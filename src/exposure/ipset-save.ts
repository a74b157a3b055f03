import { wordsOf } from './iptables-save';

/** One set of `ipset save`; elements as written, to be read against the set's type. */
export interface IpSet {
  readonly name: string;
  /** `hash:net`, `hash:ip,port`, `list:set`, … */
  readonly type: string;
  readonly family: 4 | 6;
  readonly timeout: boolean;
  /** `hash:ip` may be created with a netmask, which is applied to what is looked up. */
  readonly netmask: number | null;
  readonly elements: readonly IpSetElement[];
}

export interface IpSetElement {
  readonly value: string;
  readonly nomatch: boolean;
}

/** Reads `create NAME TYPE …` and `add NAME ELEMENT …`; null when a line is neither. */
export function parseIpsetSave(text: string): readonly IpSet[] | null {
  if (text !== '' && !text.endsWith('\n')) return null;
  const sets = new Map<string, IpSet & { elements: IpSetElement[] }>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    if (plainElement(line, sets)) continue;
    const words = line.includes('"') ? wordsOf(line) : line.split(' ');
    if (words === null) return null;
    const [verb, name = '', third = ''] = words;
    if (verb === 'create') {
      const netmask = option(words, 'netmask') ?? (words.includes('bitmask') ? 'unknown' : null);
      sets.set(name, {
        name,
        type: third,
        family: option(words, 'family') === 'inet6' ? 6 : 4,
        timeout: words.includes('timeout'),
        netmask: netmask === null ? null : Number(netmask),
        elements: [],
      });
    } else if (verb === 'add') {
      const set = sets.get(name);
      if (set === undefined) return null;
      set.elements.push({ value: third, nomatch: words.includes('nomatch', 3) });
    } else {
      return null;
    }
  }
  return [...sets.values()];
}

/** `add NAME ELEMENT` alone, which most lines are. */
function plainElement(line: string, sets: ReadonlyMap<string, { elements: IpSetElement[] }>): boolean {
  if (!line.startsWith('add ') || line.includes('"')) return false;
  const at = line.indexOf(' ', 4);
  if (at < 0 || line.includes(' ', at + 1)) return false;
  const set = sets.get(line.slice(4, at));
  set?.elements.push({ value: line.slice(at + 1), nomatch: false });
  return set !== undefined;
}

function option(words: readonly string[], name: string): string | null {
  const at = words.indexOf(name);
  return at < 0 ? null : (words[at + 1] ?? null);
}
