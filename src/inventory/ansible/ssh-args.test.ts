import { cpuMsOf } from '../../../test/config/cpu-time';
import { readSshArgs } from './ssh-args';

const b1 = { user: null, host: 'b1', port: null };

test.each([
  ['-J b1', [b1]],
  ['-Jb1', [b1]],
  ['-o ProxyJump=b1', [b1]],
  ['-oProxyJump=b1', [b1]],
  [
    "-o 'ProxyJump ops@b1:2222,b2'",
    [
      { user: 'ops', host: 'b1', port: 2222 },
      { ...b1, host: 'b2' },
    ],
  ],
  ['-o ProxyJump=none', []],
  ['-o ControlMaster=auto -C -o ControlPersist=60s -q -o proxyjump=b1 -J b2', [b1]],
  [`-o ProxyCommand="ssh -W %h:%p -q ops@b1"`, [{ ...b1, user: 'ops' }]],
  [`-o ProxyCommand='ssh -q -p 2222 -l ops -W [%h]:%p b1'`, [{ user: 'ops', host: 'b1', port: 2222 }]],
])('%s leads through a bastion', (written, proxyJump) => {
  expect(readSshArgs(written)).toEqual({ ssh: { proxyJump, addressFamily: undefined }, unused: [] });
});

test.each([
  ['-4', 'inet'],
  ['-6 -4', 'inet6'],
  ['-o AddressFamily=inet6', 'inet6'],
])('%s is an address family', (written, addressFamily) => {
  expect(readSshArgs(written)).toEqual({ ssh: { proxyJump: undefined, addressFamily }, unused: [] });
});

test.each([
  ['-o StrictHostKeyChecking=no -J b1', ['-o StrictHostKeyChecking=no']],
  ['-i /key', ['-i', '/key']],
  ['-o ProxyCommand="nc -X 5 -x p:1080 %h %p"', ['-o ProxyCommand=nc -X 5 -x p:1080 %h %p']],
  ['-o ProxyCommand="ssh -i /key -W %h:%p b1"', ['-o ProxyCommand=ssh -i /key -W %h:%p b1']],
  ['-o ProxyCommand="ssh b1 nc %h %p"', ['-o ProxyCommand=ssh b1 nc %h %p']],
  ['-o ProxyJump={{ bastion }}', ['-o ProxyJump={{ bastion }}']],
  ['-o "ProxyJump=b1', ['-o "ProxyJump=b1']],
  ['-J', ['-J ']],
  ['-J b1:x', ['-J b1:x']],
  ['-o AddressFamily=ipv4', ['-o AddressFamily=ipv4']],
])('of %s it is told what is not used', (written, unused) => {
  expect(readSshArgs(written).unused).toEqual(unused);
});

test('arguments as long as a file take no time', async () => {
  const texts = ['-J', '-o ', 'a', '"', ' ', '=', '\\'].map((part) => part.repeat(200_000));
  expect(await cpuMsOf(() => texts.map(readSshArgs))).toBeLessThan(1000);
});
