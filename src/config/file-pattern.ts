import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describeFileError } from './text-file';
import { right, wrong, type Reading } from './reading';

/** More files than this under one pattern are taken for a pattern that was not meant. */
const maxMatches = 10_000;

/** Whether a written path stands for any number of files. */
export function isPattern(path: string): boolean {
  return path.includes('*');
}

/**
 * The files that an absolute path stands for, in order of name. As in Prometheus' file_sd, only the last part of the
 * path may hold `*`, which stands for any characters; hidden files are matched only by a pattern that starts with a dot.
 */
export function expandPattern(path: string): Reading<readonly string[]> {
  if (!isPattern(path)) return right([path]);
  const folder = dirname(path);
  if (isPattern(folder)) return wrong('`*` can only be in the last part of a path');
  const pattern = basename(path);
  try {
    const names = readdirSync(folder).filter((name) => matchesPattern(name, pattern));
    if (names.length > maxMatches) return wrong(`stands for ${names.length} files, at most ${maxMatches} are read`);
    return right(names.sort().map((name) => join(folder, name)));
  } catch (error) {
    return wrong(`its folder ${folder} ${describeFileError(error)}`);
  }
}

/** Whether a name fits a pattern of literal characters and `*`; takes each piece at its first place, so never backtracks. */
export function matchesPattern(name: string, pattern: string): boolean {
  const pieces = pattern.split('*');
  const first = pieces.shift() ?? '';
  const last = pieces.pop();
  if (last === undefined) return name === pattern;
  if (name.startsWith('.') && !first.startsWith('.')) return false;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const piece of pieces) {
    const found = name.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}
