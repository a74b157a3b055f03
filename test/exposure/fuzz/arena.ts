import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { type Interface, createInterface } from 'node:readline';
import type { Order } from './agent';
import { CONTAINER4, CONTAINER6, HOST4, HOST6, INSIDE4, INSIDE6, PUBLIC4, PUBLIC6 } from './scene';

/** A process inside a namespace that answers a line for every line. */
class Agent {
  private readonly child: ChildProcess;
  private readonly lines: Interface;
  private readonly waiting: ((line: string) => void)[] = [];

  constructor(namespace: string) {
    const hook = join(__dirname, '..', '..', 'lab', 'typescript-hook.cjs');
    const argv = ['netns', 'exec', namespace, process.execPath, '--require', hook, join(__dirname, 'agent.ts')];
    this.child = spawn('ip', argv, { stdio: ['pipe', 'pipe', 'inherit'] });
    if (this.child.stdout === null) throw new Error('the agent has no output');
    this.lines = createInterface({ input: this.child.stdout });
    this.lines.on('line', (line) => this.waiting.shift()?.(line));
  }

  async ask<T>(order: Order): Promise<T> {
    const answer = new Promise<string>((resolve) => this.waiting.push(resolve));
    this.child.stdin?.write(`${JSON.stringify(order)}\n`);
    return JSON.parse(await answer) as T;
  }

  stop(): void {
    this.child.kill('SIGKILL');
  }
}

