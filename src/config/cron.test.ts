import { checkCron } from './cron';

const minute = 60;
const hour = 3600;
const day = 86_400;

describe('checkCron', () => {
  test.each([
    ['* * * * * *', 1],
    ['*/5 * * * *', 5 * minute],
    ['*/7 * * * *', 7 * minute],
    ['@hourly', hour],
    ['30 2,4 * * *', 22 * hour],
    ['0 4 * * *', day],
    ['*/5 9-17 * * 1-5', 2 * day + 15 * hour + 5 * minute],
    ['0 2 * * 0', 7 * day],
    ['0 2 * * 7', 7 * day],
    ['0 2 * * sun', 7 * day],
    ['0 0 1 * *', 31 * day],
    ['0 0 31 * *', 61 * day],
    ['0 0 * * 0#1', 35 * day],
    ['0 0 1 1 *', 366 * day],
    ['0 0 29 2 *', (4 * 365 + 1) * day],
  ])('%s leaves at most %d seconds between two matches', (expression, longestGapSeconds) => {
    expect(checkCron(expression)).toEqual({ ok: true, longestGapSeconds });
  });

  test.each([
    ['', /can't be empty/],
    ['* * * *', /has 4 fields/],
    ['1 2 3 4 5 6 7', /has 7 fields/],
    ['60 * * * *', /is no cron expression/],
    ['5-1 * * * *', /is no cron expression/],
    ['a * * * *', /is no cron expression/],
    ['0 0 31 4 *', /never matches/],
    ['0 0 1,15 * 1', /restricts the day of the month and the weekday/],
    ['@reboot', /is no cron expression/],
    // cron-parser alone would take these two.
    ['? * * * *', /is no cron expression/],
    ['H * * * *', /is no cron expression/],
  ])('%j is refused', (expression, message) => {
    expect(checkCron(expression)).toEqual({ ok: false, message: expect.stringMatching(message) as string });
  });
});
