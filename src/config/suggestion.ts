import { distance } from 'fastest-levenshtein';

/** The known word that a misspelt one most likely stands for; `null` when none is near enough to be worth naming. */
export function nearestWord(word: string, known: readonly string[]): string | null {
  if (word.length > 100) return null;
  let best: string | null = null;
  let bestDistance = Infinity;
  const folded = fold(word);
  for (const candidate of known) {
    const steps = distance(folded, fold(candidate));
    if (steps >= bestDistance) continue;
    bestDistance = steps;
    best = candidate;
  }
  if (best === null || bestDistance > tolerance(folded, fold(best))) return null;
  return best;
}

/** `, did you mean `x`?`, or nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  const nearest = nearestWord(word, known);
  return nearest === null ? '' : `, did you mean \`${nearest}\`?`;
}

/** `a`, `b` or `c`, for messages that list what is allowed. */
export function orList(words: readonly string[]): string {
  const quoted = words.map((word) => `\`${word}\``);
  const last = quoted.pop();
  if (last === undefined) return '';
  return quoted.length === 0 ? last : `${quoted.join(', ')} or ${last}`;
}

/** Case, `-` and `_` are what people most often get wrong in a key. */
function fold(word: string): string {
  return word.toLowerCase().replaceAll('-', '_');
}

/** A third of the letters may be wrong; two that changed places count as two steps, but are one slip. */
function tolerance(word: string, known: string): number {
  const sorted = (text: string): string => [...text].sort().join('');
  const swapped = sorted(word) === sorted(known) ? 2 : 1;
  return Math.max(swapped, Math.floor(Math.max(word.length, known.length) / 3));
}
