import type { LabHost } from '../lab/host';
import type { HostSpec } from '../lab/host-spec';

/** A host with a firewall, and which of its ports the internet gets in to. */
export interface ExposureHost {
  readonly spec: HostSpec;
  /** Shell text that sets its firewall up, once its files are there. */
  readonly firewall: string;
  /** Settings that are the machine's own. */
  readonly settings?: readonly string[];
  /** Ports to try beside those that the product names. */
  readonly ports: readonly number[];
  /** UDP ports to try, each with a listener on the public IPv4 address. */
  readonly udpPorts?: readonly number[];
  /** What is meant to be open to anywhere, as `tcp/443 ipv4`; the packets have to agree. */
  readonly open: readonly string[];
}

/** Addresses that nobody else in a test has. */
function publicAddresses(index: number): readonly [string, string] {
  return [`93.184.216.${60 + index}`, `2a00:1450:4001::${(60 + index).toString(16)}`];
}

/** Where the probe comes from: the lab's own networks. */
const lab4 = '10.0.0.0/8';
const lab6 = 'fd00::/8';
const office = '198.51.100.0/24';

/** A container behind a bridge: a namespace of its own, in which a server listens. */
function container(bridge: string, gateway: string, addresses: readonly string[], port: number): string {
  return `
ip netns add box
ip link add ${bridge} type bridge
ip address add ${gateway}/16 dev ${bridge}
ip link set ${bridge} up
ip link add veth1 type veth peer name eth0 netns box
ip link set veth1 master ${bridge} up
ip -n box link set lo up
ip -n box link set eth0 up
${addresses.map((address) => `ip -n box address add ${address}/16 dev eth0`).join('\n')}
ip -n box route add default via ${gateway}
echo 1 >/proc/sys/net/ipv4/ip_forward
mkdir -p /srv/www
ip netns exec box busybox httpd -p ${port} -h /srv/www
`;
}

/** An INPUT chain that lets in nobody but the probe. */
const input = `
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -s ${lab4} -p tcp -m tcp --dport 22 -j ACCEPT`;

const input6 = `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p ipv6-icmp -j ACCEPT
-A INPUT -s ${lab6} -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
`;

/** What dockerd writes for one container that publishes port 8080 (libnetwork, drivers/bridge), with what the owner adds. */
function docker(own: string): string {
  return `*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A POSTROUTING -s 172.17.0.2/32 -d 172.17.0.2/32 -p tcp -m tcp --dport 80 -j MASQUERADE
-A DOCKER -i docker0 -j RETURN
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
${input.trim()}
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A FORWARD -i docker0 -o docker0 -j ACCEPT
-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
${own}-A DOCKER-USER -j RETURN
COMMIT
`;
}

