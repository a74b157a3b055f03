import { section } from '../../test/fixture/said';
import { services } from './services';

describe('services', () => {
  test('reads replaced libraries, what runs, and what that is linked with', () => {
    const text = [
      'replaced=1795300000 /usr/lib/x86_64-linux-gnu/libssl.so.3',
      'replaced=1795200000 /usr/lib/i386-linux-gnu/libssl.so.3',
      'service=nginx.service 1234 /usr/sbin/nginx',
      'service=getty@tty1.service 99 -',
      '/usr/sbin/nginx:libssl.so.3',
      '/usr/sbin/nginx:libcrypto.so.3',
      '/usr/sbin/nginx:libssl.so.3',
    ];
    expect(services.parse(section('services', `${text.join('\n')}\n`))).toEqual({
      isKnown: true,
      replacedAtSeconds: new Map([['libssl.so.3', 1_795_200_000]]),
      running: [
        { unit: 'nginx.service', startedSeconds: 12.34, program: '/usr/sbin/nginx' },
        { unit: 'getty@tty1.service', startedSeconds: 0.99, program: null },
      ],
      linked: new Map([['/usr/sbin/nginx', new Set(['libssl.so.3', 'libcrypto.so.3'])]]),
    });
  });

  test.each([
    'replaced=x /libssl.so.3',
    'replaced=1 /other.so',
    'service=a x /b',
    'service=',
    '/a:other.so',
    ':libssl.so.3',
    'x',
  ])('passes over %j', (line) => {
    const { replacedAtSeconds, running, linked } = services.parse(section('services', `${line}\n`));
    expect([replacedAtSeconds.size, running.length, linked.size]).toEqual([0, 0, 0]);
  });

  test('bounds how many services there are', () => {
    const text = Array.from({ length: 1000 }, (_, at) => `service=s${at}.service 1 -\n`).join('');
    expect(services.parse(section('services', text)).running).toHaveLength(300);
  });

  test('is not known where it was not sent, or failed', () => {
    expect(services.parse(undefined).isKnown).toBe(false);
    expect(services.parse(section('services', '', 4)).isKnown).toBe(false);
    expect(services.parse(section('services', '')).isKnown).toBe(true);
  });
});
