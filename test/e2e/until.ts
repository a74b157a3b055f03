import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Asks again and again until `check` no longer throws, and answers what it answered. Expectations of jest can stand
 * in it. @throws the last error, when the time is over.
 */
export async function until<T>(seconds: number, check: () => Promise<T> | T, pauseMs = 100): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await sleep(pauseMs);
  }
}
