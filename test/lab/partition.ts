import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { keepsAlive } from './child-reference';
import { delayProgram } from './delay-program';
import { lineReader } from './line-reader';
import type { Cut, Router } from './router';

/** A number for the routing table of delayed packets; each host has a table of its own. */
const firstTable = 1000;

/** What is wrong with the network between the test process and one host. */
export class Partition {
  private how: Cut | undefined;
  private cutAddresses: readonly string[] = [];
  private lateAddresses: readonly string[] = [];
  private delayer: ChildProcess | undefined;

  constructor(
    private readonly router: Router,
    private readonly index: number,
  ) {}

  private get table(): number {
    return firstTable + this.index;
  }

  /** Cuts off these addresses of the host. */
  async cut(addresses: readonly string[], how: Cut): Promise<void> {
    await this.heal();
    await this.router.cut(addresses, how);
    this.cutAddresses = addresses;
    this.how = how;
  }

  /** Holds back every packet to these addresses of the host. */
  async delay(addresses: readonly string[], milliseconds: number): Promise<void> {
    await this.heal();
    const device = `late${this.index}`;
    const argv = [
      '--target',
      `${this.router.pid}`,
      '--net',
      '--',
      'perl',
      '-e',
      delayProgram,
      device,
      `${milliseconds}`,
    ];
    const child = spawn('nsenter', argv, { stdio: ['pipe', 'pipe', 'inherit'] });
    await lineReader(child)((line) => line === 'ready');
    this.delayer = child;
    await this.router.ip([
      `link set ${device} up`,
      `route add 0.0.0.0/0 dev ${device} table ${this.table}`,
      `route add ::/0 dev ${device} table ${this.table}`,
    ]);
    await this.lead('add', addresses);
    this.lateAddresses = addresses;
    keepsAlive(child, false);
  }

  /** Makes the network whole. */
  async heal(): Promise<void> {
    if (this.how !== undefined) {
      await this.router.uncut(this.cutAddresses, this.how);
      this.how = undefined;
    }
    if (this.delayer !== undefined) {
      const exit = once(this.delayer, 'exit');
      keepsAlive(this.delayer, true);
      this.delayer.stdin?.end();
      this.delayer = undefined;
      await exit;
      await this.lead('delete', this.lateAddresses);
      this.lateAddresses = [];
    }
  }

  /** Leads what comes from the tester, and not what comes back from the device, into the device. */
  private async lead(verb: 'add' | 'delete', addresses: readonly string[]): Promise<void> {
    for (const family of ['-4', '-6'] as const) {
      const own = addresses.filter((address) => address.includes(':') === (family === '-6'));
      const lines = own.map((address) => `rule ${verb} to ${address} iif tester lookup ${this.table}`);
      await this.router.ip(lines, family);
    }
  }
}
