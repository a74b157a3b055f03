import type { ClientChannel } from 'ssh2';
import { ProbeFailure } from '../failure';
import { BastionFailure, refusedChannel } from './bastion-failure';
import { ChannelStream } from './channel-stream';
import type { SshConnection } from './connection';
import { minPacketBytes, packetBytes } from './command';
import { channelBytes, channelFramingBytes } from './connection-limits';
import { endpoint } from './dial';
import { errorCode } from './error-code';
import { quoted } from './foreign-text';
import type { ProbeProgress, Settle } from './progress';

/** A bastion's keys may be exchanged again as often within such a time as within a command. */
const exchangesEveryMs = 60_000;

/** What a link is told, and tells. */
export interface LinkOptions {
  /** The bastion, as the configuration names it. */
  readonly name: string;
  /** It is closed when it carried nothing for so long. */
  readonly idleMs: number;
  /** A monotonic clock in milliseconds. */
  readonly nowMs: () => number;
  /** It is of no use any more. */
  readonly onEnd: (link: BastionLink) => void;
}

/** One connection to a bastion, and the channels on it. */
export class BastionLink {
  readonly connection: SshConnection;
  readonly #options: LinkOptions;
  readonly #streams = new Set<ChannelStream>();
  readonly #opening = new Set<Settle<ChannelStream>>();
  #pending = 0;
  #retired = false;
  #exchangesAtMs: number;
  #idle: NodeJS.Timeout | null = null;

  constructor(connection: SshConnection, options: LinkOptions) {
    this.connection = connection;
    this.#options = options;
    this.#exchangesAtMs = options.nowMs();
    connection.onIdleEnd = () => this.#ended();
    connection.watchPeer();
    this.#awaitUse();
  }

  /** Channels on it, those among them that the bastion has not opened yet. */
  get channels(): number {
    return this.#streams.size + this.#pending;
  }

  /** Whether it takes more channels. */
  get open(): boolean {
    return !this.#retired && this.connection.ended === null;
  }

  /** A stream to a server behind the bastion. Throws a BastionFailure, of the reason `connect` where the bastion would not have it. */
  async stream(address: string, port: number, progress: ProbeProgress): Promise<ChannelStream> {
    const target = endpoint(address, port);
    progress.enter(`while bastion ${this.#options.name} connected to ${target}`);
    return progress.step<ChannelStream>((settle) => {
      if (this.connection.ended !== null) {
        settle.fail(this.#failure(this.connection.ended));
        return () => undefined;
      }
      this.#opening.add(settle);
      this.#pending += 1;
      this.#stopIdling();
      this.connection.allow(channelBytes);
      this.connection.forward(address, port, (error, channel) => {
        this.#pending -= 1;
        const wanted = this.#opening.has(settle);
        if (error !== undefined) {
          if (wanted) settle.fail(this.#failure(refusalOf(error, target)));
        } else if (wanted && packetBytes(channel) < minPacketBytes) {
          this.connection.destroy();
          this.#end(new ProbeFailure('protocol', `it asked for packets of ${packetBytes(channel)} bytes`));
        } else if (wanted) {
          settle.done(this.#carry(channel));
        } else {
          channel.on('error', () => undefined);
          channel.resume();
          channel.close();
        }
        this.#opening.delete(settle);
        this.#awaitUse();
      });
      return () => this.#opening.delete(settle);
    });
  }

  /** Takes no more channels, and closes when the last one on it has ended. */
  retire(): void {
    this.#retired = true;
    this.#awaitUse();
  }

  /** Ends it and every channel on it. */
  close(): void {
    this.#stopIdling();
    this.connection.close();
    this.#end(new ProbeFailure('internal', 'the connection was closed'));
  }

  #carry(channel: ClientChannel): ChannelStream {
    const stream = new ChannelStream(channel, (bytes) => this.#received(bytes));
    this.#streams.add(stream);
    stream.once('close', () => {
      this.#streams.delete(stream);
      // What the host sent may be on its way still.
      this.connection.allow(channelBytes);
      this.#awaitUse();
    });
    return stream;
  }

  #received(bytes: number): void {
    this.connection.allow(bytes + channelFramingBytes);
    const now = this.#options.nowMs();
    if (now - this.#exchangesAtMs < exchangesEveryMs) return;
    this.#exchangesAtMs = now;
    this.connection.allowExchanges();
  }

  #ended(): void {
    this.#stopIdling();
    this.#end(this.connection.ended ?? new ProbeFailure('connect', 'its connection ended'));
  }

  #end(failure: ProbeFailure): void {
    this.#options.onEnd(this);
    for (const settle of [...this.#opening]) settle.fail(this.#failure(failure));
    this.#opening.clear();
    // Each its own, as ssh2 writes on the errors it passes on.
    for (const stream of [...this.#streams]) stream.destroy(this.#failure(failure));
  }

  #failure(failure: ProbeFailure): BastionFailure {
    return BastionFailure.at(this.#options.name, failure);
  }

  #awaitUse(): void {
    if (this.channels > 0 || this.connection.ended !== null) return;
    if (this.#retired) {
      this.#leave();
      return;
    }
    this.#stopIdling();
    this.#idle = setTimeout(() => this.#leave(), this.#options.idleMs);
    // The exporter may end while it is idle.
    this.#idle.unref();
  }

  #leave(): void {
    this.#stopIdling();
    this.#options.onEnd(this);
    this.connection.close();
  }

  #stopIdling(): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#idle = null;
  }
}

/** Why the bastion opened no channel; ssh2 marks such an error with the bastion's reason and quotes its words. */
function refusalOf(error: Error, target: string): ProbeFailure {
  if (!('reason' in error))
    return new ProbeFailure('connect', `it connected to ${target} no more ${errorCode(error)}`.trim());
  return refusedChannel(error.reason, target, quoted(error.message.replace(/^\(SSH\) Channel open failure: /, '')));
}
