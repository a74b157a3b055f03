import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import type { AddressPlan } from './address-plan';
import { keepsAlive } from './child-reference';
import { Knocker, type Knock, type KnockAnswer } from './knocker';
import { lineReader } from './line-reader';
import { mustRun } from './program';

/**
 * Holds the router's network namespace until its standard input closes, which the kernel does when the test process
 * dies, however that happens. Then it removes what a lab has in the machine's own namespaces: the link and the mount.
 */
const routerProgram = String.raw`
echo ready
cat >/dev/null
ip link delete tester
umount -l "$1"
rmdir "$1"
`;

/** Without duplicate address detection, which takes more than a second, and in which nothing is sent: RFC 4862, 5.4. */
const routerSettings = String.raw`
cd /proc/sys/net
echo 1 >ipv4/ip_forward
echo 1 >ipv6/conf/all/forwarding
echo 0 >ipv6/conf/default/accept_dad
echo 0 >ipv4/conf/all/rp_filter
echo 0 >ipv4/conf/default/rp_filter
`;

/**
 * To the hosts the router is the internet: what has no route of its own, save the default one, ends here, whatever its
 * address ("AnyIP", ip-route(8), type local). So a knock may come from any address, and nothing leaves the lab.
 */
const internetLines = [
  'rule add iif hosts lookup main suppress_prefixlength 0 priority 100',
  'rule add iif hosts lookup 500 priority 200',
  'route add local default dev lo table 500',
];

/** Ways to cut a host off. `reset` answers TCP with a reset, `reject` with "host unreachable", `drop` not at all. */
export type Cut = 'drop' | 'reject' | 'reset';

/**
 * The rules stand between tester and hosts, in a namespace of their own, so that neither the machine's firewall nor
 * the one of the host under test is touched.
 */
const partitionRules = String.raw`
table inet partition {
  set drop4 { type ipv4_addr; }
  set drop6 { type ipv6_addr; }
  set reject4 { type ipv4_addr; }
  set reject6 { type ipv6_addr; }
  set reset4 { type ipv4_addr; }
  set reset6 { type ipv6_addr; }
  chain cut {
    type filter hook forward priority 0; policy accept;
    iifname tester jump outward
    oifname tester jump inward
  }
  chain outward {
    ip daddr @drop4 drop
    ip6 daddr @drop6 drop
    ip daddr @reject4 reject with icmp type host-unreachable
    ip6 daddr @reject6 reject with icmpv6 type addr-unreachable
    ip daddr @reset4 meta l4proto tcp reject with tcp reset
    ip6 daddr @reset6 meta l4proto tcp reject with tcp reset
  }
  chain inward {
    ip saddr @drop4 drop
    ip6 saddr @drop6 drop
    ip saddr @reject4 reject with icmp type host-unreachable
    ip6 saddr @reject6 reject with icmpv6 type addr-unreachable
    ip saddr @reset4 meta l4proto tcp reject with tcp reset
    ip6 saddr @reset6 meta l4proto tcp reject with tcp reset
  }
}
`;

/** The network between the test process and the hosts: a namespace with a bridge, on which all hosts are. */
export class Router {
  private readonly knocker = new Knocker(() => this.pid);

  private constructor(
    private readonly child: ChildProcess,
    private readonly plan: AddressPlan,
  ) {}

