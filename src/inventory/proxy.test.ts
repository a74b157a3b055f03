import { readProxy } from './proxy';

test.each([
  ['none', null],
  ['socks5://proxy:1081', { host: 'proxy', port: 1081, resolvesNames: false }],
  ['socks5h://proxy/', { host: 'proxy', port: 1080, resolvesNames: true }],
  ['SOCKS5://[2001:db8::1]:1080', { host: '2001:db8::1', port: 1080, resolvesNames: false }],
])('%s', (written, expected) => {
  expect(readProxy(written)).toEqual({ ok: true, value: expected });
});

test.each([
  ['proxy:1080', /must be a URL/],
  ['http://proxy:3128', /`http` is not supported/],
  ['socks4://proxy', /`socks4` is not supported/],
  ['socks5://me:secret@proxy:1080', /proxy_password_file/],
  ['socks5://proxy:0', /no port/],
  ['socks5://[proxy]:1', /must be a URL/],
  ['socks5://pro xy', /neither/],
])('%s is refused', (written, message) => {
  const read = readProxy(written);
  expect(read).toEqual({ ok: false, message: expect.stringMatching(message) as string });
  expect(JSON.stringify(read)).not.toContain('secret');
});
