import type { Client, ClientChannel } from 'ssh2';
import { ProbeFailure } from '../failure';
import { errorWords, quoted } from './foreign-text';

/** What a command gave, and whether the connection is fit for another. */
export interface CommandOutcome {
  readonly output: Buffer;
  readonly status: number | null;
  readonly endedBySignal: string | null;
  readonly errorHead: string;
  /** The host closed the channel in good order. */
  readonly closed: boolean;
}

/** What a command tells while it runs. */
export interface CommandWatcher {
  /** The host began to run it. */
  started(): void;
  done(outcome: CommandOutcome): void;
  fail(failure: ProbeFailure): void;
}

export interface CommandOrder {
  readonly command: string;
  readonly input: Buffer;
  readonly maxOutputBytes: number;
  /** The host, for messages. */
  readonly peer: string;
}

/** Standard error is counted and thrown away but for its beginning. */
export const maxErrorBytes = 1024 * 1024;
const errorHeadBytes = 400;

/** ssh2 cuts what it sends into packets of the size that the host asked for, and never comes to an end with 0. */
export const minPacketBytes = 256;

/**
 * How long to wait for the rest once the host has said that its command ended.
 * sshd sends the exit status as soon as the process is gone, which may be before the
 * last output, and a process left in the background may hold the output open for ever.
 */
const closeGraceMs = 250;
const statusGraceMs = 1000;
const outputGraceMs = 2000;

/** Runs a command on an authenticated connection. Calls exactly one of `done` and `fail`, unless the connection ends first. */
export function startCommand(client: Client, order: CommandOrder, watcher: CommandWatcher): void {
  const onChannel = (error: Error | undefined, channel: ClientChannel): void => {
    if (error) {
      watcher.fail(refusal(error, order));
      return;
    }
    if (packetBytes(channel) < minPacketBytes) {
      watcher.fail(new ProbeFailure('protocol', `${order.peer} asked for packets of ${packetBytes(channel)} bytes`));
      return;
    }
    watcher.started();
    readChannel(channel, order, watcher);
    channel.end(order.input);
  };
  try {
    client.exec(order.command, onChannel);
  } catch (error) {
    watcher.fail(new ProbeFailure('protocol', `${order.peer} is gone: ${errorWords(error)}`, { cause: error }));
  }
}

function readChannel(channel: ClientChannel, order: CommandOrder, watcher: CommandWatcher): void {
  const chunks: Buffer[] = [];
  let outputBytes = 0;
  let errorBytes = 0;
  let errorHead = Buffer.alloc(0);
  let exit: { readonly status: number | null; readonly signal: string | null } | null = null;
  let outputEnded = false;
  let ended = false;
  let timer: NodeJS.Timeout | null = null;

  const end = (): boolean => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (ended) return false;
    ended = true;
    return true;
  };
  const finish = (closed: boolean): void => {
    if (!end()) return;
    watcher.done({
      output: Buffer.concat(chunks, outputBytes),
      status: exit?.status ?? null,
      endedBySignal: exit?.signal ?? null,
      errorHead: errorHead.length === 0 ? '' : quoted(errorHead),
      closed,
    });
  };
  const tooMuch = (stream: string, bytes: number): void => {
    if (end()) watcher.fail(new ProbeFailure('output', `${order.peer} sent more than ${bytes} bytes on ${stream}`));
  };
  const awaitRest = (): void => {
    if (ended || (exit === null && !outputEnded)) return;
    if (timer !== null) clearTimeout(timer);
    const graceMs = !outputEnded ? outputGraceMs : exit === null ? statusGraceMs : closeGraceMs;
    timer = setTimeout(() => finish(false), graceMs);
  };

  channel.on('error', (error: Error) => {
    if (end()) watcher.fail(new ProbeFailure('protocol', `the session with ${order.peer} broke: ${errorWords(error)}`));
  });
  channel.on('data', (chunk: Buffer) => {
    if (ended) return;
    outputBytes += chunk.length;
    if (outputBytes > order.maxOutputBytes) {
      tooMuch('standard output', order.maxOutputBytes);
      return;
    }
    chunks.push(chunk);
    awaitRest();
  });
  channel.stderr.on('error', () => undefined);
  channel.stderr.on('data', (chunk: Buffer) => {
    errorBytes += chunk.length;
    if (errorHead.length < errorHeadBytes) {
      errorHead = Buffer.concat([errorHead, chunk.subarray(0, errorHeadBytes - errorHead.length)]);
    }
    if (errorBytes > maxErrorBytes) tooMuch('standard error', maxErrorBytes);
  });
  channel.on('exit', (status: number | null, signal?: string) => {
    exit = { status, signal: signal === undefined ? null : signal.replace(/[^A-Za-z0-9@.-]/g, '').slice(0, 40) };
    awaitRest();
  });
  channel.on('end', () => {
    outputEnded = true;
    awaitRest();
  });
  channel.on('close', () => finish(true));
}

/** Why the host would not run the command. ssh2 marks a channel that was not opened with the host's reason. */
function refusal(error: Error, order: CommandOrder): ProbeFailure {
  if ('reason' in error) {
    const words = quoted(error.message.replace(/^\(SSH\) Channel open failure: /, ''));
    return new ProbeFailure('command', `${order.peer} opened no session: ${words}`, { cause: error });
  }
  return new ProbeFailure('command', `${order.peer} would not run ${order.command}`, { cause: error });
}

/** The largest packet the host takes on this channel; ssh2 has it, but its types do not. */
export function packetBytes(channel: ClientChannel): number {
  const { outgoing } = channel as unknown as { outgoing?: { packetSize?: number } };
  return outgoing?.packetSize ?? 0;
}
