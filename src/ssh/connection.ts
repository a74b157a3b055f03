import { type Algorithms, Client, type ClientChannel, type ConnectConfig } from 'ssh2';
import { ProbeFailure } from '../failure';
import { offersSha1 } from './algorithms';
import { Authentication } from './authentication';
import { startCommand, type CommandOrder, type CommandOutcome } from './command';
import { closedByHost, HostKeyRefused, type Phase, type Situation, translated } from './connection-fault';
import {
  farewellMs,
  keptAnswerMs,
  maxForwardBytes,
  maxHandshakeBytes,
  maxIdleBytes,
  maxKeyExchanges,
  maxSessionBytes,
  maxTurnMs,
  peerCheckMs,
} from './connection-limits';
import { readFairly } from './fair-reading';
import { holdUntilTurn } from './handshake-gate';
import { askForCertificates } from './host-certificate-exchange';
import { acceptSha1 } from './host-signature';
import type { Login } from './login';
import type { ProbeProgress } from './progress';
import { gatherReplies } from './reply-gathering';
import type { LoginOffer } from './signer';
import { forgetLogin, forgetRemoteVersion, shareWhatIsAlike, withBuffersOfTheirOwn } from './ssh2-inside';
import type { TransportStream } from './transport-stream';
import type { EndTurn, Turns } from './turns';
import { isUnmatched, unmatched } from './unmatched';

/** What it takes to make a connection an authenticated one. */
export interface ConnectionOptions {
  /** Connected; nothing has been read from it. It belongs to the connection from now on. */
  readonly socket: TransportStream;
  /** The endpoint, for messages. */
  readonly peer: string;
  /** The IP address that was dialled, by us or for us; null where nobody tells. */
  readonly remoteAddress: string | null;
  readonly user: string;
  readonly login: Login;
  readonly algorithms: Algorithms;
  /** By which algorithms the host is asked for a certificate rather than a plain key; none: it is not. */
  readonly certificates: readonly string[];
  /** Whether the host may be trusted to be who it should be, by its public key or certificate in base64. */
  readonly trusts: (hostKey: string) => boolean;
  /** Bounds the handshakes that run at a time. */
  readonly handshakes: Turns;
  /** How often the host is asked whether it is still there; 0: never. */
  readonly keepaliveMs?: number;
  readonly progress: ProbeProgress;
}

/** RFC 4253, section 4.2: no dash and no space in it. */
const identification = 'reboot_exporter';

function nothing(): void {
  // Nobody is to be told.
}

/** What a command on a connection that we closed fails with. */
const closedByUs = new ProbeFailure('internal', 'the connection was closed');

/**
 * An SSH connection to one host: host key verified, user authenticated. All that
 * can go wrong on it, at any time, ends in one place, so that nothing is left open and
 * no error is left without someone who hears it.
 */
export class SshConnection {
  readonly peer: string;
  readonly remoteAddress: string | null;
  /** What there was to show; the user was let in for one of them. */
  readonly offers: readonly LoginOffer[];
  /** Called when the host ends the connection while nothing runs on it. */
  onIdleEnd: () => void = nothing;

  /** Until it is authenticated; a connection may be kept for months, and with it what it was made with. */
  #opening: ConnectionOptions | null;
  readonly #socket: TransportStream;
  readonly #client = new Client();
  readonly #gone: Promise<void>;
  readonly #gatherReplies: () => void;
  #phase: Phase = 'greeting';
  #end: ProbeFailure | null = null;
  #onFailure: (failure: ProbeFailure) => void = nothing;
  #onReady: () => void = nothing;
  #endTurn: EndTurn = nothing;
  #allowedBytes = maxHandshakeBytes;
  #allowedExchanges = 1;
  #head = '';
  #hostKey = '';
  readonly #acceptsSha1: boolean;
  /** What the host sent last, until it is authenticated. */
  #piece: Buffer | null = null;
  #started = false;
  /** Until it is authenticated, too. */
  #authentication: Authentication | null = null;

  private constructor(options: ConnectionOptions) {
    this.#opening = options;
    this.#socket = options.socket;
    this.peer = options.peer;
    this.remoteAddress = options.remoteAddress;
    this.#acceptsSha1 = offersSha1(options.algorithms);
    this.offers = options.login.offers;
    this.#gatherReplies = gatherReplies(options.socket);
    this.#gone = new Promise((resolve) => this.#socket.once('close', () => resolve()));
  }

