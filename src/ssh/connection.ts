import type { Socket } from 'node:net';
import { type Algorithms, Client } from 'ssh2';
import { ProbeFailure } from '../failure';
import { maxErrorBytes, startCommand, type CommandOrder, type CommandOutcome } from './command';
import { errorWords, quoted } from './foreign-text';
import { keyFingerprint } from './host-key';
import type { PrivateKey } from './private-key';
import type { ProbeProgress } from './progress';
import type { EndTurn, Turns } from './turns';

/** What it takes to make a TCP connection an authenticated one. */
export interface ConnectionOptions {
  /** Connected; nothing has been read from it. It belongs to the connection from now on. */
  readonly socket: Socket;
  /** The endpoint, for messages. */
  readonly peer: string;
  /** The IP address that was dialled. */
  readonly remoteAddress: string;
  readonly user: string;
  readonly keys: readonly PrivateKey[];
  readonly algorithms: Algorithms;
  /** Whether the host may be trusted to be who it should be; the blob is that of its public key. */
  readonly verify: (hostKey: Buffer) => boolean;
  /** Bounds the handshakes that run at a time. */
  readonly handshakes: Turns;
  readonly progress: ProbeProgress;
}

/** The host presented a key that was not accepted. Nothing but the offer of algorithms was sent to it. */
export class HostKeyRefused extends ProbeFailure {
  readonly peer: string;
  readonly hostKey: Buffer;

  constructor(peer: string, hostKey: Buffer) {
    super('host_key', `the host key ${keyFingerprint(hostKey)} of ${peer} was not accepted`);
    this.peer = peer;
    this.hostKey = hostKey;
  }
}

type Phase = 'greeting' | 'key exchange' | 'authentication' | 'session' | 'idle';

/** RFC 4253, section 4.2: the identification; no dash or space in it. */
const identification = 'reboot_exporter';

/**
 * What a host may send before it is authenticated: greeting, key exchange, banners.
 * ssh2 goes over the whole greeting again with each piece of it, so this bounds its time as well.
 */
const maxHandshakeBytes = 64 * 1024;
/** What a host may send while nobody asks it for anything. */
const maxIdleBytes = 64 * 1024;
/** Room for the framing of what it sends when asked. */
const framingBytes = 512 * 1024;

/** A handshake on the way longer than this lets the next one begin: a host that stalls must not hold up others. */
const maxTurnMs = 1000;
/** How often a host may exchange keys again during one command; each costs us signatures to check. */
const maxKeyExchanges = 4;
/** How long the host has to close its side after a polite goodbye. */
const farewellMs = 500;

/**
 * An SSH connection to one host: host key verified, user authenticated. All that
 * can go wrong on it, at any time, ends in one place, so that nothing is left open and
 * no error is left without someone who hears it.
 */
export class SshConnection {
  readonly peer: string;
  readonly remoteAddress: string;
  /** The blob of the host's public key. */
  hostKey: Buffer = Buffer.alloc(0);
  /** Called once when the host ends the connection while nothing runs on it. */
  onIdleEnd: ((failure: ProbeFailure) => void) | null = null;
  /** Whether the host answered to the last command by starting it. */
  started = false;

  readonly #options: ConnectionOptions;
  readonly #socket: Socket;
  readonly #client = new Client();
  readonly #gone: Promise<void>;
  #phase: Phase = 'greeting';
  #end: ProbeFailure | null = null;
  #onFailure: (failure: ProbeFailure) => void = () => undefined;
  #onReady: () => void = () => undefined;
  #endTurn: EndTurn = () => undefined;
  #allowedBytes = maxHandshakeBytes;
  #allowedExchanges = 1;
  #head = '';

