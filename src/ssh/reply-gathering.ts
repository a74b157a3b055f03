import type { Duplex } from 'node:stream';

/**
 * Gathers what is written to a socket in answer to one piece of input, and sends it at once. ssh2 writes each
 * packet by itself, and every write is a system call. Returns what to call when a piece comes in, before ssh2 sees it.
 */
export function gatherReplies(socket: Duplex): () => void {
  let gathering = false;
  const send = (): void => {
    gathering = false;
    socket.uncork();
  };
  return () => {
    if (gathering) return;
    gathering = true;
    socket.cork();
    setImmediate(send);
  };
}
