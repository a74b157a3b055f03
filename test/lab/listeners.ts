import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { keepsAlive } from './child-reference';
import { listenerProgram } from './listener-program';

/** A connection or datagram that reached a listener. */
export interface Arrival {
  readonly address: string;
  readonly port: number;
}

/** An open socket on a host. */
export interface Listener {
  /** What it was opened as. */
  readonly socket: string;
  /** What has reached it so far. */
  readonly arrivals: readonly Arrival[];
  close(): Promise<void>;
}

interface Open {
  readonly arrivals: Arrival[];
  settle(error?: Error): void;
}

/** All sockets that the lab opens on a host in one boot: one process holds them. */
export class Listeners {
  private child: ChildProcessWithoutNullStreams | undefined;
  private readonly open = new Map<string, Open>();
  private nextId = 1;

  constructor(
    private readonly hostName: string,
    /** argv that runs a program on the host. */
    private readonly onHost: (argv: readonly string[]) => string[],
  ) {}

  /**
   * Opens a socket: `tcp 0.0.0.0:443`, `udp [::]:53`, `tcp [::]:80 v6only`, `tcp 10.0.0.1:22 dev=eth0`.
   * @throws Error when it is not written so, or the kernel refuses it.
   */
  async listen(socket: string): Promise<Listener> {
    const id = `${this.nextId++}`;
    const arrivals: Arrival[] = [];
    await this.ask(id, `open ${id} ${parseSocket(socket)}\n`, arrivals);
    return {
      socket,
      arrivals,
      close: async () => {
        await this.ask(id, `close ${id}\n`, arrivals);
        this.open.delete(id);
      },
    };
  }

  private ask(id: string, line: string, arrivals: Arrival[]): Promise<void> {
    const child = (this.child ??= this.start());
    keepsAlive(child, true);
    return new Promise((resolve, reject) => {
      const settle = (error?: Error): void => {
        keepsAlive(child, false);
        return error === undefined ? resolve() : reject(error);
      };
      this.open.set(id, { arrivals, settle });
      child.stdin.write(line);
    });
  }

  private start(): ChildProcessWithoutNullStreams {
    const [command = '', ...rest] = this.onHost(['perl', '-e', listenerProgram, this.hostName]);
    const child = spawn(command, rest, { stdio: 'pipe' });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.stdin.on('error', () => undefined);
    createInterface({ input: child.stdout }).on('line', (line) => this.hear(line));
    child.on('close', () => {
      this.open.forEach((entry) => entry.settle(new Error(`the listeners of ${this.hostName} ended: ${said.trim()}`)));
    });
    return child;
  }

  private hear(line: string): void {
    const [verb, id = '', ...rest] = line.split(' ');
    const entry = this.open.get(id);
    if (verb === 'got') {
      entry?.arrivals.push({ address: rest[0] ?? '', port: Number(rest[1]) });
      return;
    }
    entry?.settle(verb === 'failed' ? new Error(`cannot listen: ${rest.join(' ')}`) : undefined);
  }
}

function parseSocket(socket: string): string {
  const match = /^(tcp|udp) (\[[0-9a-f:.]+\]|[0-9.]+):(\d+)( v6only)?(?: dev=([\w.-]+))?$/.exec(socket);
  if (match === null) {
    throw new Error(`not a socket: "${socket}" (write it "tcp 0.0.0.0:443" or "udp [::]:53 v6only dev=eth0")`);
  }
  const [, proto, address = '', port, v6only, device = '-'] = match;
  return `${proto} ${address.replace(/[[\]]/g, '')} ${port} ${device} ${v6only === undefined ? 0 : 1}`;
}
