import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { recordedHosts } from './recorded-host';

const root = join(__dirname, '../..');
const words = {
  'with the real tool': 'real tool',
  'on recorded output': 'recorded output',
  'from documentation': 'documentation',
};
const hosts = recordedHosts();

/** A row of the table: what it claims, and what it names as proof. */
interface Row {
  readonly system: string;
  readonly tested: string;
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

const rows = readFileSync(join(root, 'docs/supported-systems.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| system |') && !line.startsWith('| --- |'))
  .map(readRow);

function readRow(line: string): Row {
  const [, system = '', , tested = '', where = ''] = line.split('|').map((cell) => cell.trim());
  const named = [...where.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? '');
  return {
    system,
    tested,
    files: named.filter((name) => name.includes('/')),
    folders: named.filter((name) => !name.includes('/')),
  };
}

function isNamed(folder: string, pattern: string): boolean {
  return pattern.endsWith('*') ? folder.startsWith(pattern.slice(0, -1)) : folder === pattern;
}

describe('docs/supported-systems.md', () => {
  test.each(rows.map((row) => [row.system, row] as const))('%s: what is claimed is there', (_system, row) => {
    expect([...Object.keys(words), 'on a lab host'].some((claim) => row.tested.startsWith(claim))).toBe(true);
    expect(row.files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
    const recorded = hosts.filter(({ folder }) => row.folders.some((pattern) => isNamed(folder, pattern)));
    expect(row.files.length + recorded.length).toBeGreaterThan(0);
    if (row.tested.startsWith('with the real tool')) {
      expect(row.files.some((file) => file.startsWith('test/e2e/'))).toBe(true);
    }
    if (row.tested.startsWith('on recorded output') && row.files.length === 0) {
      expect(recorded.some(({ proof }) => proof !== 'documentation')).toBe(true);
    }
  });

  test('names every folder of recorded hosts', () => {
    const unnamed = hosts.filter(
      ({ folder }) => !rows.some(({ folders }) => folders.some((pattern) => isNamed(folder, pattern))),
    );
    expect(unnamed.map(({ folder }) => folder)).toEqual([]);
  });
});
