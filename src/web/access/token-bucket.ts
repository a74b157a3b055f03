import type { RateLimit } from '../settings/settings';

/** Lets `burst` requests through at once, and one more each interval. */
export interface TokenBucket {
  take(): boolean;
}

export function createTokenBucket({ intervalSeconds, burst }: RateLimit, monotonicMs: () => number): TokenBucket {
  let tokens = burst;
  let filledAtMs = monotonicMs();
  return {
    take() {
      const nowMs = monotonicMs();
      tokens = Math.min(burst, tokens + (nowMs - filledAtMs) / 1000 / intervalSeconds);
      filledAtMs = nowMs;
      if (tokens < 1) return false;
      tokens--;
      return true;
    },
  };
}
