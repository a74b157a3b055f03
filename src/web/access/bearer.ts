import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** The token of an `Authorization: Bearer …` header; null where it is something else. RFC 6750, 2.1. */
export function bearerOf(authorization: string | undefined): string | null {
  return /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? null;
}

/**
 * Whether a token is the one in the file. The file is read each time, so that it can be exchanged; an empty file
 * matches nothing. Throws the system's error when it can't be read.
 */
export async function isToken(tokenFile: string, given: string | null): Promise<boolean> {
  const expected = (await readFile(tokenFile, 'utf8')).trim();
  if (expected === '' || given === null) return false;
  // Hashing first makes both sides equally long and the comparison's time independent of where they differ.
  return timingSafeEqual(hash(expected), hash(given));
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
