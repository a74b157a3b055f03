import type { Scene, SceneListener } from './scene';

/** A listener as people write it: `tcp 0.0.0.0:22`, `tcp [::]:443` (both families), `tcp [::]:443 v6only`. */
function listener(text: string): SceneListener {
  const [proto = '', end = '', flag] = text.split(' ');
  const colon = end.lastIndexOf(':');
  const address = end.slice(0, colon).replace(/[[\]]/g, '');
  return {
    proto: proto === 'udp' ? 'udp' : 'tcp',
    address,
    port: Number(end.slice(colon + 1)),
    ipv6Only: flag === 'v6only',
  };
}

interface Wanted {
  readonly nft?: string;
  readonly iptables?: string;
  readonly ip6tables?: string;
  readonly legacy?: string;
  readonly ipset?: string;
  readonly sh?: string;
  readonly listeners?: readonly string[];
  readonly ports?: readonly number[];
  readonly peerPorts?: readonly number[];
  readonly sysctls?: Readonly<Record<string, string>>;
  /** Depends on chance or on what went before. */
  readonly fickle?: boolean;
}

const BOTH = ['tcp [::]:22', 'udp [::]:53'];

/** `table inet f` with an input chain that drops, after what every sane one begins with. */
function closed(rules: string, before = ''): string {
  return `${before}
table inet f {
chain in { type filter hook input priority 0; policy drop;
  iifname "lo" accept
  ct state established,related accept
${rules}
}
}`;
}

function open(rules: string, before = ''): string {
  return `${before}\ntable inet f {\nchain in { type filter hook input priority 0; policy accept;\n${rules}\n}\n}`;
}

/** `*filter` with INPUT DROP, after the usual rule. */
function iptablesClosed(rules: string, policy = 'DROP'): string {
  return `*filter\n:INPUT ${policy} [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n${rules}\nCOMMIT\n`;
}

const CLOSED6 = iptablesClosed('');

