import { parseCloudAddresses } from './cloud-init';
import { parseIfInet6, parseInterfaces } from './interfaces';
import { parseIpvs } from './ipvs';
import { procInterfaces, procRoutes } from './proc-network';
import { known, notKnown } from './reading';
import { parseKernel, parseSysctls } from './sysctls';

const TEXT = `1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
    inet 127.0.0.1/8 scope host lo
    inet6 ::1/128 scope host
2: eth0@if5: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue master br0 state UP group 5
    link/ether 02:00:00:00:00:10 brd ff:ff:ff:ff:ff:ff
    inet 203.0.113.10/24 brd 203.0.113.255 scope global eth0
    inet6 fe80::10/64 scope link tentative
3: eth0.7@eth0: <BROADCAST,UP> mtu 1500
    link/ether 02:00:00:00:00:10 brd ff:ff:ff:ff:ff:ff
`;

const JSON_ADDRESSES = JSON.stringify([
  {
    ifname: 'lo',
    flags: ['LOOPBACK', 'UP'],
    link_type: 'loopback',
    group: 'default',
    addr_info: [
      { local: '127.0.0.1', prefixlen: 8 },
      { local: '::1', prefixlen: 128 },
    ],
  },
  {},
  {
    ifname: 'eth0',
    flags: ['UP'],
    link_type: 'ether',
    group: '5',
    master: 'br0',
    addr_info: [
      { local: '203.0.113.10', prefixlen: 24 },
      { local: 'fe80::10', prefixlen: 64, tentative: true },
    ],
  },
  { ifname: 'eth0.7', link: 'eth0', flags: ['UP'], link_type: 'ether', addr_info: [] },
]);

describe('interfaces', () => {
  it('are read the same from JSON and from the text that BusyBox writes', () => {
    const json = parseInterfaces(JSON_ADDRESSES, null);
    const text = parseInterfaces(TEXT, null);
    const main = (found: typeof json): unknown =>
      found.known &&
      found.value.map(({ name, loopback, linkType, master, parent, addresses }) => ({
        name,
        loopback,
        linkType,
        master,
        parent,
        addresses,
      }));
    expect(main(text)).toEqual(main(json));
    expect(json.known && json.value.map((iface) => iface.group)).toEqual(['default', '5', null]);
    expect(json.known && json.value[1]?.addresses.map((own) => own.tentative)).toEqual([false, true]);
  });

  it('learn their kind from ip -d link', () => {
    const links = JSON.stringify([
      { ifname: 'eth0', linkinfo: { info_kind: 'vrf', info_data: { table: 10 } } },
      { ifname: 'lo' },
    ]);
    const found = parseInterfaces(JSON_ADDRESSES, links);
    expect(found.known && found.value.map(({ kind, vrfTable }) => [kind, vrfTable])).toEqual([
      ['', null],
      ['vrf', '10'],
      [null, null],
    ]);
  });

  it('are not known when they are something else', () => {
    for (const text of ['[1]', '{', 'hello', '', '    inet 1.2.3.4/8\n'])
      expect(parseInterfaces(text, null).known).toBe(false);
  });
});

