import { right, wrong, type Reading } from '../reading';

/**
 * Splits the arguments of a line as OpenSSH does (argv_split in misc.c): both kinds of quotes, `\` before a quote, a `\` and,
 * outside of quotes, a space; a word that begins with `#` is a comment. `null` where a quote is not closed.
 */
export function splitWords(text: string): readonly string[] | null {
  const words: string[] = [];
  let at = 0;
  while (at < text.length) {
    const first = text[at];
    if (first === ' ' || first === '\t') {
      at += 1;
      continue;
    }
    if (first === '#') break;
    let word = '';
    let quote = '';
    for (; at < text.length; at += 1) {
      const char = text[at] ?? '';
      const next = text[at + 1] ?? '';
      if (char === '\\' && (next === "'" || next === '"' || next === '\\' || (quote === '' && next === ' '))) {
        word += next;
        at += 1;
      } else if (quote === '' && (char === ' ' || char === '\t')) break;
      else if (quote === '' && (char === '"' || char === "'")) quote = char;
      else if (quote !== '' && char === quote) quote = '';
      else word += char;
    }
    if (quote !== '') return null;
    words.push(word);
  }
  return words;
}

/** Replaces `%h` and the like, and `%%` (ssh_config(5), TOKENS). A token that is not known is a mistake, as it is to ssh. */
export function expandTokens(text: string, values: Readonly<Record<string, string>>): Reading<string> {
  let unknown: string | null = null;
  const expanded = text.replace(/%(.?)/gs, (token, letter: string) => {
    const value = letter === '%' ? '%' : values[letter];
    if (value === undefined) unknown ??= token;
    return value ?? '';
  });
  return unknown === null
    ? right(expanded)
    : wrong(`\`${text}\` has the token \`${String(unknown)}\`, which is not known here`);
}

/** Replaces `${NAME}` by what the environment has (ssh_config(5), ENVIRONMENT VARIABLES). */
export function expandVariables(text: string, environment: NodeJS.ProcessEnv): Reading<string> {
  let missing: string | null = null;
  const expanded = text.replace(/\$\{([^}]*)\}/g, (_, name: string) => {
    const value = environment[name];
    if (value === undefined) missing ??= name;
    return value ?? '';
  });
  return missing === null
    ? right(expanded)
    : wrong(`\`${text}\` needs the variable ${String(missing)}, which is not set`);
}
