import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jsonSchemaFiles } from './json-schema';

/** Writes the published JSON Schemas into a folder; run as a program, into the one that is named or `config`. */
export function writeJsonSchemas(folder: string): void {
  for (const [name, text] of jsonSchemaFiles()) writeFileSync(join(folder, name), text);
}

if (require.main === module) writeJsonSchemas(process.argv[2] ?? 'config');