describe('/proc, on hosts without ip', () => {
  const trie = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     |-- 203.0.113.10
        /32 host LOCAL
     |-- 127.0.0.1
        /32 host LOCAL
Local:
     |-- 203.0.113.10
        /32 host LOCAL
     |-- 203.0.113.255
        /32 link BROADCAST
`;
  const route = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	017100CB	0003	0	0	100	00000000	0	0	0
eth0	007100CB	00000000	0001	0	0	0	00FFFFFF	0	0	0
*	000000C0	00000000	0200	0	0	0	000000FF	0	0	0
`;

  it('has the local addresses and the main table', () => {
    const inet6 = '20010db8000000000000000000000010 02 40 00 82     eth0\n';
    const found = procInterfaces(known(trie), known(inet6));
    expect(
      found.known && found.value.map(({ name, addresses }) => [name, addresses.map((own) => own.address)]),
    ).toEqual([
      ['eth0', [0x20010db8000000000000000000000010n]],
      ['', [0xcb00710a]],
      ['lo', [0x7f000001]],
    ]);
    const routes = procRoutes(known(route), known(trie), 4);
    expect(
      routes.known &&
        routes.value.map(({ type, prefixLength, metric, devices }) => [type, prefixLength, metric, devices]),
    ).toEqual([
      ['local', 32, 0, []],
      ['local', 32, 0, []],
      ['unicast', 0, 100, ['eth0']],
      ['unicast', 24, 0, ['eth0']],
      ['unreachable', 8, 0, ['*']],
    ]);
    expect(parseIfInet6('hello\n')).toBeNull();
  });

  it('has the routes of IPv6', () => {
    const zero = '0'.repeat(32);
    const text = `${zero} 00 ${zero} 00 20010db8000000000000000000000001 00000400 00000001 00000000 00000003     eth0
20010db8000000000000000000000010 80 ${zero} 00 ${zero} 00000000 00000002 00000000 80200001       lo
`;
    const routes = procRoutes(known(text), notKnown('x'), 6);
    expect(
      routes.known &&
        routes.value.map(({ type, table, prefixLength, devices }) => [type, table, prefixLength, devices]),
    ).toEqual([
      ['unicast', 'main', 0, ['eth0']],
      ['local', 'local', 128, ['lo']],
    ]);
  });
});

describe('other sources', () => {
  it.each([
    ['EC2', { ds: { meta_data: { 'public-ipv4': '3.5.7.9', 'local-ipv4': '10.0.0.1' } } }, ['3.5.7.9']],
    [
      'EC2, associations',
      {
        network: {
          interfaces: { macs: { x: { 'ipv4-associations': { '3.5.7.9': '10.0.0.1' }, 'public-ipv4s': '3.5.7.8' } } },
        },
      },
      ['3.5.7.8', '3.5.7.9', '10.0.0.1'],
    ],
    ['GCE', { instance: { networkInterfaces: [{ accessConfigs: [{ externalIp: '34.1.2.3' }] }] } }, ['34.1.2.3']],
    ['Azure', { ipv4: { ipAddress: [{ privateIpAddress: '10.0.0.4', publicIpAddress: '20.1.2.3' }] } }, ['20.1.2.3']],
    [
      'DigitalOcean',
      { interfaces: { public: [{ ipv4: { ip_address: '167.1.2.3', netmask: '255.255.240.0' } }] } },
      ['255.255.240.0', '167.1.2.3'],
    ],
    ['none', { ds: { meta_data: { 'local-ipv4': '10.0.0.1' } } }, []],
  ])('cloud-init on %s', (_name, data, wanted) => expect(parseCloudAddresses(JSON.stringify(data))).toEqual(wanted));

  it('a file that is no JSON says nothing', () => expect(parseCloudAddresses('x')).toBeNull());

  it('sysctls by path', () => {
    const found = parseSysctls(known('net/ipv4/ip_forward = 1\nnet/ipv4/conf/eth0.7/rp_filter = 2\nnonsense\nx = y\n'));
    expect([...found]).toEqual([
      ['net/ipv4/ip_forward', 1],
      ['net/ipv4/conf/eth0.7/rp_filter', 2],
    ]);
    expect(parseSysctls(notKnown('x')).size).toBe(0);
  });

  it('the kernel only proves what it says', () => {
    expect(parseKernel(known('nf_tables absent\nip_tables unknown\nip6_tables present\nip_vs absent\n'))).toEqual({
      nfTablesAbsent: true,
      ipTablesAbsent: false,
      ip6TablesAbsent: false,
      ipvsAbsent: true,
    });
    expect(parseKernel(notKnown('x')).nfTablesAbsent).toBe(false);
  });

  it('services of IPVS', () => {
    const text = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  CB00710A:0050 rr
  -> AC110002:0050      Masq    1      0          0
UDP  [2001:0db8:0000:0000:0000:0000:0000:0010]:0035 rr
`;
    expect(parseIpvs(text)).toEqual({
      known: true,
      value: [
        { transport: 6, family: 4, address: 0xcb00710a, port: 80, servers: 1 },
        { transport: 17, family: 6, address: 0x20010db8000000000000000000000010n, port: 53, servers: 0 },
      ],
    });
    expect(parseIpvs('FWM  00000001 rr\n').known).toBe(false);
  });
});
