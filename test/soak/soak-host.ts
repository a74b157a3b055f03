import { createServer, type Server as TcpServer, type Socket } from 'node:net';
import { Server, type Connection, type ServerChannel, utils } from 'ssh2';
import { answerOf, parseRequest, type SimulatedHost } from '../../src/demo/simulated-host';
import { messages } from '../ssh/hostile-server';
import type { Misbehaviour } from './misbehaviour';
import { phaseAt, segmentAt, type HostPlan, type SoakSettings } from './plan';

const maxRequestBytes = 1024 * 1024;

/** A host behind a real SSH server, which is as its plan says, and misbehaves when its plan says so. */
export class SoakHost {
  /** Times that it answered a probe, in whatever way. */
  answers = 0;
  private readonly tcp: TcpServer;
  private readonly ssh: Server;
  private readonly sockets = new Set<Socket>();
  private port = 0;

  constructor(
    private readonly plan: HostPlan,
    private readonly index: number,
    private readonly hostKey: string,
    private readonly strangersKey: string,
    private readonly settings: SoakSettings,
  ) {
    this.ssh = new Server({ hostKeys: [hostKey] }, (client) => this.serve(client));
    this.tcp = createServer({ allowHalfOpen: true }, (socket) => this.connected(socket));
  }

  async listen(port: number): Promise<void> {
    this.port = port;
    await this.setListening(true);
    for (const { fromMs, toMs, misbehaviour } of this.plan.phases) {
      this.at(fromMs, () => this.begin(misbehaviour));
      this.at(toMs, () => void this.setListening(true));
    }
    for (const { fromMs, isUp } of this.plan.segments) if (!isUp) this.at(fromMs, () => this.dropAll());
  }

  private at(atMs: number, act: () => void): void {
    // A timer may be a millisecond early against the clock by which plans are read.
    const delayMs = atMs - Date.now() + 5;
    if (delayMs > -3600_000 && delayMs < 2 ** 31) setTimeout(act, Math.max(0, delayMs)).unref();
  }

  private get misbehaviour(): Misbehaviour | undefined {
    return phaseAt(this.plan, Date.now())?.misbehaviour;
  }

  private get isUp(): boolean {
    return segmentAt(this.plan, Date.now()).isUp;
  }

  /** What it does from now on holds for connections that are kept as well: where it is a matter of their beginning, they end. */
  private begin(misbehaviour: Misbehaviour): void {
    if (phaseAt(this.plan, Date.now())?.misbehaviour !== misbehaviour) return;
    if (misbehaviour.isDown === true) void this.setListening(false);
    const isOfBeginning =
      misbehaviour.onSocket ??
      misbehaviour.config ??
      misbehaviour.hostKey ??
      misbehaviour.onLogin ??
      misbehaviour.isDown;
    if (isOfBeginning !== undefined) this.dropAll();
  }

