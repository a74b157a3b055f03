/**
 * Values that many have alike, each made once for its key. There are few of them; when somebody makes up more than `max`, all are
 * forgotten and found anew.
 */
export class Interned<V> {
  private readonly values = new Map<string, V>();

  constructor(private readonly max: number) {}

  /** The value of a key, made if there is none. */
  get(key: string, make: () => V): V {
    const known = this.values.get(key);
    if (known !== undefined) return known;
    const made = make();
    if (this.values.size >= this.max) this.values.clear();
    this.values.set(key, made);
    return made;
  }
}
