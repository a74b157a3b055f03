import { createTokenBucket } from './token-bucket';

it('lets a burst through, then one an interval', () => {
  let nowMs = 0;
  const bucket = createTokenBucket({ intervalSeconds: 2, burst: 3 }, () => nowMs);
  expect([bucket.take(), bucket.take(), bucket.take(), bucket.take()]).toEqual([true, true, true, false]);
  nowMs = 1999;
  expect(bucket.take()).toBe(false);
  nowMs = 2001;
  expect([bucket.take(), bucket.take()]).toEqual([true, false]);
  nowMs = 100_000;
  expect([bucket.take(), bucket.take(), bucket.take(), bucket.take()]).toEqual([true, true, true, false]);
});
