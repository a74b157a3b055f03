import { distanceInWords, lengthInWords, momentInWords, shortLength } from './time-words';

it.each([
  [0, '0 seconds', '0s'],
  [-5, '0 seconds', '0s'],
  [1, '1 second', '1s'],
  [59.9, '59 seconds', '59s'],
  [60, '1 minute', '1m'],
  [61, '1 minute 1 second', '1m 1s'],
  [3600, '1 hour', '1h'],
  [3601, '1 hour', '1h'],
  [90_061, '1 day 1 hour', '1d 1h'],
  [86_400 * 400, '400 days', '400d'],
])('tells %p seconds as %p', (seconds, words, short) => {
  expect(lengthInWords(seconds)).toBe(words);
  expect(shortLength(seconds)).toBe(short);
});

it('tells how far a moment is away', () => {
  const nowMs = Date.parse('2026-11-22T12:00:00Z');
  expect(distanceInWords('2026-11-22T11:56:00Z', nowMs)).toBe('4 minutes ago');
  expect(distanceInWords('2026-11-22T14:00:00Z', nowMs)).toBe('in 2 hours');
  expect(distanceInWords('2026-11-22T14:00:00Z', nowMs, shortLength)).toBe('in 2h');
  expect(distanceInWords('2026-11-22T12:00:01Z', nowMs)).toBe('now');
  expect(distanceInWords('not a time', nowMs)).toBe('');
});

it('tells a moment to the minute, with its time zone', () => {
  expect(momentInWords('2026-11-20T06:12:44Z')).toBe('2026-11-20 06:12 UTC');
});
