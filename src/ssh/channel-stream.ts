import { Duplex } from 'node:stream';
import type { ClientChannel } from 'ssh2';
import { ProbeFailure } from '../failure';
import type { TransportStream } from './transport-stream';

/**
 * What a bastion may send of a host before it is read: a greeting and an offer of keys take a twentieth of it. ssh2 does not
 * hold servers to the window it gave them, so this bounds what one can have us keep.
 */
const maxUnreadBytes = 128 * 1024;

/**
 * A channel through a bastion, as a socket is to an SSH connection: ssh2's own has no `destroy` that ends it whatever the
 * bastion does, and no `close` that always comes.
 */
export class ChannelStream extends Duplex implements TransportStream {
  readonly #channel: ClientChannel;

  /** `received` is told of every piece of data as it comes. */
  constructor(channel: ClientChannel, received: (bytes: number) => void) {
    super({ allowHalfOpen: false });
    this.#channel = channel;
    channel.on('error', () => undefined);
    // Nobody may be listening yet when the way breaks.
    this.on('error', () => undefined);
    channel.on('data', (chunk: Buffer) => {
      received(chunk.length);
      this.#take(chunk);
    });
    const ended = (): void => {
      if (!this.destroyed && !this.readableEnded) this.push(null);
    };
    channel.once('end', ended);
    channel.once('close', ended);
    channel.stderr.resume();
  }

  /** The bastion's own connection is looked after; an end of the host's shows as the channel's. */
  setKeepAlive(): this {
    return this;
  }

  override _read(): void {
    // The channel flows all the time, as what is not read is bounded.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#channel.write(chunk, done);
  }

  /** Several packets of SSH become one packet of the bastion's. */
  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#channel.write(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#channel.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#channel.close();
    done(error);
  }

  #take(chunk: Buffer): void {
    if (this.destroyed) return;
    this.push(chunk);
    if (this.readableLength <= maxUnreadBytes) return;
    this.destroy(new ProbeFailure('protocol', `more than ${maxUnreadBytes} bytes came before they were asked for`));
  }
}
