import { hashSync } from 'bcryptjs';
import { createPasswordWorker, type PasswordWorker } from './password-worker';

const hash = hashSync('right', 4);
let worker: PasswordWorker;

beforeEach(() => {
  worker = createPasswordWorker();
});
afterEach(() => worker.close());

it('tells right passwords from wrong ones, in the order in which it was asked', async () => {
  const answers = ['right', 'wrong', '', 'right'].map((password) => worker.check(password, hash));
  expect(await Promise.all(answers)).toEqual([true, false, false, true]);
});

it('takes the hashes of other programs', async () => {
  // htpasswd writes $2y$, and this one is of the password "fakepassword".
  const theirs = '$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi';
  expect(await worker.check('fakepassword', theirs)).toBe(true);
});

it('leaves the main thread free while it works', async () => {
  const costly = hashSync('x', 10);
  await worker.check('warm up', hash);
  const checks = Array.from({ length: 5 }, (_, index) => worker.check(String(index), costly));
  let longestMs = 0;
  let lastMs = performance.now();
  const timer = setInterval(() => {
    longestMs = Math.max(longestMs, performance.now() - lastMs);
    lastMs = performance.now();
  }, 1);
  const begunMs = performance.now();
  await Promise.all(checks);
  clearInterval(timer);
  expect(longestMs).toBeLessThan((performance.now() - begunMs) / 3);
});

it('does not begin more checks than may wait', async () => {
  const checks = Array.from({ length: 40 }, () => worker.check('wrong', hash));
  const answers = await Promise.all(checks);
  expect(answers.filter((answer) => answer === null)).toHaveLength(8);
  expect(answers.filter((answer) => answer === false)).toHaveLength(32);
});

it('goes on after a hash that its library refuses', async () => {
  await expect(worker.check('x', 5 as unknown as string)).rejects.toThrow();
  expect(await worker.check('right', hash)).toBe(true);
});

it('ends what waits when it is closed', async () => {
  const waiting = worker.check('x', hashSync('x', 12));
  const ended = expect(waiting).rejects.toThrow('stopping');
  await worker.close();
  await ended;
});
