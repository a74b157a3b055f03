import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { seenWhole } from '../secrets/seen';
import { builtProgram } from './built-program';

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ExporterProcessOptions {
  readonly configFile: string;
  readonly stateFile: string;
  /** Default: any free port of loopback. */
  readonly listenAddress?: string;
  readonly flags?: readonly string[];
  /** Program and arguments that start the exporter, as `unshare --mount` does. */
  readonly under?: readonly string[];
}

/** Seconds within which a started exporter has to say that it listens. */
const startLimitSeconds = 30;

/** `reboot-exporter serve` as a process of its own. */
export class ExporterProcess {
  private said = '';
  private readonly ended: Promise<Ending>;

  private constructor(private readonly child: ChildProcess) {
    child.stderr?.on('data', (piece: Buffer) => (this.said += piece.toString()));
    this.ended = once(child, 'close').then(([code, signal]) => {
      seenWhole('log of an exporter', this.said);
      return { code, signal } as Ending;
    });
  }

  /** Starts the built program, and waits until it listens. @throws Error with its log when it does not. */
  static async start(options: ExporterProcessOptions): Promise<ExporterProcess> {
    const exporter = ExporterProcess.launch(options);
    const deadline = performance.now() + startLimitSeconds * 1000;
    while (exporter.listeningAt() === undefined) {
      if (exporter.hasEnded || performance.now() > deadline) {
        await exporter.kill();
        throw new Error(`the exporter did not start: ${exporter.log}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return exporter;
  }

  /** Starts the built program, and does not wait. */
  static launch(options: ExporterProcessOptions): ExporterProcess {
    const { configFile, stateFile, listenAddress = '127.0.0.1:0', flags = [], under = [] } = options;
    const argv = [
      ...under,
      process.execPath,
      builtProgram,
      'serve',
      `--config.file=${configFile}`,
      `--state.file=${stateFile}`,
      `--web.listen-address=${listenAddress}`,
      ...flags,
    ];
    const [command = '', ...rest] = argv;
    return new ExporterProcess(spawn(command, rest, { stdio: ['ignore', 'ignore', 'pipe'] }));
  }

  /** Where it listens: `http://127.0.0.1:PORT`. */
  get url(): string {
    const url = this.listeningAt();
    if (url === undefined) throw new Error('the exporter does not listen yet');
    return url;
  }

  /** What it has logged so far. */
  get log(): string {
    return this.said;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Resolves when it has ended, by itself or not. */
  ending(): Promise<Ending> {
    return this.ended;
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.hasEnded) this.child.kill(signal);
  }

  /** Sends a signal, and waits for the end. */
  async end(signal: NodeJS.Signals): Promise<Ending> {
    this.signal(signal);
    return this.ended;
  }

  /** SIGKILL: it gets no chance to tidy up. */
  kill(): Promise<Ending> {
    return this.end('SIGKILL');
  }

  private listeningAt(): string | undefined {
    return /msg="Started reboot-exporter".* urls=(http:\S+)/.exec(this.said)?.[1];
  }
}
