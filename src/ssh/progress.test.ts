import { ProbeFailure } from '../failure';
import { asFailure, ProbeProgress } from './progress';

describe('ProbeProgress', () => {
  it('says at which step and after how long the deadline came', async () => {
    let nowMs = 500;
    const deadline = new AbortController();
    const progress = new ProbeProgress(deadline.signal, () => nowMs);
    progress.enter('during key exchange with 203.0.113.10:22');
    let givenUp = 0;
    const step = progress.step<string>(() => () => (givenUp += 1));
    nowMs = 10_500;
    deadline.abort();
    await expect(step).rejects.toMatchObject({
      reason: 'timeout',
      message: 'timed out after 10.0 s during key exchange with 203.0.113.10:22',
    });
    expect(givenUp).toBe(1);
  });

  it('fails with the reason that the signal gives, where that is a failure', async () => {
    const deadline = new AbortController();
    const progress = new ProbeProgress(deadline.signal, () => 0);
    const step = progress.step<string>(() => () => undefined);
    deadline.abort(new ProbeFailure('internal', 'the host left the inventory'));
    await expect(step).rejects.toMatchObject({ reason: 'internal', message: 'the host left the inventory' });
  });

  it('names the step where the signal says no more than that the time is over', async () => {
    const deadline = new AbortController();
    const progress = new ProbeProgress(deadline.signal, () => 0);
    progress.enter('while resolving web-1.internal');
    const step = progress.step<string>(() => () => undefined);
    deadline.abort(new ProbeFailure('timeout', 'not done after 10 s'));
    await expect(step).rejects.toMatchObject({
      reason: 'timeout',
      message: 'timed out after 0.0 s while resolving web-1.internal',
    });
  });

  it('does not begin a step after the deadline', async () => {
    const progress = new ProbeProgress(AbortSignal.abort(), () => 0);
    const start = jest.fn();
    await expect(progress.step(start)).rejects.toMatchObject({ reason: 'timeout' });
    expect(start).not.toHaveBeenCalled();
  });

  it('takes the first end of a step and no other', async () => {
    const deadline = new AbortController();
    const progress = new ProbeProgress(deadline.signal, () => 0);
    const giveUp = jest.fn();
    const value = await progress.step<number>((settle) => {
      settle.done(1);
      settle.done(2);
      settle.fail(new ProbeFailure('protocol', 'late'));
      return giveUp;
    });
    deadline.abort();
    expect(value).toBe(1);
    expect(giveUp).not.toHaveBeenCalled();
  });

  it('ends all steps that are under way', async () => {
    const progress = new ProbeProgress(new AbortController().signal, () => 0);
    const steps = [progress.step(() => () => undefined), progress.wait(new Promise(() => undefined))];
    progress.abort(new ProbeFailure('internal', 'shut down'));
    for (const step of steps) await expect(step).rejects.toThrow('shut down');
    expect(progress.over).toMatchObject({ message: 'shut down' });
  });

  it('drops what becomes of a promise after the deadline', async () => {
    const deadline = new AbortController();
    const progress = new ProbeProgress(deadline.signal, () => 0);
    let reject: (error: Error) => void = () => undefined;
    const step = progress.wait(new Promise((_, fail) => (reject = fail)));
    deadline.abort();
    await expect(step).rejects.toMatchObject({ reason: 'timeout' });
    reject(new Error('too late'));
    await new Promise((resolve) => setImmediate(resolve));
  });

  it('asks who does something for others what that is', () => {
    const progress = new ProbeProgress(new AbortController().signal, () => 0);
    let doing = 'one thing';
    progress.enter(() => `while they do ${doing}`);
    doing = 'another';
    expect(progress.doing).toBe('while they do another');
  });

  it('ends a part that takes too long, and only that', async () => {
    const progress = new ProbeProgress(new AbortController().signal, () => 0);
    const part = progress.within(
      10,
      (inner) => {
        inner.enter('while it dawdled');
        return inner.wait(new Promise(() => undefined));
      },
      (doing) => new ProbeFailure('timeout', `too late ${doing}`),
    );
    expect(progress.doing).toBe('while it dawdled');
    await expect(part).rejects.toThrow('too late while it dawdled');
    expect(progress.over).toBeNull();
    const late = (): ProbeFailure => new ProbeFailure('timeout', 'late');
    expect(await progress.within(1000, () => Promise.resolve(7), late)).toBe(7);
    await expect(progress.within(1000, () => Promise.reject(new Error('no')), late)).rejects.toThrow('no');
  });

  it('ends a part when the whole ends', async () => {
    const deadline = new AbortController();
    const progress = new ProbeProgress(deadline.signal, () => 0);
    const giveUp = jest.fn();
    const part = progress.within(
      1000,
      (inner) => inner.step(() => giveUp),
      () => new ProbeFailure('timeout', 'late'),
    );
    deadline.abort(new ProbeFailure('internal', 'shut down'));
    await expect(part).rejects.toThrow('shut down');
    expect(giveUp).toHaveBeenCalledTimes(1);
  });

  it('listens no longer than it has to', () => {
    const { signal } = new AbortController();
    const remove = jest.spyOn(signal, 'removeEventListener');
    const add = jest.spyOn(signal, 'addEventListener');
    const progress = new ProbeProgress(signal, () => 0);
    progress.finish();
    expect(add).toHaveBeenCalledTimes(1);
    expect(remove).toHaveBeenCalledWith('abort', add.mock.calls[0]?.[1]);
  });
});

test('asFailure leaves a failure as it is and calls anything else a fault of the exporter', () => {
  const failure = new ProbeFailure('auth', 'no');
  expect(asFailure(failure)).toBe(failure);
  expect(asFailure(new TypeError('x is not a function'))).toMatchObject({ reason: 'internal' });
  expect(asFailure('odd')).toMatchObject({ reason: 'internal', message: 'odd' });
});
