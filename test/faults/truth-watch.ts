import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Truth } from './truth';

export interface WatchOrder {
  readonly number: number;
  /** Where to scrape; null: nowhere, while no exporter runs. */
  readonly url?: string | null;
  /** What is true of these hosts from now on; of the others stays what was said before. */
  readonly truth?: Truth;
  readonly forgetAges?: boolean;
}

export type WatchReport = { readonly tookMs: number; readonly faults: readonly string[] } | { readonly done: number };

/** A scraper with a timeout of a second that holds all that an exporter says against the truth. */
export class TruthWatch {
  /** What was wrong, in the order in which it was seen. */
  readonly faults: string[] = [];
  scrapes = 0;
  slowestMs = 0;
  private orders = 0;
  private readonly waiting = new Map<number, () => void>();

  private constructor(private readonly child: ChildProcess) {
    if (child.stdout === null) throw new Error('the scraper has no output');
    createInterface({ input: child.stdout }).on('line', (line) => this.take(JSON.parse(line) as WatchReport));
  }

  static async start(): Promise<TruthWatch> {
    const hook = join(__dirname, '../lab/typescript-hook.cjs');
    const argv = ['--require', hook, join(__dirname, 'watch-program.ts')];
    const watch = new TruthWatch(spawn(process.execPath, argv, { stdio: ['pipe', 'pipe', 'inherit'] }));
    await watch.order({});
    return watch;
  }

  /** From now on scrapes there, or nowhere. */
  attach(url: string | null): Promise<void> {
    return this.order({ url });
  }

  /** From now on this is true. */
  expect(truth: Truth): Promise<void> {
    return this.order({ truth });
  }

  forgetAges(): Promise<void> {
    return this.order({ forgetAges: true });
  }

  /** Resolves when so many scrapes more have been made. */
  async seen(scrapes: number): Promise<void> {
    const target = this.scrapes + scrapes;
    while (this.scrapes < target && this.child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 50));
  }

  async stop(): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.stdin?.end();
    await ended;
  }

  /** In a line, for people. */
  get summary(): string {
    return `${this.scrapes} scrapes, the slowest ${this.slowestMs.toFixed(0)} ms, ${this.faults.length} faults`;
  }

  private order(what: Omit<WatchOrder, 'number'>): Promise<void> {
    const number = (this.orders += 1);
    const done = new Promise<void>((resolve) => this.waiting.set(number, resolve));
    this.child.stdin?.write(`${JSON.stringify({ ...what, number })}\n`);
    return done;
  }

  private take(report: WatchReport): void {
    if ('done' in report) {
      this.waiting.get(report.done)?.();
      this.waiting.delete(report.done);
      return;
    }
    this.scrapes += 1;
    this.slowestMs = Math.max(this.slowestMs, report.tookMs);
    if (this.faults.length < 50) this.faults.push(...report.faults.map((fault) => `scrape ${this.scrapes}: ${fault}`));
  }
}
