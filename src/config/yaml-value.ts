import { isAlias, isMap, isNode, isScalar, isSeq, type Node, type Pair, type Scalar } from 'yaml';

/** One step into a document: a key of a mapping or the position in a list. */
export type PathStep = string | number;

/** Something wrong with a node of the document. */
export interface NodeFault {
  readonly node: Node | null;
  readonly message: string;
  /** A node that was there before and is in its way. */
  readonly first?: Node;
}

/** Plain data made from a document, and what its aliases stand for. */
export interface PlainValue {
  readonly value: unknown;
  readonly targets: ReadonlyMap<Node, Node>;
  readonly faults: readonly NodeFault[];
}

/**
 * The values that aliases may grow a document to. A file of the largest size accepted holds fewer by itself; nested
 * aliases double at each line, so a kilobyte of them would otherwise fill any memory ("billion laughs").
 */
const maxValues = 1_000_000;
const maxDepth = 64;

const coreTagPrefix = 'tag:yaml.org,2002:';

/** Types that JSON has as well. Others, such as `!!binary` and `!!timestamp`, make objects that no setting has. */
const plainTags = ['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((name) => `${coreTagPrefix}${name}`);

interface Walk {
  readonly tags: readonly string[];
  readonly anchors: Map<string, Node>;
  readonly targets: Map<Node, Node>;
  readonly done: Map<Node, { readonly value: unknown; readonly size: number }>;
  readonly open: Set<Node>;
  readonly faults: NodeFault[];
  size: number;
  full: boolean;
}

/** Turns a document's nodes into plain data, within bounds, following aliases and `<<` merges; keys must be text. */
export function plainValueOf(root: Node | null, tags: readonly string[] = []): PlainValue {
  const walk: Walk = {
    tags: [...plainTags, ...tags],
    anchors: new Map(),
    targets: new Map(),
    done: new Map(),
    open: new Set(),
    faults: [],
    size: 0,
    full: false,
  };
  const value = visit(walk, root, 0);
  return { value, targets: walk.targets, faults: walk.faults };
}

/** The text of a mapping's key, or `null` where it is no text. */
export function keyText(key: unknown): string | null {
  return isScalar(key) && typeof key.value === 'string' ? key.value : null;
}

/** Whether a key is the unquoted `<<` that merges other mappings in (https://yaml.org/type/merge.html). */
export function isMergeKey(key: unknown): boolean {
  return isScalar(key) && typeof key.value === 'symbol' && key.value.description === '<<';
}

/** The mappings that a merge key's value names, the ones that win first; nodes that are no mapping are left out. */
export function mergedMaps(value: unknown, targets: ReadonlyMap<Node, Node>): Node[] {
  const resolved = follow(value, targets);
  const candidates = isSeq(resolved) ? resolved.items.map((item) => follow(item, targets)) : [resolved];
  return candidates.filter((candidate): candidate is Node => isMap(candidate));
}

/** The node that an alias stands for, or the node itself. */
export function follow(value: unknown, targets: ReadonlyMap<Node, Node>): unknown {
  return isAlias(value) ? (targets.get(value) ?? value) : value;
}

function visit(walk: Walk, node: unknown, depth: number): unknown {
  walk.size += 1;
  if (walk.size > maxValues) return overfull(walk, node);
  if (isAlias(node)) return visitAlias(walk, node);
  if (isNode(node) && node.tag !== undefined && !walk.tags.includes(node.tag)) {
    return fault(walk, node, `YAML tags are not used here, such as \`${node.tag.replace(coreTagPrefix, '!!')}\``);
  }
  if (!isMap(node) && !isSeq(node)) return visitScalar(walk, node);
  if (depth >= maxDepth) return fault(walk, node, `nested deeper than ${maxDepth} levels`);
  if (node.anchor !== undefined) walk.anchors.set(node.anchor, node);
  const sizeBefore = walk.size;
  walk.open.add(node);
  const value = isMap(node)
    ? visitMap(walk, node.items, depth)
    : node.items.map((item) => visit(walk, item, depth + 1));
  walk.open.delete(node);
  if (node.anchor !== undefined) walk.done.set(node, { value, size: walk.size - sizeBefore });
  return value;
}

function visitScalar(walk: Walk, node: unknown): unknown {
  if (!isScalar(node)) return null;
  if (node.anchor !== undefined) {
    walk.anchors.set(node.anchor, node);
    walk.done.set(node, { value: node.value, size: 1 });
  }
  // Beyond 2^53 a whole number is rounded, so what the program saw would not be what was written.
  if (typeof node.value === 'number' && Math.abs(node.value) > Number.MAX_SAFE_INTEGER && Number.isFinite(node.value)) {
    return fault(walk, node, 'this number is too large');
  }
  return node.value;
}

function visitAlias(walk: Walk, alias: Node & { source: string }): unknown {
  const target = walk.anchors.get(alias.source);
  if (target === undefined)
    return fault(walk, alias, `\`*${alias.source}\` names no anchor: there is no \`&${alias.source}\` before it`);
  if (walk.open.has(target)) return fault(walk, alias, `\`*${alias.source}\` contains itself`);
  walk.targets.set(alias, target);
  const known = walk.done.get(target);
  walk.size += known?.size ?? 0;
  if (walk.size > maxValues) return overfull(walk, alias);
  return known?.value;
}

function visitMap(walk: Walk, pairs: readonly Pair[], depth: number): Record<string, unknown> {
  // Without a prototype, a key such as `constructor` is a key like any other.
  const object: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  const firstKeys = new Map<string, Scalar>();
  const merges: Pair[] = [];
  for (const pair of pairs) {
    if (isMergeKey(pair.key)) {
      merges.push(pair);
      continue;
    }
    const key = readKey(walk, pair.key as Node | null, firstKeys);
    const value = visit(walk, pair.value, depth + 1);
    if (key !== null) object[key] = value;
  }
  for (const pair of merges) mergeInto(walk, object, pair, depth);
  return object;
}

function readKey(walk: Walk, node: Node | null, firstKeys: Map<string, Scalar>): string | null {
  const key = keyText(node);
  if (key === null || !isScalar(node)) {
    const source = isScalar(node) && node.source ? `: write "${node.source}" in quotes` : '';
    fault(walk, node, `a key must be text${source}`);
    return null;
  }
  const first = firstKeys.get(key);
  if (first !== undefined) {
    walk.faults.push({ node, message: `duplicate key \`${key}\``, first });
    return null;
  }
  if (key === '__proto__') {
    fault(walk, node, "`__proto__` can't be a key");
    return null;
  }
  firstKeys.set(key, node);
  return key;
}

function mergeInto(walk: Walk, object: Record<string, unknown>, pair: Pair, depth: number): void {
  const value = visit(walk, pair.value, depth + 1);
  const sources: unknown[] = Array.isArray(value) ? value : [value];
  for (const source of sources) {
    if (typeof source !== 'object' || source === null || Array.isArray(source)) {
      fault(walk, pair.value as Node | null, '`<<` must name a mapping or a list of mappings, as in `<<: *defaults`');
      return;
    }
    for (const [key, merged] of Object.entries(source)) {
      if (!Object.hasOwn(object, key)) object[key] = merged;
    }
  }
}

function overfull(walk: Walk, node: unknown): null {
  if (walk.full) return null;
  walk.full = true;
  return fault(walk, node as Node | null, `more than ${maxValues} values up to here, what aliases repeat included`);
}

function fault(walk: Walk, node: Node | null, message: string): null {
  walk.faults.push({ node, message });
  return null;
}
