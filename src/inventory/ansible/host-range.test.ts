import { expandHostRange, splitPort } from './host-range';
import { cpuMsOf } from '../../../test/config/cpu-time';

test.each([
  ['web', ['web']],
  ['web[1:3]', ['web1', 'web2', 'web3']],
  ['web[08:11].x', ['web08.x', 'web09.x', 'web10.x', 'web11.x']],
  ['n[0:10:5]', ['n0', 'n5', 'n10']],
  ['n[:2]', ['n0', 'n1', 'n2']],
  ['db-[a:c]', ['db-a', 'db-b', 'db-c']],
  ['r[1:2]-[a:b]', ['r1-a', 'r1-b', 'r2-a', 'r2-b']],
  // Brackets without a colon are no range to Ansible.
  ['x[1]', ['x[1]']],
])('%s', (pattern, expected) => {
  expect(expandHostRange(pattern)).toEqual({ ok: true, value: expected });
});

test.each([
  ['web[3:1]', /is no range/],
  ['web[a:3]', /is no range/],
  ['web[01:100]', /is no range/],
  ['web[1:3:0]', /is no range/],
  ['web[x:]', /is no range/],
  ['web[1:999999]', /is no range/],
  ['a[1:1000][1:1000]', /more than 100000 hosts/],
  ['a'.repeat(1001), /at most 1000 characters/],
])('%.30s is refused', (pattern, message) => {
  expect(expandHostRange(pattern)).toEqual({ ok: false, message: expect.stringMatching(message) as string });
});

test.each([
  ['web', 'web', null],
  ['web:22', 'web', '22'],
  ['web[1:3]', 'web[1:3]', null],
  ['web[1:3]:2222', 'web[1:3]', '2222'],
  ['web[1:3].example.com:2222', 'web[1:3].example.com', '2222'],
  ['[::1]:22', '::1', '22'],
  ['[2001:db8::1]', '2001:db8::1', null],
  ['2001:db8::1', '2001:db8::1', null],
  ['[1:3]', '[1:3]', null],
])('%s is the host %s with port %s', (pattern, host, port) => {
  expect(splitPort(pattern)).toEqual({ host, port });
});

test('patterns as long as a file take no time', async () => {
  const texts = ['[', ':', 'a', '1', ']'].map((char) => char.repeat(1_000_000));
  expect(await cpuMsOf(() => texts.map(splitPort))).toBeLessThan(200);
});