  /** Makes the namespace, and a link from this process' namespace to it. */
  static async start(folder: string, plan: AddressPlan): Promise<Router> {
    const argv = ['--net', 'sh', '-c', routerProgram, 'router', folder];
    // A session of its own, so that Ctrl-C on a terminal reaches the tests only, and the clean-up still runs.
    const child = spawn('unshare', argv, { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
    await lineReader(child)((line) => line === 'ready');
    const router = new Router(child, plan);
    try {
      await router.connect();
    } catch (error) {
      await router.stop();
      throw error;
    }
    keepsAlive(child, false);
    return router;
  }

  /** Process whose network namespace is the router's. */
  get pid(): number {
    if (this.child.pid === undefined) {
      throw new Error('the router is not running');
    }
    return this.child.pid;
  }

  /** Runs lines of ip(8) in the router's namespace. Rules of policy routing need the family said. */
  async ip(lines: readonly string[], family: '-4' | '-6' | undefined = undefined): Promise<void> {
    await this.run(['ip', ...(family === undefined ? [] : [family]), '-batch', '-'], lines.join('\n'));
  }

  /** Runs a program in the router's network namespace: for tests that need packets from other addresses. */
  run(argv: readonly string[], input = ''): Promise<string> {
    return mustRun(['nsenter', '--target', `${this.pid}`, '--net', '--', ...argv], { input });
  }

  /** Knocks at a host from any address. @throws Error when the packet could not be sent. */
  knock(knock: Knock): Promise<KnockAnswer> {
    return this.knocker.knock(knock);
  }

  /** Leads packets for an additional address of a host to that host. */
  async addRoute(address: string, via: string): Promise<void> {
    const family = address.includes(':') ? '-6' : '-4';
    const gateway = address.includes(':') ? this.plan.routerV6 : this.plan.routerV4;
    await this.run(['ip', family, 'route', 'replace', address, 'via', via]);
    await mustRun(['ip', family, 'route', 'replace', address, 'via', gateway, 'dev', this.plan.device]);
  }

  /** Cuts these addresses off from the test process. Other hosts of the lab still reach them. */
  async cut(addresses: readonly string[], how: Cut): Promise<void> {
    await this.run(['nft', '-f', '-'], setCommands('add', addresses, how));
  }

  /** Undoes `cut`. */
  async uncut(addresses: readonly string[], how: Cut): Promise<void> {
    await this.run(['nft', '-f', '-'], setCommands('delete', addresses, how));
  }

  /** Ends the namespace, and waits for the clean-up. Hosts must have ended. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) {
      return;
    }
    keepsAlive(this.child, true);
    const exit = once(this.child, 'exit');
    this.child.stdin?.end();
    await exit;
  }

  private async connect(): Promise<void> {
    const plan = this.plan;
    await this.run(['sh', '-eu', '-c', routerSettings]);
    await mustRun([
      'ip',
      'link',
      'add',
      'name',
      plan.device,
      'type',
      'veth',
      'peer',
      'name',
      'tester',
      'netns',
      `${this.pid}`,
    ]);
    fs.writeFileSync(`/proc/sys/net/ipv6/conf/${plan.device}/accept_dad`, '0');
    const tester = [
      `address add ${plan.testerV4}/30 dev ${plan.device}`,
      `address add ${plan.testerV6}/64 dev ${plan.device} nodad`,
      `link set ${plan.device} up`,
    ];
    await mustRun(['ip', '-batch', '-'], { input: tester.join('\n') });
    await this.ip([
      'link set lo up',
      `address add ${plan.routerV4}/30 dev tester`,
      `address add ${plan.routerV6}/64 dev tester nodad`,
      'link set tester up',
      // A bridge without an address of its own takes one of its ports', and another when that port goes (br_stp_if.c).
      `link add name hosts address ${plan.gatewayHardware} type bridge`,
      `address add ${plan.gatewayV4}/${plan.hostsPrefixV4} dev hosts`,
      `address add ${plan.gatewayV6}/${plan.hostsPrefixV6} dev hosts nodad`,
      'link set hosts up',
    ]);
    for (const family of ['-4', '-6'] as const) {
      await this.ip(internetLines, family);
    }
    const routes = [
      `route add ${plan.labV4} via ${plan.routerV4} dev ${plan.device}`,
      `route add ${plan.labV6} via ${plan.routerV6} dev ${plan.device}`,
    ];
    await mustRun(['ip', '-batch', '-'], { input: routes.join('\n') });
    await this.run(['nft', '-f', '-'], partitionRules);
  }
}

function setCommands(verb: 'add' | 'delete', addresses: readonly string[], how: Cut): string {
  return addresses
    .map((address) => `${verb} element inet partition ${how}${address.includes(':') ? 6 : 4} { ${address} }\n`)
    .join('');
}
