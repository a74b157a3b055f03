import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { artefacts } from './artefacts';

/** Writes what is generated into the folder `alerts` of the working directory. */
function main(): void {
  const folder = join(process.cwd(), 'alerts');
  for (const [path, content] of artefacts(readTemplates(join(folder, 'templates')))) {
    writeFileSync(join(folder, path), content);
  }
}

function readTemplates(folder: string): string {
  const files = readdirSync(folder).filter((file) => file.endsWith('.tmpl'));
  return files
    .sort()
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n');
}

main();
