import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What becomes of a question: an answer, now or later, none, or a failure. */
export type NameAnswer = 'well' | 'silence' | 'server failure' | 'no such name' | { readonly afterMs: number };

const typeA = 1;
const rcodes = { 'server failure': 2, 'no such name': 3 } as const;

/** A name server on an address of loopback: every name is 127.0.0.1, if it answers. */
export class NameServer {
  asked = 0;
  private answer: (name: string) => NameAnswer = () => 'well';

  private constructor(
    private readonly socket: Socket,
    readonly address: string,
  ) {
    socket.on('message', (question, from) => this.take(question, from));
  }

  /** The C library asks port 53 only, so each takes an address of its own. */
  static async start(): Promise<NameServer> {
    const address = `127.66.${(process.pid >> 8) & 0xff}.${1 + (process.pid % 250)}`;
    const socket = createSocket('udp4');
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(53, address, resolve);
    });
    return new NameServer(socket, address);
  }

  /** From now on. */
  answers(how: (name: string) => NameAnswer): void {
    this.answer = how;
  }

  /** Program and arguments under which a process asks this server and no other. `seconds` is how long it waits for one. */
  under(folder: string, seconds: number): string[] {
    const names = join(folder, 'names');
    mkdirSync(names, { recursive: true });
    writeFileSync(join(names, 'hosts'), '127.0.0.1 localhost\n');
    writeFileSync(join(names, 'nsswitch.conf'), 'hosts: files dns\n');
    writeFileSync(join(names, 'resolv.conf'), `nameserver ${this.address}\noptions attempts:2 timeout:${seconds}\n`);
    const binds = ['hosts', 'nsswitch.conf', 'resolv.conf'].map((file) => `mount --bind "$1/${file}" "/etc/${file}"`);
    return ['unshare', '--mount', 'sh', '-euc', `${binds.join('\n')}\nshift\nexec "$@"`, 'with-names', names];
  }

  stop(): Promise<void> {
    return new Promise((resolve) => this.socket.close(resolve));
  }

  private take(question: Buffer, from: RemoteInfo): void {
    this.asked += 1;
    const { name, end } = nameIn(question);
    const how = this.answer(name);
    if (how === 'silence') return;
    const send = (rcode: number): void =>
      this.socket.send(reply(question, end, rcode), from.port, from.address, () => undefined);
    if (typeof how === 'object') setTimeout(() => send(0), how.afterMs);
    else send(how === 'well' ? 0 : rcodes[how]);
  }
}

/** The name that is asked for, and where the question ends (RFC 1035, section 4.1.2). */
function nameIn(question: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = question[at] ?? 0; length > 0; length = question[at] ?? 0) {
    labels.push(question.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), end: at + 5 };
}

/** An address for type A, nothing for any other (RFC 1035, section 4.1). */
function reply(question: Buffer, end: number, rcode: number): Buffer {
  const isA = question.readUInt16BE(end - 4) === typeA && rcode === 0;
  const head = Buffer.alloc(12);
  question.copy(head, 0, 0, 2);
  head.writeUInt16BE(0x8180 | rcode, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(isA ? 1 : 0, 6);
  const record = Buffer.from([0xc0, 12, 0, typeA, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
  return Buffer.concat([head, question.subarray(12, end), ...(isA ? [record] : [])]);
}