  private dropAll(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  private setListening(listens: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.tcp.listening === listens) return resolve();
      if (!listens) {
        this.tcp.close();
        return resolve();
      }
      this.tcp.once('error', reject);
      this.tcp.listen(this.port, this.plan.address, () => resolve());
    });
  }

  private connected(socket: Socket): void {
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    socket.on('error', () => undefined);
    if (!this.isUp) {
      socket.resetAndDestroy();
      return;
    }
    const { misbehaviour } = this;
    if (misbehaviour?.onSocket !== undefined) {
      // What a client sends is read and dropped, and its end answered: else its going would not be noticed.
      socket.resume();
      socket.once('end', () => socket.destroy());
      misbehaviour.onSocket(socket);
      return;
    }
    socket.once('end', () => socket.end());
    this.serverFor(misbehaviour).injectSocket(socket);
  }

  private serverFor(misbehaviour: Misbehaviour | undefined): Server {
    const serve = (client: Connection): void => this.serve(client);
    if (misbehaviour?.config !== undefined) {
      return new Server({ hostKeys: [this.hostKey], ...misbehaviour.config }, serve);
    }
    if (misbehaviour?.hostKey === 'stranger') return new Server({ hostKeys: [this.strangersKey] }, serve);
    if (misbehaviour?.hostKey === 'forged') {
      return new Server({ hostKeys: [{ key: forged(this.hostKey, this.strangersKey) }] }, serve);
    }
    return this.ssh;
  }

  private serve(client: Connection): void {
    client.on('error', () => undefined);
    client.on('authentication', (attempt) => {
      const { misbehaviour } = this;
      if (misbehaviour?.onLogin !== undefined) misbehaviour.onLogin(attempt, client);
      else attempt.accept();
    });
    client.on('session', (accept) => {
      accept().on('exec', (run, reject) => {
        if (this.injected('silence')) return;
        const { misbehaviour } = this;
        this.answers += 1;
        if (misbehaviour?.onExec !== undefined) misbehaviour.onExec(run(), client);
        else if (this.isUp) this.answerWhenAsked(run(), client);
        else reject();
      });
    });
    this.standBetween(client);
  }

  /** Lets a misbehaviour answer messages of a session by hand, on connections that were made before it began too. */
  private standBetween(client: Connection): void {
    const layer = messages(client);
    const handlers = layer._handlers as Record<string, (...argv: unknown[]) => void>;
    const { CHANNEL_OPEN: open, CHANNEL_REQUEST: request } = handlers;
    const byHand = new Map<number, { readonly theirs: number }>();
    handlers['CHANNEL_OPEN'] = (...argv) => {
      const { misbehaviour } = this;
      const { sender: theirs } = argv[1] as { sender: number };
      byHand.clear();
      if (misbehaviour?.onOpen === undefined) return open?.(...argv);
      this.answers += 1;
      // These are the numbers of our own channels: ssh2 has none of this one, so that 0 is free while it is the only one.
      byHand.set(0, { theirs });
      misbehaviour.onOpen({ layer, client, theirs });
    };
    handlers['CHANNEL_REQUEST'] = (...argv) => {
      const { misbehaviour } = this;
      const session = byHand.get(argv[1] as number);
      if (session === undefined) return request?.(...argv);
      misbehaviour?.onCommand?.({ layer, client, ...session });
    };
  }

  private answerWhenAsked(channel: ServerChannel, client: Connection): void {
    const pieces: Buffer[] = [];
    let size = 0;
    channel.on('error', () => channel.destroy());
    channel.on('data', (piece: Buffer) => {
      size += piece.length;
      if (size <= maxRequestBytes) pieces.push(piece);
    });
    channel.once('end', () => {
      if (!channel.destroyed) this.answer(channel, client, Buffer.concat(pieces).toString('latin1'));
    });
  }

  private answer(channel: ServerChannel, client: Connection, request: string): void {
    const { misbehaviour } = this;
    const { nonce, exposure } = parseRequest(request);
    const { host } = segmentAt(this.plan, Date.now());
    const nowSeconds = Date.now() / 1000 + this.plan.skewSeconds;
    let truth = answerOf(this.altered(host), nonce, exposure, nowSeconds).toString('latin1');
    if (this.plan.flagTimes === 'none') truth = truth.replaceAll(/\nstat=reboot-required.*/g, '');
    const said = misbehaviour?.answer?.(truth, nonce, this.index) ?? truth;
    channel.write(typeof said === 'string' ? Buffer.from(said, 'latin1') : said);
    if (misbehaviour?.ending === 'no status') {
      channel.close();
      return;
    }
    channel.exit(0);
    if (misbehaviour?.ending === 'channel left open') return;
    if (misbehaviour?.ending === 'connection cut') channel.once('close', () => client.end());
    channel.end();
  }

  private altered(host: SimulatedHost): SimulatedHost {
    const { flag } = host;
    if (this.injected('value') && flag === null) {
      const at = Math.floor(host.bootedAt + 60);
      return { ...host, flag: { bornAt: at, modifiedAt: at, packages: ['injected'] } };
    }
    if (this.injected('since') && flag !== null && flag.bornAt > 0) {
      return { ...host, flag: { ...flag, bornAt: flag.bornAt - 30, modifiedAt: flag.modifiedAt - 30 } };
    }
    return host;
  }

  /** Only a few hosts, and only from the middle on, so that each is well before. */
  private injected(what: SoakSettings['injected'][number]): boolean {
    const { injected, startMs, endMs } = this.settings;
    const turn = injected.indexOf(what);
    return turn !== -1 && this.index % 6 === turn && Date.now() > (startMs + endMs) / 2;
  }
}

/** A host key that shows one public key and signs with another. */
function forged(shown: string, signing: string): never {
  const face = utils.parseKey(shown);
  const hand = utils.parseKey(signing);
  if (face instanceof Error || hand instanceof Error) throw new Error('no keys');
  return Object.create(face, {
    sign: { value: (data: Buffer, algorithm?: string) => hand.sign(data, algorithm) },
  }) as never;
}
