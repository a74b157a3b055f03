import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';

/** One request that a receiver was sent. */
export interface Delivery {
  /** Path of the request: tests use it to tell receivers apart. */
  readonly path: string;
  readonly body: string;
  /** Unix time in milliseconds when it had arrived whole. */
  readonly atMs: number;
}

/** Where Alertmanager's notifications end up in these tests. */
export interface Sink {
  readonly url: string;
  readonly deliveries: readonly Delivery[];
  close(): Promise<void>;
}

/** Takes every HTTP request as delivered. */
export async function openSink(): Promise<Sink> {
  const deliveries: Delivery[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      deliveries.push({ path: request.url ?? '', body: Buffer.concat(chunks).toString(), atMs: Date.now() });
      // PagerDuty answers 202 with a status, Slack and the others are content with any success.
      response.writeHead(request.url === '/pagerduty' ? 202 : 200, { 'content-type': 'application/json' });
      response.end('{"status":"success","result":"ok"}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    deliveries,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A mail server that keeps every message and speaks just enough SMTP for Alertmanager. */
export interface MailSink {
  readonly address: string;
  readonly mails: readonly string[];
  close(): Promise<void>;
}

export async function openMailSink(): Promise<MailSink> {
  const mails: string[] = [];
  const server: TcpServer = createTcpServer((socket) => converse(socket, (mail) => mails.push(mail)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    mails,
    close: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

function converse(socket: Socket, deliver: (mail: string) => void): void {
  let pending = '';
  let mail: string | null = null;
  socket.write('220 localhost\r\n');
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    pending += chunk.toString();
    for (let end = pending.indexOf('\r\n'); end !== -1; end = pending.indexOf('\r\n')) {
      const line = pending.slice(0, end);
      pending = pending.slice(end + 2);
      if (mail === null) {
        mail = answer(socket, line);
      } else if (line === '.') {
        deliver(mail);
        mail = null;
        socket.write('250 taken\r\n');
      } else {
        mail += `${line}\n`;
      }
    }
  });
}

/** Answers one command; returns the beginning of a mail when it begins with that. */
function answer(socket: Socket, line: string): string | null {
  const command = line.slice(0, 4).toUpperCase();
  if (command === 'DATA') {
    socket.write('354 go on\r\n');
    return '';
  }
  socket.write(command === 'QUIT' ? '221 bye\r\n' : '250 localhost\r\n');
  if (command === 'QUIT') {
    socket.end();
  }
  return null;
}
