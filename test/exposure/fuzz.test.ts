import { describeWithLab } from '../lab/describe-with-lab';
import { seedsOf, tryRandom } from './fuzz/campaign';
import type { Tally } from './fuzz/tally';

jest.setTimeout(300_000);

/** Says what was found as well, not only that something was. */
async function fuzz(seed: number, count: number): Promise<{ readonly tally: Tally; readonly said: string[] }> {
  const said: string[] = [];
  const tally = await tryRandom(seedsOf(seed), count, { say: (line) => void said.push(line), keep: null });
  process.stdout.write(`npm run fuzz:exposure -- --seed ${seed} --count ${count}: ${tally.line()}\n`);
  return { tally, said: said.filter((line) => line.includes('unsound') || line.includes('WRONGLY')) };
}

describeWithLab('random rulesets in a real kernel', () => {
  test.each([
    ['that are the same each time', 20261122],
    ['that are others each time', 1 + Math.floor(Math.random() * 1_000_000_000)],
  ])('%s let nobody in of whom it was said that he would not get in', async (_which, seed) => {
    const { tally, said } = await fuzz(seed, 20);
    expect(said).toEqual([]);
    expect(tally).toMatchObject({ tried: 20, forbidden: 0, unsound: 0, wrongExposed: 0 });
    // Some do let packets in, and some are understood to let none in: otherwise nothing was tried.
    expect(tally.open).toBeGreaterThan(0);
    expect(tally.open).toBeLessThan(20);
  });
});
