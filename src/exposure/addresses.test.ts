import { isIP } from 'node:net';
import fc from 'fast-check';
import {
  formatAddress,
  formatEndpoint,
  mappedIpv4,
  network,
  parseAddress,
  parseIpv4,
  parseIpv6,
  parseNetwork,
} from './addresses';

describe('addresses', () => {
  it('are read as Node reads them, and nothing else is', () => {
    const odd = fc.string({ unit: fc.constantFrom(...'0123456789abcdef:.%/ '), maxLength: 40 });
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), odd), (text) => {
        const version = text.includes('%') ? 0 : isIP(text);
        expect(parseAddress(text)?.family ?? 0).toBe(version);
      }),
      { numRuns: 2000 },
    );
  });

  it('come back as they were written', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), (value) =>
        expect(parseIpv6(formatAddress(6, value))).toBe(value),
      ),
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (value) =>
        expect(parseIpv4(formatAddress(4, value))).toBe(value),
      ),
    );
  });

  it.each([
    ['2001:db8::1', '2001:db8::1'],
    ['::', '::'],
    ['::1', '::1'],
    ['fe80::', 'fe80::'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['::ffff:1.2.3.4', '::ffff:102:304'],
  ])('are shortened: %s', (text, wanted) => expect(formatAddress(6, parseIpv6(text) as bigint)).toBe(wanted));

  it.each([
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.400',
    '1.2.3.-4',
    '1::2::3',
    ':::',
    '12345::',
    'g::',
    '1:2:3:4:5:6:7',
    '1.2.3.4::',
    '',
    '::1.2.3',
  ])('are not read from %p', (text) => expect(parseAddress(text)).toBeNull());

  it('make networks, with host bits cleared', () => {
    expect(parseNetwork('203.0.113.77/24')).toEqual({ family: 4, start: 0xcb007100, end: 0xcb007200 });
    expect(parseNetwork('0.0.0.0/0')).toEqual({ family: 4, start: 0, end: 2 ** 32 });
    expect(parseNetwork('2001:db8::5/127')).toMatchObject({ start: 0x20010db8000000000000000000000004n });
    expect(parseNetwork('1.2.3.4/33')).toBeNull();
    expect(network(4, 1, -1)).toBeNull();
  });

  it('are shown with their port', () => {
    expect(formatEndpoint(4, 0x7f000001, 80)).toBe('127.0.0.1:80');
    expect(formatEndpoint(6, 1n, null)).toBe('[::1]:?');
    expect(formatEndpoint(4, null, 80)).toBe('?:80');
  });

  it('are IPv4 in the clothes of IPv6 only in ::ffff:0:0/96', () => {
    expect(mappedIpv4(parseIpv6('::ffff:203.0.113.10') as bigint)).toBe(0xcb00710a);
    expect(mappedIpv4(0n)).toBeNull();
  });
});
