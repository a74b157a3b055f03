import { inputChain, nft, sectionsOf } from '../../test/exposure/simple-host';
import { evaluateOffLoop, offLoopBounds } from './evaluate-off-loop';

const settings = { mode: 'evaluate', public: true, edge: null, ignore: [], dialledAddress: null } as const;
const host = { listeners: ['tcp 0.0.0.0:22', 'tcp 0.0.0.0:443'], nft: inputChain('drop', [nft.tcp(443), nft.accept]) };

describe('evaluation off the event loop', () => {
  it('gives the same verdict from a worker as at once', async () => {
    const sections = sectionsOf(host);
    const inline = await evaluateOffLoop(sections, settings);
    const worker = await evaluateOffLoop(sections, settings, { ...offLoopBounds, inlineBytes: 0 });
    expect(worker).toEqual(inline);
    expect(inline).toMatchObject({ verdict: 'exposed', because: 'open to anywhere: tcp/443' });
  });

  it('lets the event loop go on meanwhile', async () => {
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 5);
    await evaluateOffLoop(sectionsOf(host), settings, { ...offLoopBounds, inlineBytes: 0 });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(3);
  });

  it('starts no worker for little work, and one for much work that few bytes ask for', async () => {
    const few = { ...offLoopBounds, timeoutMs: 1 };
    expect((await evaluateOffLoop(sectionsOf(host), settings, few)).verdict).toBe('exposed');
    // Every chain jumps to the next one twice: 2^14 ways to its end, in a few kilobytes.
    const names = Array.from({ length: 15 }, (_, i) => `c${i}`);
    const place = { family: 'inet', table: 'f' };
    const chains = names.map((name) => ({ chain: { ...place, name } }));
    const jumps = names
      .slice(1)
      .flatMap((target, i) =>
        [1, 2].map(() => ({ rule: { ...place, chain: names[i], expr: [{ jump: { target } }] } })),
      );
    const [table, ...rest] = inputChain('drop', [{ jump: { target: 'c0' } }]);
    const doubling = sectionsOf({ listeners: ['tcp 0.0.0.0:22'], nft: [table, ...chains, ...jumps, ...rest] });
    const given = await evaluateOffLoop(doubling, settings, few);
    expect(given.because).toContain('took more than 0.001 seconds');
    expect(await evaluateOffLoop(doubling, settings)).toMatchObject({ verdict: 'not_exposed', basis: 'proven' });
  });

  it('gives up on a worker that takes too long: unknown', async () => {
    const verdict = await evaluateOffLoop(sectionsOf(host), settings, {
      ...offLoopBounds,
      inlineBytes: 0,
      timeoutMs: 1,
    });
    expect(verdict).toMatchObject({ verdict: 'unknown', basis: 'assumed' });
    expect(verdict.because).toContain('took more than 0.001 seconds');
  });

  it('keeps the number of workers, and answers all that wait', async () => {
    const sections = sectionsOf(host);
    const verdicts = await Promise.all(
      Array.from({ length: 3 }, () =>
        evaluateOffLoop(sections, settings, { ...offLoopBounds, inlineBytes: 0, maxWorkers: 1 }),
      ),
    );
    expect(verdicts.map((verdict) => verdict.verdict)).toEqual(Array<string>(3).fill('exposed'));
  });

  it('evaluates nothing that was declared', async () => {
    const verdict = await evaluateOffLoop(
      sectionsOf(host),
      { ...settings, mode: 'internal' },
      { ...offLoopBounds, inlineBytes: 0, timeoutMs: 1 },
    );
    expect(verdict).toMatchObject({ verdict: 'not_exposed', basis: 'declared' });
  });
});
