import { LineService } from './line-service';
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
  /** What has reached it by now. */
  arrivals(): Promise<readonly Arrival[]>;
  close(): Promise<void>;
}

/** All sockets that the lab opens on a host in one boot: one process holds them. */
export class Listeners {
  private readonly service: LineService;
  private readonly arrivals = new Map<string, Arrival[]>();

  /** `onHost` gives the argv that runs a program on the host. */
  constructor(hostName: string, onHost: (argv: readonly string[]) => string[]) {
    this.service = new LineService(
      () => onHost(['perl', '-e', listenerProgram, hostName]),
      (line) => this.arrived(line),
    );
  }

  /**
   * Opens a socket: `tcp 0.0.0.0:443`, `udp [::]:53`, `tcp [::]:80 v6only`, `tcp 10.0.0.1:22 dev=eth0`.
   * @throws Error when it is not written so, or the kernel refuses it.
   */
  async listen(socket: string): Promise<Listener> {
    const id = this.service.nextId();
    const arrivals: Arrival[] = [];
    this.arrivals.set(`on-${id}`, arrivals);
    await this.ask(`open on-${id} ${parseSocket(socket)}`);
    return {
      socket,
      arrivals: async () => {
        await this.ask(`look on-${id}`);
        return [...arrivals];
      },
      close: () => this.ask(`close on-${id}`),
    };
  }

  private async ask(question: string): Promise<void> {
    const answer = await this.service.ask(question);
    if (answer !== 'done') {
      throw new Error(`cannot ${question}: ${answer}`);
    }
  }

  private arrived(line: string): void {
    const [name = '', address = '', port] = line.split(' ');
    this.arrivals.get(name)?.push({ address, port: Number(port) });
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
