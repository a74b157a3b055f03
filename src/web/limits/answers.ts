import type { IncomingMessage, Server, ServerResponse } from 'node:http';

/** Bounds how long a client may take to receive an answer that is complete, in milliseconds. */
export function boundReceiving(server: Server, boundMs: number): void {
  server.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
    let timer: NodeJS.Timeout | undefined;
    response.once('prefinish', () => {
      timer = setTimeout(() => response.destroy(), boundMs);
    });
    response.once('close', () => clearTimeout(timer));
  });
}

/** Requests of one kind that are being answered. */
export interface InFlight {
  /** Takes a place until the response is closed. False: none is free. */
  enter(response: ServerResponse): boolean;
}

/** A bound at which further requests are refused. For those that wait for something, and so may take long. */
export function refuseBeyond(bound: number): InFlight {
  let count = 0;
  return {
    enter(response) {
      if (count >= bound) return false;
      count++;
      response.once('close', () => count--);
      return true;
    },
  };
}

/**
 * A bound at which the oldest request gives way. For those that take no time by themselves: the oldest is then one whose
 * client reads slowly, and a scrape must not be refused for its sake.
 */
export function dropOldestBeyond(bound: number): InFlight {
  const responses = new Set<ServerResponse>();
  return {
    enter(response) {
      const [oldest] = responses;
      if (responses.size >= bound && oldest !== undefined) {
        responses.delete(oldest);
        oldest.destroy();
      }
      responses.add(response);
      response.once('close', () => responses.delete(response));
      return true;
    },
  };
}