  private constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#socket = options.socket;
    this.peer = options.peer;
    this.remoteAddress = options.remoteAddress;
    this.#gone = new Promise((resolve) => this.#socket.once('close', () => resolve()));
  }

  /** Shakes hands and authenticates. Throws a ProbeFailure; the socket is closed then. */
  static open(options: ConnectionOptions): Promise<SshConnection> {
    const connection = new SshConnection(options);
    options.progress.enter(`while waiting for ${options.peer} to greet`);
    return options.progress.step<SshConnection>((settle) => {
      connection.#onFailure = settle.fail;
      connection.#onReady = () => settle.done(connection);
      connection.#begin();
      return () => connection.destroy();
    });
  }

  /** Whether it can carry another command. */
  get open(): boolean {
    return this.#end === null && this.#phase === 'idle';
  }

  /** Resolves when the socket is closed. */
  get gone(): Promise<void> {
    return this.#gone;
  }

  /** Runs a command; one at a time. After a failure the connection is closed. */
  run(order: Omit<CommandOrder, 'peer'>, progress: ProbeProgress): Promise<CommandOutcome> {
    progress.enter(`while opening a session on ${this.peer}`);
    return progress.step<CommandOutcome>((settle) => {
      if (this.#end !== null) {
        settle.fail(this.#end);
        return () => undefined;
      }
      this.#phase = 'session';
      this.started = false;
      this.#allowedBytes = 2 * order.maxOutputBytes + maxErrorBytes + framingBytes;
      this.#allowedExchanges = maxKeyExchanges;
      this.#onFailure = settle.fail;
      startCommand(
        this.#client,
        { ...order, peer: this.peer },
        {
          started: () => {
            this.started = true;
            progress.enter(`while ${order.command} ran on ${this.peer}`);
          },
          done: (outcome) => {
            if (this.#end !== null) return;
            this.#rest();
            settle.done(outcome);
            if (!outcome.closed) this.destroy();
          },
          fail: (failure) => this.#fail(failure),
        },
      );
      return () => this.destroy();
    });
  }

  /** Says goodbye and closes; a host that does not close its side is cut off soon. */
  close(): void {
    if (this.#end !== null) return;
    this.#end = new ProbeFailure('internal', 'the connection was closed');
    this.#client.end();
    const timer = setTimeout(() => this.#socket.destroy(), farewellMs);
    void this.#gone.then(() => clearTimeout(timer));
  }

  /** Closes at once. */
  destroy(): void {
    this.#end ??= new ProbeFailure('internal', 'the connection was closed');
    this.#endTurn();
    this.#socket.destroy();
  }

  #begin(): void {
    const client = this.#client;
    client.on('error', (error) => this.#fail(this.#translate(error)));
    client.on('end', () => this.#fail(this.#closedByHost()));
    client.on('close', () => this.#fail(this.#closedByHost()));
    client.on('ready', () => this.#ready());
    client.on('handshake', () => this.#shookHands());
    this.#holdUntilTurn();
    const { user, algorithms } = this.#options;
    let keysOffered = 0;
    const offers = this.#options.keys.flatMap((key) => key.offers);
    client.connect({
      sock: this.#socket,
      username: user,
      ident: identification,
      algorithms,
      // The deadline is ours; ssh2's covers the handshake alone.
      readyTimeout: 0,
      hostVerifier: (hostKey: Buffer) => this.#verify(Buffer.from(hostKey)),
      authHandler: (methodsLeft, partial, next) => {
        const key = offers[keysOffered];
        if (key === undefined || (methodsLeft !== null && !(methodsLeft as string[]).includes('publickey'))) {
          this.#fail(this.#refusedKeys(methodsLeft as string[] | null, partial === true));
          return;
        }
        keysOffered += 1;
        next({ type: 'publickey', username: user, key });
      },
    });
  }

  /**
   * Lets ssh2 see what the host sends only when there is a turn for a handshake, and
   * asks for the turn only when the host has sent something: one that is
   * silent takes none. While someone listens to `readable` a stream does not flow.
   */
  #holdUntilTurn(): void {
    let listening = false;
    let arrived = false;
    const onReadable = (): void => {
      arrived = true;
      proceed();
    };
    const proceed = (): void => {
      if (!listening || !arrived) return;
      this.#socket.removeListener('readable', onReadable);
      this.#socket.on('readable', hold);
      void this.#takeTurn().then(() => this.#socket.removeListener('readable', hold));
    };
    const hold = (): void => undefined;
    this.#socket.on('readable', onReadable);
    // ssh2 resumes the socket when it has begun to listen, which it does asynchronously.
    this.#socket.once('resume', () => {
      listening = true;
      proceed();
    });
  }

  async #takeTurn(): Promise<void> {
    const { handshakes, progress, peer } = this.#options;
    progress.enter(`while waiting for a turn to shake hands with ${peer}`);
    const endTurn = await handshakes.take(progress).catch(() => null);
    if (endTurn === null) return;
    const timer = setTimeout(endTurn, maxTurnMs);
    this.#endTurn = () => {
      clearTimeout(timer);
      endTurn();
    };
    if (this.#end !== null) this.#endTurn();
    progress.enter(`while waiting for ${peer} to greet`);
    this.#socket.prependListener('data', (chunk: Buffer) => this.#count(chunk));
  }

  #count(chunk: Buffer): void {
    if (this.#phase === 'greeting') this.#greet(chunk);
    this.#allowedBytes -= chunk.length;
    if (this.#allowedBytes >= 0 || this.#end !== null) return;
    const reason = this.#phase === 'session' ? 'output' : 'protocol';
    this.#fail(new ProbeFailure(reason, `${this.peer} sent too much during ${this.#phase}`));
  }

  #greet(chunk: Buffer): void {
    if (this.#head.length < maxHandshakeBytes) this.#head += chunk.toString('latin1');
    if (!this.#head.startsWith('SSH-') && !this.#head.includes('\nSSH-')) return;
    this.#phase = 'key exchange';
    this.#head = '';
    this.#options.progress.enter(`during key exchange with ${this.peer}`);
  }

  #verify(hostKey: Buffer): boolean {
    const known = this.hostKey.length > 0;
    if (known ? this.hostKey.equals(hostKey) : this.#options.verify(hostKey)) {
      this.hostKey = hostKey;
      return true;
    }
    this.#fail(new HostKeyRefused(this.peer, hostKey));
    return false;
  }

  #shookHands(): void {
    this.#allowedExchanges -= 1;
    if (this.#phase === 'key exchange') {
      this.#phase = 'authentication';
      this.#allowedExchanges = maxKeyExchanges;
      this.#options.progress.enter(`during authentication as ${this.#options.user} at ${this.peer}`);
      // Any OpenSSH announces all its host keys after login, and ssh2 has each proven, which costs the host a signature and
      // us a verification, for an event that nobody hears. It does so only where the remote version is OpenSSH's.
      (this.#client as unknown as { _remoteVer: string })._remoteVer = '';
    } else if (this.#allowedExchanges < 0) {
      this.#fail(new ProbeFailure('protocol', `${this.peer} exchanges keys again and again`));
    }
  }

  #ready(): void {
    if (this.#end !== null) return;
    this.#endTurn();
    this.#rest();
    this.#onReady();
  }

  #rest(): void {
    this.#phase = 'idle';
    this.#allowedBytes = maxIdleBytes;
    this.#allowedExchanges = maxKeyExchanges;
    this.#onFailure = (failure) => this.onIdleEnd?.(failure);
  }

  /** The one place where a connection fails. */
  #fail(failure: ProbeFailure): void {
    if (this.#end !== null) return;
    this.#end = failure;
    this.#endTurn();
    this.#socket.destroy();
    this.#onFailure(failure);
  }

  #refusedKeys(methodsLeft: readonly string[] | null, partial: boolean): ProbeFailure {
    const { user, keys } = this.#options;
    const tried = keys.map(String).join(', ');
    const accepted = methodsLeft === null || methodsLeft.length === 0 ? 'nothing else' : quoted(methodsLeft.join(', '));
    const what = partial
      ? `accepted ${tried} for user ${user}, but asks for more`
      : `refused ${tried} for user ${user}`;
    return new ProbeFailure('auth', `${this.peer} ${what}; it accepts ${accepted}`);
  }

  #closedByHost(): ProbeFailure {
    if (this.#phase !== 'greeting') {
      return new ProbeFailure('protocol', `${this.peer} closed the connection during ${this.#phase}`);
    }
    if (this.#head === '') {
      return new ProbeFailure('connect', `${this.peer} closed the connection before it greeted`);
    }
    // sshd writes these two in plain text and hangs up: too many connections wait for login, or this address has been too busy.
    const busy = /^(Exceeded MaxStartups|Not allowed at this time)/.test(this.#head);
    if (busy) return new ProbeFailure('connect', `${this.peer} hung up: ${quoted(this.#head)}`);
    return new ProbeFailure('protocol', `${this.peer} does not speak SSH; it said ${quoted(this.#head)}`);
  }

  /** What an error of ssh2 means, by where it happened. */
  #translate(error: Error): ProbeFailure {
    const cause = { cause: error };
    const { level, code } = error as Error & { level?: string; code?: unknown };
    const words = quoted(errorWords(error));
    if (level === 'client-authentication') {
      return new ProbeFailure('auth', `authentication at ${this.peer} failed: ${words}`, cause);
    }
    if (level === 'client-socket') {
      const reason = this.#phase === 'greeting' && this.#head === '' ? 'connect' : 'protocol';
      const what = code === 'ECONNRESET' ? 'reset the connection' : `broke the connection (${words})`;
      return new ProbeFailure(reason, `${this.peer} ${what} during ${this.#phase}`, cause);
    }
    if (typeof code === 'number') {
      const reason = this.#phase === 'authentication' ? 'auth' : 'protocol';
      return new ProbeFailure(reason, `${this.peer} hung up during ${this.#phase}: ${words}`, cause);
    }
    if (error.message.includes('signature verification failed')) {
      return new ProbeFailure('host_key', `${this.peer} could not prove that its host key is its own`, cause);
    }
    if (this.#phase === 'greeting') return this.#head === '' ? this.#closedByHost() : notSsh(this.peer, this.#head);
    return new ProbeFailure('protocol', `${this.peer} broke the protocol during ${this.#phase}: ${words}`, cause);
  }
}

function notSsh(peer: string, head: string): ProbeFailure {
  return new ProbeFailure('protocol', `${peer} does not speak SSH; it said ${quoted(head)}`);
}
