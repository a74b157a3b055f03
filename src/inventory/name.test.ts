import { readAddress, readHostName } from './name';

test.each(['web-1', '2001:db8::1', 'a.b.c', 'Straße', 'web-1:22', 'a_b', '42', 'user@host'])(
  '%s can name a host',
  (name) => {
    expect(readHostName(name)).toEqual({ ok: true, value: name });
  },
);

test.each(['', '-a', 'a b', 'a/b', 'a\\b', 'a?b', 'a#b', '<a>', "a'", 'a"', 'a`', 'a\n', '\u0000', 'x'.repeat(254)])(
  '%j can not',
  (name) => {
    expect(readHostName(name).ok).toBe(false);
  },
);

test.each([
  '192.0.2.1',
  '::1',
  'fe80::1%eth0',
  '::ffff:192.0.2.1',
  'localhost',
  'web-1.example.com',
  'web-1.example.com.',
  '_under.score_',
  '3com.example',
  'x'.repeat(63),
])('%s can be dialled', (address) => {
  expect(readAddress(address)).toEqual({ ok: true, value: address });
});

test.each([
  '',
  '.',
  'a..b',
  '-a',
  'a-',
  '192.0.2',
  '192.0.2.256',
  '0x7f.1',
  '10',
  '1.2.3.4:22',
  '[::1]',
  '[::1]:22',
  'u@h',
  'ssh://h',
  'a b',
  'Straße',
  '$(id)',
  'x'.repeat(64),
  `${'x.'.repeat(127)}x`,
])('%j can not', (address) => {
  expect(readAddress(address).ok).toBe(false);
});