/** What kube-proxy writes in iptables mode for one service with a node port and two endpoints (pkg/proxy/iptables/proxier.go). */
const kubeIptables = `*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:KUBE-EXT-4CRUJHTV5XT5YMFY - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-SEP-IT2ZTR26TO4XFPTO - [0:0]
:KUBE-SEP-YIL6JZP7A3QYXJU2 - [0:0]
:KUBE-SERVICES - [0:0]
:KUBE-SVC-4CRUJHTV5XT5YMFY - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A KUBE-EXT-4CRUJHTV5XT5YMFY -m comment --comment "masquerade traffic for shop/web external destinations" -j KUBE-MARK-MASQ
-A KUBE-EXT-4CRUJHTV5XT5YMFY -j KUBE-SVC-4CRUJHTV5XT5YMFY
-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
-A KUBE-NODEPORTS -p tcp -m comment --comment "shop/web" -m tcp --dport 30080 -j KUBE-EXT-4CRUJHTV5XT5YMFY
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
-A KUBE-SEP-IT2ZTR26TO4XFPTO -s 10.244.0.5/32 -m comment --comment "shop/web" -j KUBE-MARK-MASQ
-A KUBE-SEP-IT2ZTR26TO4XFPTO -p tcp -m comment --comment "shop/web" -m tcp -j DNAT --to-destination 10.244.0.5:8080
-A KUBE-SEP-YIL6JZP7A3QYXJU2 -s 10.244.0.6/32 -m comment --comment "shop/web" -j KUBE-MARK-MASQ
-A KUBE-SEP-YIL6JZP7A3QYXJU2 -p tcp -m comment --comment "shop/web" -m tcp -j DNAT --to-destination 10.244.0.6:8080
-A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m comment --comment "shop/web cluster IP" -m tcp --dport 80 -j KUBE-SVC-4CRUJHTV5XT5YMFY
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
-A KUBE-SVC-4CRUJHTV5XT5YMFY ! -s 10.244.0.0/16 -d 10.96.0.10/32 -p tcp -m comment --comment "shop/web cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ
-A KUBE-SVC-4CRUJHTV5XT5YMFY -m comment --comment "shop/web -> 10.244.0.5:8080" -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-IT2ZTR26TO4XFPTO
-A KUBE-SVC-4CRUJHTV5XT5YMFY -m comment --comment "shop/web -> 10.244.0.6:8080" -j KUBE-SEP-YIL6JZP7A3QYXJU2
COMMIT
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-FIREWALL - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
:KUBE-SERVICES - [0:0]
-A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL
-A INPUT -m comment --comment "kubernetes health check service ports" -j KUBE-NODEPORTS
-A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES
-A INPUT -j KUBE-FIREWALL
${input.trim()}
-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL
-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES
-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
`;

/** The same in nftables mode (pkg/proxy/nftables/proxier.go), beside a firewall of the owner's. */
function kubeNft(node: string, own: string): string {
  return `table ip kube-proxy {
  comment "rules for kube-proxy";
  set cluster-ips { type ipv4_addr; elements = { 10.96.0.10 } }
  set nodeport-ips { type ipv4_addr; elements = { ${node} } }
  map no-endpoint-services { type ipv4_addr . inet_proto . inet_service : verdict; }
  map no-endpoint-nodeports { type inet_proto . inet_service : verdict; }
  map firewall-ips { type ipv4_addr . inet_proto . inet_service : verdict; }
  chain mark-for-masquerade { meta mark set meta mark or 0x4000; }
  chain endpoint-A-shop/web/tcp/ { ip saddr 10.244.0.5 jump mark-for-masquerade; meta l4proto tcp dnat to 10.244.0.5:8080; }
  chain endpoint-B-shop/web/tcp/ { ip saddr 10.244.0.6 jump mark-for-masquerade; meta l4proto tcp dnat to 10.244.0.6:8080; }
  chain service-ULMVA6XW-shop/web/tcp/ {
    ip daddr 10.96.0.10 tcp dport 80 ip saddr != 10.244.0.0/16 jump mark-for-masquerade;
    numgen random mod 2 vmap { 0 : goto endpoint-A-shop/web/tcp/, 1 : goto endpoint-B-shop/web/tcp/ };
  }
  chain external-ULMVA6XW-shop/web/tcp/ { jump mark-for-masquerade; goto service-ULMVA6XW-shop/web/tcp/; }
  map service-ips {
    type ipv4_addr . inet_proto . inet_service : verdict;
    elements = { 10.96.0.10 . tcp . 80 : goto service-ULMVA6XW-shop/web/tcp/ }
  }
  map service-nodeports {
    type inet_proto . inet_service : verdict;
    elements = { tcp . 30080 : goto external-ULMVA6XW-shop/web/tcp/ }
  }
  chain firewall-check { ip daddr . meta l4proto . th dport vmap @firewall-ips; }
  chain nodeport-endpoints-check { ip daddr @nodeport-ips meta l4proto . th dport vmap @no-endpoint-nodeports; }
  chain service-endpoints-check { ip daddr . meta l4proto . th dport vmap @no-endpoint-services; }
  chain cluster-ips-check { ip daddr @cluster-ips reject comment "Reject traffic to invalid ports of ClusterIPs"; }
  chain services {
    ip daddr . meta l4proto . th dport vmap @service-ips;
    ip daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports;
  }
  chain masquerading {
    meta mark & 0x4000 == 0 return;
    meta mark set meta mark xor 0x4000;
    masquerade fully-random;
  }
  chain filter-prerouting { type filter hook prerouting priority -110; ct state new jump firewall-check; }
  chain filter-input { type filter hook input priority -110; ct state new jump nodeport-endpoints-check; ct state new jump service-endpoints-check; }
  chain filter-forward { type filter hook forward priority -110; ct state new jump service-endpoints-check; ct state new jump cluster-ips-check; }
  chain nat-prerouting { type nat hook prerouting priority dstnat; jump services; }
  chain nat-output { type nat hook output priority -100; jump services; }
  chain nat-postrouting { type nat hook postrouting priority srcnat; jump masquerading; }
}
table inet host {
  chain input {
    type filter hook input priority filter; policy drop;
    iifname lo accept
    ct state established,related accept
    meta l4proto ipv6-icmp accept
    ip saddr ${lab4} tcp dport 22 accept
    ip6 saddr ${lab6} tcp dport 22 accept
  }
  ${own}
}
`;
}

