import { decodeAnswer } from '../../src/report/frame';
import { allTargets, boundMs, fuzz, growthBytes, growthOf, summaryOf } from './campaign';
import type { Target } from './target';

jest.setTimeout(300_000);

/** Says what was found as well, not only that something was. */
async function run(seed: number, count: number, targets?: readonly Target[]) {
  const said: string[] = [];
  const options = targets === undefined ? {} : { targets };
  return { result: await fuzz({ seed, count, say: (line) => void said.push(line), ...options }), said };
}

describe('what hosts, files and requests hold, changed byte by byte or made of pieces', () => {
  test.each([
    ['that is the same each time', 20261123],
    ['that is other each time', 1 + Math.floor(Math.random() * 1_000_000_000)],
  ])('%s makes nothing throw, hang or grow', async (_which, seed) => {
    const { result } = await run(seed, 3000);
    process.stdout.write(`npm run fuzz:reports -- --seed ${seed} --count 3000: ${summaryOf(result)}\n`);
    expect(result.faults).toEqual([]);
    expect(result.slowestMs).toBeLessThan(boundMs);
    expect(growthOf(result)).toBeLessThan(growthBytes);
    expect([...result.tried.keys()].sort()).toEqual(allTargets.map(({ name }) => name).sort());
  });

  test('gets through the framing often enough to try what comes after it', async () => {
    const [answer] = allTargets.filter(({ name }) => name === 'answer');
    if (answer === undefined) throw new Error('there is no such target');
    const read = { whole: 0, refused: 0 };
    const counting: Target = {
      ...answer,
      async take(input) {
        const isWhole = await decodeAnswer(input, '0').then(
          () => true,
          () => false,
        );
        read[isWhole ? 'whole' : 'refused'] += 1;
      },
    };
    await run(1, 500, [counting]);
    expect(read.whole).toBeGreaterThan(150);
    expect(read.refused).toBeGreaterThan(100);
  });
});

describe('a reader with a fault is found out', () => {
  const [like] = allTargets;
  const planted = (name: string, take: Target['take']): Target => ({ ...(like as Target), name, take });

  test('that throws at a byte which is rare in recordings', async () => {
    const { result, said } = await run(7, 2000, [
      planted('throws', (input) => {
        if (input.includes(0xfe)) throw new Error('planted');
      }),
    ]);
    expect(result.faults.length).toBeGreaterThan(3);
    expect(said[0]).toMatch(/^throws, --seed 7 --from [0-9]+ --count 1: Error: planted/);
    // The number alone brings the same input back.
    const from = Number(/--from ([0-9]+)/.exec(said[0] ?? '')?.[1]);
    let again: Buffer = Buffer.alloc(0);
    await fuzz({
      seed: 7,
      from,
      count: 1,
      say: () => undefined,
      targets: [planted('same', (input) => void (again = input))],
    });
    expect(again.includes(0xfe)).toBe(true);
  });

  test('that takes long', async () => {
    const { result } = await run(1, 1, [
      planted('slow', () => {
        const begun = process.cpuUsage();
        while (process.cpuUsage(begun).user < 1200 * boundMs);
      }),
    ]);
    expect(result.faults).toEqual([expect.stringContaining('it took')]);
  });

  test('that keeps what it was given', async () => {
    const kept: Buffer[] = [];
    const { result } = await run(1, 2000, [
      planted('grows', (input) => void kept.push(Buffer.alloc(20_000, input.length % 256))),
    ]);
    expect(kept.length).toBe(2000);
    expect(growthOf(result)).toBeGreaterThan(growthBytes);
  });
});
