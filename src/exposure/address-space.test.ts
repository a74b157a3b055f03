import { EVERYTHING, PUBLIC, describeNetworks, isGlobal, publicShare } from './address-space';
import { parseAddress, parseNetwork } from './addresses';
import { type Bound, type RangeSet, fromPairs } from './ranges';

function set(...texts: readonly string[]): RangeSet {
  return fromPairs(
    texts.map((text) => {
      const net = parseNetwork(text);
      return [net?.start ?? 0, net?.end ?? 0] as [Bound, Bound];
    }),
  );
}

describe('the public address space', () => {
  it('is measured without private and reserved ranges', () => {
    expect(publicShare(4, EVERYTHING[4])).toBe(1);
    expect(publicShare(4, set('0.0.0.0/1', '128.0.0.0/1'))).toBe(1);
    expect(publicShare(4, set('10.0.0.0/8', '192.168.0.0/16'))).toBe(0);
    expect(publicShare(4, set('8.0.0.0/8'))).toBeCloseTo(1 / 221, 3);
  });

  it('of IPv6 is everything that was handed out, however little of 2000::/3 that is', () => {
    expect(publicShare(6, PUBLIC[6])).toBe(1);
    expect(
      publicShare(6, set('2001::/16', '2400::/12', '2600::/12', '2800::/12', '2a00::/12', '2c00::/12')),
    ).toBeGreaterThan(0.6);
    expect(publicShare(6, set('fd00::/8'))).toBe(0);
    expect(publicShare(6, set('2001:db8:100::/48'))).toBeLessThan(0.001);
  });

  it.each([
    ['8.8.8.8', true],
    ['203.0.113.10', false],
    ['10.0.0.1', false],
    ['100.64.1.1', false],
    ['169.254.169.254', false],
    ['127.0.0.1', false],
    ['2a00:1450::1', true],
    ['2001:db8::1', false],
    ['fd00::1', false],
    ['fe80::1', false],
  ])('%s is global: %p', (text, wanted) => {
    const address = parseAddress(text);
    expect(address !== null && isGlobal(address.family, address.value)).toBe(wanted);
  });

  it('is described by its first networks', () => {
    expect(describeNetworks(4, set('198.51.100.0/24', '10.0.0.0/8', '1.2.3.4'), 2)).toBe(
      '1.2.3.4, 10.0.0.0/8 and 1 more',
    );
    expect(describeNetworks(4, fromPairs([[1, 4]]), 3)).toBe('0.0.0.1-0.0.0.3');
    expect(describeNetworks(6, set('2001:db8::/32'), 3)).toBe('2001:db8::/32');
  });
});
