import type { Duplex } from 'node:stream';

/**
 * Keeps what a host sends from whoever listens to `data` of its socket until `turn`
 * resolves, and calls `turn` only when the host has sent something: a host that
 * says nothing takes no turn. ssh2 has to be connected to the socket right after this.
 *
 * A stream to whose `readable` someone listens does not flow, and flows on by
 * itself when the last such listener leaves (Node's documentation of `readable`).
 */
export function holdUntilTurn(socket: Duplex, turn: () => Promise<void>): void {
  let listening = false;
  let arrived = false;
  let asked = false;
  const ask = (): void => {
    if (!listening || !arrived || asked) return;
    asked = true;
    const release = (): void => {
      socket.removeListener('readable', onReadable);
    };
    turn().then(release, release);
  };
  const onReadable = (): void => {
    arrived = true;
    ask();
  };
  socket.on('readable', onReadable);
  // ssh2 begins to listen some time later, and resumes the socket when it has: before that, bytes that flow would be lost.
  socket.once('resume', () => {
    listening = true;
    ask();
  });
}
