import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { alertFiles } from '../../alerts/generate';

test.each([...alertFiles()])('alerts/%s is that of the source: npm run generate', (name, text) => {
  const file = resolve(__dirname, '../../alerts', name);
  if (process.env['UPDATE_GENERATED'] === '1') writeFileSync(file, text);
  expect(readFileSync(file, 'utf8')).toBe(text);
});
