import { ProbeProgress } from './progress';
import { Turns } from './turns';

const still = (): ProbeProgress => new ProbeProgress(new AbortController().signal, () => 0);

describe('Turns', () => {
  it('lets no more than the limit at it, in the order they asked', async () => {
    const turns = new Turns(2);
    const order: number[] = [];
    let most = 0;
    await Promise.all(
      Array.from({ length: 20 }, async (_, at) => {
        const end = await turns.take(still());
        order.push(at);
        most = Math.max(most, turns.taken);
        await new Promise((resolve) => setTimeout(resolve, 1));
        end();
      }),
    );
    expect(most).toBe(2);
    expect(order).toEqual(order.toSorted((one, other) => one - other));
    expect(turns.taken).toBe(0);
  });

  it('gives one turn back once, however often it is ended', async () => {
    const turns = new Turns(1);
    const end = await turns.take(still());
    end();
    end();
    await turns.take(still());
    expect(turns.taken).toBe(1);
  });

  it('takes who waits past its deadline out of the queue', async () => {
    const turns = new Turns(1);
    const end = await turns.take(still());
    const deadline = new AbortController();
    const late = turns.take(new ProbeProgress(deadline.signal, () => 0));
    const next = turns.take(still());
    deadline.abort();
    await expect(late).rejects.toMatchObject({ reason: 'timeout' });
    end();
    (await next)();
    expect(turns.taken).toBe(0);
  });
});
