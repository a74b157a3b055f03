import type { Readable } from 'node:stream';

/** What libuv reads at a time: a piece of this size says that more is waiting. */
const fullPieceBytes = 64 * 1024;

/** Connections that wait for their turn to be read on, the first that asked first. */
const waiting = new Set<Readable>();
let isPlanned = false;

/**
 * Lets others have the processor after a full piece from a host. libuv reads a socket up to 32 times before it looks at
 * any other (uv__read in src/unix/stream.c), two megabytes: of short packets, each to be deciphered and answered, that is
 * most of a second in which nothing else is served. So of all hosts that send without pause, one is
 * read on in each round of the event loop. Called with every piece, before ssh2 sees it.
 */
export function readFairly(socket: Readable, piece: Buffer): void {
  if (piece.length < fullPieceBytes) return;
  socket.pause();
  waiting.add(socket);
  plan();
}

function plan(): void {
  if (isPlanned || waiting.size === 0) return;
  isPlanned = true;
  setImmediate(readNext);
}

function readNext(): void {
  isPlanned = false;
  const [next] = waiting;
  if (next !== undefined) {
    waiting.delete(next);
    if (!next.destroyed) next.resume();
  }
  plan();
}
