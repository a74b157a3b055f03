/** Epoch, version and release of a package. */
export interface RpmVersion {
  readonly epoch: string;
  readonly version: string;
  readonly release: string;
}

/**
 * Orders versions as rpm does: rpm-version(7) and rpmio/rpmvercmp.c. Negative when a is older than b, 0 when they are
 * equal, positive when a is newer.
 */
export function compareRpmVersions(a: RpmVersion, b: RpmVersion): number {
  return (
    compareNumbers(a.epoch, b.epoch) || compareSegments(a.version, b.version) || compareSegments(a.release, b.release)
  );
}

/** rpmvercmp(): runs of digits and runs of letters are compared one after the other; what is between them only parts them. */
export function compareSegments(a: string, b: string): number {
  if (a === b) return 0;
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    while (i < a.length && isSeparator(a.charCodeAt(i))) i++;
    while (j < b.length && isSeparator(b.charCodeAt(j))) j++;
    // A tilde is older than the end, whatever follows.
    if (a.charAt(i) === '~' || b.charAt(j) === '~') {
      if (a.charAt(i) !== '~') return 1;
      if (b.charAt(j) !== '~') return -1;
      i++;
      j++;
      continue;
    }
    // A caret is newer than the end, and older than everything else that may follow.
    if (a.charAt(i) === '^' || b.charAt(j) === '^') {
      if (i >= a.length) return -1;
      if (j >= b.length) return 1;
      if (a.charAt(i) !== '^') return 1;
      if (b.charAt(j) !== '^') return -1;
      i++;
      j++;
      continue;
    }
    if (i >= a.length || j >= b.length) break;
    const digits = isDigit(a.charCodeAt(i));
    const of = digits ? isDigit : isLetter;
    const startA = i;
    const startB = j;
    while (i < a.length && of(a.charCodeAt(i))) i++;
    while (j < b.length && of(b.charCodeAt(j))) j++;
    // Digits are newer than letters.
    if (j === startB) return digits ? 1 : -1;
    const left = a.slice(startA, i);
    const right = b.slice(startB, j);
    const difference = digits ? compareNumbers(left, right) : compareText(left, right);
    if (difference !== 0) return difference;
  }
  return Math.sign(a.length - i - (b.length - j));
}

/** Numbers of any length, without losing digits. */
function compareNumbers(a: string, b: string): number {
  const left = a.replace(/^0+/, '');
  const right = b.replace(/^0+/, '');
  return Math.sign(left.length - right.length) || compareText(left, right);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isLetter(code: number): boolean {
  return (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
}

function isSeparator(code: number): boolean {
  return !isDigit(code) && !isLetter(code) && code !== 0x7e && code !== 0x5e;
}