function ip(...words: readonly string[]): void {
  execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/**
 * Three network namespaces: the host under test, a container behind its bridge, and the internet, which has all the
 * peers' addresses. Nothing leads out of them.
 */
export class Arena {
  readonly host: string;
  private readonly internet: string;
  private readonly container: string;
  agents: { readonly host: Agent; readonly container: Agent; readonly internet: Agent } | null = null;

  constructor(name: string) {
    this.host = `${name}-host`;
    this.internet = `${name}-net`;
    this.container = `${name}-ctr`;
  }

  build(): void {
    for (const namespace of [this.host, this.internet, this.container]) {
      ip('netns', 'add', namespace);
      ip('-n', namespace, 'link', 'set', 'lo', 'up');
    }
    ip('link', 'add', 'eth0', 'netns', this.host, 'type', 'veth', 'peer', 'name', 'out0', 'netns', this.internet);
    ip('-n', this.host, 'link', 'add', 'docker0', 'type', 'bridge');
    ip('link', 'add', 'veth1', 'netns', this.host, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.container);
    for (const name of ['eth1', 'wg0']) ip('-n', this.host, 'link', 'add', name, 'type', 'bridge');
    ip('-n', this.host, 'link', 'set', 'veth1', 'master', 'docker0');
    for (const name of ['eth0', 'docker0', 'veth1', 'eth1', 'wg0']) ip('-n', this.host, 'link', 'set', name, 'up');
    ip('-n', this.internet, 'link', 'set', 'out0', 'up');
    ip('-n', this.container, 'link', 'set', 'eth0', 'up');
    this.address(this.host, 'eth0', `${HOST4[0]}/24`, `${HOST6[0]}/64`);
    this.address(this.host, 'eth1', `${HOST4[1]}/24`, `${HOST6[1]}/64`);
    this.address(this.host, 'docker0', `${HOST4[2]}/16`, 'fd00:17::1/64');
    this.address(this.host, 'wg0', '10.8.0.1/24');
    this.address(this.container, 'eth0', '172.17.0.2/16', 'fd00:17::2/64');
    this.address(this.internet, 'out0', '203.0.113.1/24', '2001:db8::1/64');
    for (const own of [...PUBLIC4, ...INSIDE4]) ip('-n', this.internet, 'addr', 'add', `${own}/32`, 'dev', 'lo');
    for (const own of [...PUBLIC6, ...INSIDE6])
      ip('-n', this.internet, 'addr', 'add', `${own}/128`, 'dev', 'lo', 'nodad');
    this.acquaint(this.host, 'eth0', this.internet, 'out0', ['203.0.113.1', '2001:db8::1']);
    this.acquaint(this.internet, 'out0', this.host, 'eth0', [HOST4[0], HOST6[0]]);
    this.acquaint(this.host, 'docker0', this.container, 'eth0', [CONTAINER4, CONTAINER6]);
    this.acquaint(this.container, 'eth0', this.host, 'docker0', [HOST4[2], 'fd00:17::1']);
    this.route(this.host, '203.0.113.1', '2001:db8::1');
    this.route(this.internet, HOST4[0], HOST6[0]);
    this.route(this.container, HOST4[2], 'fd00:17::1');
  }

  /** Neighbours are known for good, so that rules which drop ICMPv6 break nothing but what is being tried. */
  private acquaint(
    namespace: string,
    device: string,
    other: string,
    otherDevice: string,
    addresses: readonly string[],
  ): void {
    const text = execFileSync('ip', ['-n', other, '-j', 'link', 'show', otherDevice]).toString();
    const [link] = JSON.parse(text) as { readonly address: string }[];
    for (const address of addresses) {
      ip(
        '-n',
        namespace,
        'neigh',
        'replace',
        address,
        'lladdr',
        link?.address ?? '',
        'dev',
        device,
        'nud',
        'permanent',
      );
    }
  }

  private address(namespace: string, device: string, ...addresses: readonly string[]): void {
    for (const address of addresses) {
      const nodad = address.includes(':') ? ['nodad'] : [];
      ip('-n', namespace, 'addr', 'add', address, 'dev', device, ...nodad);
    }
  }

  private route(namespace: string, gateway4: string, gateway6: string): void {
    ip('-n', namespace, 'route', 'add', 'default', 'via', gateway4);
    ip('-n', namespace, '-6', 'route', 'add', 'default', 'via', gateway6);
  }

  /** Starts the agents; the container's services stay for good. */
  async start(): Promise<void> {
    this.agents = {
      host: new Agent(this.host),
      container: new Agent(this.container),
      internet: new Agent(this.internet),
    };
    const always = [22, 25, 53, 80, 99, 443, 1000, 2222, 3306, 5432, 8080, 8443, 30080].flatMap((port) =>
      (['tcp', 'udp'] as const).map((proto) => ({ proto, address: '::', port, ipv6Only: false })),
    );
    await this.agents.container.ask({ do: 'listen', listeners: always });
  }

  /** Runs a program in the host's namespace; gives its output, and whether it succeeded. */
  run(argv: readonly string[], input = ''): { readonly ok: boolean; readonly output: Buffer; readonly error: string } {
    const found = spawnSync('ip', ['netns', 'exec', this.host, ...argv], {
      input,
      maxBuffer: 256 * 1024 * 1024,
      timeout: 60_000,
    });
    return { ok: found.status === 0, output: found.stdout, error: found.stderr.toString() };
  }

  /** Loads a file of rules; lines that the tool refuses are taken out, one after the other. */
  load(argv: readonly string[], text: string): { readonly ok: boolean; readonly text: string; readonly error: string } {
    const lines = text.split('\n');
    for (let attempt = 0; attempt < 25; attempt += 1) {
      const found = this.run(argv, lines.join('\n'));
      if (found.ok) return { ok: true, text: lines.join('\n'), error: '' };
      const refused = refusedLine(found.error, lines);
      if (refused === null) return { ok: false, text, error: found.error };
      lines[refused] = '';
    }
    return { ok: false, text, error: 'too many lines were refused' };
  }

  /** Leaves no rule, set or table behind. */
  clear(): void {
    const script = `
      nft flush ruleset
      for names in /proc/net/ip_tables_names /proc/net/ip6_tables_names; do
        case $names in *ip6*) tool=ip6tables-legacy ;; *) tool=iptables-legacy ;; esac
        for table in $(cat $names 2>/dev/null); do
          $tool -t $table -F; $tool -t $table -X
          for chain in PREROUTING INPUT FORWARD OUTPUT POSTROUTING; do $tool -t $table -P $chain ACCEPT; done
        done
      done
      for name in $(ipset -n list); do ipset destroy "$name"; done`;
    this.run(['sh', '-c', script]);
  }

  destroy(): void {
    for (const agent of Object.values(this.agents ?? {})) agent.stop();
    for (const namespace of [this.host, this.internet, this.container]) spawnSync('ip', ['netns', 'del', namespace]);
  }
}

/** The first rule that nft, iptables-restore or ipset complains about; null: it is none that could be left out. */
function refusedLine(error: string, lines: readonly string[]): number | null {
  for (const pattern of [/stdin:(\d+):/, /line:? (\d+)/]) {
    const found = pattern.exec(error);
    const at = found === null ? -1 : Number(found[1]) - 1;
    const line = lines[at];
    if (line !== undefined && /^( {2}\S|-A |add )/.test(line)) return at;
  }
  return null;
}
