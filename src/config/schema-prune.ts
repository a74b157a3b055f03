import type { YamlText } from './yaml-text';
import type { PathStep } from './yaml-value';

/** Which parts of a document are bad, as a tree of steps. */
interface BadParts {
  bad: boolean;
  readonly steps: Map<PathStep, BadParts>;
}

/**
 * The same file without some of its parts, so that checks which need well-formed data can still look at the rest and
 * every fault is told at once. `null` when nothing would be left. Places stay those of the file.
 */
export function withoutParts(text: YamlText, paths: readonly (readonly PathStep[])[]): YamlText | null {
  const root: BadParts = { bad: false, steps: new Map() };
  for (const path of paths) markBad(root, lastPresent(text.value, path));
  if (root.bad) return null;
  const keptItems = new Map<string, readonly number[]>();
  const value = copy(text.value, root, [], keptItems);
  const inFile = (path: readonly PathStep[]): PathStep[] =>
    path.map((step, i) => originalStep(step, path.slice(0, i), keptItems));
  return {
    file: text.file,
    value,
    placeOf: (path, part) => text.placeOf(inFile(path), part),
    sourceOf: (path) => text.sourceOf(inFile(path)),
  };
}

/** A key that is missing makes the mapping bad that lacks it. */
function lastPresent(value: unknown, path: readonly PathStep[]): readonly PathStep[] {
  let at = value;
  for (const [i, step] of path.entries()) {
    if (typeof at !== 'object' || at === null) return path.slice(0, i);
    const next: unknown = (at as Record<PathStep, unknown>)[step];
    if (next === undefined) return path.slice(0, i);
    at = next;
  }
  return path;
}

function markBad(root: BadParts, path: readonly PathStep[]): void {
  let at = root;
  for (const step of path) {
    const next = at.steps.get(step) ?? { bad: false, steps: new Map() };
    at.steps.set(step, next);
    at = next;
  }
  at.bad = true;
}

function copy(
  value: unknown,
  parts: BadParts | undefined,
  path: readonly PathStep[],
  keptItems: Map<string, readonly number[]>,
): unknown {
  if (parts === undefined) return value;
  if (Array.isArray(value)) {
    const kept = [...value.keys()].filter((index) => parts.steps.get(index)?.bad !== true);
    keptItems.set(JSON.stringify(path), kept);
    return kept.map((index, i) => copy(value[index], parts.steps.get(index), [...path, i], keptItems));
  }
  if (typeof value !== 'object' || value === null) return value;
  const object = Object.create(null) as Record<string, unknown>;
  for (const [key, inner] of Object.entries(value)) {
    if (parts.steps.get(key)?.bad !== true) object[key] = copy(inner, parts.steps.get(key), [...path, key], keptItems);
  }
  return object;
}

function originalStep(
  step: PathStep,
  before: readonly PathStep[],
  keptItems: ReadonlyMap<string, readonly number[]>,
): PathStep {
  return typeof step === 'number' ? (keptItems.get(JSON.stringify(before))?.[step] ?? step) : step;
}
