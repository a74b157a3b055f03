import { FakeTime } from '../../test/fixture/fake-time';
import type { Time } from '../time/time';
import { Appointment } from './appointment';

const day = 86_400_000;

describe('Appointment', () => {
  test('is kept once, when its time has come', async () => {
    const time = new FakeTime(0);
    const kept: number[] = [];
    const appointment = new Appointment(time);
    const dueMs = time.monotonicMs() + 500;
    appointment.make(500, (due) => kept.push(due));
    expect(appointment.isMade).toBe(true);
    await time.advance(499);
    expect(kept).toEqual([]);
    await time.advance(2 * day);
    expect(kept).toEqual([dueMs]);
    expect(appointment.isMade).toBe(false);
  });

  test.each([-day, day])('is kept after the same time when the wall clock is set by %d ms', async (byMs) => {
    const time = new FakeTime(0);
    let isKept = false;
    new Appointment(time).make(1000, () => (isKept = true));
    time.step(byMs);
    await time.advance(999);
    expect(isKept).toBe(false);
    await time.advance(1);
    expect(isKept).toBe(true);
  });

  test('replaces the one that was made before, and can be called off', async () => {
    const time = new FakeTime(0);
    const kept: string[] = [];
    const appointment = new Appointment(time);
    appointment.make(100, () => kept.push('first'));
    appointment.make(200, () => kept.push('second'));
    await time.advance(300);
    expect(kept).toEqual(['second']);
    appointment.make(100, () => kept.push('third'));
    appointment.callOff();
    appointment.callOff();
    await time.advance(300);
    expect(kept).toEqual(['second']);
    expect(time.pending).toBe(0);
  });

  test('is kept in time though no timer can wait so long', async () => {
    const time = new FakeTime(0);
    const short: Time = {
      nowMs: () => time.nowMs(),
      monotonicMs: () => time.monotonicMs(),
      after: (delayMs, callback) => time.after(Math.min(delayMs, 20 * day), callback),
    };
    let isKept = false;
    new Appointment(short).make(90 * day, () => (isKept = true));
    await time.advance(90 * day - 1);
    expect(isKept).toBe(false);
    await time.advance(1);
    expect(isKept).toBe(true);
  });

  test('may be made again by what it calls', async () => {
    const time = new FakeTime(0);
    const appointment = new Appointment(time);
    let count = 0;
    const again = (): void => {
      count += 1;
      appointment.make(100, again);
    };
    appointment.make(100, again);
    await time.advance(1000);
    expect(count).toBe(10);
  });
});
