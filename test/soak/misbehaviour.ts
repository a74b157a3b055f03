import { gzipSync } from 'node:zlib';
import type { Socket } from 'node:net';
import type { AuthContext, Connection, ServerChannel, ServerConfig } from 'ssh2';
import type { FailureReason } from '../../src/failure';
import { messages, type MessageLayer } from '../ssh/hostile-server';

/** What a server knows of a session that it serves by hand. */
export interface RawSession {
  readonly layer: MessageLayer;
  readonly client: Connection;
  /** The number that the client gave its channel. */
  readonly theirs: number;
}

/**
 * One way to misbehave. Each does its own at one step and behaves at the others; a server has to ask again at each
 * step, for a host may begin and end to misbehave while a connection to it is kept.
 */
export interface Misbehaviour {
  readonly name: string;
  /** Reasons with which its probes may fail. None: they succeed. */
  readonly reasons: readonly FailureReason[];
  /** What it says of itself, where its probes succeed, is not true. */
  readonly lies?: boolean;
  /** No server listens. */
  readonly isDown?: boolean;
  /** Does with a connection what it likes, before SSH. */
  readonly onSocket?: (socket: Socket) => void;
  /** Serves SSH with these settings. `stranger`: another host's key; `forged`: its own, but signed with another. */
  readonly config?: Partial<ServerConfig>;
  readonly hostKey?: 'stranger' | 'forged';
  readonly onLogin?: (attempt: AuthContext, client: Connection) => void;
  /** Answers the opening of a channel, and the command, by hand. */
  readonly onOpen?: (session: RawSession) => void;
  readonly onCommand?: (session: RawSession) => void;
  /** Runs a command in its own way. */
  readonly onExec?: (channel: ServerChannel, client: Connection) => void;
  /** Makes another answer of what the host would say. */
  readonly answer?: (truth: string, nonce: string, at: number) => Buffer | string;
  /** Says all that it should, and then does not close in good order: its values count as any other's. */
  readonly ending?: 'channel left open' | 'no status' | 'connection cut';
}

const confirm = ({ layer, theirs }: RawSession): void => layer.channelOpenConfirm(theirs, 0, 1_000_000, 32_768);

/** Megabytes at a time, twice where the exposure is asked for: on a machine that does much else the deadline may come first. */
const heavy = ['output', 'timeout'] as const;

