/**
 * Whether a host name matches a pattern of known_hosts: `*` stands for any
 * characters, `?` for one (ssh_config(5), PATTERNS). Both have to be in lower
 * case. The time is bounded by the product of the lengths whatever the pattern:
 * on a mismatch only the last star is tried again.
 */
export function matchesPattern(name: string, pattern: string): boolean {
  let at = 0;
  let inPattern = 0;
  let starAt = -1;
  let resumeAt = 0;
  while (at < name.length) {
    const wanted = pattern[inPattern];
    if (wanted === '*') {
      starAt = inPattern;
      resumeAt = at;
      inPattern += 1;
    } else if (wanted === '?' || (wanted !== undefined && wanted === name[at])) {
      at += 1;
      inPattern += 1;
    } else if (starAt >= 0) {
      resumeAt += 1;
      at = resumeAt;
      inPattern = starAt + 1;
    } else {
      return false;
    }
  }
  while (pattern[inPattern] === '*') inPattern += 1;
  return inPattern === pattern.length;
}

/**
 * Whether a name matches a list of patterns as sshd(8), SSH_KNOWN_HOSTS FILE
 * FORMAT, has it: a negated pattern that matches rules the line out, whatever
 * the others say, and negated patterns alone match nothing.
 */
export function matchesPatternList(name: string, patterns: readonly string[]): boolean {
  let matched = false;
  for (const pattern of patterns) {
    if (pattern.startsWith('!')) {
      if (matchesPattern(name, pattern.slice(1))) return false;
    } else if (!matched) {
      matched = matchesPattern(name, pattern);
    }
  }
  return matched;
}

/** Whether a pattern matches itself and nothing else, so that it can be looked up in an index. */
export function isPlainName(pattern: string): boolean {
  return !pattern.startsWith('!') && !pattern.includes('*') && !pattern.includes('?');
}
