import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConfigWatch, signatureOf, type DueReason } from './watch';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'reboot-exporter-watch-'));
  writeFileSync(join(folder, 'a.yml'), 'one');
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('signatureOf', () => {
  const changes: readonly (readonly [string, () => void])[] = [
    ['a file is written with as many bytes', () => writeFileSync(join(folder, 'a.yml'), 'two')],
    [
      'a file is replaced',
      () => {
        writeFileSync(join(folder, 'new'), 'one');
        renameSync(join(folder, 'new'), join(folder, 'a.yml'));
      },
    ],
    ['a file goes', () => rmSync(join(folder, 'a.yml'))],
    ['a file comes that a pattern stands for', () => writeFileSync(join(folder, 'b.yml'), '')],
    ['a file comes that was not there', () => writeFileSync(join(folder, 'later'), '')],
    ['the folder goes', () => rmSync(folder, { recursive: true })],
  ];

  test.each(changes)('changes when %s', async (_, change) => {
    const paths = [join(folder, '*.yml'), join(folder, 'later')];
    const before = signatureOf(paths);
    expect(signatureOf(paths)).toBe(before);
    // File systems keep times no finer than the kernel's tick.
    await new Promise((resolve) => setTimeout(resolve, 20));
    change();
    expect(signatureOf(paths)).not.toBe(before);
  });

  test('changes when a folder of links is swapped, as Kubernetes does', () => {
    for (const name of ['v1', 'v2']) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'config.yml'), name);
    }
    symlinkSync('v1', join(folder, '..data'));
    symlinkSync('..data/config.yml', join(folder, 'config.yml'));
    const before = signatureOf([join(folder, 'config.yml')]);
    symlinkSync('v2', join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    expect(signatureOf([join(folder, 'config.yml')])).not.toBe(before);
  });
});

describe('createConfigWatch', () => {
  function due(follow: (watch: ReturnType<typeof createConfigWatch>) => void, pollMs: number): Promise<DueReason> {
    return new Promise((resolve) => {
      const watch = createConfigWatch(resolve, { pollMs });
      follow(watch);
    });
  }

  test('tells of a changed file', async () => {
    const files = [join(folder, 'a.yml')];
    const reason = due((watch) => watch.follow({ files, refreshSeconds: null }), 10);
    setTimeout(() => writeFileSync(join(folder, 'a.yml'), 'two!'), 30);
    await expect(reason).resolves.toBe('changed');
  });

  test('tells when a service is due, also where that is sooner than the next look', async () => {
    const started = performance.now();
    await expect(due((watch) => watch.follow({ files: [], refreshSeconds: 0.05 }), 60_000)).resolves.toBe('refresh');
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  test('tells once, until it follows again; and not at all once stopped', async () => {
    const told: DueReason[] = [];
    const watch = createConfigWatch((reason) => told.push(reason), { pollMs: 5 });
    const files = [join(folder, 'a.yml')];
    const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));
    watch.follow({ files, refreshSeconds: null });
    await pause();
    expect(told).toEqual([]);
    rmSync(files[0] ?? '');
    await pause();
    await pause();
    expect(told).toEqual(['changed']);
    watch.follow({ files, refreshSeconds: null });
    watch.stop();
    writeFileSync(files[0] ?? '', 'back');
    await pause();
    expect(told).toEqual(['changed']);
  });
});