const toConnect: readonly Misbehaviour[] = [
  { name: 'port closed', reasons: ['connect'], isDown: true },
  { name: 'silent after TCP', reasons: ['timeout'], onSocket: () => undefined },
  { name: 'closes at once', reasons: ['connect'], onSocket: (socket) => void socket.end() },
  { name: 'resets at once', reasons: ['connect'], onSocket: (socket) => void socket.resetAndDestroy() },
  { name: 'MaxStartups', reasons: ['connect'], onSocket: (socket) => void socket.end('Exceeded MaxStartups\r\n') },
  {
    name: 'speaks HTTP',
    reasons: ['protocol'],
    onSocket: (socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
  },
  { name: 'speaks SSH 1', reasons: ['protocol'], onSocket: (socket) => void socket.write('SSH-1.5-old\r\n') },
  {
    name: 'endless greeting',
    reasons: ['protocol'],
    onSocket: (socket) => repeat(socket, 'welcome to it\r\n'.repeat(70)),
  },
  { name: 'endless line', reasons: ['protocol'], onSocket: (socket) => repeat(socket, 'x'.repeat(1000)) },
  { name: 'greeting drips', reasons: ['timeout'], onSocket: (socket) => drip(socket, 'x') },
  {
    name: 'half-closes unread',
    reasons: ['protocol'],
    onSocket(socket) {
      socket.pause().end('SSH-2.0-half\r\n');
      setTimeout(() => socket.resume(), 1000);
    },
  },
];

const toExchangeKeys: readonly Misbehaviour[] = [
  {
    name: 'silent after its name',
    reasons: ['timeout'],
    onSocket: (socket) => void socket.write('SSH-2.0-silent\r\n'),
  },
  {
    name: 'resets after its name',
    reasons: ['protocol', 'connect'],
    onSocket: (socket) => {
      socket.write('SSH-2.0-gone\r\n');
      setTimeout(() => socket.resetAndDestroy(), 50);
    },
  },
  {
    name: 'garbage packets',
    reasons: ['protocol'],
    onSocket: (socket) => void socket.write(`SSH-2.0-g\r\n${'\xff'.repeat(500)}`),
  },
  {
    name: 'packets drip',
    reasons: ['timeout'],
    onSocket: (socket) => {
      socket.write('SSH-2.0-slow\r\n\0\0\u0001\u0004');
      drip(socket, '\0');
    },
  },
  {
    name: 'no key exchange in common',
    reasons: ['protocol'],
    config: { algorithms: { kex: ['diffie-hellman-group14-sha1'] } },
  },
  { name: 'only old ciphers', reasons: ['protocol'], config: { algorithms: { cipher: ['aes128-cbc'] } } },
  { name: "another host's key", reasons: ['host_key'], hostKey: 'stranger' },
  { name: 'forged host key', reasons: ['host_key'], hostKey: 'forged' },
];

const toLogIn: readonly Misbehaviour[] = [
  { name: 'login never answered', reasons: ['timeout'], onLogin: () => undefined },
  { name: 'key refused', reasons: ['auth'], onLogin: (attempt) => attempt.reject(['publickey']) },
  {
    name: 'wants a password',
    reasons: ['auth'],
    onLogin: (attempt) => attempt.reject(['password', 'keyboard-interactive']),
  },
  {
    name: 'wants more than the key',
    reasons: ['auth'],
    onLogin: (attempt) => attempt.reject(['keyboard-interactive'], true),
  },
  { name: 'hangs up at the login', reasons: ['protocol'], onLogin: (_, client) => void client.end() },
  { name: 'says goodbye at the login', reasons: ['auth'], onLogin: (_, client) => messages(client).disconnect(14) },
];

const toRun: readonly Misbehaviour[] = [
  { name: 'no answer to a session', reasons: ['timeout'], onOpen: () => undefined },
  {
    name: 'session refused',
    reasons: ['command'],
    onOpen: ({ layer, theirs }) => layer.channelOpenFail(theirs, 1, 'no more'),
  },
  {
    name: 'packets of no bytes',
    reasons: ['protocol'],
    onOpen: ({ layer, theirs }) => layer.channelOpenConfirm(theirs, 0, 1_000_000, 0),
    onCommand: ({ layer, theirs }) => layer.channelSuccess(theirs),
  },
  {
    name: 'window never opens',
    reasons: ['timeout'],
    onOpen: ({ layer, theirs }) => layer.channelOpenConfirm(theirs, 0, 0, 32_768),
    onCommand: ({ layer, theirs }) => layer.channelSuccess(theirs),
  },
  { name: 'command says nothing', reasons: ['timeout'], onExec: () => undefined },
  { name: 'endless output', reasons: heavy, onExec: (channel) => flood(channel) },
  { name: 'endless errors', reasons: heavy, onExec: (channel) => flood(channel.stderr) },
  {
    name: 'output drips',
    reasons: ['timeout'],
    onExec(channel, client) {
      const timer = setInterval(() => channel.write('.'), 50);
      client.once('close', () => clearInterval(timer));
    },
  },
  {
    name: 'hangs up in its output',
    reasons: ['protocol'],
    onExec(channel, client) {
      channel.write('half of');
      setTimeout(() => client.end(), 50);
    },
  },
  {
    name: 'pings without end',
    reasons: ['output', 'timeout'],
    onOpen: confirm,
    onCommand({ layer, theirs, client }) {
      layer.channelSuccess(theirs);
      storm(client, () => layer.ping());
    },
  },
  {
    name: 'exchanges keys without end',
    reasons: ['protocol'],
    onExec(_, client) {
      client.on('rekey', () => messages(client).rekey());
      messages(client).rekey();
    },
  },
  {
    name: 'no such shell',
    reasons: ['command'],
    onExec(channel) {
      channel.stderr.write('This account is currently not available.\n');
      channel.exit(1);
      channel.end();
    },
  },
  { name: 'leaves its channel open', reasons: [], ending: 'channel left open' },
  { name: 'gives no exit status', reasons: [], ending: 'no status' },
  { name: 'cuts the connection after the answer', reasons: [], ending: 'connection cut' },
];

const toAnswer: readonly Misbehaviour[] = [
  { name: 'empty answer', reasons: ['output'], answer: () => '' },
  { name: 'garbage for an answer', reasons: ['output'], answer: () => Buffer.alloc(50_000, 0xfe) },
  { name: 'answer cut off', reasons: ['output'], answer: (truth) => truth.slice(0, truth.length / 2) },
  {
    name: "another probe's nonce",
    reasons: ['output'],
    answer: (truth, nonce) => truth.replaceAll(nonce, 'f'.repeat(32)),
  },
  { name: 'version of tomorrow', reasons: ['output'], answer: (truth) => truth.replace(' hello 1\n', ' hello 999\n') },
  {
    name: 'compression bomb',
    reasons: heavy,
    answer: (_, nonce) =>
      Buffer.concat([
        Buffer.from(`\n=${nonce} hello 1\n\n=${nonce} begin gzip\n`),
        bomb(),
        Buffer.from(`\n=${nonce} end gzip 0\n\n=${nonce} done\n`),
      ]),
  },
  {
    name: 'ten megabytes of packages',
    reasons: heavy,
    answer: (truth, nonce) => withPackages(truth, nonce, 'x'.repeat(100), 100_000),
  },
  {
    name: 'ends the report early',
    reasons: ['output'],
    answer: (truth, nonce) => truth.replace('=', `=${nonce} done\n=`),
  },
  {
    name: 'a hundred thousand packages',
    reasons: [],
    lies: true,
    answer: (truth, nonce) => withPackages(truth, nonce, 'package', 60_000),
  },
  {
    name: 'packages with markup and line breaks',
    reasons: [],
    lies: true,
    answer: (truth, nonce) =>
      withPackages(
        truth,
        nonce,
        `"} 1\\n\nreboot_required{host=\\"host-0\\",stack=\\"soak\\"} 1 </script><script>\u0000\xff`,
        20,
      ),
  },
  {
    name: "another host's name and boot",
    reasons: [],
    lies: true,
    answer: (truth, _, at) =>
      truth.replaceAll(`host-${at}`, 'host-0').replace(/boot_id=\S+/, 'boot_id=00000000-0000-4000-8000-000000000000'),
  },
  { name: 'clock in 1970', reasons: [], lies: true, answer: (truth) => truth.replace(/date=\S+/, 'date=12.000000000') },
  { name: 'clock in 2100', reasons: [], lies: true, answer: (truth) => truth.replace(/date=\S+/, 'date=4102444800.5') },
  {
    name: 'flag of the future',
    reasons: [],
    lies: true,
    answer: (truth, nonce) =>
      withPackages(truth, nonce, 'tomorrow', 1).replace(
        /stat=reboot-required \S+ \S+/g,
        'stat=reboot-required 4102444800 4102444800',
      ),
  },
  {
    name: 'no clock, no boot',
    reasons: ['output'],
    answer: (truth) =>
      truth
        .replace(/date=\S+/, 'date=')
        .replace(/boot_id=\S+/, 'boot_id=')
        .replace(/uptime=.*/, 'uptime='),
  },
  {
    name: 'half of its sections',
    reasons: [],
    lies: true,
    answer: (truth) => truth.replaceAll(' begin flag\n', ' begin nothing\n'),
  },
];

/** Every kind. */
export const misbehaviours: readonly Misbehaviour[] = [
  ...toConnect,
  ...toExchangeKeys,
  ...toLogIn,
  ...toRun,
  ...toAnswer,
];

/** A report in which the flag is there, with these packages. */
function withPackages(truth: string, nonce: string, name: string, count: number): string {
  const begin = truth.indexOf(' begin flag\n') + ' begin flag\n'.length;
  const end = truth.indexOf(`\n=${nonce} end flag `);
  const list = Array.from({ length: count }, (_, at) => `${name}-${at}`).join('\n');
  const nowSeconds = Math.floor(Date.now() / 1000);
  const text = `present=reboot-required\nstat=reboot-required 0 ${nowSeconds} 32\npackages\n${list}\n`;
  return truth.slice(0, begin) + text + truth.slice(end);
}

let packed: Buffer | null = null;

function bomb(): Buffer {
  packed ??= gzipSync(Buffer.alloc(64 * 1024 * 1024));
  return packed;
}

/** Sends again and again until the client is gone, no faster than a fleet in one process can bear. */
function storm(client: Connection, send: () => void): void {
  const timer = setInterval(() => {
    for (let message = 0; message < 20; message += 1) send();
  }, 10);
  client.once('close', () => clearInterval(timer));
}

function flood(stream: NodeJS.WritableStream): void {
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

/** Node.js calls back with the error before it destroys the socket: whoever wrote again then would do so for ever. */
function repeat(socket: Socket, piece: string): void {
  const again = (error?: Error | null): void => {
    if (error == null && !socket.destroyed) socket.write(piece, again);
  };
  again();
}

function drip(socket: Socket, text: string): void {
  const timer = setInterval(() => socket.write(text), 50);
  socket.once('close', () => clearInterval(timer));
}
