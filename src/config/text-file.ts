import { readFileSync, statSync } from 'node:fs';
import { TextDecoder } from 'node:util';
import { right, wrong, type Reading } from './reading';

/** The largest file read; the hosts of fifty thousand servers fit. */
export const maxTextBytes = 8 * 1024 * 1024;

/** Reads a file as UTF-8 text; says in words why that is not possible. Blocks, as at start and reload nothing else waits. */
export function readTextFile(path: string, maxBytes = maxTextBytes): Reading<string> {
  const bytes = readBytes(path, maxBytes);
  return bytes.ok ? decodeText(bytes.value) : bytes;
}

/** Reads a regular file up to a size. Devices and pipes are refused, for reading them may never end. */
export function readBytes(path: string, maxBytes: number): Reading<Buffer> {
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) return wrong('is a directory, not a file');
    if (!stat.isFile()) return wrong('is not a regular file');
    if (stat.size > maxBytes) return wrong(`is too large: ${stat.size} bytes, at most ${maxBytes} are read`);
    return right(readFileSync(path));
  } catch (error) {
    return wrong(describeFileError(error));
  }
}

/** Decodes UTF-8; anything else is refused rather than guessed. */
export function decodeText(bytes: Buffer): Reading<string> {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))
    return wrong('is UTF-16 text: save it as UTF-8');
  const zero = bytes.indexOf(0);
  if (zero >= 0) return wrong(`is a binary file: it has a zero byte at offset ${zero}`);
  try {
    return right(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return wrong('is not UTF-8 text');
  }
}

/** The system's reason, in words and without the path, which the message has already. */
export function describeFileError(error: unknown): string {
  const code = errorCode(error);
  const known = code === null ? undefined : fileErrors.get(code);
  return known ?? `can't be read${code === null ? '' : `: ${code}`}`;
}

/** The code of a system error, such as ENOENT; `null` for anything else that was thrown. */
export function errorCode(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}

const fileErrors: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'does not exist'],
  ['EACCES', "can't be read: permission denied"],
  ['EPERM', "can't be read: permission denied"],
  ['ENOTDIR', 'does not exist: a part of its path is not a directory'],
  ['ELOOP', "can't be read: its symbolic links go in a circle"],
  ['ENAMETOOLONG', "can't be read: the path is too long"],
]);
