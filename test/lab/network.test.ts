import net from 'node:net';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { describeWithLab } from './describe-with-lab';
import type { LabHost } from './host';
import { Lab } from './lab';
import { sshLogin } from './ssh-login';

jest.setTimeout(60_000);

/** What becomes of a TCP connection: `open`, or the error's code; `silence` when nothing happens for a while. */
function dial(address: string, port: number, milliseconds = 700): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect(port, address);
    const end = (what: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(what);
    };
    const timer = setTimeout(() => end('silence'), milliseconds);
    socket.on('connect', () => end('open'));
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? 'error'));
  });
}

describeWithLab('the network of a lab', () => {
  let lab: Lab;
  let near: LabHost;
  let far: LabHost;

  beforeAll(async () => {
    lab = await Lab.start({
      hosts: [{ name: 'near', addresses: ['93.184.216.34', '2a00:1450:4001::7'] }, { name: 'far' }],
    });
    near = lab.host('near');
    far = lab.host('far');
  });

  afterEach(() => near.heal());
  afterAll(() => lab?.stop());

  test('listeners accept connections by both families, and tell who came', async () => {
    const listener = await near.listen('tcp [::]:8443');
    expect(await dial(near.address, 8443)).toBe('open');
    expect(await dial(near.addressV6, 8443)).toBe('open');
    expect(await dial(far.address, 8443)).toBe('ECONNREFUSED');
    expect((await listener.arrivals()).map((arrival) => arrival.address)).toEqual([
      expect.stringMatching(/^::ffff:10\.213\.\d+\.1$/),
      expect.stringMatching(/^fd52:eb00:/),
    ]);
    await listener.close();
    expect(await dial(near.address, 8443)).toBe('ECONNREFUSED');
  });

  test('listeners can be of one family, one address, one device; what the kernel refuses is told', async () => {
    await near.listen('tcp [::]:8001 v6only');
    await near.listen('tcp 127.0.0.1:8002');
    await near.listen('tcp 0.0.0.0:8003 dev=lo');
    expect(await dial(near.address, 8001)).toBe('ECONNREFUSED');
    expect(await dial(near.addressV6, 8001)).toBe('open');
    expect(await dial(near.address, 8002)).toBe('ECONNREFUSED');
    expect(await dial(near.address, 8003)).toBe('ECONNREFUSED');
    await expect(near.listen('tcp 127.0.0.1:8002')).rejects.toThrow('Address already in use');
    await expect(near.listen('tcp somewhere')).rejects.toThrow('not a socket');
  });

  test('datagrams come back', async () => {
    const listener = await near.listen('udp 0.0.0.0:53');
    const socket = dgram.createSocket('udp4');
    socket.send('ping', 53, near.address);
    const [answer] = (await once(socket, 'message')) as [Buffer];
    expect(answer.toString()).toBe('ping');
    expect(await listener.arrivals()).toHaveLength(1);
    socket.close();
  });

  test('additional addresses are reached, also after a restart, and can be added later', async () => {
    await near.listen('tcp [::]:8010');
    expect(await dial('93.184.216.34', 8010)).toBe('open');
    expect(await dial('2a00:1450:4001::7', 8010)).toBe('open');
    expect(await sshLogin(lab, near, 'hostname', { address: '93.184.216.34' })).toMatchObject({ stdout: 'near\n' });
    await far.addAddress('8.8.4.99');
    await far.restart();
    await far.listen('tcp 8.8.4.99:8011');
    expect(await dial('8.8.4.99', 8011)).toBe('open');
  });

  test("rules are the host's own", async () => {
    await Promise.all([near.listen('tcp 0.0.0.0:8020'), far.listen('tcp 0.0.0.0:8020')]);
    await near.applyRules(`
      nft add table inet filter
      nft 'add chain inet filter input { type filter hook input priority 0; policy accept; }'
      nft add rule inet filter input tcp dport 8020 drop`);
    expect(await dial(near.address, 8020)).toBe('silence');
    expect(await dial(far.address, 8020)).toBe('open');
    await near.applyRules('iptables -A INPUT -p tcp --dport 8021 -j REJECT; nft delete table inet filter');
    expect(await near.shell('iptables-save')).toContain('--dport 8021');
    expect(await far.shell('iptables-save')).not.toContain('--dport 8021');
    expect(await dial(near.address, 8020)).toBe('open');
    await expect(near.applyRules('nft add rule nonsense')).rejects.toThrow('syntax error');
  });

  test('knocks come from any address, and are answered', async () => {
    const listener = await near.listen('tcp [::]:8030');
    await near.listen('udp [::]:8031');
    const knock = {
      proto: 'tcp',
      from: '198.51.100.77',
      to: near.address,
      port: 8030,
      timeoutMilliseconds: 2000,
    } as const;
    await near.applyRules('iptables -A INPUT -s 198.51.100.0/24 -p tcp --dport 8032 -j DROP; ip6tables -P INPUT DROP');
    const v6 = { from: '2001:db8::1', to: near.addressV6 };
    expect(
      await Promise.all([
        lab.router.knock(knock),
        lab.router.knock({ ...knock, from: '8.8.8.8', fromPort: 53 }),
        lab.router.knock({ ...knock, port: 8029 }),
        lab.router.knock({ ...knock, port: 8032, timeoutMilliseconds: 500 }),
        lab.router.knock({ ...knock, port: 8032, from: '203.0.113.1' }),
        lab.router.knock({ ...knock, to: '93.184.216.34' }),
        lab.router.knock({ ...knock, proto: 'udp', port: 8031 }),
        lab.router.knock({ ...knock, proto: 'udp', port: 8033 }),
        lab.router.knock({ ...knock, ...v6, timeoutMilliseconds: 500 }),
      ]),
    ).toEqual(['open', 'open', 'refused', 'silence', 'refused', 'open', 'open', 'refused', 'silence']);
    await near.applyRules('ip6tables -P INPUT ACCEPT');
    expect(await lab.router.knock({ ...knock, ...v6 })).toBe('open');
    const datagrams = await near.listen(`udp [${near.addressV6}]:8034`);
    expect(await lab.router.knock({ ...knock, ...v6, proto: 'udp', port: 8034 })).toBe('open');
    expect(await datagrams.arrivals()).toMatchObject([{ address: '2001:db8::1' }]);
    const arrivals = await listener.arrivals();
    expect(arrivals).toContainEqual({ address: '::ffff:8.8.8.8', port: 53 });
    expect(arrivals).toContainEqual({ address: '2001:db8::1', port: expect.any(Number) as number });
    await expect(lab.router.knock({ ...knock, from: 'nowhere' })).rejects.toThrow('nowhere');
  });

  test('what a host sends to the internet ends on the router', async () => {
    const way = (to: string, from: string): Promise<string> =>
      lab.router.run(['ip', 'route', 'get', to, 'from', from, 'iif', 'hosts']);
    expect(await way('203.0.113.9', near.address)).toMatch(/^local 203\.0\.113\.9 /);
    expect(await way('2001:db8::9', near.addressV6)).toMatch(/^local 2001:db8::9 /);
    expect(await way(far.address, near.address)).not.toContain('local');
  });

  test('a host that is cut off is reached by way of another', async () => {
    await near.partition('drop');
    expect(await sshLogin(lab, near, 'hostname')).toMatchObject({ code: 255 });
    const through = `ssh -F none -i ${lab.identityFile} -o UserKnownHostsFile=${lab.knownHostsFile} -W %h:%p root@${far.address}`;
    const jumped = await sshLogin(lab, near, 'hostname', { arguments: ['-o', `ProxyCommand=${through}`] });
    expect(jumped).toMatchObject({ code: 0, stdout: 'near\n' });
  });

  test.each([
    ['drop', 'silence'],
    ['reject', 'EHOSTUNREACH'],
    ['reset', 'ECONNREFUSED'],
  ] as const)('a partition by %s gives %s, for this host only, and heals', async (how, what) => {
    await near.partition(how);
    expect(await dial(near.address, 22)).toBe(what);
    // The answer to the first packet may come while connect(2) still holds the socket: then the second one counts.
    expect(await dial(near.addressV6, 22, 2500)).toBe(what);
    expect(await dial('93.184.216.34', 22)).toBe(what);
    expect(await dial(far.address, 22)).toBe('open');
    expect(await far.shell(`ssh-keyscan -T 2 ${near.address} 2>/dev/null`)).toContain('ssh-ed25519');
    await near.heal();
    expect(await dial(near.address, 22)).toBe('open');
    expect(await dial(near.addressV6, 22)).toBe('open');
  });

  test('a partition by reset ends a connection at its next packet', async () => {
    const socket = net.connect(22, near.address);
    const [banner] = (await once(socket, 'data')) as [Buffer];
    expect(banner.toString()).toMatch(/^SSH-2\.0-OpenSSH/);
    await near.partition('reset');
    socket.write('SSH-2.0-test\r\n');
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
  });

  test('a delay makes round trips slow, by both families, and heals', async () => {
    await near.delay(300);
    for (const address of [near.address, near.addressV6]) {
      const began = Date.now();
      expect(await dial(address, 22, 3000)).toBe('open');
      const tookMilliseconds = Date.now() - began;
      expect(tookMilliseconds).toBeGreaterThanOrEqual(299);
      expect(tookMilliseconds).toBeLessThan(1000);
    }
    expect(await dial(far.address, 22, 200)).toBe('open');
    await near.heal();
    expect(await dial(near.address, 22, 200)).toBe('open');
  });
});
