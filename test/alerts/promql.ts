const keywords = new Set(['and', 'or', 'unless', 'bool', 'offset', 'Inf', 'NaN']);

/**
 * The metrics that a PromQL expression reads. Not a parser: strings, selectors,
 * ranges and label lists are taken out, and names before a parenthesis are
 * functions. Enough for the expressions of this project, all of which promtool
 * checks as well.
 */
export function metricsOf(expression: string): readonly string[] {
  const bare = expression
    .replace(/"(?:[^"\\]|\\.)*"/g, '')
    .replace(/\{[^}]*\}/g, '')
    .replace(/\[[^\]]*\]/g, '')
    .replace(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, '');
  const names = [...bare.matchAll(/[a-zA-Z_:][a-zA-Z0-9_:]*(?!\s*\(|[a-zA-Z0-9_:])/g)].map(([name]) => name);
  return [...new Set(names.filter((name) => !keywords.has(name)))];
}

/** The queries inside a Prometheus annotation template, with something in place of each `%q`. */
export function queriesOf(annotation: string): readonly string[] {
  return [...annotation.matchAll(/query \(printf `([^`]*)`/g)].map(([, query = '']) => query.replaceAll('%q', '"x"'));
}
