import fc from 'fast-check';
import { settle } from '../../test/fixture/fake-time';
import { Lanes, type Lane } from './lanes';

/** Work that ends when the test says so. */
interface Work {
  readonly name: string;
  end: () => void;
}

function bench(bound: number): {
  lanes: Lanes;
  started: string[];
  running: Work[];
  enter: (lane: Lane, name: string) => () => void;
} {
  const lanes = new Lanes(bound);
  const started: string[] = [];
  const running: Work[] = [];
  const enter = (lane: Lane, name: string): (() => void) => {
    const { hurry } = lanes.enter(lane, () => {
      started.push(name);
      return new Promise<void>((resolve) => {
        const work = {
          name,
          end: () => {
            running.splice(running.indexOf(work), 1);
            resolve();
          },
        };
        running.push(work);
      });
    });
    return hurry;
  };
  return { lanes, started, running, enter };
}

describe('Lanes', () => {
  test('run as many at once as the bound says, and then the next', async () => {
    const { lanes, started, running, enter } = bench(2);
    for (const name of ['a', 'b', 'c']) enter('planned', name);
    expect(started).toEqual(['a', 'b']);
    expect([lanes.running, lanes.queued]).toEqual([2, 1]);
    running[0]?.end();
    await settle();
    expect(started).toEqual(['a', 'b', 'c']);
    expect([lanes.running, lanes.queued]).toEqual([2, 0]);
  });

  test('serve who waits for an answer first, then what is due, then hosts that failed before', async () => {
    const { started, running, enter } = bench(1);
    enter('planned', 'first');
    enter('doubtful', 'doubtful');
    enter('planned', 'planned');
    enter('asked', 'asked');
    for (let turn = 0; turn < 3; turn++) {
      running[0]?.end();
      await settle();
    }
    expect(started).toEqual(['first', 'asked', 'planned', 'doubtful']);
  });

  test('give hosts that failed before a quarter of the turns at most', () => {
    const { lanes, started, enter } = bench(8);
    for (let at = 0; at < 20; at++) enter('doubtful', `doubtful-${at}`);
    expect(started).toHaveLength(2);
    for (let at = 0; at < 6; at++) enter('planned', `planned-${at}`);
    expect(lanes.running).toBe(8);
  });

  test('do not let those that are coming back wait behind those that are gone', async () => {
    const { started, running, enter } = bench(8);
    for (let at = 0; at < 20; at++) enter('doubtful', `gone-${at}`);
    for (let at = 0; at < 5; at++) enter('returning', `returning-${at}`);
    expect(started).toEqual(['gone-0', 'gone-1', 'returning-0', 'returning-1']);
    running.find(({ name }) => name === 'returning-0')?.end();
    await settle();
    expect(started.at(-1)).toBe('returning-2');
  });

  test('let one that waits hurry, and forget its doubt', () => {
    const { lanes, started, enter } = bench(8);
    const hurries = Array.from({ length: 5 }, (_, at) => enter('doubtful', `doubtful-${at}`));
    expect(started).toEqual(['doubtful-0', 'doubtful-1']);
    hurries[4]?.();
    expect(started).toEqual(['doubtful-0', 'doubtful-1', 'doubtful-4']);
    hurries[4]?.();
    hurries[0]?.();
    expect([lanes.running, lanes.queued]).toEqual([3, 2]);
  });

  test('start more at once when the bound is raised, and none when it is lowered', async () => {
    const { lanes, started, running, enter } = bench(1);
    for (const name of ['a', 'b', 'c', 'd']) enter('planned', name);
    lanes.setBound(3);
    expect(started).toEqual(['a', 'b', 'c']);
    lanes.setBound(1);
    running[0]?.end();
    running[0]?.end();
    await settle();
    expect(started).toHaveLength(3);
    running[0]?.end();
    await settle();
    expect(started).toEqual(['a', 'b', 'c', 'd']);
  });

  test('hand on what the work gives, and go on when it fails', async () => {
    const lanes = new Lanes(1);
    const failing = lanes.enter('planned', () => Promise.reject(new Error('no')));
    const fine = lanes.enter('planned', () => Promise.resolve(7));
    await expect(failing.done).rejects.toThrow('no');
    await expect(fine.done).resolves.toBe(7);
    await settle();
    expect([lanes.running, lanes.queued]).toEqual([0, 0]);
  });

  test('never run more than the bound, and run everything in the end', async () => {
    const lane = fc.constantFrom<Lane>('asked', 'planned', 'doubtful');
    await fc.assert(
      fc.asyncProperty(fc.array(lane, { maxLength: 40 }), fc.integer({ min: 1, max: 9 }), async (wanted, bound) => {
        const { lanes, started, running, enter } = bench(bound);
        wanted.forEach((one, at) => enter(one, String(at)));
        while (running.length > 0) {
          expect(lanes.running).toBeLessThanOrEqual(bound);
          running[Math.floor(running.length / 2)]?.end();
          await settle();
        }
        expect(started).toHaveLength(wanted.length);
        expect([lanes.running, lanes.queued]).toEqual([0, 0]);
      }),
      { numRuns: 30 },
    );
  });
});
