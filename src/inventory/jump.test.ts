import { readJumps } from './jump';

const bastion = { user: null, host: 'b1', port: null };

test.each([
  ['none', []],
  ['b1', [bastion]],
  ['ops@b1:2222', [{ user: 'ops', host: 'b1', port: 2222 }]],
  ['b1, ops@b2', [bastion, { user: 'ops', host: 'b2', port: null }]],
  ['o@x@b1', [{ user: 'o@x', host: 'b1', port: null }]],
  ['2001:db8::1', [{ user: null, host: '2001:db8::1', port: null }]],
  ['[fe80::1%eth0]:22', [{ user: null, host: 'fe80::1%eth0', port: 22 }]],
  ['ssh://ops@b1:2222/', [{ user: 'ops', host: 'b1', port: 2222 }]],
])('%s', (written, expected) => {
  expect(readJumps(written)).toEqual({ ok: true, value: expected });
});

test.each([
  ['', /empty/],
  ['b1,,b2', /empty/],
  ['@b1', /no user/],
  ['-o@b1', /no user/],
  ['b1:0', /no bastion/],
  ['b1:99999', /no bastion/],
  ['[b1]:22', /no bastion/],
  ['b 1', /neither an IP address nor a name/],
  [Array(9).fill('b1').join(','), /at most 8/],
])('%s is refused', (written, message) => {
  expect(readJumps(written)).toEqual({ ok: false, message: expect.stringMatching(message) as string });
});
