import type { LookupAddress } from 'node:dns';
import { connect, type Socket } from 'node:net';
import { ProbeFailure } from '../failure';
import { errorCode } from './error-code';
import { errorWords } from './foreign-text';
import type { ProbeProgress } from './progress';

/** How long one address is given before the next is tried beside it (RFC 8305, section 5). */
const headStartMs = 300;

/**
 * Where every socket is read to, one after the other: what came is copied to where it belongs before the next is read. Without it
 * Node.js allocates 64 KB for every read.
 */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);

/** An address and port as a person would write them. */
export function endpoint(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/**
 * Opens a TCP connection to the first address that answers. The addresses are
 * tried in their order, each with a short head start over the next; the rest are closed.
 * Throws a ProbeFailure: `connect`, `timeout`, or `internal` when this process has no descriptor left.
 */
export function dial(
  addresses: readonly LookupAddress[],
  port: number,
  host: string,
  progress: ProbeProgress,
): Promise<Socket> {
  progress.enter(`while connecting to ${addresses.map(({ address }) => endpoint(address, port)).join(', ')}`);
  return progress.step<Socket>((settle) => {
    const attempts = new Set<Socket>();
    const faults: string[] = [];
    let next = 0;
    let timer: NodeJS.Timeout | null = null;

    const stop = (): void => {
      if (timer !== null) clearTimeout(timer);
      for (const socket of attempts) discard(socket);
      attempts.clear();
    };
    const tryNext = (): void => {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      const target = addresses[next];
      if (target === undefined) return;
      next += 1;
      const socket: Socket = connect({
        ...{ host: target.address, port, family: target.family, noDelay: true },
        onread: {
          buffer: readBuffer,
          callback: (bytes, buffer) => socket.push(Buffer.from(buffer.subarray(0, bytes))),
        },
      });
      attempts.add(socket);
      socket.once('connect', () => {
        attempts.delete(socket);
        socket.removeAllListeners('error');
        stop();
        settle.done(socket);
      });
      socket.once('error', (error) => {
        attempts.delete(socket);
        discard(socket);
        faults.push(dialFault(error, endpoint(target.address, port)));
        if (next < addresses.length) {
          tryNext();
        } else if (attempts.size === 0) {
          stop();
          settle.fail(dialFailure(error, host, faults));
        }
      });
      if (next < addresses.length) timer = setTimeout(tryNext, headStartMs);
    };

    tryNext();
    return stop;
  });
}

/** Closes a socket that nobody listens to any more; an error after that is of no interest. */
function discard(socket: Socket): void {
  socket.removeAllListeners();
  socket.on('error', () => undefined);
  socket.destroy();
}

const dialFaults: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused the connection',
  ECONNRESET: 'reset the connection',
  EHOSTUNREACH: 'is unreachable',
  EHOSTDOWN: 'is down',
  ENETUNREACH: 'has no route to it',
  ETIMEDOUT: 'did not answer',
  EACCES: 'may not be connected to: a local firewall forbids it',
  EPERM: 'may not be connected to: a local firewall forbids it',
  EADDRNOTAVAIL: 'can not be connected to: no local port or address is left',
};

function dialFault(error: Error, target: string): string {
  return `${target} ${dialFaults[errorCode(error)] ?? `failed: ${errorWords(error)}`}`;
}

function dialFailure(error: Error, host: string, faults: readonly string[]): ProbeFailure {
  const code = errorCode(error);
  if (code === 'EMFILE' || code === 'ENFILE') {
    return new ProbeFailure('internal', 'no file descriptor is left; raise the limit of open files', { cause: error });
  }
  return new ProbeFailure('connect', `no connection to ${host}: ${faults.join('; ')}`, { cause: error });
}
