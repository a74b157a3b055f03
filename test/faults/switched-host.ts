import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Connection, ServerChannel } from 'ssh2';
import { answerOf, parseRequest, type SimulatedHost } from '../../src/demo/simulated-host';
import { letIn, serveSsh, type HostileServer } from '../ssh/hostile-server';
import type { HostTruth } from './truth';

const daySeconds = 86_400;

/** What a probe asks for. */
export interface ProbeRequest {
  readonly nonce: string;
  readonly exposure: boolean;
}

/** A host on loopback that is well, or misbehaves for a while: the address, and what it is when it is well, stay. */
export class SwitchedHost {
  private current: HostileServer;
  private readonly sockets = new Set<Socket>();

  private constructor(
    readonly name: string,
    private healthy: SimulatedHost,
    private readonly well: HostileServer,
    private readonly server: Server,
    /** Null: it has always been well. */
    private readonly ill: HostileServer | null,
    private readonly probes: { readonly count: number },
  ) {
    this.current = well;
  }

  /**
   * Starts it, and it is well. `misbehaving` makes the server that it is to be later. One that is forgetful does not know
   * since when it has needed a restart: that is what the exporter has to remember.
   */
  static async start(
    name: string,
    misbehaving: (() => Promise<HostileServer>) | null,
    isForgetful = false,
  ): Promise<SwitchedHost> {
    const probes = { count: 0 };
    let host: SwitchedHost | null = null;
    const healthy = healthyHost(name);
    const well = await serveReports(({ nonce, exposure }) => {
      probes.count += 1;
      const now = host?.healthy ?? healthy;
      return answerOf(isForgetful ? forgetful(now) : now, nonce, exposure, Date.now() / 1000);
    });
    const ill = misbehaving === null ? null : await misbehaving();
    const server = createServer();
    const started = new SwitchedHost(name, healthy, well, server, ill, probes);
    host = started;
    server.on('connection', (socket: Socket) => started.take(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return started;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** How often it was probed while it was well. */
  get probed(): number {
    return this.probes.count;
  }

  /** What is true of it when it is well. */
  get truth(): HostTruth {
    const { flag, bootedAt } = this.healthy;
    if (flag === null) return { required: 0, bootSeconds: bootedAt, isKnown: true };
    return { required: 1, sinceSeconds: flag.bornAt, bootSeconds: bootedAt, isKnown: true };
  }

  /** Both keys: it is the same host, whatever it does. */
  get knownHosts(): string {
    const keys = [this.well.publicKey, this.ill?.publicKey ?? ''].filter((key) => key !== '');
    return keys.map((key) => `[127.0.0.1]:${this.port},[${this.name}]:${this.port} ${key}\n`).join('');
  }

  /** From the next connection on; those that there are end. */
  misbehave(): void {
    if (this.ill !== null) this.switchTo(this.ill);
  }

  heal(): void {
    this.switchTo(this.well);
  }

  /** Restarts: another boot, and nothing asks for one more. */
  reboot(): void {
    made += 1;
    const bootedAt = Math.floor(Date.now() / 1000) - 1;
    this.healthy = { ...this.healthy, bootId: bootIdOf(made), bootedAt, flag: null };
    this.endConnections();
  }

  async stop(): Promise<void> {
    this.endConnections();
    await Promise.all([new Promise((resolve) => this.server.close(resolve)), this.well.stop(), this.ill?.stop()]);
  }

  private take(socket: Socket): void {
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    this.current.take(socket);
  }

  private switchTo(server: HostileServer): void {
    this.current = server;
    this.endConnections();
  }

  private endConnections(): void {
    for (const socket of this.sockets) socket.destroy();
  }
}

/** A server that answers the probe's request with what `report` gives, well framed or not. */
export function serveReports(
  report: (request: ProbeRequest) => Buffer,
  more: (channel: ServerChannel) => void = wellEnded,
): Promise<HostileServer> {
  return serveSsh((client) =>
    onRequest(client, (request, channel) => {
      channel.write(report(request), () => more(channel));
    }),
  );
}

/** Reads what a probe sends, to its end. */
function onRequest(client: Connection, handle: (request: ProbeRequest, channel: ServerChannel) => void): void {
  letIn(client).on('session', (accept) =>
    accept().on('exec', (run) => {
      const channel = run();
      const pieces: Buffer[] = [];
      channel.on('data', (piece: Buffer) => pieces.push(piece));
      channel.on('error', () => channel.destroy());
      channel.once('end', () => handle(parseRequest(Buffer.concat(pieces).toString('latin1')), channel));
    }),
  );
}

/** The command ends with 0. */
export function wellEnded(channel: ServerChannel): void {
  channel.exit(0);
  channel.end();
}

/** As where `/run` keeps no birth times and something writes the flag again and again. */
function forgetful(host: SimulatedHost): SimulatedHost {
  if (host.flag === null) return host;
  return { ...host, flag: { bornAt: 0, modifiedAt: Math.floor(Date.now() / 1000), packages: ['dbus'] } };
}

let made = 0;

function bootIdOf(number: number): string {
  return `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;
}

/** Needs a restart since five days, has been up for forty, and is on the internet. */
export function healthyHost(name: string): SimulatedHost {
  made += 1;
  const now = Math.floor(Date.now() / 1000);
  const raisedAt = now - 5 * daySeconds - made;
  const bootedAt = now - 40 * daySeconds - made;
  const running = '6.8.0-48-generic';
  return {
    name,
    os: 'ubuntu',
    bootId: bootIdOf(made),
    bootedAt,
    flag: { bornAt: raisedAt, modifiedAt: raisedAt + 60, packages: ['dbus', `only-on-${name}`] },
    kernel: { running, installed: [{ release: running, at: bootedAt - daySeconds }] },
    libcUnpackedAt: bootedAt - daySeconds,
    unattendedUpgrades: 'on',
    unattendedUpgradesRanAt: now - 7 * 3600,
    network: { address: `198.18.1.${made % 250}`, listening: [22, 443], open: [443], readable: true },
  };
}
