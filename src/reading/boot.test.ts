import { section } from '../../test/fixture/said';
import { boot } from './boot';
import { clock } from './clock';

const stat =
  'init=1 (systemd) S 0 1 1 0 -1 4194560 90823 3918382 103 1479 102 246 6404 3157 20 0 1 0 37 172826624 3338 18446744073709551615';

describe('boot', () => {
  test('reads the id, btime, the uptime and when process 1 started', () => {
    const text = `boot_id=7d9f4b0e\nuptime=172800.52 1234.56\n${stat}\nstat=btime 1795132800\n`;
    expect(boot.parse(section('boot', text))).toEqual({
      id: '7d9f4b0e',
      kernelTimeSeconds: 1_795_132_800,
      uptimeSeconds: 172_800.52,
      initStartSeconds: 0.37,
    });
  });

  test('finds the start of a process 1 whose name has spaces and parentheses', () => {
    const odd = stat.replace('(systemd)', '(my init) 1 2 3 (x)');
    expect(boot.parse(section('boot', odd)).initStartSeconds).toBe(0.37);
  });

  test.each(['init=', 'init=1', 'init=1 (x)', 'init=1 (x) S 0 1', 'init=)', `${stat.slice(0, 40)}`])(
    '%j tells no start',
    (text) => {
      expect(boot.parse(section('boot', text)).initStartSeconds).toBeNull();
    },
  );

  test('takes a btime of 0, which some containers show, for none', () => {
    expect(boot.parse(section('boot', 'stat=btime 0\n')).kernelTimeSeconds).toBeNull();
    expect(boot.parse(section('boot', 'stat=\n')).kernelTimeSeconds).toBeNull();
  });
});

describe('clock', () => {
  test.each([
    ['date=1795305600.250000000\n', 1_795_305_600.25],
    ['date=1795305600.%N\n', 1_795_305_600],
    ['date=1795305600.\n', 1_795_305_600],
    ['date=1795305600\n', 1_795_305_600],
  ])('reads %j', (text, expected) => {
    expect(clock.parse(section('clock', text)).nowSeconds).toBe(expected);
  });

  test.each(['', 'date=\n', 'date=%s.%N\n', 'date=soon\n', 'date=-5.0\n'])('knows no time from %j', (text) => {
    expect(clock.parse(section('clock', text)).nowSeconds).toBeNull();
  });

  test.each([
    ['date=1795305600.123456789 +0000', 0],
    ['date=1795305600 +0530', 19_800],
    ['date=1795305600.%N -0800', -28_800],
  ])('%j tells the time zone as well', (text, zoneSeconds) => {
    expect(clock.parse(section('clock', text))).toMatchObject({ zoneSeconds });
    expect(clock.parse(section('clock', text)).nowSeconds).toBeGreaterThanOrEqual(1_795_305_600);
  });

  test.each(['date=1795305600', 'date=1795305600 %z', 'date=1795305600 +00000', 'date=1795305600 UTC'])(
    'of %j the zone can not be told',
    (text) => {
      expect(clock.parse(section('clock', text)).zoneSeconds).toBeNull();
    },
  );
});
