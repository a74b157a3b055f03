import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { allFaults } from './fault-fleet';

const root = join(__dirname, '../..');
const text = readFileSync(join(root, 'docs/reliability.md'), 'utf8');

/** The rows of the table that begins with this head. */
function rowsUnder(head: string): string[][] {
  const at = text.indexOf(`${head}\n`);
  expect([head, at]).not.toEqual([head, -1]);
  const lines = text.slice(at).split('\n').slice(2);
  const end = lines.findIndex((line) => !line.startsWith('|'));
  return lines.slice(0, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

describe('docs/reliability.md', () => {
  test('has a row for every server that misbehaves, with the reason that the test holds it to', () => {
    const rows = rowsUnder('| a host that … | reason | time | memory | well again after |');
    expect(rows.map(([does]) => does)).toEqual(allFaults().map(({ does }) => does));
    for (const [at, { does, reasons }] of allFaults().entries()) {
      const reason = rows[at]?.[1]?.replaceAll('`', '') ?? '';
      expect([does, (reasons ?? ['']).some((one) => one === reason)]).toEqual([does, true]);
      expect(rows[at]?.slice(2)).toEqual([
        expect.stringMatching(/^[0-9.]+ s$/),
        expect.stringMatching(/^[0-9]+ MB$/),
        expect.stringMatching(/^[0-9.]+ s$/),
      ]);
    }
  });

  test('has a row for every real host in an odd state', () => {
    const source = readFileSync(join(root, 'test/faults/odd-hosts.test.ts'), 'utf8');
    const [, table = ''] = /const odds[^{]*\{\n([\s\S]*?)\n\};/.exec(source) ?? [];
    const named = [...table.matchAll(/^ {2}'?([a-z][^':]*)'?: \{/gm)].map(([, name]) => name ?? '');
    expect(named.length).toBeGreaterThan(20);
    const rows = rowsUnder('| host with | reason | time |');
    expect(rows.map(([what]) => what)).toEqual(named.filter((name) => name !== 'good'));
  });

  const proofs = rowsUnder('| fault | what happens | bound | proof |').map((cells) => [cells[0] ?? '', cells[3] ?? '']);

  test.each(proofs)('%s: the test that is named is there', (_fault, proof) => {
    const [, file = '', name = ''] = /^`([^`]+)`: (.+)$/.exec(proof) ?? [];
    expect([file, existsSync(join(root, file))]).toEqual([file, true]);
    expect(readFileSync(join(root, file), 'utf8')).toContain(name);
  });
});
