import type { Socket } from 'node:net';
import type { Connection, ServerChannel } from 'ssh2';
import type { FailureReason } from '../../src/failure';
import { type HostileServer, letIn, type MessageLayer, messages, serveSsh, serveTcp } from './hostile-server';

/** How much output the tests take of these servers, in bytes; what floods has to send more. */
export const maxOutputBytes = 256 * 1024;

/** What a server does wrong, and what a probe of it has to make of that. */
export interface Misbehaviour {
  readonly does: string;
  readonly serve: () => Promise<HostileServer>;
  readonly reason: FailureReason;
  readonly says: string | RegExp;
  /** Whether nothing but the deadline ends it. */
  readonly stalls?: boolean;
  /** The deadline, where it is another. */
  readonly withinMs?: number;
}

export const toGreet: readonly Misbehaviour[] = [
  {
    does: 'accepts the connection and says nothing',
    serve: () => serveTcp(() => undefined),
    reason: 'timeout',
    says: 'to greet',
    stalls: true,
  },
  {
    does: 'closes the connection at once',
    serve: () => serveTcp((socket) => socket.end()),
    reason: 'connect',
    says: 'closed the connection before it said anything',
  },
  {
    does: 'resets the connection at once',
    serve: () => serveTcp((socket) => socket.resetAndDestroy()),
    reason: 'connect',
    says: 'reset the connection',
  },
  {
    does: 'has too many clients',
    serve: () => serveTcp((socket) => socket.end('Exceeded MaxStartups\r\n')),
    reason: 'connect',
    says: 'Exceeded MaxStartups',
  },
  {
    does: 'speaks HTTP',
    serve: () => serveTcp((socket) => socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')),
    reason: 'protocol',
    says: 'does not speak SSH; it said "HTTP/1.1 400 Bad Request',
  },
  {
    does: 'speaks SSH 1',
    serve: () => serveTcp((socket) => socket.write('SSH-1.5-old\r\n')),
    reason: 'protocol',
    says: 'Invalid identification',
  },
  {
    does: 'greets without end',
    serve: () => serveTcp((socket) => repeat(socket, Buffer.from('welcome to this machine\r\n'.repeat(40)))),
    reason: 'protocol',
    says: /too much|does not speak SSH/,
  },
  {
    does: 'greets in one line without end',
    serve: () => serveTcp((socket) => repeat(socket, Buffer.alloc(1000, 'x'))),
    reason: 'protocol',
    says: 'does not speak SSH',
  },
  {
    does: 'greets byte by byte',
    serve: () => serveTcp((socket) => drip(socket, 'x')),
    reason: 'timeout',
    says: 'to greet',
    stalls: true,
  },
];

export const toExchangeKeys: readonly Misbehaviour[] = [
  {
    does: 'says who it is and no more',
    serve: () => serveTcp((socket) => socket.write('SSH-2.0-silent\r\n')),
    reason: 'timeout',
    says: 'during key exchange',
    stalls: true,
  },
  {
    does: 'says who it is and hangs up',
    serve: () => serveTcp((socket) => socket.end('SSH-2.0-gone\r\n')),
    reason: 'protocol',
    says: 'closed the connection during key exchange',
  },
  {
    does: 'says who it is and resets',
    serve: () =>
      serveTcp((socket) => {
        socket.write('SSH-2.0-gone\r\n');
        setTimeout(() => socket.resetAndDestroy(), 50);
      }),
    reason: 'protocol',
    says: /during key exchange/,
  },
  {
    does: 'sends garbage for packets',
    serve: () => serveTcp((socket) => socket.write(`SSH-2.0-garbage\r\n${'\xff'.repeat(500)}`)),
    reason: 'protocol',
    says: 'Bad packet length',
  },
  {
    does: 'sends packets to ignore without end',
    serve: () =>
      serveTcp((socket) => {
        socket.write('SSH-2.0-chatter\r\n');
        repeat(socket, ignorePacket());
      }),
    reason: 'protocol',
    says: 'sent too much during key exchange',
  },
  {
    does: 'drips its packets',
    serve: () =>
      serveTcp((socket) => {
        socket.write('SSH-2.0-slow\r\n\0\0\u0001\u0004');
        drip(socket, '\0');
      }),
    reason: 'timeout',
    says: 'during key exchange',
    stalls: true,
  },
  {
    does: 'has no algorithm in common with us',
    serve: () => serveSsh(letIn, { algorithms: { kex: ['diffie-hellman-group14-sha1'] } }),
    reason: 'protocol',
    says: 'offers no key exchange algorithm that is used here',
  },
  {
    does: 'speaks only with compression, behind which a bomb could hide',
    serve: () => serveSsh(letIn, { algorithms: { compress: ['zlib@openssh.com'] } }),
    reason: 'protocol',
    says: 'offers no C->S compression that is used here',
  },
  {
    does: 'has only ciphers of old',
    serve: () => serveSsh(letIn, { algorithms: { cipher: ['aes128-cbc'] } }),
    reason: 'protocol',
    says: 'offers no C->S cipher that is used here',
  },
];

export const toAuthenticate: readonly Misbehaviour[] = [
  {
    does: 'never answers a login',
    serve: () => serveSsh((client) => client.on('authentication', () => undefined)),
    reason: 'timeout',
    says: 'during authentication as probe',
    stalls: true,
  },
  {
    does: 'wants passwords and prompts',
    serve: () =>
      serveSsh((client) =>
        client.on('authentication', (attempt) => attempt.reject(['password', 'keyboard-interactive'])),
      ),
    reason: 'auth',
    says: 'it offers "password, keyboard-interactive"',
  },
  {
    does: 'wants a prompt after the key',
    serve: () =>
      serveSsh((client) => client.on('authentication', (attempt) => attempt.reject(['keyboard-interactive'], true))),
    reason: 'auth',
    says: 'accepted a key, but asks for more',
  },
  {
    does: 'prompts although nobody asked it',
    serve: () =>
      serveSsh((client) => {
        client.on('authentication', () => {
          const layer = messages(client) as unknown as { authInfoReq(t: string, i: string, p: unknown[]): void };
          layer.authInfoReq('Password', 'please', [{ prompt: 'Password: ', echo: false }]);
        });
      }),
    // ssh2 takes the prompt for the permission to prove the key, and no answer comes to that.
    reason: 'timeout',
    says: 'during authentication',
    stalls: true,
  },
  {
    does: 'hangs up at the login',
    serve: () => serveSsh((client) => client.on('authentication', () => client.end())),
    reason: 'protocol',
    says: 'closed the connection during authentication',
  },
  {
    does: 'resets at the login',
    serve: () => serveSsh((client) => client.on('authentication', () => socketOf(client).resetAndDestroy())),
    reason: 'protocol',
    says: /(reset|closed) the connection during authentication/,
  },
  {
    does: 'says goodbye at the login',
    serve: () => serveSsh((client) => client.on('authentication', () => messages(client).disconnect(14))),
    reason: 'auth',
    says: 'hung up during authentication',
  },
  {
    does: 'shows a banner without end',
    serve: () =>
      serveSsh((client) =>
        client.on('authentication', () => {
          for (let line = 0; line < 50; line += 1) messages(client).channelExtData(0, Buffer.alloc(30_000), 1);
        }),
      ),
    reason: 'protocol',
    says: 'sent too much during authentication',
  },
];

export const toRun: readonly Misbehaviour[] = [
  {
    does: 'never answers to a session',
    serve: () => raw(() => undefined),
    reason: 'timeout',
    says: 'while opening a session',
    stalls: true,
  },
  {
    does: 'refuses a session',
    serve: () => raw((layer, theirs) => layer.channelOpenFail(theirs, 1, 'no more\nsessions "here"')),
    reason: 'command',
    says: `opened no session: "no more sessions 'here'"`,
  },
  {
    does: 'refuses the command',
    serve: () =>
      serveSsh((client) => letIn(client).on('session', (accept) => accept().on('exec', (_, reject) => reject()))),
    reason: 'command',
    says: 'would not run /bin/sh',
  },
  {
    does: 'takes packets of no bytes, for which ssh2 would cut our input for ever',
    serve: () => raw((layer, theirs) => layer.channelOpenConfirm(theirs, 0, 1_000_000, 0)),
    reason: 'protocol',
    says: 'packets of 0 bytes',
  },
  {
    does: 'never opens its window',
    serve: () => raw((layer, theirs) => layer.channelOpenConfirm(theirs, 0, 0, 32_768)),
    reason: 'timeout',
    says: 'while /bin/sh ran',
    stalls: true,
  },
  {
    does: 'runs the command and says nothing',
    serve: () => exec(() => undefined),
    reason: 'timeout',
    says: 'while /bin/sh ran',
    stalls: true,
  },
  {
    does: 'writes without end',
    serve: () => exec((channel) => flood(channel)),
    reason: 'output',
    says: /more than \d+ bytes on standard output/,
  },
  {
    does: 'writes errors without end',
    serve: () => exec((channel) => flood(channel.stderr)),
    reason: 'output',
    says: 'on standard error',
  },
  {
    does: 'writes without end and without regard to the window',
    serve: () =>
      raw(confirm, (layer, theirs, client) => storm(client, () => layer.channelData(theirs, Buffer.alloc(30_000)))),
    reason: 'output',
    says: /more than|too much/,
  },
  {
    does: 'drips its output',
    serve: () =>
      exec((channel, client) => {
        const timer = setInterval(() => channel.write('.'), 20);
        client.once('close', () => clearInterval(timer));
      }),
    reason: 'timeout',
    says: 'while /bin/sh ran',
    stalls: true,
  },
  {
    does: 'hangs up in the middle of its output',
    serve: () =>
      exec((channel, client) => {
        channel.write('half of');
        setTimeout(() => client.end(), 50);
      }),
    reason: 'protocol',
    says: 'closed the connection during session',
  },
  {
    does: 'resets in the middle of its output',
    serve: () =>
      exec((channel, client) => {
        channel.write('half of');
        setTimeout(() => socketOf(client).resetAndDestroy(), 50);
      }),
    reason: 'protocol',
    says: /(reset|closed) the connection during session/,
  },
  {
    does: 'half-closes in the middle of its output',
    serve: () =>
      exec((channel, client) => {
        channel.write('half of');
        setTimeout(() => socketOf(client).end(), 50);
      }),
    reason: 'protocol',
    says: 'closed the connection during session',
  },
  {
    does: 'opens its window a byte at a time',
    serve: () =>
      raw((layer, theirs) => {
        layer._handlers['CHANNEL_DATA'] = () => setTimeout(() => layer.channelWindowAdjust(theirs, 1), 1);
        layer.channelOpenConfirm(theirs, 0, 1, 32_768);
      }),
    reason: 'timeout',
    says: 'while /bin/sh ran',
    stalls: true,
  },
  {
    does: 'sends requests of its own without end',
    serve: () => raw(confirm, (layer, _, client) => storm(client, () => layer.ping())),
    reason: 'output',
    says: 'sent too much during session',
    withinMs: 10_000,
  },
  {
    does: 'exchanges keys without end',
    serve: () =>
      serveSsh((client) => {
        client.on('rekey', () => messages(client).rekey());
        letIn(client).on('session', (accept) => accept().on('exec', () => messages(client).rekey()));
      }),
    reason: 'protocol',
    says: 'exchanges keys again and again',
  },
];

/** A server that runs a command as told. */
export function exec(handle: (channel: ServerChannel, client: Connection) => void): Promise<HostileServer> {
  return serveSsh((client) => {
    letIn(client).on('session', (accept) => accept().on('exec', (run) => handle(run(), client)));
  });
}

/** The socket under a client. */
function socketOf(client: Connection): Socket {
  return (client as unknown as { _sock: Socket })._sock;
}

/** Ends a command well. */
export function finish(channel: ServerChannel, output: string): void {
  channel.exit(0);
  channel.end(output);
}

/** A server that answers the messages of a session by hand. */
export function raw(
  onOpen: (layer: MessageLayer, theirs: number) => void,
  onExec: (layer: MessageLayer, theirs: number, client: Connection) => void = () => undefined,
): Promise<HostileServer> {
  return serveSsh((client) => {
    letIn(client);
    const layer = messages(client);
    let theirs = 0;
    layer._handlers['CHANNEL_OPEN'] = (_: unknown, info: { sender: number }) => {
      theirs = info.sender;
      onOpen(layer, theirs);
    };
    layer._handlers['CHANNEL_REQUEST'] = () => {
      layer.channelSuccess(theirs);
      onExec(layer, theirs, client);
    };
  });
}

/** Opens the session. */
export function confirm(layer: MessageLayer, theirs: number): void {
  layer.channelOpenConfirm(theirs, 0, 1_000_000, 32_768);
}

/** Sends again and again, as fast as the client takes it, until the client is gone. */
export function storm(client: Connection, send: () => void): void {
  let over = false;
  client.once('close', () => (over = true));
  const again = (): void => {
    // What the client does not take would fill this process' memory instead.
    for (let message = 0; message < 200 && !over && socketOf(client).writableLength < maxWaitingBytes; message += 1)
      send();
    if (!over) setImmediate(again);
  };
  again();
}

/** What may wait in a socket to be taken, in bytes. */
const maxWaitingBytes = 1024 * 1024;

/** Writes thirty megabytes. */
export function flood(stream: NodeJS.WritableStream): void {
  const piece = Buffer.alloc(30_000, 'x');
  let rounds = 0;
  const again = (): void => {
    rounds += 1;
    if (rounds > 1000 || !stream.writable) return;
    stream.write(piece);
    setImmediate(again);
  };
  again();
}

/** Sends a piece again and again. */
export function repeat(socket: Socket, piece: Buffer): void {
  const again = (error?: Error | null): void => {
    if (error == null && socket.writable) socket.write(piece, again);
  };
  again();
}

/** Sends a piece every hundredth of a second. */
export function drip(socket: Socket, text: string): void {
  const timer = setInterval(() => socket.write(text), 10);
  socket.once('close', () => clearInterval(timer));
}

/** SSH_MSG_IGNORE with a kilobyte in it, before any encryption (RFC 4253, sections 6 and 11.2). */
export function ignorePacket(): Buffer {
  const data = Buffer.alloc(1000);
  const payload = Buffer.concat([Buffer.from([2, 0, 0, 3, 232]), data]);
  const padding = 16 - ((payload.length + 5) % 8);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(payload.length + padding + 1);
  head.writeUInt8(padding, 4);
  return Buffer.concat([head, payload, Buffer.alloc(padding)]);
}
