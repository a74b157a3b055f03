import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Node, type Pair } from 'yaml';
import { faultAt, fileStart, type Fault, type Place } from './fault';
import { follow, isMergeKey, keyText, mergedMaps, plainValueOf, type PathStep, type PlainValue } from './yaml-value';

/** `typed`: numbers, booleans and null are told from text. `text`: every scalar is the text that was written. */
export type Scalars = 'typed' | 'text';

/** A YAML file as plain data, which can tell where each part of it was written. */
export interface YamlText {
  readonly file: string;
  readonly value: unknown;
  /** Where the value at a path starts, or its key; where the path leads nowhere, the nearest part that is there. */
  placeOf(path: readonly PathStep[], part?: 'key' | 'value'): Place;
  /** A scalar as it was written, without quotes: `1.10` where the value is the number 1.1. */
  sourceOf(path: readonly PathStep[]): string | null;
}

export interface YamlTextResult {
  /** `null` when the text is no YAML at all; the faults say why. */
  readonly text: YamlText | null;
  readonly faults: readonly Fault[];
}

/**
 * Reads one YAML 1.2 document. Never throws: syntax errors, duplicate keys, unknown tags and aliases that grow without
 * bound are faults. With `scalars: 'text'` every scalar stays the text that was written, as Prometheus reads labels.
 * Scalars with one of `tags` are text; every other tag is a fault.
 */
export function readYamlText(
  file: string,
  source: string,
  scalars: Scalars = 'typed',
  tags: readonly string[] = [],
): YamlTextResult {
  const parsed = parse(source, scalars, tags);
  if (parsed === null) {
    return { text: null, faults: [faultAt(file, fileStart, 'this YAML is nested too deeply to be read')] };
  }
  const { document, lines, plain } = parsed;
  const problems = [...document.errors, ...document.warnings];
  if (problems.length > 0) return { text: null, faults: syntaxFaults(file, source, lines, problems) };
  const faults = plain.faults.map(({ node, message, first }) => {
    const other = first === undefined ? null : placeOfNode(lines, first);
    const already = other === null ? '' : `: it is at ${other.line}:${other.col} already`;
    return faultAt(file, placeOfNode(lines, node), `${message}${already}`);
  });
  return { text: yamlText(file, source, scalars, tags, parsed), faults };
}

/**
 * The nodes of a document take fifty times the room of its text and are needed only to place a fault, so they are let
 * go and made again when asked for. Within one turn of the event loop a WeakRef keeps what it has given.
 */
function yamlText(file: string, source: string, scalars: Scalars, tags: readonly string[], parsed: Parsed): YamlText {
  const value = parsed.plain.value;
  let held = new WeakRef(parsed);
  const locate = (path: readonly PathStep[]): { lines: LineCounter; found: Found } => {
    const again = held.deref() ?? parse(source, scalars, tags);
    if (again === null) return { lines: new LineCounter(), found: nowhere };
    held = new WeakRef(again);
    return { lines: again.lines, found: find(again.document.contents, path, again.plain.targets) };
  };
  return {
    file,
    value,
    placeOf(path, part = 'value') {
      const { lines, found } = locate(path);
      return placeOfNode(lines, part === 'key' ? (found.key ?? found.value) : (found.value ?? found.key));
    },
    sourceOf(path) {
      const { found } = locate(path);
      return found.complete && isScalar(found.value) ? (found.value.source ?? null) : null;
    },
  };
}

interface Parsed {
  readonly document: ReturnType<typeof parseDocument>;
  readonly lines: LineCounter;
  readonly plain: PlainValue;
}

function parse(source: string, scalars: Scalars, tags: readonly string[]): Parsed | null {
  const lines = new LineCounter();
  const document = tryParse(source, lines, scalars, tags);
  return document === null ? null : { document, lines, plain: plainValueOf(document.contents, tags) };
}

function tryParse(
  source: string,
  lines: LineCounter,
  scalars: Scalars,
  tags: readonly string[],
): ReturnType<typeof parseDocument> | null {
  try {
    return parseDocument(source, {
      lineCounter: lines,
      prettyErrors: false,
      // The library's own check compares each key with every other; plainValueOf does it in one pass.
      uniqueKeys: false,
      merge: true,
      customTags: tags.map((tag) => ({ tag, resolve: (text: string) => text })),
      // Named, so that a `%YAML 1.1` line can't turn `yes` or `1:30` into something else.
      schema: scalars === 'typed' ? 'core' : 'failsafe',
    });
  } catch {
    // The composer recurses, so only a stack overflow ends here.
    return null;
  }
}

interface Problem {
  readonly code: string;
  readonly message: string;
  readonly pos: readonly [number, number];
}

/** One fault a line: what follows a syntax error on its line is almost always an echo of it. */
function syntaxFaults(file: string, source: string, lines: LineCounter, problems: readonly Problem[]): Fault[] {
  const faults: Fault[] = [];
  const seen = new Set<number>();
  for (const problem of problems) {
    const place = placeAt(lines, problem.pos[0]);
    if (seen.has(place.line)) continue;
    seen.add(place.line);
    faults.push(faultAt(file, place, describeSyntax(problem, source)));
  }
  return faults;
}

function describeSyntax(problem: Problem, source: string): string {
  const found = source.charAt(problem.pos[0]);
  if (problem.message.includes('alias') && found === '*') {
    return 'an unquoted `*` starts an alias in YAML: put a cron expression or a pattern in quotes';
  }
  if (problem.message.includes('call stack')) return 'this YAML is nested too deeply to be read';
  if (problem.code === 'MULTIPLE_DOCS') return 'only one YAML document is read: remove this `---` and what follows it';
  if (problem.code === 'TAG_RESOLVE_FAILED') return `YAML tags are not used here: ${firstLine(problem.message)}`;
  return `not valid YAML: ${firstLine(problem.message)}`;
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? message;
}

function placeOfNode(lines: LineCounter, node: Node | null | undefined): Place {
  return placeAt(lines, node?.range?.[0]);
}

function placeAt(lines: LineCounter, offset: number | undefined): Place {
  if (offset === undefined) return fileStart;
  const { line, col } = lines.linePos(offset);
  return line < 1 || col < 1 ? fileStart : { line, col };
}

interface Found {
  readonly key: Node | null;
  readonly value: Node | null;
  readonly complete: boolean;
}

const nowhere: Found = { key: null, value: null, complete: false };

function find(root: Node | null, path: readonly PathStep[], targets: ReadonlyMap<Node, Node>): Found {
  let found: Found = { key: null, value: root, complete: true };
  for (const step of path) {
    const container = follow(found.value, targets);
    const next = typeof step === 'number' ? itemAt(container, step) : pairAt(container, step, targets);
    if (next === null) return { ...found, complete: false };
    found = next;
  }
  return found;
}

function itemAt(container: unknown, index: number): Found | null {
  const item: unknown = isSeq(container) ? container.items[index] : undefined;
  return item === undefined ? null : { key: null, value: item as Node, complete: true };
}

function pairAt(container: unknown, key: string, targets: ReadonlyMap<Node, Node>): Found | null {
  if (!isMap(container)) return null;
  const own = container.items.find((pair: Pair) => keyText(pair.key) === key);
  if (own !== undefined) return { key: own.key as Node, value: own.value as Node | null, complete: true };
  for (const pair of container.items) {
    if (!isMergeKey(pair.key)) continue;
    for (const merged of mergedMaps(pair.value, targets)) {
      const found = pairAt(merged, key, targets);
      if (found !== null) return found;
    }
  }
  return null;
}
