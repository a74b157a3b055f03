import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Order } from './agent';
import { type Finished, Namespace } from './namespace';
import {
  ANYWHERE4,
  ANYWHERE6,
  CONTAINER4,
  CONTAINER6,
  HOST4,
  HOST6,
  INSIDE4,
  INSIDE6,
  PUBLIC4,
  PUBLIC6,
} from './scene';

/** A process inside a namespace that answers a line for every line, and ends with this process. */
class Agent {
  private readonly child: ChildProcess;
  private readonly waiting: { resolve: (line: string) => void; reject: (error: Error) => void }[] = [];

  constructor(namespace: Namespace) {
    const hook = join(__dirname, '..', '..', 'lab', 'typescript-hook.cjs');
    const argv = [process.execPath, '--require', hook, join(__dirname, 'agent.ts')];
    const [command, rest] = namespace.command(argv);
    this.child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
    if (this.child.stdout === null) throw new Error('the agent has no output');
    this.child.stdin?.on('error', () => undefined);
    createInterface({ input: this.child.stdout }).on('line', (line) => this.waiting.shift()?.resolve(line));
    this.child.once('exit', () => {
      for (const { reject } of this.waiting.splice(0)) reject(new Error('an agent ended before it answered'));
    });
  }

  async ask<T>(order: Order): Promise<T> {
    const answer = new Promise<string>((resolve, reject) => this.waiting.push({ resolve, reject }));
    this.child.stdin?.write(`${JSON.stringify(order)}\n`);
    return JSON.parse(await answer) as T;
  }

  stop(): void {
    this.child.kill('SIGKILL');
  }
}

export interface Agents {
  readonly host: Agent;
  readonly container: Agent;
  readonly internet: Agent;
}

/** Ports that the container's services take, over TCP and UDP. */
const SERVICES = [22, 25, 53, 80, 99, 443, 1000, 2222, 3306, 5432, 8080, 8443, 30080] as const;

/** Hardware addresses: neighbours are known for good, so that rules which drop ICMPv6 break only what is being tried. */
const MAC = {
  host: '02:00:00:00:00:01',
  out: '02:00:00:00:00:02',
  bridge: '02:00:00:00:00:03',
  box: '02:00:00:00:00:04',
};

/**
 * Three network namespaces: the host under test, a container behind its bridge, and the internet, which has all the
 * peers' addresses. Nothing leads out of them.
 */
export class Arena {
  private constructor(
    private readonly host: Namespace,
    private readonly container: Namespace,
    private readonly internet: Namespace,
    readonly agents: Agents,
  ) {}

  /** Makes the namespaces and their agents; the container's services listen for good. */
  static async open(): Promise<Arena> {
    const made: Namespace[] = [];
    let agents: Agents | null = null;
    try {
      for (let i = 0; i < 3; i += 1) made.push(await Namespace.make());
      const [host, container, internet] = made as [Namespace, Namespace, Namespace];
      connect(host, container, internet);
      agents = { host: new Agent(host), container: new Agent(container), internet: new Agent(internet) };
      const listeners = SERVICES.flatMap((port) =>
        (['tcp', 'udp'] as const).map((proto) => ({ proto, address: '::', port, ipv6Only: false })),
      );
      await agents.container.ask({ do: 'listen', listeners });
      return new Arena(host, container, internet, agents);
    } catch (error) {
      await closeAll(agents, made);
      throw error;
    }
  }

  /** Runs a program in the host's namespace; gives its output, and whether it succeeded. */
  run(argv: readonly string[], input = ''): Finished {
    return this.host.run(argv, input);
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

  close(): Promise<void> {
    return closeAll(this.agents, [this.host, this.container, this.internet]);
  }
}

async function closeAll(agents: Agents | null, namespaces: readonly Namespace[]): Promise<void> {
  for (const agent of Object.values(agents ?? {}) as Agent[]) agent.stop();
  await Promise.all(namespaces.map((namespace) => namespace.end()));
}

function connect(host: Namespace, container: Namespace, internet: Namespace): void {
  host.ip(
    `link add eth0 address ${MAC.host} type veth peer name out0 address ${MAC.out} netns ${internet.pid}`,
    `link add docker0 address ${MAC.bridge} type bridge`,
    `link add veth1 type veth peer name eth0 address ${MAC.box} netns ${container.pid}`,
    'link add eth1 type bridge',
    'link add wg0 type bridge',
    'link set veth1 master docker0',
    ...['eth0', 'docker0', 'veth1', 'eth1', 'wg0'].map((name) => `link set ${name} up`),
    ...addresses('eth0', `${HOST4[0]}/24`, `${HOST6[0]}/64`),
    ...addresses('eth1', `${HOST4[1]}/24`, `${HOST6[1]}/64`),
    ...addresses('docker0', `${HOST4[2]}/16`, 'fd00:17::1/64'),
    ...addresses('wg0', '10.8.0.1/24'),
    ...neighbours('eth0', MAC.out, '203.0.113.1', '2001:db8::1'),
    ...neighbours('docker0', MAC.box, CONTAINER4, CONTAINER6),
  );
  internet.ip(
    'link set out0 up',
    ...addresses('out0', '203.0.113.1/24', '2001:db8::1/64'),
    ...addresses('lo', ...[...PUBLIC4, ...INSIDE4, ...ANYWHERE4].map((own) => `${own}/32`)),
    ...addresses('lo', ...[...PUBLIC6, ...INSIDE6, ...ANYWHERE6].map((own) => `${own}/128`)),
    ...neighbours('out0', MAC.host, HOST4[0], HOST6[0]),
  );
  container.ip(
    'link set eth0 up',
    ...addresses('eth0', `${CONTAINER4}/16`, `${CONTAINER6}/64`),
    ...neighbours('eth0', MAC.bridge, HOST4[2], 'fd00:17::1'),
  );
  defaultRoutes(host, '203.0.113.1', '2001:db8::1');
  defaultRoutes(internet, HOST4[0], HOST6[0]);
  defaultRoutes(container, HOST4[2], 'fd00:17::1');
}

function addresses(device: string, ...own: readonly string[]): readonly string[] {
  return own.map((address) => `address add ${address} dev ${device}${address.includes(':') ? ' nodad' : ''}`);
}

function neighbours(device: string, hardware: string, ...own: readonly string[]): readonly string[] {
  return own.map((address) => `neighbour replace ${address} lladdr ${hardware} dev ${device} nud permanent`);
}

function defaultRoutes(namespace: Namespace, gateway4: string, gateway6: string): void {
  namespace.ip(`route add default via ${gateway4}`, `route add ::/0 via ${gateway6}`);
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