  /** Shakes hands and authenticates. Throws a ProbeFailure; the socket is closed then. */
  static async open(options: ConnectionOptions): Promise<SshConnection> {
    const connection = new SshConnection(options);
    options.progress.enter(`while waiting for ${options.peer} to greet`);
    try {
      return await options.progress.step<SshConnection>((settle) => {
        connection.#onFailure = settle.fail;
        connection.#onReady = () => settle.done(connection);
        connection.#begin(options);
        return () => connection.destroy();
      });
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }

  /** The host's public key or certificate, in base64. */
  get hostKey(): string {
    return this.#hostKey;
  }

  /** Whether it can carry another command. */
  get usable(): boolean {
    return this.#end === null && this.#phase === 'idle';
  }

  /** Whether the host began to run the last command. */
  get started(): boolean {
    return this.#started;
  }

  /** Why it ended; null while it has not. */
  get ended(): ProbeFailure | null {
    return this.#end;
  }

  /** Resolves when the socket is closed. */
  get gone(): Promise<void> {
    return this.#gone;
  }

  /**
   * Runs a command; one at a time. After a failure the connection is closed. On a connection that was `kept` from before
   * the host has to answer soon.
   */
  run(order: Omit<CommandOrder, 'peer'>, kept: boolean, progress: ProbeProgress): Promise<CommandOutcome> {
    progress.enter(`while opening a session on ${this.peer}`);
    this.#started = false;
    return progress.step<CommandOutcome>((settle) => {
      if (this.#end !== null) {
        settle.fail(this.#end);
        return () => undefined;
      }
      let timer: NodeJS.Timeout | null = null;
      const quiet = (): void => this.#fail(new ProbeFailure('protocol', `${this.peer} answers no more`));
      if (kept) timer = setTimeout(quiet, keptAnswerMs);
      const stopTimer = (): void => {
        if (timer !== null) clearTimeout(timer);
      };
      this.#phase = 'session';
      this.#allowedBytes = maxSessionBytes(order.maxOutputBytes);
      this.#allowedExchanges = maxKeyExchanges;
      this.#onFailure = (failure) => {
        stopTimer();
        settle.fail(failure);
      };
      const watcher = {
        started: () => {
          stopTimer();
          this.#started = true;
          progress.enter(`while ${order.command} ran on ${this.peer}`);
        },
        done: (outcome: CommandOutcome) => {
          if (this.#end !== null) return;
          this.#rest();
          if (!outcome.closed) this.destroy();
          settle.done(outcome);
        },
        fail: (failure: ProbeFailure) => this.#fail(failure),
      };
      startCommand(this.#client, { ...order, peer: this.peer }, watcher);
      return () => {
        stopTimer();
        this.destroy();
      };
    });
  }

  /**
   * Opens a channel to another server through this one, any number at a time; no command can run beside them. `opened` is
   * called once, if need be when the connection ends.
   */
  forward(address: string, port: number, opened: (error: Error | undefined, channel: ClientChannel) => void): void {
    if (this.#end !== null) return;
    this.#phase = 'forwarding';
    // What OpenSSH says as well where it stands in for nobody.
    try {
      this.#client.forwardOut('127.0.0.1', 65_535, address, port, opened);
    } catch {
      this.#failWith(() => closedByHost(this.#situation()));
    }
  }

  /** Lets a host that forwards send so many bytes more than it may already, up to a bound. */
  allow(bytes: number): void {
    this.#allowedBytes = Math.min(this.#allowedBytes + bytes, maxForwardBytes);
  }

  /** Lets a host that forwards exchange keys again, as it has to now and then. */
  allowExchanges(): void {
    this.#allowedExchanges = maxKeyExchanges;
  }

  /**
   * Has the kernel notice when the host goes away while nothing runs: one that restarted answers with a reset. SSH's own
   * keepalive would cost both sides an encrypted packet for the same news.
   */
  watchPeer(): void {
    this.#socket.setKeepAlive(true, peerCheckMs);
  }

  /** Says goodbye and closes; a host that does not close its side is cut off soon. */
  close(): void {
    if (this.#end !== null) return;
    this.#end = closedByUs;
    this.#client.end();
    const timer = setTimeout(() => this.#socket.destroy(), farewellMs);
    void this.#gone.then(() => clearTimeout(timer));
  }

  /** Closes at once. */
  destroy(): void {
    this.#end ??= closedByUs;
    this.#endTurn();
    this.#authentication?.stop();
    this.#socket.destroy();
  }

  /** Nothing that is made here may hold on to the probe that it is made for: a connection may be kept for months. */
  #begin({ user, algorithms, certificates, login, keepaliveMs }: ConnectionOptions): void {
    const client = this.#client;
    client.on('error', (error) => this.#failWith(() => this.#meaningOf(error)));
    client.on('end', this.#onClosed);
    client.on('close', this.#onClosed);
    client.on('ready', () => this.#ready());
    client.on('handshake', () => this.#keysExchanged());
    holdUntilTurn(this.#socket, this.#takeTurn);
    this.#authentication = new Authentication({
      ...{ user, login, peer: this.peer },
      fail: (failure) => this.#fail(failure),
      onWait: (agent) => this.#waitForAgent(agent),
    });
    const settings: ConnectConfig = {
      sock: this.#socket,
      username: user,
      ident: identification,
      algorithms,
      // The deadline is ours; that of ssh2 covers the handshake alone.
      readyTimeout: 0,
      keepaliveInterval: keepaliveMs ?? 0,
      keepaliveCountMax: 1,
      hostVerifier: this.#verify,
      authHandler: (...next) => this.#authentication?.showNext(...next),
    };
    withBuffersOfTheirOwn(() => client.connect(settings));
    if (certificates.length > 0) askForCertificates(client, certificates);
    this.#authentication.attach(client);
  }

  readonly #onClosed = (): void => this.#failWith(() => closedByHost(this.#situation()));

  #waitForAgent(agent: string): void {
    // Others shake hands while it may be asking its user.
    this.#endTurn();
    this.#opening?.progress.enter(`while waiting for ${agent} to sign for ${this.peer}`);
  }

  readonly #takeTurn = async (): Promise<void> => {
    if (this.#end !== null || this.#opening === null) return;
    const { handshakes, progress } = this.#opening;
    progress.enter(`while waiting for a turn to shake hands with ${this.peer}`);
    const endTurn = await handshakes.take(progress);
    const timer = setTimeout(endTurn, maxTurnMs);
    this.#endTurn = () => {
      clearTimeout(timer);
      endTurn();
    };
    if (this.#end !== null) {
      this.#endTurn();
      return;
    }
    progress.enter(`while waiting for ${this.peer} to greet`);
    this.#socket.prependListener('data', this.#receive);
  };

  /** Sees every piece before ssh2 does. */
  readonly #receive = (chunk: Buffer): void => {
    this.#gatherReplies();
    readFairly(this.#socket, chunk);
    acceptSha1(this.#acceptsSha1);
    if (this.#opening !== null) this.#piece = chunk;
    if (this.#phase === 'greeting') this.#listenForGreeting(chunk);
    this.#allowedBytes -= chunk.length;
    if (this.#allowedBytes >= 0) return;
    const reason = this.#phase === 'session' ? 'output' : 'protocol';
    this.#fail(new ProbeFailure(reason, `${this.peer} sent too much during ${this.#phase}`));
  };

  #listenForGreeting(chunk: Buffer): void {
    this.#head += chunk.toString('latin1');
    if (!this.#head.startsWith('SSH-') && !this.#head.includes('\nSSH-')) return;
    this.#phase = 'key exchange';
    this.#head = '';
    this.#opening?.progress.enter(`during key exchange with ${this.peer}`);
  }

  readonly #verify = (hostKey: Buffer): boolean => {
    const key = hostKey.toString('base64');
    // Where keys are exchanged again the host has to be the same as before.
    const trusted = this.#hostKey === '' ? this.#opening?.trusts(key) === true : this.#hostKey === key;
    if (trusted) this.#hostKey = key;
    else this.#fail(new HostKeyRefused(this.peer, Buffer.from(hostKey)));
    return trusted;
  };

  #keysExchanged(): void {
    this.#allowedExchanges -= 1;
    if (this.#allowedExchanges < 0) {
      this.#fail(new ProbeFailure('protocol', `${this.peer} exchanges keys again and again`));
    } else if (this.#phase === 'key exchange') {
      this.#phase = 'authentication';
      this.#allowedExchanges = maxKeyExchanges;
      forgetRemoteVersion(this.#client);
      if (this.#opening === null) return;
      this.#opening.progress.enter(`during authentication as ${this.#opening.user} at ${this.peer}`);
    }
  }

  #ready(): void {
    if (this.#end !== null) return;
    this.#endTurn();
    this.#endTurn = nothing;
    if (this.#opening !== null) {
      const { algorithms, certificates } = this.#opening;
      shareWhatIsAlike(this.#client, certificates.length === 0 ? algorithms : null);
    }
    forgetLogin(this.#client);
    this.#opening = null;
    this.#piece = null;
    this.#authentication = null;
    this.#rest();
    this.#onReady();
    this.#onReady = nothing;
  }

  #rest(): void {
    this.#phase = 'idle';
    this.#allowedBytes = maxIdleBytes;
    this.#allowedExchanges = maxKeyExchanges;
    this.#onFailure = this.#onFailureAtRest;
  }

  readonly #onFailureAtRest = (): void => this.onIdleEnd();

  /** The failure is made only where it counts: every connection ends, and an error with its stack is dear. */
  #failWith(make: () => ProbeFailure): void {
    if (this.#end === null) this.#fail(make());
  }

  /** The one place where a connection fails. */
  #fail(failure: ProbeFailure): void {
    if (this.#end !== null) return;
    this.#end = failure;
    this.#endTurn();
    this.#authentication?.stop();
    this.#socket.destroy();
    this.#onFailure(failure);
  }

  #meaningOf(error: Error): ProbeFailure {
    if (this.#opening === null || !isUnmatched(error)) return translated(error, this.#situation());
    return unmatched(this.peer, error, this.#opening.algorithms, this.#piece);
  }

  #situation(): Situation {
    return { peer: this.peer, phase: this.#phase, head: this.#head, shown: this.#authentication?.shown ?? 0 };
  }
}
