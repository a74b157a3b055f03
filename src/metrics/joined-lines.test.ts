import fc from 'fast-check';
import { hostileText } from '../../test/fixture/statuses';
import { JoinedLines } from './joined-lines';

const slots = 8;

describe('JoinedLines', () => {
  test('are what each slot was given last, in the order of slots, however they came', () => {
    const text = fc.oneof(fc.constantFrom('', 'a 1\n', 'a 2\n', 'a 10\n', 'é 1\n'), hostileText);
    const set = fc.record({ slot: fc.nat(slots - 1), text });
    fc.assert(
      fc.property(fc.array(fc.array(set, { maxLength: 12 }), { maxLength: 8 }), (rounds) => {
        const lines = new JoinedLines(slots);
        const expected = Array<string>(slots).fill('');
        for (const round of rounds) {
          for (const { slot, text } of round) {
            lines.set(slot, text);
            expected[slot] = text;
          }
          expect(lines.join().toString()).toBe(Buffer.from(expected.join('')).toString());
        }
      }),
      { numRuns: 500 },
    );
  });

  test('say whether a slot has others now, joined or not', () => {
    const lines = new JoinedLines(slots);
    const changes = (slot: number, text: string): boolean => lines.set(slot, text);
    expect([changes(0, ''), changes(1, 'é 1\n'), changes(1, 'é 1\n')]).toEqual([false, true, false]);
    lines.join();
    expect([changes(1, 'é 1\n'), changes(1, 'é 2\n'), changes(1, 'é 1\n'), changes(1, '')]).toEqual([
      false,
      true,
      true,
      true,
    ]);
  });

  test('never change bytes that were handed out', () => {
    const lines = new JoinedLines(slots);
    lines.set(0, 'a 1\n');
    lines.set(1, 'b 1\n');
    const sent = lines.join();
    lines.set(0, 'a 2\n');
    expect([lines.join().toString(), sent.toString()]).toEqual(['a 2\nb 1\n', 'a 1\nb 1\n']);
  });

  test('are the same bytes while nothing changes', () => {
    const lines = new JoinedLines(slots);
    lines.set(3, 'a 1\n');
    const first = lines.join();
    lines.set(3, 'a 1\n');
    expect(lines.join()).toBe(first);
  });
});
