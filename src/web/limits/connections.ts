import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

interface Connection {
  readonly socket: Socket;
  /** Requests that are being answered. */
  requests: number;
}

/** The connections of a server, also those that Node's own list lacks: without a request yet, or amid a handshake. */
export interface OpenConnections {
  /** Ends those on which nothing is being answered, and from now on each one with its answer. */
  drain(): void;
  closeAll(): void;
}

/**
 * Bounds the connections of a server so that a new one always finds a place: when all are taken, the one that has
 * been open longest without a request to be answered is closed. That may be one kept alive by a client that will open
 * another, or one of many that an attacker holds open. Only when all are being answered is the new one turned away.
 */
export function boundConnections(server: Server, maxConnections: number): OpenConnections {
  const connections = new Map<string, Connection>();
  let isDraining = false;

  server.prependListener('connection', (socket: Socket) => {
    if (connections.size >= maxConnections) {
      const idle = firstIdle(connections.values());
      if (idle === null) {
        socket.destroy();
        return;
      }
      idle.socket.destroy();
    }
    const key = keyOf(socket);
    connections.set(key, { socket, requests: 0 });
    socket.once('close', () => {
      if (connections.get(key)?.socket === socket) connections.delete(key);
    });
  });
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    const connection = connections.get(keyOf(request.socket));
    if (connection === undefined) return;
    connection.requests++;
    response.once('close', () => {
      connection.requests--;
      if (isDraining) request.socket.end();
    });
  });
  const closeThose = (isMeant: (connection: Connection) => boolean): void => {
    for (const connection of [...connections.values()]) if (isMeant(connection)) connection.socket.destroy();
  };
  return {
    drain() {
      isDraining = true;
      closeThose(({ requests }) => requests === 0);
    },
    closeAll: () => closeThose(() => true),
  };
}

/** The same for a TCP connection and for the TLS connection in it, which Node gives as another object. */
function keyOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}

function firstIdle(connections: Iterable<Connection>): Connection | null {
  for (const connection of connections) {
    if (connection.requests === 0 && !connection.socket.destroyed) return connection;
  }
  return null;
}
