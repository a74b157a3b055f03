import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { bootProgram } from './boot-program';
import { keepsAlive } from './child-reference';
import { lineReader, type AwaitLine } from './line-reader';

/** What one boot of a host is started with. */
export interface BootOptions {
  readonly hostName: string;
  /** The host's folder in the lab. */
  readonly folder: string;
  readonly bootedAt: Date;
  readonly sshd: boolean;
  /** `NAME=value` of the first process. */
  readonly environment: readonly string[];
}

/** One boot of a host: its namespaces, which last as long as their first process. */
export class Boot {
  private constructor(
    /** The first process, by its number in this process' namespace. */
    readonly pid: number,
    private readonly child: ChildProcess,
    private readonly awaitLine: AwaitLine,
    private readonly said: () => string,
  ) {}

  /** Makes the namespaces. The first process then waits for its network: see `go`. */
  static async begin(options: BootOptions): Promise<Boot> {
    const offset = `${bootTimeOffsetSeconds(options.bootedAt)}`;
    const namespaces = ['--mount', '--net', '--uts', '--pid', '--cgroup', '--time', '--fork', '--kill-child'];
    const times = [`--boottime=${offset}`, `--monotonic=${offset}`];
    const program = ['sh', '-c', bootProgram, 'boot', options.folder, options.hostName, options.sshd ? 'sshd' : ''];
    const child = spawn('unshare', [...namespaces, ...times, ...program, ...options.environment], {
      stdio: 'pipe',
      // A session of its own: Ctrl-C on a terminal is for the tests, and closes the hosts' input when they end.
      detached: true,
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.stdin.on('error', () => undefined);
    const awaitLine = lineReader(child);
    const describe = (): string => `host ${options.hostName}: ${said.trim()}`;
    const line = await explained(
      awaitLine((text) => text.startsWith('pid ')),
      describe,
    );
    return new Boot(Number(line.slice('pid '.length)), child, awaitLine, describe);
  }

  /** Lets the boot go on, once the host's `eth0` is there. Resolves when the host has started its services. */
  async go(): Promise<void> {
    this.child.stdin?.write('go\n');
    await explained(
      this.awaitLine((text) => text === 'up'),
      this.said,
    );
    keepsAlive(this.child, false);
  }

  /** Whether the host still runs: it may have ended without being told to, for instance by a test's `kill`. */
  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** argv that runs a program in all of the host's namespaces. */
  command(argv: readonly string[]): string[] {
    return ['nsenter', '--target', `${this.pid}`, '--all', '--', ...argv];
  }

  /** Ends every process of the host at once, and waits until they are gone. Their connections are closed by the kernel. */
  async end(): Promise<void> {
    if (!this.alive) {
      return;
    }
    keepsAlive(this.child, true);
    const exit = once(this.child, 'exit');
    killIfThere(this.pid);
    await exit;
  }
}

/**
 * Offset of the host's boot clock, time_namespaces(7): it is subtracted from `btime` of /proc/stat and added to
 * /proc/uptime. The kernel refuses an uptime below zero, so a host cannot boot in the future.
 */
function bootTimeOffsetSeconds(bootedAt: Date): number {
  const btime = parseBootTime(fs.readFileSync('/proc/stat', 'utf8'));
  const uptimeSeconds = Math.floor(Number(fs.readFileSync('/proc/uptime', 'utf8').split(' ')[0]));
  return Math.max(btime - Math.floor(bootedAt.getTime() / 1000), -uptimeSeconds);
}

/** `btime` of a /proc/stat: when the system booted, in seconds since 1970. */
export function parseBootTime(stat: string): number {
  return Number(/^btime (\d+)$/m.exec(stat)?.[1]);
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') {
      throw error;
    }
  }
}

async function explained<T>(promise: Promise<T>, describe: () => string): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    throw new Error(`${describe()} ${(error as Error).message}`, { cause: error });
  }
}
