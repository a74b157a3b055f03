import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { once } from 'node:events';

/** A process that answers each line on its standard input with a line on its standard output. */
export class LineProcess {
  private readonly lines: string[] = [];
  private readonly waiting: ((line: string | null) => void)[] = [];
  private said = '';

  private constructor(private readonly child: ChildProcess) {
    if (child.stdout === null) throw new Error('the process has no output');
    const reader = createInterface({ input: child.stdout });
    reader.on('line', (line) => {
      const next = this.waiting.shift();
      if (next === undefined) this.lines.push(line);
      else next(line);
    });
    reader.on('close', () => {
      for (const next of this.waiting.splice(0)) next(null);
    });
    child.stderr?.on('data', (piece: Buffer) => (this.said = (this.said + piece.toString()).slice(-2000)));
  }

  static start(command: string, argv: readonly string[]): LineProcess {
    return new LineProcess(spawn(command, argv, { stdio: ['pipe', 'pipe', 'pipe'] }));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** The next line. @throws Error with what the process said when it has ended. */
  async read(): Promise<string> {
    const ready = this.lines.shift();
    if (ready !== undefined) return ready;
    const line = await new Promise<string | null>((resolve) => this.waiting.push(resolve));
    if (line === null) throw new Error(`${this.child.spawnfile} ended: ${this.said}`);
    return line;
  }

  ask(line: string): Promise<string> {
    this.child.stdin?.write(`${line}\n`);
    return this.read();
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'close');
    this.child.kill('SIGKILL');
    await ended;
  }
}
