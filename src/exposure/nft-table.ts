import type { Family } from './addresses';
import type { Usage } from './environment';
import { type Left, type LeftContext } from './left';
import { compileKey } from './nft-left';
import type { NftSet, NftTable } from './nft-json';
import { valuesOf } from './nft-right';
import { SetIndex, setKey } from './nft-sets';
import type { Chain } from './program';
import { asString, isRecord } from './reading';

/** What the statements of one table refer to by name. */
export class TableScope {
  readonly chains = new Map<string, Chain>();
  private readonly indexes = new WeakMap<readonly Left[], Map<string, SetIndex>>();
  private readonly keys = new Map<string, readonly Left[]>();
  private readonly sets: ReadonlyMap<string, NftSet>;
  private serial = 0;

  constructor(
    readonly table: NftTable,
    readonly context: LeftContext,
  ) {
    this.sets = new Map(table.sets.map((set) => [set.name, set]));
  }

  get usage(): Usage {
    return this.context.usage;
  }

  /** The set that `@name` refers to, or the elements written in the rule itself; null: neither. */
  index(reference: unknown, lefts: readonly Left[], isMap: boolean): SetIndex | null {
    const name = asString(reference);
    if (name !== null) return name.startsWith('@') ? this.named(name.slice(1), lefts) : null;
    const list = isRecord(reference) && Array.isArray(reference['set']) ? (reference['set'] as unknown[]) : null;
    if (list === null) return null;
    this.serial += 1;
    const index = new SetIndex(list, lefts, isMap, false, `${this.key('')}#${this.serial}`);
    this.note(list, lefts, isMap);
    return index;
  }

  private named(name: string, lefts: readonly Left[]): SetIndex | null {
    const set = this.sets.get(name);
    if (set === undefined) return null;
    let own = this.indexes.get(lefts);
    if (own === undefined) this.indexes.set(lefts, (own = new Map()));
    const found = own.get(name);
    if (found !== undefined) return found;
    const fillable = this.usage.fillable.has(this.key(name));
    const index = new SetIndex(set.elements, lefts, set.isMap, fillable, this.key(name));
    own.set(name, index);
    this.note(set.elements, lefts, set.isMap);
    return index;
  }

  key(name: string): string {
    return setKey(this.table.family, this.table.name, name);
  }

  /** Notes which ports and addresses the elements tell apart. */
  private note(elements: readonly unknown[], lefts: readonly Left[], isMap: boolean): void {
    for (const [position, left] of lefts.entries()) {
      if (left.uses === undefined) continue;
      // Neighbouring elements may say different things, so each is noted by itself; a plain set says one thing.
      const apart = isMap || lefts.length > 1;
      const column = elements.map((element) =>
        part(isMap && Array.isArray(element) ? element[0] : element, position, lefts.length),
      );
      for (const items of apart ? column.map((item) => [item]) : [column])
        this.usage.names(left.uses, valuesOf(items, left).ranges);
    }
  }

  /** What is looked up; the same object for the same expression, so that a large set is read but once for it. */
  keyOf(expr: unknown): readonly Left[] {
    const text = JSON.stringify(expr) ?? '';
    let lefts = this.keys.get(text);
    if (lefts === undefined) this.keys.set(text, (lefts = compileKey(expr, this.context)));
    return lefts;
  }
}

function part(element: unknown, position: number, length: number): unknown {
  const value = isRecord(element) && isRecord(element['elem']) ? element['elem']['val'] : element;
  if (length === 1) return value;
  return isRecord(value) && Array.isArray(value['concat']) ? (value['concat'] as unknown[])[position] : undefined;
}

/** The families of packets that a table sees. */
export function familiesOf(table: string): readonly Family[] {
  if (table === 'ip') return [4];
  if (table === 'ip6') return [6];
  return table === 'inet' ? [4, 6] : [];
}
