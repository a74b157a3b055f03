import { types } from 'node:util';

/**
 * Most characters that values are known by before all of them are forgotten and looked for anew. Ten thousand hosts alike take
 * 400,000; what hosts say that change, or misbehave, adds up.
 */
const maxKeyCharacters = 1024 * 1024;
/** What takes more characters than this is of one host: there is nobody to share it with. */
const maxSharedCharacters = 2000;

/**
 * Has what was found in different probes be the same object wherever it says the same. A probe finds mostly what the last one
 * found, and a fleet's hosts are mostly alike: without this, every probe would leave all it found on a host to the garbage
 * collector, and a fleet would hold as many copies of one distribution's name as it has hosts.
 *
 * It knows plain objects, lists, and maps and sets of scalars, none of which may be altered any more; the order within counts. Of a text it keeps a copy, so that a word of an answer does not hold on to the whole of it.
 */
export class Sharing {
  private readonly known = new Map<string, unknown>();
  private keyCharacters = 0;

  /** `found`; or `before` if it says the same; or what another host said alike. */
  settle<T>(before: NoInfer<T> | null | undefined, found: T): T {
    return this.settled(before, found) as T;
  }

  /**
   * The same of each member of something that is never twice the same as a whole: nobody is to share that. Members `besides`
   * are as they were found.
   */
  settleMembers<T extends object>(
    before: NoInfer<T> | null | undefined,
    found: T,
    besides: readonly (keyof T)[] = [],
  ): T {
    const entries = Object.entries(found).map(([key, value]): [string, unknown] => {
      const isBeside = besides.includes(key as keyof T);
      return [key, isBeside ? value : this.settled(before?.[key as keyof T], value)];
    });
    return Object.fromEntries(entries) as T;
  }

  private settled(before: unknown, found: unknown): unknown {
    if (Object.is(before, found)) return before;
    if (typeof found === 'string') return this.shared(found);
    if (typeof found !== 'object' || found === null) return found;
    if (Array.isArray(found)) {
      const former: readonly unknown[] = Array.isArray(before) ? before : [];
      const list = found.map((value, at) => this.settled(former[at], value));
      return isSameList(before, former, list) ? before : this.shared(list);
    }
    if (types.isMap(found)) {
      const former = types.isMap(before) ? [...before] : [];
      const entries = this.settled(former, [...found]) as [unknown, unknown][];
      return types.isMap(before) && isSameList(former, former, entries) ? before : this.shared(new Map(entries));
    }
    if (types.isSet(found)) {
      const former = types.isSet(before) ? [...before] : [];
      const members = this.settled(former, [...found]) as unknown[];
      return types.isSet(before) && members === former ? before : this.shared(new Set(members));
    }
    return this.settledObject(before, found);
  }

  private settledObject(before: unknown, found: object): unknown {
    const former = isPlain(before) ? before : null;
    const entries = Object.entries(found).map(([key, value]): [string, unknown] => [
      key,
      this.settled(former?.[key], value),
    ]);
    const isSame =
      former !== null &&
      Object.keys(former).length === entries.length &&
      entries.every(([key, value]) => key in former && Object.is(value, former[key]));
    return isSame ? former : this.shared(Object.fromEntries(entries));
  }

  private shared(value: unknown): unknown {
    const key = keyOf(value);
    if (key.length > maxSharedCharacters) return typeof value === 'string' ? copyOf(value) : value;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    if (this.keyCharacters > maxKeyCharacters) this.forget();
    this.keyCharacters += key.length;
    const kept = typeof value === 'string' ? copyOf(value) : value;
    this.known.set(key, kept);
    return kept;
  }

  private forget(): void {
    this.known.clear();
    this.keyCharacters = 0;
  }
}

function isSameList(before: unknown, former: readonly unknown[], list: readonly unknown[]): boolean {
  return before === former && former.length === list.length && list.every((value, at) => Object.is(value, former[at]));
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(types.isMap(value) || types.isSet(value))
  );
}

/** What a value says, so that no two that differ have the same. */
function keyOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(keyOf).join()}]`;
  if (types.isMap(value)) return `M${keyOf([...value])}`;
  if (types.isSet(value)) return `S${keyOf([...value])}`;
  if (isPlain(value)) {
    const pairs = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}:${keyOf(member)}`);
    return `{${pairs.join()}}`;
  }
  if (typeof value === 'string') return JSON.stringify(value);
  return Object.is(value, -0) ? '-0' : String(value);
}

/** A part of a text, and a text put together of parts, hold on to all that they were made of; a copy does not. */
function copyOf(text: string): string {
  return JSON.parse(JSON.stringify(text)) as string;
}
