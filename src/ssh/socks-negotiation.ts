import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { SocksClient } from 'socks';
import { ProbeFailure } from '../failure';
import { errorWords } from './foreign-text';
import type { ProbeProgress } from './progress';
import type { ProxyLogin } from './proxy-password';

/** What a proxy is asked for. */
export interface SocksRequest {
  /** The proxy, for messages. */
  readonly proxy: string;
  readonly login: ProxyLogin | null;
  /** A name only where the proxy is to resolve it. */
  readonly host: string;
  readonly port: number;
}

/** Three answers, of which the longest is an address of a name: 262 bytes (RFC 1928, section 6). */
const maxAnswerBytes = 512;

/** The library forgets an exchange only after this time, in whatever state it is. */
const libraryTimeoutMs = 60_000;

/**
 * Asks a SOCKS5 proxy for a connection to a server, over a fresh connection to it. What the proxy sends after its answers is left
 * in the socket. Throws a ProbeFailure `connect`, `auth`, `protocol` or `timeout`.
 */
export function negotiateSocks(socket: Socket, request: SocksRequest, progress: ProbeProgress): Promise<void> {
  progress.enter(`while proxy ${request.proxy} connected to ${request.host}:${request.port}`);
  return progress.step<undefined>((settle) => {
    const wire = new Wire(socket);
    let heardBytes = 0;
    let over = false;
    const leave = (): boolean => {
      if (over) return false;
      over = true;
      socket.removeListener('readable', read);
      socket.removeListener('error', lost);
      socket.removeListener('close', lost);
      return true;
    };
    const fail = (failure: ProbeFailure): void => {
      if (leave()) settle.fail(failure);
    };
    // So OpenSSH's says that it could not connect.
    const lost = (): void => {
      const target = `${request.host}:${request.port}`;
      fail(new ProbeFailure('connect', `proxy ${request.proxy} closed its connection, and made none to ${target}`));
    };
    // The library takes all that there is and sends on what was too much by other ways; so it gets single bytes.
    const read = (): void => {
      for (let piece = readFrom(socket); piece !== null; piece = readFrom(socket)) {
        for (let at = 0; at < piece.length; at += 1) {
          heardBytes += 1;
          if (heardBytes > maxAnswerBytes) fail(protocolFault(request, 'it says too much'));
          if (over) {
            if (!socket.destroyed) socket.unshift(piece.subarray(at));
            return;
          }
          wire.emit('data', piece.subarray(at, at + 1));
        }
        if (over) return;
      }
    };
    socket.on('readable', read);
    socket.once('error', lost);
    socket.once('close', lost);
    const client = new SocksClient({
      command: 'connect',
      proxy: { host: 'proxy', port: 1080, type: 5, ...(request.login === null ? {} : loginOf(request.login)) },
      destination: { host: request.host, port: request.port },
      timeout: libraryTimeoutMs,
    });
    client.on('established', () => {
      if (leave()) settle.done(undefined);
    });
    // The library's error holds the password, so it goes no further.
    client.on('error', (error: Error) => fail(refusalOf(request, errorWords(error))));
    try {
      client.connect(wire as unknown as Duplex);
    } catch (error) {
      fail(new ProbeFailure('connect', `${request.host} can't be asked for: ${errorWords(error)}`));
    }
    return leave;
  });
}

/** What the library takes for the proxy's socket. Closing it and all else is done with the socket itself. */
class Wire extends EventEmitter {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  pause(): void {
    // The bytes come one by one.
  }

  resume(): void {
    // The socket is resumed by whoever reads it next.
  }

  destroy(): void {
    // A failure closes the socket.
  }
}

function readFrom(socket: Socket): Buffer | null {
  return socket.read() as Buffer | null;
}

function loginOf(login: ProxyLogin): { readonly userId: string; readonly password: string } {
  return { userId: login.user, password: login.reveal() };
}

function protocolFault({ proxy }: SocksRequest, words: string): ProbeFailure {
  return new ProbeFailure('protocol', `proxy ${proxy} does not speak SOCKS5: ${words}`);
}

/** The codes of RFC 1928, section 6, by the names that the library gives them. */
const refusals: Readonly<Record<string, string>> = {
  Failure: 'it failed',
  NotAllowed: 'its rules do not allow it',
  NetworkUnreachable: 'the network is unreachable',
  HostUnreachable: 'the host is unreachable',
  ConnectionRefused: 'the connection was refused',
  TTLExpired: 'nothing answered',
  CommandNotSupported: 'it does not connect to anything',
  AddressNotSupported: 'it does not know this kind of address',
};

function refusalOf(request: SocksRequest, words: string): ProbeFailure {
  const { proxy, host, port, login } = request;
  if (words.startsWith('Socks5 Authentication failed')) {
    const with_ = login === null ? 'none was configured' : `the user was ${login.user}`;
    return new ProbeFailure('auth', `proxy ${proxy} refused the login: ${with_}`);
  }
  if (words.includes('no accepted authentication type')) {
    const wants = login === null ? 'set proxy_password_file' : 'it takes neither a password nor none';
    return new ProbeFailure('auth', `proxy ${proxy} wants another login: ${wants}`);
  }
  const refused = /^Socks5 proxy rejected connection - (\w{1,40})/.exec(words)?.[1];
  if (refused !== undefined && refused in refusals) {
    const why = refusals[refused] ?? refused;
    return new ProbeFailure('connect', `proxy ${proxy} could not connect to ${host}:${port}: ${why}`);
  }
  return protocolFault(request, words);
}