function firewalld(zone: string): string {
  return `
mkdir -p /etc/firewalld/zones /run/dbus /var/log
cat >/etc/firewalld/zones/public.xml <<'END'
<?xml version="1.0" encoding="utf-8"?>
<zone>
  <short>Public</short>
  <service name="dhcpv6-client"/>
  <rule family="ipv4"><source address="${lab4}"/><service name="ssh"/><accept/></rule>
  <rule family="ipv6"><source address="${lab6}"/><service name="ssh"/><accept/></rule>
  ${zone}
</zone>
END
cat >/etc/bus.conf <<'END'
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
</busconfig>
END
setsid dbus-daemon --config-file=/etc/bus.conf --nofork --nopidfile </dev/null >/var/log/bus.log 2>&1 &
for i in $(seq 100); do [ ! -S /run/dbus/system_bus_socket ] || break; sleep 0.1; done
setsid firewalld --nofork --nopid </dev/null >/var/log/firewalld.log 2>&1 &
for i in $(seq 200); do if firewall-cmd --state >/dev/null 2>&1; then exit 0; fi; sleep 0.1; done
cat /var/log/bus.log /var/log/firewalld.log >&2
exit 1
`;
}

const ufwSettings = ['/etc/ufw', '/etc/default/ufw'];
const ufwStart = `ufw --force reset
ufw allow from ${lab4} to any port 22 proto tcp
ufw allow from ${lab6} to any port 22 proto tcp`;

const both = (port: string): readonly string[] => [`${port} ipv4`, `${port} ipv6`];

function restored(tool: string, text: string): string {
  return `${tool} <<'RULES'\n${text}RULES\n`;
}

const box = container('docker0', '172.17.0.1', ['172.17.0.2'], 80);
const pods = container('cni0', '10.244.0.1', ['10.244.0.5', '10.244.0.6'], 8080);
const officeOnly = `-A DOCKER-USER ! -s ${office} -i eth0 -j DROP\n`;

