import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The version of this package, read from the package.json beside dist/ or src/. */
export const version: string = (
  JSON.parse(readFileSync(join(__dirname, '..', 'package.json'), 'utf8')) as { version: string }
).version;
