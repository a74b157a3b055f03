import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { keepsAlive } from '../../lab/child-reference';
import { lineReader } from '../../lab/line-reader';

/** What a program in a namespace did. */
export interface Finished {
  readonly ok: boolean;
  readonly output: Buffer;
  readonly error: string;
}

/**
 * A network namespace without a name: a process holds it that reads from a pipe whose other end only this process has. When
 * this process ends, however that happens, the pipe closes, the holder ends, and the kernel takes the namespace away.
 */
export class Namespace {
  private constructor(private readonly holder: ChildProcess) {}

  static async make(): Promise<Namespace> {
    const argv = ['--net', 'sh', '-c', 'ip link set lo up && echo ready && exec cat >/dev/null'];
    // A session of its own: Ctrl-C reaches this process only, which then lets go of it.
    const holder = spawn('unshare', argv, { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
    await lineReader(holder)((line) => line === 'ready');
    keepsAlive(holder, false);
    return new Namespace(holder);
  }

  /** The process that holds it; ip(8) takes its number for the namespace. */
  get pid(): number {
    return this.holder.pid ?? 0;
  }

  /** The call that runs a program in it. */
  command(argv: readonly string[]): readonly [string, readonly string[]] {
    return ['nsenter', ['--target', String(this.pid), '--net', '--', ...argv]];
  }

  /** Runs a program in it, to its end. */
  run(argv: readonly string[], input = ''): Finished {
    const [command, rest] = this.command(argv);
    const found = spawnSync(command, rest, { input, maxBuffer: 256 * 1024 * 1024, timeout: 60_000 });
    return { ok: found.status === 0, output: found.stdout, error: found.stderr.toString() };
  }

  /** Runs lines of ip(8). @throws Error when one of them fails. */
  ip(...lines: readonly string[]): void {
    const { ok, error } = this.run(['ip', '-batch', '-'], lines.join('\n'));
    if (!ok) throw new Error(`ip: ${error.trim()}`);
  }

  /** Lets go of it. */
  async end(): Promise<void> {
    if (this.holder.exitCode !== null || this.holder.signalCode !== null) return;
    keepsAlive(this.holder, true);
    const exit = once(this.holder, 'exit');
    this.holder.stdin?.end();
    await exit;
  }
}
