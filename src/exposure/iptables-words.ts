import { type Family, after, network, parseAddress, parseDecimal, parseNetwork } from './addresses';
import { type Bound, type RangeSet, fromPairs } from './ranges';

/** One option of a rule: `! --dport 22` is `{name: '--dport', not: true, values: ['22']}`. */
export interface Option {
  readonly name: string;
  readonly not: boolean;
  readonly values: readonly string[];
}

/** A rule taken apart: its own options, each `-m` match with its options, and the target with its. */
export interface ParsedRule {
  readonly options: readonly Option[];
  readonly matches: readonly { readonly name: string; readonly options: readonly Option[] }[];
  readonly target: string | null;
  readonly isGoto: boolean;
  readonly targetOptions: readonly Option[];
}

const OWN = new Set([
  '-s',
  '-d',
  '-i',
  '-o',
  '-p',
  '-f',
  '--source',
  '--destination',
  '--protocol',
  '--in-interface',
  '--out-interface',
  '--fragment',
]);

/** Groups the words of a saved rule. An option owns all words up to the next one. */
export function parseRule(words: readonly string[]): ParsedRule {
  const options: Option[] = [];
  const matches: { name: string; options: Option[] }[] = [];
  const targetOptions: Option[] = [];
  let target: string | null = null;
  let isGoto = false;
  let not = false;
  for (let i = 0; i < words.length;) {
    const word = words[i] as string;
    i += 1;
    if (word === '!') {
      not = true;
      continue;
    }
    const values: string[] = [];
    while (i < words.length && !isOption(words[i] as string)) values.push(words[i++] as string);
    const option: Option = { name: word, not, values };
    not = false;
    if (word === '-m' || word === '--match') matches.push({ name: values[0] ?? '', options: [] });
    else if (word === '-j' || word === '-g' || word === '--jump' || word === '--goto') {
      target = values[0] ?? '';
      isGoto = word === '-g' || word === '--goto';
    } else if (target !== null) targetOptions.push(option);
    else if (OWN.has(word)) options.push(option);
    else (matches[matches.length - 1]?.options ?? options).push(option);
  }
  return { options, matches, target, isGoto, targetOptions };
}

/** Negative numbers and lone dashes are values; `!` belongs to the option after it. */
function isOption(word: string): boolean {
  return word === '!' || (word.length > 1 && word.startsWith('-') && !/^-\d/.test(word));
}

export function optionNamed(options: readonly Option[], ...names: readonly string[]): Option | null {
  return options.find((option) => names.includes(option.name)) ?? null;
}

export function has(options: readonly Option[], name: string): boolean {
  return options.some((option) => option.name === name);
}

/** `10.0.0.0/8`, `10.0.0.0/255.0.0.0`; a mask with holes gives undefined, anything else that is no address null. */
export function addressRange(text: string, family: Family): RangeSet | null | undefined {
  const slash = text.indexOf('/');
  const suffix = slash < 0 ? '' : text.slice(slash + 1);
  if (suffix.includes('.') || suffix.includes(':')) return masked(text.slice(0, slash), suffix, family);
  const net = parseNetwork(text);
  return net === null || net.family !== family ? null : [net.start, net.end];
}

function masked(host: string, mask: string, family: Family): RangeSet | null | undefined {
  const address = parseAddress(host);
  const bits = parseAddress(mask);
  if (address === null || bits === null || address.family !== family || bits.family !== family) return null;
  const width = family === 4 ? 32 : 128;
  const text = BigInt(bits.value).toString(2).padStart(width, '0');
  const length = text.indexOf('0') < 0 ? width : text.indexOf('0');
  if (text.includes('1', length)) return undefined;
  const net = network(family, address.value, length);
  return net === null ? null : [net.start, net.end];
}

/** `a.b.c.d-e.f.g.h` or a single address. */
export function addressSpan(text: string, family: Family): RangeSet | null {
  const [first = '', last = first] = text.split('-', 2);
  const start = parseAddress(first);
  const end = parseAddress(last);
  if (start === null || end === null || start.family !== family || end.family !== family) return null;
  return fromPairs([[start.value, after(end.value)]]);
}

/** `22`, `8000:8100`, `:1023`, `1024:`, and lists of them. */
export function portSet(text: string, separator = ':'): RangeSet | null {
  const pairs: [Bound, Bound][] = [];
  for (const item of text.split(',')) {
    const [low = '', high] = item.split(separator, 2);
    const first = low === '' ? 0 : parseDecimal(low, 65535);
    const last = high === undefined ? first : high === '' ? 65535 : parseDecimal(high, 65535);
    if (first === null || last === null) return null;
    pairs.push([first, last + 1]);
  }
  return fromPairs(pairs);
}

/** `0x10/0xff`, `16`; the mask defaults to all bits. */
export function markOf(text: string): { readonly value: number; readonly mask: number } | null {
  const [value = '', mask = '0xffffffff'] = text.split('/', 2);
  const parsed = [value, mask].map((word) =>
    /^(0x[0-9a-fA-F]{1,8}|\d{1,10})$/.test(word) ? Number(word) >>> 0 : null,
  );
  const [v, m] = parsed;
  return v === null || m === null || v === undefined || m === undefined ? null : { value: v, mask: m };
}

/** `5`, `1:10`: a range of numbers. */
export function numberRange(text: string): readonly [number, number] | null {
  const [low = '', high = low] = text.split(':', 2);
  const first = low === '' ? 0 : Number(low);
  const last = high === '' ? 2 ** 32 : Number(high);
  return Number.isFinite(first) && Number.isFinite(last) ? [first, last] : null;
}
