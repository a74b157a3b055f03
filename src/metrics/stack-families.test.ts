import { defaultPolicy } from '../policy/defaults';
import { renderStacks } from './stack-families';

/** 2026-11-22 is a Sunday. */
const sundayAt2Ms = Date.UTC(2026, 10, 22, 2);
const maintenanceWindow = { cron: '0 2 * * 0', durationSeconds: 3 * 3600, timezone: 'UTC' };

function linesOf(nowMs: number): string[] {
  const stacks = new Map([
    ['default', defaultPolicy],
    ['shop', { ...defaultPolicy, maintenanceWindow }],
  ]);
  return renderStacks(stacks, nowMs, 'text')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
}

describe('renderStacks', () => {
  test('tells the thresholds of each stack in seconds', () => {
    expect(linesOf(0).filter((line) => line.startsWith('reboot_policy_after_seconds{stack="shop"'))).toEqual([
      'reboot_policy_after_seconds{stack="shop",exposure="exposed",severity="warning"} 259200',
      'reboot_policy_after_seconds{stack="shop",exposure="exposed",severity="critical"} 1209600',
      'reboot_policy_after_seconds{stack="shop",exposure="internal",severity="warning"} 1209600',
      'reboot_policy_after_seconds{stack="shop",exposure="internal",severity="critical"} 2592000',
    ]);
  });

  test.each([
    [sundayAt2Ms - 1, 0],
    [sundayAt2Ms, 1],
    [sundayAt2Ms + 3 * 3_600_000 - 1, 1],
    [sundayAt2Ms + 3 * 3_600_000, 0],
  ])('tells at %d whether a window is open: %d', (nowMs, value) => {
    expect(linesOf(nowMs)).toContain(`reboot_maintenance_window_open{stack="shop"} ${value}`);
  });

  test('tells nothing of windows for a stack without one', () => {
    expect(linesOf(0).filter((line) => line.includes('window') && line.includes('default'))).toEqual([]);
  });

  test('is empty without stacks', () => {
    expect(renderStacks(new Map(), 0, 'text')).toBe('');
  });
});
