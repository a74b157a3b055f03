import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** Whether an Authorization header carries the token of the file. The file is read each time, so that it can be exchanged. */
export async function checkBearer(tokenFile: string, authorization: string | undefined): Promise<boolean> {
  const expected = (await readFile(tokenFile, 'utf8')).trim();
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (expected === '' || given === undefined) return false;
  // Hashing first makes both sides equally long and the comparison's time independent of where they differ.
  return timingSafeEqual(hash(expected), hash(given));
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