/** Set-ups that each turn on one thing that the kernel does. */
export const CURATED: Readonly<Record<string, Wanted>> = {
  'no rules': {},
  'loopback only': { listeners: ['tcp 127.0.0.1:22', 'tcp [::1]:22', 'udp 127.0.0.1:53'] },
  'one address': { listeners: ['tcp 10.0.0.10:22', 'udp [2001:db8::10]:53'] },
  'mapped address': { listeners: ['tcp [::ffff:203.0.113.10]:22'] },
  'reverse path strict': { sysctls: { 'net/ipv4/conf/eth0/rp_filter': '1' } },
  'reverse path strict, routes elsewhere': {
    sysctls: { 'net/ipv4/conf/eth0/rp_filter': '1' },
    sh: 'ip route add 8.0.0.0/8 dev wg0; ip route add 91.0.0.0/8 dev wg0',
  },
  'blackhole routes': { sh: 'ip route add blackhole 0.0.0.0/1; ip -6 route add blackhole 2600::/12' },
  'unreachable default': {
    sh: 'ip route del default; ip route add unreachable default; ip route add 8.0.0.0/8 via 203.0.113.1',
  },
  'no default route': { sh: 'ip route del default; ip -6 route del default' },
  'policy routing': {
    sh: 'ip route add default via 203.0.113.1 table 100; ip rule add from 203.0.113.10 lookup 100; ip route del default',
  },
  'policy routing prohibits': {
    sh: 'ip rule add to 8.0.0.0/8 prohibit; ip rule add from 203.0.113.10 to 91.0.0.0/8 blackhole',
  },
  'rule by mark': {
    sh: 'ip route del default; ip route add default via 203.0.113.1 table 7; ip rule add fwmark 7 lookup 7',
    nft: 'table inet m { chain out { type route hook output priority mangle; meta mark set 7\n }\n }',
  },
  'suppressed default': {
    sh: 'ip rule add prio 100 lookup main suppress_prefixlength 0; ip rule add prio 101 not fwmark 0x1 lookup 200; ip route add unreachable default table 200',
  },
  'local prefix': { sh: 'ip route add local 203.0.113.128/25 dev lo' },

  'tcp dport': { nft: closed('tcp dport 22 accept') },
  'negated port': { nft: closed('tcp dport != 22 accept') },
  'port in both protocols': { nft: closed('meta l4proto { tcp, udp } th dport { 22, 53 } accept') },
  'named ports': {
    nft: closed(
      'tcp dport @p accept',
      'table inet f { set p { type inet_service; flags interval; elements = { 20-25, 80 }; }\n }',
    ),
  },
  'half of all sources by bit': { nft: closed('ip saddr & 0.0.0.1 == 0.0.0.1 accept\nip6 saddr & ::1 == ::1 accept') },
  'source by prefix mask': { nft: closed('ip saddr & 240.0.0.0 == 80.0.0.0 accept') },
  'source range': { nft: closed('ip saddr 1.0.0.0-150.0.0.0 accept\nip6 saddr 2400::-2a00::ffff accept') },
  'source less than': { nft: closed('ip saddr < 100.0.0.0 accept') },
  'nested jumps': {
    nft: `table inet f { chain c { ip saddr 8.0.0.0/8 return\n accept\n }\n chain b { jump c\n drop\n }\n chain in { type filter hook input priority 0; policy drop; tcp dport 22 goto b\n accept\n }\n }`,
  },
  'return from goto': {
    nft: `table inet f { chain c { return\n }\n chain b { goto c\n drop\n }\n chain in { type filter hook input priority 0; policy drop; jump b\n accept\n }\n }`,
  },
  'accept does not end other chains': {
    nft: `table inet f { chain a { type filter hook input priority -5; policy accept; accept\n }\n chain b { type filter hook input priority 5; policy drop; ip saddr 0.0.0.0/1 accept\n }\n }`,
  },
  'drop at prerouting': {
    nft: `table inet f { chain a { type filter hook prerouting priority -150; policy accept; ip saddr 128.0.0.0/1 drop\n }\n }`,
  },
  'state before conntrack': {
    nft: `table inet f { chain a { type filter hook prerouting priority raw; policy accept; ct state invalid drop\n }\n }`,
  },
  'state new before conntrack': {
    nft: `table inet f { chain a { type filter hook prerouting priority raw; policy drop; ct state new accept\n }\n }`,
  },
  'state at -200': {
    nft: `table inet f { chain a { type filter hook prerouting priority -200; policy accept; ct state invalid drop\n }\n }`,
  },
  'notrack all': {
    nft: `table inet f { chain a { type filter hook prerouting priority raw; notrack\n }\n chain o { type filter hook output priority raw; notrack\n }\n chain in { type filter hook input priority 0; policy drop; ct state untracked accept\n }\n }`,
  },
  'notrack in, tracked out': {
    nft: `table inet f { chain a { type filter hook prerouting priority raw; notrack\n }\n chain in { type filter hook input priority 0; policy drop; ct state untracked accept\n }\n }`,
  },
  'notrack in, invalid dropped out': {
    nft: `table inet f { chain a { type filter hook prerouting priority raw; notrack\n }\n chain o { type filter hook output priority 0; ct state invalid drop\n }\n }`,
  },
  'notrack too late': {
    nft: closed(
      'ct state new accept',
      'table inet g { chain a { type filter hook prerouting priority -150; notrack\n }\n }',
    ),
  },
  'only new accepted': {
    nft: `table inet f { chain in { type filter hook input priority 0; policy drop; ct state new accept\n }\n }`,
  },
  'only established accepted': { nft: closed('') },
  'no answers out': {
    nft: open('', `table inet g { chain o { type filter hook output priority 0; policy drop; \n }\n }`),
  },
  'answers out by port': {
    nft: open(
      '',
      `table inet g { chain o { type filter hook output priority 0; policy drop; tcp sport 22 accept\n udp sport 53 accept\n }\n }`,
    ),
  },
  'answers dropped late': {
    nft: `table inet g { chain o { type filter hook postrouting priority 0; tcp sport 22 ip daddr 0.0.0.0/1 drop\n }\n }`,
  },
  'output by user': { nft: `table inet g { chain o { type filter hook output priority 0; meta skuid 0 drop\n }\n }` },
  'output by another user': {
    nft: `table inet g { chain o { type filter hook output priority 0; meta skuid 33 drop\n }\n }`,
  },
  'input by user': { nft: closed('meta skuid 0 accept') },
  'input by group': { nft: closed('meta skgid >= 0 accept') },
  'ingress drops': {
    nft: `table netdev n { chain i { type filter hook ingress device "eth0" priority 0; policy accept; tcp dport 22 drop\n }\n }`,
  },
  'ingress of another interface': {
    nft: `table netdev n { chain i { type filter hook ingress device "wg0" priority 0; policy drop; \n }\n }`,
  },
  'ingress policy': {
    nft: `table netdev n { chain i { type filter hook ingress device "eth0" priority 0; policy drop; ip saddr 8.0.0.0/8 accept\n ip6 saddr 2a00::/12 accept\n arp operation request accept\n }\n }`,
  },
  'inet ingress': {
    nft: `table inet n { chain i { type filter hook ingress device "eth0" priority 0; policy accept; udp dport 53 drop\n }\n }`,
  },
  'ingress state': {
    nft: `table inet n { chain i { type filter hook ingress device "eth0" priority 0; policy accept; meta l4proto tcp meta mark 0 drop\n }\n }`,
  },
  'egress drops': {
    nft: `table netdev n { chain i { type filter hook egress device "eth0" priority 0; policy accept; tcp sport 22 drop\n }\n }`,
  },
  dormant: { nft: 'table inet f { flags dormant; chain in { type filter hook input priority 0; policy drop; \n }\n }' },
  'dormant opener': {
    nft: 'table inet f { flags dormant; chain in { type nat hook prerouting priority -100; tcp dport 2222 redirect to :22\n }\n }',
    ports: [2222],
  },
  'bridge table': { nft: 'table bridge b { chain in { type filter hook input priority 0; policy drop; \n }\n }' },
  'arp table': { nft: 'table arp a { chain in { type filter hook input priority 0; policy accept; \n }\n }' },
  'marks through': {
    nft: closed(
      'meta mark 7 accept',
      'table inet g { chain p { type filter hook prerouting priority mangle; ip saddr 0.0.0.0/1 meta mark set 7\n }\n }',
    ),
  },
  'marks by map': {
    nft: closed(
      'meta mark 2 accept',
      'table inet g { chain p { type filter hook prerouting priority mangle; meta mark set ip saddr map { 0.0.0.0/1 : 1, 128.0.0.0/1 : 2 }\n }\n }',
    ),
  },
  'mark arithmetic': {
    nft: closed(
      'meta mark & 0xf0 == 0x50 accept',
      'table inet g { chain p { type filter hook prerouting priority mangle; meta mark set 0x3\n meta mark set meta mark | 0x50\n meta mark set meta mark ^ 0x1\n }\n }',
    ),
  },
  'mark shifted': {
    nft: closed(
      'meta mark 0x100 accept',
      'table inet g { chain p { type filter hook prerouting priority mangle; meta mark set 0x1\n meta mark set meta mark << 8\n }\n }',
    ),
  },
  'connection mark': {
    nft: closed(
      'ct mark 5 accept',
      'table inet g { chain p { type filter hook prerouting priority mangle; tcp dport 22 ct mark set 5\n }\n }',
    ),
  },
  'connection mark from mark': {
    nft: closed(
      'ct mark 5 accept',
      'table inet g { chain p { type filter hook prerouting priority mangle; meta mark set 5\n ct mark set meta mark\n }\n }',
    ),
  },
  'mark from port': {
    nft: closed(
      'meta mark 22 accept',
      'table inet g { chain p { type filter hook prerouting priority mangle; meta mark set tcp dport\n }\n }',
    ),
  },
  'mark too late': {
    nft: closed(
      'meta mark 7 accept',
      'table inet g { chain p { type filter hook input priority 10; meta mark set 7\n }\n }',
    ),
  },
  'equal priorities': {
    nft: closed(
      'meta mark 7 accept',
      'table inet g { chain p { type filter hook input priority 0; meta mark set 7\n }\n }',
    ),
  },
  'vmap of ports': { nft: closed('tcp dport vmap { 22 : accept, 80 : drop }') },
  'vmap of state': {
    nft: 'table inet f { chain in { type filter hook input priority 0; policy drop; ct state vmap { new : accept, established : accept, invalid : drop }\n }\n }',
  },
  'vmap of two': { nft: closed('ip saddr . tcp dport vmap { 0.0.0.0/1 . 22 : accept, 128.0.0.0/1 . 22 : drop }') },
  'vmap without the rest': { nft: open('iifname vmap { "lo" : accept, "eth0" : drop }') },
  'vmap with a wildcard': { nft: open('tcp dport vmap { 80 : accept, * : drop }') },
  'named vmap': {
    nft: closed(
      'tcp dport vmap @m',
      'table inet f { chain web { accept\n }\n map m { type inet_service : verdict; elements = { 22 : jump web, 25 : drop }; }\n }',
    ),
  },
  'concat of three': {
    nft: closed(
      'ip saddr . ip daddr . tcp dport @c accept',
      'table inet f { set c { type ipv4_addr . ipv4_addr . inet_service; flags interval; elements = { 0.0.0.0/1 . 203.0.113.10 . 22 }; }\n }',
    ),
  },
  'concat with interface': { nft: closed('iifname . tcp dport { "eth0" . 22, "wg0" . 80 } accept') },
  'concat with protocol': { nft: closed('meta l4proto . th dport { tcp . 22, udp . 53 } accept') },
  'typeof set': {
    nft: closed(
      'ip saddr . tcp dport @c accept',
      'table inet f { set c { typeof ip saddr . tcp dport; flags interval; elements = { 0.0.0.0/2 . 20-30 }; }\n }',
    ),
  },
  'wildcard element': {
    nft: closed(
      'ip saddr @s accept',
      'table inet f { set s { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, * }; }\n }',
    ),
  },
  'interface set with wildcard': {
    nft: closed(
      'iifname @s accept',
      'table inet f { set s { type ifname; flags interval; elements = { "eth*" }; }\n }',
    ),
  },
  'timeout set': {
    nft: closed(
      'ip saddr @s accept',
      'table inet f { set s { type ipv4_addr; flags timeout; elements = { 91.2.3.4 timeout 1h }; }\n }',
    ),
  },
  'address by type': { nft: closed('fib daddr type local accept') },
  'address by type and interface': { nft: closed('fib daddr . iif type local accept') },
  'source by type': { nft: open('fib saddr type { local, multicast, broadcast } drop') },
  'source unicast': { nft: closed('fib saddr type unicast accept') },
  'reverse path by fib': {
    nft: open('fib saddr . iif oif missing drop'),
    sh: 'ip route add 8.0.0.0/8 dev wg0; ip -6 route add 2600::/16 dev wg0',
  },
  'route exists': {
    nft: closed('fib saddr oif exists accept'),
    sh: 'ip route del default; ip route add 64.0.0.0/2 via 203.0.113.1',
  },
  'route by name': { nft: closed('fib saddr oifname "eth0" accept') },
  'fib by mark': {
    nft: open(
      'fib saddr . mark . iif oif missing drop',
      'table inet g { chain p { type filter hook prerouting priority raw; meta mark set 9\n }\n }',
    ),
    sh: 'ip rule add fwmark 9 lookup 900; ip route add unreachable 8.0.0.0/8 table 900',
  },
  'interface type': { nft: closed('meta iiftype ether accept') },
  'interface group': { nft: closed('meta iifgroup 5 accept'), sh: 'ip link set eth0 group 5' },
  'interface kind': { nft: closed('meta iifkind "veth" accept') },
  'packet type': { nft: closed('meta pkttype host accept') },
  'ether source': { nft: closed('ether saddr 02:00:00:00:00:99 accept') },
  'ether type': { nft: closed('ether type ip accept') },
  'time to live': { nft: closed('ip ttl 1-255 accept\nip6 hoplimit > 200 accept') },
  'packet length': { nft: closed('meta length < 1500 accept') },
  'ip options': { nft: closed('ip hdrlength 5 accept') },
  fragments: { nft: open('ip frag-off & 0x1fff != 0 drop\nexthdr frag exists drop') },
  'next header': { nft: closed('ip6 nexthdr tcp accept') },
  dscp: { nft: closed('ip dscp cs0 accept') },
  'tcp options': { nft: closed('tcp option maxseg size 1-65535 accept') },
  'tcp option missing': { nft: open('tcp option maxseg missing drop') },
  'syn only': { nft: closed('tcp flags syn accept') },
  'syn exactly': { nft: closed('tcp flags == syn accept') },
  'syn and not ack': { nft: closed('tcp flags & (syn|ack) == syn accept') },
  'syn set': { nft: closed('tcp flags { syn, ack } accept') },
  'raw payload': { nft: closed('@th,16,16 22 accept') },
  'raw source': { nft: closed('@nh,96,32 0x5b020304 accept') },
  'ct protocol': { nft: closed('ct protocol tcp accept') },
  'ct direction': { nft: closed('ct direction original accept') },
  'ct original': { nft: closed('ct original ip saddr 0.0.0.0/1 accept') },
  'ct reply': { nft: closed('ct reply ip daddr 0.0.0.0/1 accept') },
  'ct count': { nft: closed('ct count over 1000 drop\naccept') },
  'ct zone': {
    nft: closed(
      'ct zone 5 accept',
      'table inet g { chain p { type filter hook prerouting priority raw; ct zone set 5\n }\n chain o { type filter hook output priority raw; ct zone set 5\n }\n }',
    ),
  },
  'ct expiration': { nft: closed('ct expiration > 1s accept') },
  'ct packets': { nft: closed('ct packets < 100 accept') },
  'ct status': { nft: closed('ct status confirmed accept\nct status & seen-reply == 0 accept') },
  'ct label': { nft: closed('ct label 1 accept') },
  'ct helper object': {
    nft: closed(
      'tcp dport 22 ct helper set "ftp"\ntcp dport 22 accept',
      'table inet f { ct helper ftp { type "ftp" protocol tcp; }\n }',
    ),
  },
  'limit accepts': { nft: closed('limit rate 1000/second accept'), fickle: true },
  'limit over drops': { nft: open('limit rate over 1000/second drop'), fickle: true },
  'named limit': {
    nft: closed('limit name "l" accept', 'table inet f { limit l { rate 1000/second; }\n }'),
    fickle: true,
  },
  'named quota': { nft: closed('quota name "q" accept', 'table inet f { quota q { 100 mbytes }\n }'), fickle: true },
  'named quota over': {
    nft: open('quota name "q" drop', 'table inet f { quota q { over 100 mbytes }\n }'),
    fickle: true,
  },
  'dynamic set fills': {
    nft: closed(
      'tcp dport 22 add @s { ip saddr }\nip saddr @s accept',
      'table inet f { set s { type ipv4_addr; flags dynamic; size 100; }\n }',
    ),
    fickle: true,
  },
  'dynamic meter': {
    nft: closed(
      'tcp dport 22 add @s { ip saddr limit rate over 100/second } drop\ntcp dport 22 accept',
      'table inet f { set s { type ipv4_addr; flags dynamic; size 1000; }\n }',
    ),
    fickle: true,
  },
  'port knocking': {
    nft: closed(
      'tcp dport 1000 add @s { ip saddr } drop\nip saddr @s tcp dport 22 accept',
      'table inet f { set s { type ipv4_addr; flags dynamic,timeout; timeout 1m; size 100; }\n }',
    ),
    ports: [1000],
    fickle: true,
  },
  'numgen splits': { nft: closed('numgen random mod 2 vmap { 0 : accept, 1 : drop }'), fickle: true },
  'queue bypass': { nft: open('tcp dport 22 queue num 3 bypass') },
  'queue without a program': { nft: open('tcp dport 22 queue num 3') },
  synproxy: {
    nft: closed(
      'tcp dport 22 ct state { invalid, untracked } synproxy mss 1460 wscale 7 timestamp sack-perm',
      'table inet g { chain p { type filter hook prerouting priority raw; tcp dport 22 tcp flags syn notrack\n }\n }',
    ),
    sysctls: { 'net/netfilter/nf_conntrack_tcp_loose': '0' },
  },
  'socket wildcard': { nft: closed('socket wildcard 1 accept'), listeners: ['tcp 0.0.0.0:22', 'tcp 203.0.113.10:80'] },
  'socket not wildcard': {
    nft: closed('socket wildcard 0 accept'),
    listeners: ['tcp 0.0.0.0:22', 'tcp 203.0.113.10:80'],
  },
  'socket transparent': { nft: closed('socket transparent 1 accept') },
  'operating system': { nft: closed('osf name "Linux" accept') },
  hour: { nft: closed('meta hour "00:00"-"23:59" accept') },
  'flow table': {
    nft: `table inet f { flowtable ft { hook ingress priority 0; devices = { eth0 }; }\n chain fw { type filter hook forward priority 0; flow add @ft\n }\n }`,
  },
  'log and counter': { nft: closed('counter log prefix "x" group 2 tcp dport 22 counter accept') },
  'reject kinds': {
    nft: open('tcp dport 22 reject with tcp reset\nudp dport 53 reject with icmpx type port-unreachable'),
  },
  'drop in nat': { nft: `table inet n { chain p { type nat hook prerouting priority -100; tcp dport 22 drop\n }\n }` },
  'drop in nat input': { nft: `table inet n { chain p { type nat hook input priority 100; tcp dport 22 drop\n }\n }` },
  'two nat chains, the container first': {
    listeners: ['tcp 127.0.0.1:22'],
    ports: [8080],
    nft: 'table ip a { chain p { type nat hook prerouting priority -100; tcp dport 8080 dnat to 172.17.0.2:80\n }\n }\ntable ip b { chain p { type nat hook prerouting priority -100; tcp dport 8080 redirect to :9999\n }\n }',
  },
  'two nat chains, the container last': {
    listeners: ['tcp 127.0.0.1:22'],
    ports: [8080],
    nft: 'table ip b { chain p { type nat hook prerouting priority -100; tcp dport 8080 redirect to :9999\n }\n }\ntable ip a { chain p { type nat hook prerouting priority -100; tcp dport 8080 dnat to 172.17.0.2:80\n }\n }',
  },
  'two nat chains, of nft and of iptables': {
    listeners: ['tcp 127.0.0.1:22'],
    ports: [8080],
    nft: 'table ip b { chain p { type nat hook prerouting priority -100; tcp dport 8080 redirect to :9999\n }\n }',
    iptables:
      '*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80\nCOMMIT\n',
  },
  'two nat chains, of nft and of old iptables': {
    listeners: ['tcp 127.0.0.1:22'],
    ports: [8080],
    nft: 'table ip b { chain p { type nat hook prerouting priority -100; tcp dport 8080 redirect to :9999\n }\n }',
    legacy:
      '*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80\nCOMMIT\n',
  },
  'drop in nat, tracked': {
    nft: `table inet n { chain p { type nat hook prerouting priority -100; tcp dport 22 drop\n }\n chain i { type filter hook input priority 0; ct state new counter\n }\n }`,
  },
  'drop in nat, tracked in one family': {
    nft: `table inet n { chain p { type nat hook prerouting priority -100; tcp dport 22 drop\n }\n }\n table ip6 t { chain i { type filter hook input priority 0; ct state new counter\n }\n }`,
  },

  redirect: {
    nft: closed(
      'tcp dport 22 accept',
      'table inet n { chain p { type nat hook prerouting priority -100; tcp dport 2222 redirect to :22\n }\n }',
    ),
    ports: [2222],
  },
  'redirect hides': {
    nft: closed(
      'tcp dport 22 accept',
      'table inet n { chain p { type nat hook prerouting priority -100; tcp dport 22 redirect to :23\n }\n }',
    ),
  },
  'redirect by range': {
    nft: open(
      '',
      'table inet n { chain p { type nat hook prerouting priority -100; tcp dport 3000-3100 redirect to :22\n }\n }',
    ),
    ports: [3000, 3050, 3101],
  },
  'redirect to its own interface only': {
    nft: open(
      '',
      'table inet n { chain p { type nat hook prerouting priority -100; tcp dport 2222 redirect to :25\n }\n }',
    ),
    listeners: ['tcp 127.0.0.1:25'],
    ports: [2222],
  },
  'to loopback': {
    nft: open(
      '',
      'table ip n { chain p { type nat hook prerouting priority -100; tcp dport 2222 dnat to 127.0.0.1:25\n }\n }',
    ),
    listeners: ['tcp 127.0.0.1:25'],
    ports: [2222],
  },
  'to loopback, let in': {
    nft: open(
      '',
      'table ip n { chain p { type nat hook prerouting priority -100; tcp dport 2222 dnat to 127.0.0.1:25\n }\n }',
    ),
    listeners: ['tcp 127.0.0.1:25'],
    ports: [2222],
    sysctls: { 'net/ipv4/conf/eth0/route_localnet': '1' },
  },
  'to IPv6 loopback': {
    nft: open(
      '',
      'table ip6 n { chain p { type nat hook prerouting priority -100; tcp dport 2222 dnat to [::1]:25\n }\n }',
    ),
    listeners: ['tcp [::1]:25'],
    ports: [2222],
  },
  'to a container': {
    nft: open(
      '',
      'table inet n { chain p { type nat hook prerouting priority -100; tcp dport 8080 dnat ip to 172.17.0.2:80\n tcp dport 8080 dnat ip6 to [fd00:17::2]:80\n }\n }',
    ),
    ports: [8080],
  },
  'to a container, no forwarding': {
    nft: open(
      '',
      'table ip n { chain p { type nat hook prerouting priority -100; tcp dport 8080 dnat to 172.17.0.2:80\n }\n }',
    ),
    ports: [8080],
    sysctls: { 'net/ipv4/ip_forward': '0' },
  },
  'to a container, one interface forwards IPv6': {
    ports: [8080],
    nft: 'table ip6 n { chain p { type nat hook prerouting priority -100; tcp dport 8080 dnat to [fd00:17::2]:80\n }\n }',
    sysctls: {
      'net/ipv6/conf/all/forwarding': '0',
      'net/ipv6/conf/eth0/force_forwarding': '1',
      'net/ipv6/conf/docker0/force_forwarding': '1',
    },
  },
  'to a container, forward closed': {
    nft: open(
      '',
      'table ip n { chain p { type nat hook prerouting priority -100; tcp dport 8080 dnat to 172.17.0.2:80\n }\n chain fw { type filter hook forward priority 0; policy drop; \n }\n }',
    ),
    ports: [8080],
  },
  'to a container, only one way': {
    nft: open(
      '',
      'table ip n { chain p { type nat hook prerouting priority -100; tcp dport 8080 dnat to 172.17.0.2:80\n }\n chain fw { type filter hook forward priority 0; policy drop; iifname "eth0" oifname "docker0" accept\n }\n }',
    ),
    ports: [8080],
  },
  'to a container by status': {
    nft: open(
      '',
      'table ip n { chain p { type nat hook prerouting priority -100; tcp dport 8080 dnat to 172.17.0.2:80\n }\n chain fw { type filter hook forward priority 0; policy drop; ct state established accept\n ct status dnat accept\n }\n }',
    ),
    ports: [8080],
  },
  'to a container, with masquerade': {
    nft: open(
      '',
      'table ip n { chain p { type nat hook prerouting priority -100; tcp dport 8080 dnat to 172.17.0.2:80\n }\n chain o { type nat hook postrouting priority 100; oifname "docker0" masquerade\n }\n }',
    ),
    ports: [8080],
  },
  'to a prefix': {
    nft: open(
      '',
      'table ip n { chain p { type nat hook prerouting priority -100; ip daddr 203.0.113.10 tcp dport 8080 dnat to 172.17.0.0-172.17.0.3\n }\n }',
    ),
    ports: [8080],
  },
  'everything to a container': {
    nft: open(
      '',
      'table ip n { chain p { type nat hook prerouting priority -100; iifname "eth0" dnat to 172.17.0.2\n }\n }',
    ),
    ports: [80, 22],
  },
  'map of targets': {
    nft: open(
      '',
      'table ip n { chain p { type nat hook prerouting priority -100; dnat to tcp dport map { 8080 : 172.17.0.2 . 80, 8081 : 172.17.0.2 . 53 }\n }\n }',
    ),
    ports: [8080, 8081],
  },
  'dnat before a filter': {
    nft: `table ip n { chain p { type nat hook prerouting priority -100; tcp dport 2222 redirect to :22\n }\n chain a { type filter hook prerouting priority -50; tcp dport 2222 drop\n }\n chain b { type filter hook prerouting priority -150; tcp dport 22 drop\n }\n }`,
    ports: [2222],
  },
  'nat priority is not the hook’s': {
    nft: `table ip n { chain p { type nat hook prerouting priority 50; tcp dport 2222 redirect to :22\n }\n chain a { type filter hook prerouting priority 0; tcp dport 22 drop\n }\n }`,
    ports: [2222],
  },
  'first mapping wins': {
    nft: `table ip n { chain p { type nat hook prerouting priority -110; tcp dport 2222 accept\n }\n chain q { type nat hook prerouting priority -100; tcp dport 2222 redirect to :22\n }\n }`,
    ports: [2222],
  },
  'no mapping for untracked': {
    nft: `table ip n { chain r { type filter hook prerouting priority raw; tcp dport 2222 notrack\n }\n chain p { type nat hook prerouting priority -100; tcp dport 2222 redirect to :22\n }\n }`,
    ports: [2222],
  },
  'rewriting without conntrack': {
    nft: `table ip n { chain r { type filter hook prerouting priority raw; tcp dport 2222 notrack tcp dport set 22\n }\n chain o { type filter hook output priority raw; tcp sport 22 notrack tcp sport set 2222\n }\n }`,
    ports: [2222],
  },
  tproxy: {
    nft: `table ip n { chain p { type filter hook prerouting priority mangle; tcp dport 2222 tproxy to 127.0.0.1:25 meta mark set 1 accept\n }\n }`,
    listeners: ['tcp 127.0.0.1:25'],
    ports: [2222],
    sh: 'ip rule add fwmark 1 lookup 100; ip route add local 0.0.0.0/0 dev lo table 100',
  },

  'iptables port': { iptables: iptablesClosed('-A INPUT -p tcp --dport 22 -j ACCEPT'), ip6tables: CLOSED6 },
  'iptables legacy closed': { legacy: iptablesClosed(''), nft: open('tcp dport 22 accept') },
  'iptables legacy and new': {
    legacy: iptablesClosed('-A INPUT -p tcp --dport 22 -j ACCEPT'),
    iptables: iptablesClosed('-A INPUT -s 0.0.0.0/1 -j ACCEPT'),
  },
  'iptables source mask': { iptables: iptablesClosed('-A INPUT -s 8.0.0.8/255.0.0.255 -j ACCEPT'), ip6tables: CLOSED6 },
  'iptables negations': {
    iptables: iptablesClosed('-A INPUT ! -i wg0 ! -s 8.0.0.0/8 -p tcp ! --dport 80 -j ACCEPT'),
    ip6tables: CLOSED6,
  },
  'iptables goto': {
    iptables:
      '*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:A - [0:0]\n:B - [0:0]\n-A INPUT -j A\n-A INPUT -j ACCEPT\n-A A -g B\n-A A -j DROP\n-A B -s 8.0.0.0/8 -j DROP\nCOMMIT\n',
    ip6tables: CLOSED6,
  },
  'iptables raw notrack': {
    iptables: `*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A PREROUTING -p tcp --dport 22 -j CT --notrack\n-A OUTPUT -p tcp --sport 22 -j CT --notrack\nCOMMIT\n*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -m conntrack --ctstate UNTRACKED -j ACCEPT\nCOMMIT\n`,
    ip6tables: CLOSED6,
  },
  'iptables marks': {
    iptables: `*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -s 0.0.0.0/1 -j MARK --set-xmark 0x10/0xff\n-A PREROUTING -m mark --mark 0x10/0x10 -j CONNMARK --save-mark --nfmask 0xf0 --ctmask 0xf0\nCOMMIT\n${iptablesClosed('-A INPUT -m connmark --mark 0x10/0xf0 -j ACCEPT')}`,
    ip6tables: CLOSED6,
  },
  'iptables restore mark': {
    iptables: `*mangle\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n-A PREROUTING -j CONNMARK --set-mark 3\n-A INPUT -j CONNMARK --restore-mark\nCOMMIT\n${iptablesClosed('-A INPUT -m mark --mark 3 -j ACCEPT')}`,
    ip6tables: CLOSED6,
  },
  'iptables or, and, xor': {
    iptables: `*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j MARK --or-mark 0x6\n-A PREROUTING -j MARK --and-mark 0x3\n-A PREROUTING -j MARK --xor-mark 0x1\nCOMMIT\n${iptablesClosed('-A INPUT -m mark --mark 3 -j ACCEPT')}`,
    ip6tables: CLOSED6,
  },
  'iptables address types': {
    iptables: iptablesClosed('-A INPUT -m addrtype --dst-type LOCAL --limit-iface-in -j ACCEPT'),
    ip6tables: iptablesClosed('-A INPUT -m addrtype --dst-type LOCAL -j ACCEPT'),
  },
  'iptables source type': {
    iptables: iptablesClosed('-A INPUT -m addrtype ! --src-type UNICAST -j DROP\n-A INPUT -j ACCEPT'),
    ip6tables: iptablesClosed('-A INPUT -m addrtype --src-type UNICAST -j ACCEPT'),
  },
  'iptables reverse path': {
    iptables: `*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -m rpfilter --invert -j DROP\nCOMMIT\n`,
    sh: 'ip route add 8.0.0.0/8 dev wg0',
  },
  'iptables reverse path loose': {
    iptables: `*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -m rpfilter --loose --invert -j DROP\nCOMMIT\n`,
    sh: 'ip route add 8.0.0.0/8 dev wg0; ip route add unreachable 91.0.0.0/8',
  },
  'iptables recent knock': {
    iptables: iptablesClosed(
      '-A INPUT -p tcp --dport 1000 -m recent --name k --set -j DROP\n-A INPUT -p tcp --dport 22 -m recent --name k --rcheck --seconds 30 -j ACCEPT',
    ),
    ip6tables: CLOSED6,
    ports: [1000],
    fickle: true,
  },
  'iptables recent limit': {
    iptables: iptablesClosed(
      '-A INPUT -p tcp --dport 22 -m recent --name l --set\n-A INPUT -p tcp --dport 22 -m recent --name l --update --seconds 60 --hitcount 50 -j DROP\n-A INPUT -p tcp --dport 22 -j ACCEPT',
    ),
    ip6tables: CLOSED6,
    fickle: true,
  },
  'iptables time': {
    iptables: iptablesClosed('-A INPUT -m time --timestart 00:00 --timestop 23:59 -j ACCEPT'),
    ip6tables: CLOSED6,
  },
  'iptables u32': { iptables: iptablesClosed('-A INPUT -m u32 --u32 "0>>28=4" -j ACCEPT'), ip6tables: CLOSED6 },
  'iptables bpf': {
    iptables: iptablesClosed('-A INPUT -m bpf --bytecode "1,6 0 0 65535" -j ACCEPT'),
    ip6tables: CLOSED6,
  },
  'iptables mac': {
    iptables: iptablesClosed('-A INPUT -m mac --mac-source 02:00:00:00:00:99 -j ACCEPT'),
    ip6tables: CLOSED6,
  },
  'iptables ecn': {
    iptables: iptablesClosed('-A INPUT -p tcp -m ecn --ecn-tcp-ece -j DROP\n-A INPUT -j ACCEPT'),
    ip6tables: CLOSED6,
  },
  'iptables length': { iptables: iptablesClosed('-A INPUT -m length --length 0:1000 -j ACCEPT'), ip6tables: CLOSED6 },
  'iptables cluster': {
    iptables: iptablesClosed(
      '-A INPUT -m cluster --cluster-total-nodes 2 --cluster-local-node 1 --cluster-hash-seed 1 -j ACCEPT',
    ),
    ip6tables: CLOSED6,
  },
  'iptables cpu': { iptables: iptablesClosed('-A INPUT -m cpu --cpu 0 -j ACCEPT'), ip6tables: CLOSED6, fickle: true },
  'iptables nfacct': {
    iptables: iptablesClosed('-A INPUT -m state --state NEW -m comment --comment "-j DROP" -j ACCEPT'),
    ip6tables: CLOSED6,
  },
  'iptables connbytes': {
    iptables: iptablesClosed(
      '-A INPUT -m connbytes --connbytes 0:1000 --connbytes-dir both --connbytes-mode packets -j ACCEPT',
    ),
    ip6tables: CLOSED6,
  },
  'iptables ipv6 headers': {
    ip6tables: iptablesClosed(
      '-A INPUT -m ipv6header --header frag --soft -j DROP\n-A INPUT -m rt --rt-type 0 -j DROP\n-A INPUT -m hbh -j DROP\n-A INPUT -j ACCEPT',
    ),
  },
  'iptables tproxy': {
    iptables: `*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp --dport 2222 -j TPROXY --on-ip 127.0.0.1 --on-port 25 --tproxy-mark 0x1/0x1\nCOMMIT\n`,
    listeners: ['tcp 127.0.0.1:25'],
    ports: [2222],
    sh: 'ip rule add fwmark 1 lookup 100; ip route add local 0.0.0.0/0 dev lo table 100',
  },
  'iptables synproxy': {
    iptables: `*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp --dport 22 --syn -j CT --notrack\nCOMMIT\n${iptablesClosed('-A INPUT -p tcp --dport 22 -m conntrack --ctstate INVALID,UNTRACKED -j SYNPROXY --sack-perm --timestamp --wscale 7 --mss 1460\n-A INPUT -m conntrack --ctstate INVALID -j DROP')}`,
    ip6tables: CLOSED6,
    sysctls: { 'net/netfilter/nf_conntrack_tcp_loose': '0' },
  },
  'iptables nfqueue': {
    iptables: iptablesClosed('-A INPUT -p tcp --dport 22 -j NFQUEUE --queue-num 4 --queue-bypass'),
    ip6tables: CLOSED6,
  },
  'iptables netmap': {
    iptables: `*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -d 203.0.113.0/28 -p tcp --dport 8080 -j NETMAP --to 172.17.0.0/28\nCOMMIT\n`,
    ports: [8080],
    sh: 'ip addr add 203.0.113.2/24 dev eth0',
  },
  'iptables dnat range': {
    iptables: `*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80-81\nCOMMIT\n`,
    ports: [8080],
    fickle: true,
  },
  'iptables redirect many': {
    iptables: `*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -m multiport --dports 2222,3333 -j REDIRECT --to-ports 22\nCOMMIT\n`,
    ports: [2222, 3333, 4444],
  },
  'iptables ttl target': {
    iptables: `*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j TTL --ttl-set 1\nCOMMIT\n${iptablesClosed('-A INPUT -m ttl --ttl-lt 2 -j ACCEPT')}`,
    ip6tables: CLOSED6,
  },
  'iptables tos target': {
    iptables: `*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j DSCP --set-dscp 10\nCOMMIT\n${iptablesClosed('-A INPUT -m dscp --dscp 10 -j ACCEPT')}`,
    ip6tables: CLOSED6,
  },
  'iptables tee': { iptables: `*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j TEE --gateway 10.8.0.9\nCOMMIT\n` },
  'iptables owner in input': {
    iptables: `*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -m owner --uid-owner 0 -p tcp --sport 22 -j DROP\nCOMMIT\n`,
  },
  'iptables cgroup': { iptables: iptablesClosed('-A INPUT -m cgroup --cgroup 1 -j ACCEPT'), ip6tables: CLOSED6 },
  'iptables security table': {
    iptables: `*security\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n`,
  },
  'iptables statistic nth': {
    iptables: iptablesClosed('-A INPUT -m statistic --mode nth --every 2 --packet 0 -j ACCEPT'),
    ip6tables: CLOSED6,
    fickle: true,
  },

  'ipset net': {
    ipset: 'create s hash:net\nadd s 0.0.0.0/1\nadd s 8.0.0.0/8 nomatch\n',
    iptables: iptablesClosed('-A INPUT -m set --match-set s src -j ACCEPT'),
    ip6tables: CLOSED6,
  },
  'ipset return-nomatch': {
    ipset: 'create s hash:net\nadd s 0.0.0.0/1\nadd s 8.0.0.0/8 nomatch\n',
    iptables: iptablesClosed('-A INPUT -m set --match-set s src --return-nomatch -j ACCEPT'),
    ip6tables: CLOSED6,
  },
  'ipset ip and port': {
    ipset: 'create s hash:ip,port\nadd s 91.2.3.4,tcp:22\nadd s 8.8.8.8,udp:53\n',
    iptables: iptablesClosed('-A INPUT -m set --match-set s src,dst -j ACCEPT'),
    ip6tables: CLOSED6,
  },
  'ipset net and port': {
    ipset: 'create s hash:net,port\nadd s 0.0.0.0/1,tcp:22\nadd s 128.0.0.0/1,udp:53\n',
    iptables: iptablesClosed('-A INPUT -m set --match-set s src,dst -j ACCEPT'),
    ip6tables: CLOSED6,
  },
  'ipset net and interface': {
    ipset: 'create s hash:net,iface\nadd s 0.0.0.0/1,eth0\nadd s 128.0.0.0/1,wg0\n',
    iptables: iptablesClosed('-A INPUT -m set --match-set s src,src -j ACCEPT'),
    ip6tables: CLOSED6,
  },
  'ipset two nets': {
    ipset: 'create s hash:net,net\nadd s 0.0.0.0/1,203.0.113.0/24\n',
    iptables: iptablesClosed('-A INPUT -m set --match-set s src,dst -j ACCEPT'),
    ip6tables: CLOSED6,
  },
  'ipset three': {
    ipset: 'create s hash:ip,port,net\nadd s 203.0.113.10,tcp:22,0.0.0.0/1\n',
    iptables: iptablesClosed('-A INPUT -m set --match-set s dst,dst,src -j ACCEPT'),
    ip6tables: CLOSED6,
  },
  'ipset bitmap': {
    ipset: 'create s bitmap:ip range 91.2.3.0/24\nadd s 91.2.3.4\ncreate p bitmap:port range 0-1023\nadd p 22\n',
    iptables: iptablesClosed('-A INPUT -m set --match-set s src -m set --match-set p dst -j ACCEPT'),
    ip6tables: CLOSED6,
  },
  'ipset netmask': {
    ipset: 'create s hash:ip netmask 24\nadd s 91.2.3.0\n',
    iptables: iptablesClosed('-A INPUT -m set --match-set s src -j ACCEPT'),
    ip6tables: CLOSED6,
  },
  'ipset list': {
    ipset:
      'create a hash:net\nadd a 0.0.0.0/1\ncreate b hash:net,port\nadd b 128.0.0.0/1,tcp:22\ncreate l list:set\nadd l a\nadd l b\n',
    iptables: iptablesClosed('-A INPUT -m set --match-set l src,dst -j ACCEPT'),
    ip6tables: CLOSED6,
  },
  'ipset of the other family': {
    ipset: 'create s hash:net family inet6\nadd s 2000::/3\n',
    ip6tables: iptablesClosed('-A INPUT -m set --match-set s src -j ACCEPT'),
    iptables: CLOSED6,
  },
  'ipset destination': {
    ipset: 'create s hash:ip\nadd s 203.0.113.10\n',
    iptables: iptablesClosed('-A INPUT -m set --match-set s dst -j ACCEPT'),
    ip6tables: CLOSED6,
  },
  'ipset mark': {
    ipset: 'create s hash:ip,mark\nadd s 91.2.3.4,0\n',
    iptables: iptablesClosed('-A INPUT -m set --match-set s src,src -j ACCEPT'),
    ip6tables: CLOSED6,
  },
  'ipset negated': {
    ipset: 'create s hash:net\nadd s 128.0.0.0/1\n',
    iptables: iptablesClosed('-A INPUT -m set ! --match-set s src -j ACCEPT'),
    ip6tables: CLOSED6,
  },
  'reject by ICMP, IPv4 only': { nft: open('  meta nfproto ipv4 reject') },
  'reject by ICMPv6, IPv6 only': { nft: open('  meta nfproto ipv6 reject with icmpv6 type admin-prohibited') },
  'reject by ICMP, both': { nft: open('  reject') },
  'reject by reset, TCP only': {
    nft: 'table ip f {\nchain in { type filter hook input priority 0; policy accept;\n  ip protocol tcp reject with tcp reset\n}\n}\ntable ip6 f {\nchain in { type filter hook input priority 0; policy accept;\n  reject with tcp reset\n}\n}',
  },
  'no extension header': { nft: closed('  exthdr hbh missing accept') },
  'no IPv4 option': { nft: closed('  ip option rr missing accept') },
  'a TCP option': { nft: closed('  tcp option maxseg exists accept') },
  'no TCP option': { nft: closed('  tcp option 99 missing accept') },
  'no TCP option on UDP': { nft: open('  tcp option maxseg missing drop') },
  'a TCP option of later packets': { nft: open('  tcp option timestamp missing drop') },
  'a TCP option that iptables asks for': {
    iptables: iptablesClosed('-A INPUT -p tcp -m tcp --tcp-option 2 -j ACCEPT'),
    ip6tables: iptablesClosed('-A INPUT -p tcp -m tcp ! --tcp-option 2 -j DROP', 'ACCEPT').replace(
      'RELATED,ESTABLISHED',
      'RELATED',
    ),
  },
  'a field of a TCP option': { nft: open('  tcp option maxseg size 1-9000 drop') },
  'no SCTP chunk': { nft: closed('  sctp chunk data missing accept') },
  'ipset of addresses in nets': {
    ipset: 'create s hash:ip\nadd s 91.2.3.0/24\nadd s 8.8.8.8\n',
    iptables: iptablesClosed('-A INPUT -m set --match-set s src -j ACCEPT'),
    ip6tables: CLOSED6,
  },
};