const hosts: Readonly<Record<string, Omit<ExposureHost, 'spec'> & { readonly listeners?: readonly string[] }>> = {
  'ufw-open': {
    settings: ufwSettings,
    listeners: [
      ...['tcp [::]:443', 'tcp 0.0.0.0:5432', 'tcp [::]:8080', 'tcp [::]:2222'],
      ...['udp @NODE@:53', 'udp @NODE@:161'],
    ],
    udpPorts: [53, 161],
    firewall: `${ufwStart}\nufw allow 443/tcp\nufw allow 53/udp\nufw limit 2222/tcp\nufw allow from ${office} to any port 5432 proto tcp\nufw --force enable`,
    ports: [22, 443, 5432, 8080, 2222],
    open: [...both('tcp/443'), ...both('tcp/2222'), 'udp/53 ipv4'],
  },
  'ufw-closed': {
    settings: ufwSettings,
    listeners: ['tcp 0.0.0.0:5432', 'tcp [::]:8080'],
    firewall: `${ufwStart}\nufw allow from ${office} to any port 5432 proto tcp\nufw --force enable`,
    ports: [22, 5432, 8080],
    open: [],
  },
  'firewalld-open': {
    listeners: ['tcp [::]:443', 'tcp [::]:8080'],
    firewall: firewalld('<port port="443" protocol="tcp"/>'),
    ports: [22, 443, 8080],
    open: both('tcp/443'),
  },
  'firewalld-closed': {
    listeners: ['tcp [::]:5432', 'tcp [::]:8080'],
    firewall: firewalld(
      `<rule family="ipv4"><source address="${office}"/><port port="5432" protocol="tcp"/><accept/></rule>`,
    ),
    ports: [22, 5432, 8080],
    open: [],
  },
  'docker-nft': {
    firewall: box + restored('iptables-nft-restore', docker('')) + restored('ip6tables-nft-restore', input6),
    ports: [22, 80, 8080],
    open: ['tcp/8080 ipv4'],
  },
  'docker-nft-user': {
    // docker-proxy holds the port as well; nobody gets to it, since the packets are forwarded.
    listeners: ['tcp [::]:8080'],
    firewall: box + restored('iptables-nft-restore', docker(officeOnly)) + restored('ip6tables-nft-restore', input6),
    ports: [22, 80, 8080],
    open: [],
  },
  'docker-legacy': {
    listeners: ['tcp [::]:8080'],
    firewall: box + restored('iptables-legacy-restore', docker('')) + restored('ip6tables-legacy-restore', input6),
    ports: [22, 80, 8080],
    open: ['tcp/8080 ipv4'],
  },
  'docker-legacy-user': {
    firewall:
      box + restored('iptables-legacy-restore', docker(officeOnly)) + restored('ip6tables-legacy-restore', input6),
    ports: [22, 80, 8080],
    open: [],
  },
  'kube-iptables': {
    firewall: pods + restored('iptables-nft-restore', kubeIptables) + restored('ip6tables-nft-restore', input6),
    ports: [22, 80, 8080, 30080],
    open: ['tcp/30080 ipv4'],
  },
  'kube-nft': {
    firewall: pods + restored('nft -f -', kubeNft('@NODE@', '')),
    ports: [22, 80, 8080, 30080],
    open: ['tcp/30080 ipv4'],
  },
  'kube-nft-closed': {
    firewall:
      pods +
      restored(
        'nft -f -',
        kubeNft(
          '@NODE@',
          `chain outside {
    type filter hook prerouting priority mangle; policy accept;
    iifname eth0 ip saddr != { ${lab4}, ${office} } tcp dport 30000-32767 drop
  }`,
        ),
      ),
    ports: [22, 80, 8080, 30080],
    open: [],
  },
};

/** Real front ends, and the rules that programs write, each with a name. */
export const exposureHosts: ReadonlyMap<string, ExposureHost> = new Map(
  Object.entries(hosts).map(([name, { listeners, firewall, ...host }], index) => {
    const addresses = publicAddresses(index);
    const own = (text: string): string => text.replaceAll('@NODE@', addresses[0]);
    const spec: HostSpec = { name, addresses, listeners: (listeners ?? []).map(own) };
    return [name, { ...host, spec, firewall: own(firewall) }];
  }),
);

/** Puts the host's firewall in place. @throws ProgramError with what the tools said. */
export async function setUpFirewall(host: LabHost, { settings = [], firewall }: ExposureHost): Promise<void> {
  for (const file of settings) host.files.copyFromMachine(file);
  await host.shell(firewall);
}
