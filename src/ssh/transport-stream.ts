import type { Duplex } from 'node:stream';

/** What an SSH connection runs over: a TCP socket, or a channel of another SSH connection. */
export interface TransportStream extends Duplex {
  /** Has the kernel ask the other side whether it is still there when nothing was heard for so long. */
  setKeepAlive(enable: boolean, initialDelayMs: number): unknown;
}