/** All curated scenes, numbered from 1. */
export function curatedScenes(): readonly (Scene & { readonly name: string })[] {
  return Object.entries(CURATED).map(([name, wanted], i) => {
    const loads: { argv: readonly string[]; input: string }[] = [];
    if (wanted.ipset !== undefined) loads.push({ argv: ['ipset', 'restore'], input: wanted.ipset });
    if (wanted.sh !== undefined) loads.push({ argv: ['sh', '-e'], input: wanted.sh });
    if (wanted.nft !== undefined) loads.push({ argv: ['nft', '-f', '-'], input: wanted.nft });
    if (wanted.iptables !== undefined) loads.push({ argv: ['iptables-restore', '-n'], input: wanted.iptables });
    if (wanted.ip6tables !== undefined) loads.push({ argv: ['ip6tables-restore', '-n'], input: wanted.ip6tables });
    if (wanted.legacy !== undefined) loads.push({ argv: ['iptables-legacy-restore', '-n'], input: wanted.legacy });
    const sysctls = {
      'net/ipv4/ip_forward': '1',
      'net/ipv6/conf/all/forwarding': '1',
      'net/ipv4/conf/all/rp_filter': '0',
      'net/ipv4/conf/eth0/rp_filter': '0',
      'net/ipv4/conf/eth0/route_localnet': '0',
      'net/netfilter/nf_conntrack_tcp_loose': '1',
      ...wanted.sysctls,
    };
    return {
      name,
      seed: i + 1,
      listeners: (wanted.listeners ?? BOTH).map(listener),
      loads,
      sysctls,
      ports: wanted.ports ?? [],
      peerPorts: wanted.peerPorts ?? [],
      fickle: wanted.fickle === true,
    };
  });
}
